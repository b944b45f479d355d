"""How far a console has read the streams of a server's log, and what it holds from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct, field

from ..seal import ZERO, link
from .wire import Close, ProtocolError


class Holdings(Protocol):
    """What this end holds already, of servers' logs: events that wait for an ack do not count."""

    def set_digest(self, stream: str) -> str:
        """The digest of the events held of a stream, empty where none are."""

    def ids(self, stream: str) -> Iterable[str]:
        """The entries of the events held of a stream: their ids, for voids the names of those."""


class Nothing:
    """The holdings of an end that keeps nothing."""

    def set_digest(self, stream: str) -> str:
        """Nothing is held."""
        return ""

    def ids(self, stream: str) -> Iterable[str]:
        """Nothing is held."""
        return ()


class Reading(Struct):
    """How far one stream was read in the server's log."""

    stream: str
    iseq: int = 0
    chain: bytes = ZERO
    begun_at: int = 0
    """Up to where it was read on other connections, maybe in a history that the server lost."""
    top: int = 0
    synced: bool = False
    ahead: dict[int, bytes] = field(default_factory=dict)
    """Event ids by places behind a gap that history will fill."""
    below: dict[int, bytes] = field(default_factory=dict)
    """Event ids by places that were thought to be read already."""
    claims: dict[int, str] = field(default_factory=dict)
    """What the server says the chain is at places that were not reached yet."""

    @property
    def behind(self) -> int:
        """How many events of the stream are still to come."""
        return max(0, self.top - self.iseq - len(self.ahead))

    def take(self, iseq: int, event_id: bytes) -> None:
        """Take in the event at a place."""
        if iseq == self.iseq + 1 and not self.ahead:
            self.chain = link(self.chain, event_id)
            self.iseq = iseq
            if self.claims:
                self._check(self.claims.pop(iseq, ""))
            return
        (self.ahead if iseq > self.iseq else self.below)[iseq] = event_id
        while (following := self.ahead.pop(self.iseq + 1, None)) is not None:
            self.chain = link(self.chain, following)
            self.iseq += 1
            self._check(self.claims.pop(self.iseq, ""))

    def restart(self) -> None:
        """What was read before is no part of this log: count from its beginning.

        What this connection alone has brought stays: it may have come before the order was told.
        """
        if self.begun_at:
            self.ahead |= self.below
            self.below = {}
            self.iseq, self.chain, self.begun_at = 0, ZERO, 0

    def claim(self, iseq: int, chain: str) -> None:
        """Hold the server to what it says the chain is at a place.

        Raises:
            ProtocolError: It is another one (`LOG_CHANGED`); `take` raises it too.
        """
        if iseq > self.iseq:
            self.claims[iseq] = chain
        elif iseq == self.iseq:
            self._check(chain)

    def _check(self, chain: str) -> None:
        if chain and chain != self.chain.hex():
            raise ProtocolError(
                Close.LOG_CHANGED, f"the server's history of {self.stream} is another one"
            )


class Comparison(Struct):
    """Of one stream: what is held by the starts of its ids, and what the order showed so far."""

    held: dict[bytes, str]
    missing: list[tuple[int, int]] = field(default_factory=list)
    common: dict[int, str] = field(default_factory=dict)
    unvouched: list[str] = field(default_factory=list)

    def place(self, iseq: int, prefix: bytes, *, is_via: bool) -> str | None:
        """The id of the held event that is at a place, None if it is lacking here."""
        known = self.held.get(prefix)
        if known is None:
            self._lack(iseq)
        else:
            self.common[iseq] = known
            if is_via:
                self.unvouched.append(known)
        return known

    def lacking(self) -> list[str]:
        """The ids of the held events that had no place."""
        common = set(self.common.values())
        return [id_ for id_ in self.held.values() if id_ not in common]

    def _lack(self, iseq: int) -> None:
        if self.missing and self.missing[-1][1] == iseq - 1:
            self.missing[-1] = (self.missing[-1][0], iseq)
        else:
            self.missing.append((iseq, iseq))
