"""Handing events on: the frames that carry others' events, and the proofs that go before them.

Every end counts its relays, so that the other one can answer for a whole one in a few words.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..event import Packet
from .wire import Relay, Vouch, encode, raw_pair

IDS_AT_ONCE = 3000
"""Ids of a proof in one frame: 128 KiB of base64."""

RELAY_BYTES = 96 * 1024
RELAY_EVENTS = 400
"""What one frame of relayed events carries."""


def vouches(
    stream: str,
    log: str,
    server: str,
    ids: Sequence[bytes],
    *,
    sealed: int,
    signature: str,
    first: int = 1,
    chain: str = "",
) -> list[bytes]:
    """The frames of a proof.

    Args:
        stream: What it is about.
        log: The log that holds the ids in this order.
        server: Who sealed it.
        ids: The entries at the places from `first` on, up to the seal.
        sealed: When the seal was put there, in milliseconds.
        signature: The seal, in hex.
        first: The place of the first id.
        chain: The chain before `first`, in hex; empty where `first` is 1.
    """
    frames = []
    for start in range(0, len(ids), IDS_AT_ONCE):
        text = b64encode(b"".join(ids[start : start + IDS_AT_ONCE])).decode()
        is_last = start + IDS_AT_ONCE >= len(ids)
        admitted, seal = (sealed, signature) if is_last else (0, "")
        before = "" if start else chain
        frames.append(
            encode(Vouch(stream, log, server, first + start, text, admitted, seal, before))
        )
    return frames


class Handing(NamedTuple):
    """An event to hand on: its id, its bytes, and the first admission stamp that is known of it."""

    id: str
    admitted: int
    packet: Packet


class Carried(NamedTuple):
    """What one relay carried: events of one stream, by their ids."""

    stream: str
    ids: list[str]


class Relaying:
    """The relays of one connection, by their numbers, until the other end has taken them.

    It also knows of which streams something is still to be handed on or answered for: up to then no
    cursor may say that both ends hold the same, or what is cut off would never be handed on.
    """

    def __init__(self) -> None:
        self._count = 0
        self._carried: dict[int, Carried] = {}
        self._owed: dict[str, set[str]] = {}

    def comparing(self, stream: str) -> None:
        """A comparison of a stream begins: nobody knows yet what is to be handed on."""
        self._owed[stream] = {""}

    def owe(self, stream: str, ids: Iterable[str]) -> None:
        """Say which events of a compared stream are handed on."""
        self._owed[stream] = set(ids)

    def answered(self, stream: str, ids: Iterable[str]) -> None:
        """The other end has events, will not have them, or cannot get them."""
        if (owed := self._owed.get(stream)) is not None:
            owed.difference_update(ids)

    def refused(self, event_id: str) -> None:
        """The other end does not take an event of whatever stream."""
        for owed in self._owed.values():
            owed.discard(event_id)

    def is_even(self, stream: str) -> bool:
        """Whether nothing of a stream is left to be handed on and answered for."""
        return not self._owed.get(stream)

    def frames(self, stream: str, events: Iterable[Handing]) -> Iterator[bytes]:
        """The frames that hand on events of a stream, in their order."""
        for some in _cut(events):
            self._count += 1
            self._carried[self._count] = Carried(stream, [one.id for one in some])
            yield _relay_frame([(one.admitted, one.packet) for one in some], self._count)

    def taken(self, number: int) -> Carried | None:
        """What a relay carried, None where there was no such relay or it was answered for."""
        carried = self._carried.pop(number, None)
        if carried is not None:
            self.answered(carried.stream, carried.ids)
        return carried


def _cut(events: Iterable[Handing]) -> Iterator[list[Handing]]:
    some: list[Handing] = []
    size = 0
    for event in events:
        length = len(event.packet.head) + len(event.packet.body or b"")
        if some and (size + length > RELAY_BYTES or len(some) == RELAY_EVENTS):
            yield some
            some, size = [], 0
        some.append(event)
        size += length
    if some:
        yield some


def _relay_frame(some: Sequence[tuple[int, Packet]], number: int) -> bytes:
    withheld = {
        str(place): packet.reason or "withheld"
        for place, (_, packet) in enumerate(some)
        if packet.body is None
    }
    via = {str(place): packet.via for place, (_, packet) in enumerate(some) if packet.via}
    pairs = [raw_pair(packet) for _, packet in some]
    return encode(Relay(pairs, [stamp for stamp, _ in some], withheld, via, number))
