"""A proxy that makes a good link bad: latency and a byte rate, on TCP or Unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

Dial = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

CHUNK = 1024
"""Bytes are passed on in pieces of this size, so that a slow link is slow evenly."""


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
        self.passed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it, or the proxy does."""
        far_reader, far_writer = await self._dial()
        carrying = [
            asyncio.create_task(self._carry(reader, far_writer)),
            asyncio.create_task(self._carry(far_reader, writer)),
        ]
        try:
            await asyncio.wait(carrying)
        except asyncio.CancelledError:
            for task in carrying:
                task.cancel()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read ahead of the latency: what is under way does not hold up what follows."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=64)
        delivery = asyncio.create_task(self._deliver(under_way, writer))
        loop = asyncio.get_running_loop()
        free_at = loop.time()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(CHUNK):
                free_at = max(free_at, loop.time()) + (len(data) / self.rate if self.rate else 0)
                await under_way.put((free_at + self.latency, data))
        try:
            await under_way.put((free_at + self.latency, b""))
            await delivery
        except asyncio.CancelledError:
            delivery.cancel()

    async def _deliver(
        self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(max(0, due - loop.time()))
                if not data:
                    break
                self.passed += len(data)
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()


@asynccontextmanager
async def tcp_proxy(
    host: str, port: int, *, latency: float = 0, rate: float | None = None
) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy on a loopback port of its own; yields it and the port."""
    proxy = Proxy(lambda: asyncio.open_connection(host, port), latency=latency, rate=rate)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=CHUNK)
    async with server:
        yield proxy, server.sockets[0].getsockname()[1]


@asynccontextmanager
async def unix_proxy(
    path: Path, own: Path, *, latency: float = 0, rate: float | None = None
) -> AsyncIterator[Proxy]:
    """A proxy in front of a Unix socket, listening at `own`."""
    proxy = Proxy(lambda: asyncio.open_unix_connection(str(path)), latency=latency, rate=rate)
    server = await asyncio.start_unix_server(proxy.serve, str(own), limit=CHUNK)
    async with server:
        yield proxy
