"""How long a console that owes `seen` is waited for; a connection that counts what arrives."""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection
from websockets.frames import CTRL_OPCODES, Frame
from websockets.protocol import Event

from .crowd import Crowd
from .turns import BITE, read_in_bites

WHILE_SENDING = 6
"""So many times as long is waited for who goes on sending: `seen` may come behind all that."""


LEAST_SENT = 256
"""Who sends fewer bytes between two looks sends nothing but pings, which say nothing of reading."""


MOST_CONTROLS = 1000
"""How many pings and pongs a second somebody may send; a console sends some ten."""


class Connection(ServerConnection):
    """A connection that counts the bytes that arrive, and is a stranger until it is `known`."""

    received = 0
    _controls = 0
    _counted_since = 0.0
    crowd: Crowd | None = None
    """The strangers at its door."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came."""
        super().connection_made(transport)
        read_in_bites(transport)
        if self.crowd is not None:
            self.crowd.come(self.transport)

    def data_received(self, data: bytes) -> None:
        """Some bytes arrived: a part of a frame or, over TLS, thousands at once."""
        self.received += len(data)
        if len(data) <= BITE:
            super().data_received(data)
            return
        for start in range(0, len(data), BITE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + BITE])

    def process_event(self, event: Event) -> None:
        """A frame arrived: whoever sends nothing but pings and pongs by the thousand is cut."""
        if isinstance(event, Frame) and event.opcode in CTRL_OPCODES:
            now = self.loop.time()
            if now - self._counted_since > 1:
                self._counted_since, self._controls = now, 0
            self._controls += 1
            if self._controls > MOST_CONTROLS:
                self.transport.abort()
                return
        super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Somebody is gone."""
        self.known()
        super().connection_lost(exc)

    def known(self) -> None:
        """Who it is was said and found to be good."""
        if self.crowd is not None:
            self.crowd.leave(self.transport)


class Patience:
    """Counts the looks, one a second, at a console that makes no progress or says nothing."""

    def __init__(self) -> None:
        self._before: tuple[int, ...] = ()
        self._received = 0
        self._owing = self._silent = 0
        self.mute = 0
        """How many looks in a row found that nothing came from it at all."""

    def look(self, owes: bool, progress: tuple[int, ...], received: int) -> None:
        """Compare with the last look.

        Args:
            owes: Whether anything was sent to the console that it has not seen.
            progress: Changes whenever it takes something in.
            received: The bytes that came from it.
        """
        if not owes or progress != self._before:
            self._owing = self._silent = 0
        else:
            self._owing += 1
            is_sending = received - self._received >= LEAST_SENT
            self._silent = 0 if is_sending else self._silent + 1
        self.mute = self.mute + 1 if received == self._received else 0
        self._before, self._received = progress, received

    def is_over(self, looks: int) -> bool:
        """Whether it neither read nor sent anything for so many looks, or read nothing for long."""
        return self._silent >= looks or self._owing >= WHILE_SENDING * looks
