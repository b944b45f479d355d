"""What one end of a line sends: a little at a time, so that nothing waits long behind it.

A slow line with much to send would else fill every buffer on the way, and pings, credit and what
somebody types would wait behind all of it. So there is never more under way than what has lately
arrived in a moment. Pings mark what was sent: the answer to one tells that all before it arrived.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from functools import partial
from typing import Protocol

LEAST = 8 * 1024
FIRST_WINDOW, LARGEST_WINDOW = 2 * LEAST, 128 * LEAST
"""How much may be under way, in bytes: at the beginning, and on the fastest line."""

PIECES = 4
"""Frames are sent in pieces of this part of that; pings pass between them."""

MOMENT = 1.0
"""What takes longer to arrive, in seconds, is too much."""

SOON, LATE = 0.1, 0.8
"""Arriving so many seconds later than the quickest did lets more be under way, or less."""


class Connection(Protocol):
    """A WebSocket connection, as far as it is needed here."""

    async def send(self, message: bytes | AsyncIterator[bytes], *, text: bool) -> None:
        """Send a message, whole or in pieces."""

    async def ping(self) -> Awaitable[float]:
        """Send a ping; what comes back has its answer."""


class Uplink:
    """Sends frames in order over one connection; `credit` goes before the others."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._first: deque[bytes] = deque()
        self._frames: deque[bytes] = deque()
        self._more = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._arrived = asyncio.Event()
        self._window = FIRST_WINDOW
        self._under_way = self._unmarked = 0
        self._quickest: float | None = None

    def put(self, frame: bytes) -> None:
        """Send a frame behind the others."""
        self._frames.append(frame)
        self._stir()

    def put_first(self, frame: bytes) -> None:
        """Send a frame before all others that wait."""
        self._first.append(frame)
        self._stir()

    def _stir(self) -> None:
        self._empty.clear()
        self._more.set()

    async def drained(self) -> None:
        """Wait until everything has left, or the connection is gone."""
        await self._empty.wait()

    async def run(self) -> None:
        """Send until cancelled, or until the connection is gone."""
        try:
            while True:
                while self._first or self._frames:
                    await self._send((self._first or self._frames).popleft())
                self._empty.set()
                self._more.clear()
                await self._more.wait()
        finally:
            self._empty.set()

    async def _send(self, frame: bytes) -> None:
        if len(frame) > self._piece:
            await self._connection.send(self._pieces(frame), text=True)
        else:
            await self._room()
            await self._connection.send(frame, text=True)
            await self._sent(len(frame))

    async def _pieces(self, frame: bytes) -> AsyncIterator[bytes]:
        start = 0
        while start < len(frame):
            await self._room()
            piece = frame[start : start + self._piece]
            start += len(piece)
            yield piece
            await self._sent(len(piece))

    @property
    def _piece(self) -> int:
        return max(LEAST, self._window // PIECES)

    async def _room(self) -> None:
        """Wait until something more may be under way."""
        while self._under_way >= self._window:
            self._arrived.clear()
            await self._arrived.wait()

    async def _sent(self, size: int) -> None:
        """Count what has left; a ping behind every so many bytes tells when it has arrived."""
        self._unmarked += size
        if self._unmarked < self._piece:
            return
        marked, self._unmarked = self._unmarked, 0
        self._under_way += marked
        began = asyncio.get_running_loop().time()
        pong = asyncio.ensure_future(await self._connection.ping())
        pong.add_done_callback(partial(self._ponged, marked, began))

    def _ponged(self, marked: int, began: float, pong: asyncio.Future[float]) -> None:
        self._under_way -= marked
        if not pong.cancelled() and pong.exception() is None:
            took = asyncio.get_running_loop().time() - began
            self._learn(took)
        self._arrived.set()

    def _learn(self, took: float) -> None:
        """Let more or less be under way by how long it took to arrive, in seconds."""
        if took > MOMENT or (self._quickest is not None and took > self._quickest + LATE):
            self._window = max(self._window // 2, LEAST)
        elif self._quickest is not None and took < self._quickest + SOON:
            self._window = min(2 * self._window, LARGEST_WINDOW)
        self._quickest = took if self._quickest is None else min(self._quickest, took)
