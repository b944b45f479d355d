"""A proxy that makes a good line bad, on TCP and Unix sockets, as a test tells it to.

It takes its time (latency, a byte rate), holds one way or both up, ends lines with a reset or in
the middle of a frame, lets one end go without telling the other, and hangs up on whoever comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

Dial = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

Door = Literal["open", "closing", "deaf"]
"""What happens to new connections: they are carried, hung up on, or never heard."""

CHUNK = 1024
"""Bytes are passed on in pieces of this size, so that a slow link is slow evenly."""


class Way:
    """One direction of the line, for all connections together."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self.passed = 0
        self.left: int | None = None
        """How many bytes may pass before the line is cut, None for all of them."""

    def stall(self) -> None:
        """Hold everything up from now on; nothing is lost."""
        self._open.clear()

    def flow(self) -> None:
        """Let it pass again."""
        self._open.set()

    async def is_open(self) -> None:
        """Wait until it flows."""
        await self._open.wait()

    def take(self, data: bytes) -> bytes:
        """As much of some bytes as may still pass."""
        if self.left is not None:
            data = data[: self.left]
            self.left -= len(data)
        self.passed += len(data)
        return data


class Pair:
    """One connection and what carries it: the console's end (near) and the server's (far)."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.near = near
        self.far = far
        self.tasks: list[asyncio.Task[None]] = []

    def end(self, *, reset: bool = False) -> None:
        """Hang up on both ends."""
        for task in self.tasks:
            task.cancel()
        for writer in (self.near, self.far):
            if reset:
                _linger_no_more(writer)
            writer.transport.abort()

    def leave(self) -> None:
        """Hang up on the server; the console never hears of it."""
        for task in self.tasks:
            task.cancel()
        self.far.transport.abort()


class Proxy:
    """Passes connections on to a server.

    Args:
        dial: Opens a connection to the server.
        latency: Seconds that every byte takes one way.
        rate: Bytes a second, each way and connection; None for as fast as it goes.
    """

    def __init__(self, dial: Dial, *, latency: float = 0, rate: float | None = None) -> None:
        self._dial = dial
        self.latency = latency
        self.rate = rate
        self.up, self.down = Way(), Way()
        """What consoles say, and what the server says."""
        self.door: Door = "open"
        self.accepted = 0
        """How many connections came so far."""
        self.pairs: list[Pair] = []
        self._deaf: list[asyncio.StreamWriter] = []

    @property
    def passed(self) -> int:
        """The bytes that were passed on so far, both ways."""
        return self.up.passed + self.down.passed

    # Faults --------------------------------------------------------------------------------

    def cut(self) -> None:
        """End every line, and hang up on whoever comes until `heal`."""
        self.door = "closing"
        self.hang_up()

    def hang_up(self, *, reset: bool = False) -> None:
        """End every line; with a reset where the sockets have such a thing."""
        for pair in self.pairs:
            pair.end(reset=reset)
        self.pairs.clear()

    def blackhole(self) -> None:
        """Nothing gets through any more, and nobody is told."""
        self.door = "deaf"
        self.up.stall()
        self.down.stall()

    def lose_server(self) -> None:
        """The server's ends are gone, the consoles' stay as they were: lines are half open."""
        for pair in self.pairs:
            pair.leave()

    def cut_in_the_middle(self, way: Way, after: int = 100) -> None:
        """End the next line that carries so many bytes more, in the middle of a frame."""
        way.left = after

    def heal(self) -> None:
        """Let everything through again; who was never heard is hung up on."""
        self.door = "open"
        for way in (self.up, self.down):
            way.left = None
            way.flow()
        for writer in self._deaf:
            writer.transport.abort()
        self._deaf.clear()

    # Carrying ------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it, or the proxy does."""
        self.accepted += 1
        if self.door == "closing":
            writer.transport.abort()
            return
        if self.door == "deaf":
            self._deaf.append(writer)
            return
        try:
            far_reader, far_writer = await self._dial()
        except OSError:
            writer.transport.abort()
            return
        pair = Pair(writer, far_writer)
        self.pairs.append(pair)
        pair.tasks = [
            asyncio.create_task(self._carry(self.up, reader, far_writer, pair)),
            asyncio.create_task(self._carry(self.down, far_reader, writer, pair)),
        ]
        try:
            await asyncio.wait(pair.tasks)
        except asyncio.CancelledError:
            pair.end()

    async def _carry(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: Pair
    ) -> None:
        """Read ahead of the latency: what is under way does not hold up what follows."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=64)
        delivery = asyncio.create_task(self._deliver(way, under_way, writer, pair))
        loop = asyncio.get_running_loop()
        free_at = loop.time()
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while data := await reader.read(CHUNK):
                    lasts = len(data) / self.rate if self.rate else 0
                    free_at = max(free_at, loop.time()) + lasts
                    await under_way.put((free_at + self.latency, data))
            await under_way.put((free_at + self.latency, b""))
            await delivery
        finally:
            delivery.cancel()

    async def _deliver(
        self,
        way: Way,
        under_way: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
        pair: Pair,
    ) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(max(0, due - loop.time()))
                await way.is_open()
                if not data:
                    break
                allowed = way.take(data)
                writer.write(allowed)
                await writer.drain()
                if len(allowed) < len(data):
                    way.left = None
                    self.pairs.remove(pair)
                    _close(pair.near)
                    _close(pair.far)
                    return
        _close(writer)

    def close(self) -> None:
        """End everything."""
        self.heal()
        self.hang_up()


def _close(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.close()


def _linger_no_more(writer: asyncio.StreamWriter) -> None:
    """Make the end of a TCP line a reset."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@asynccontextmanager
async def tcp_proxy(
    host: str, port: int, *, latency: float = 0, rate: float | None = None
) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy on a loopback port of its own; yields it and the port."""
    proxy = Proxy(lambda: asyncio.open_connection(host, port), latency=latency, rate=rate)
    async with tcp_front(proxy) as front:
        yield proxy, front


@asynccontextmanager
async def tcp_front(proxy: Proxy) -> AsyncIterator[int]:
    """Let a proxy, to wherever, take TCP connections; yields the port."""
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=CHUNK)
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            proxy.close()


def unix_back(path: Path, *, latency: float = 0, rate: float | None = None) -> Proxy:
    """A proxy to a Unix socket that may not be there yet, without a front."""
    return Proxy(lambda: asyncio.open_unix_connection(str(path)), latency=latency, rate=rate)


@asynccontextmanager
async def unix_proxy(
    path: Path, own: Path, *, latency: float = 0, rate: float | None = None
) -> AsyncIterator[Proxy]:
    """A proxy in front of a Unix socket that may not be there yet, listening at `own`."""
    proxy = unix_back(path, latency=latency, rate=rate)
    server = await asyncio.start_unix_server(proxy.serve, str(own), limit=CHUNK)
    async with server:
        try:
            yield proxy
        finally:
            proxy.close()
