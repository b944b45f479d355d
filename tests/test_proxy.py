"""The proxy does to a line what it says, so that tests with it mean something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.leaping import run_leaping
from tests.proxy import Proxy, tcp_front, unix_back
from tests.waiting import wait_for

End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Far:
    """A server behind a proxy: the ends of its lines."""

    def __init__(self) -> None:
        self.ends: list[End] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection."""
        self.ends.append((reader, writer))


@asynccontextmanager
async def laid(root: Path, **options: float) -> AsyncIterator[tuple[Proxy, Far, int]]:
    """A server, a proxy before it, and the TCP port of that."""
    far = Far()
    server = await asyncio.start_unix_server(far.take, str(root / "far"))
    proxy = unix_back(root / "far", **options)
    async with server, tcp_front(proxy) as port:
        yield proxy, far, port
        for _, writer in far.ends:
            writer.transport.abort()


async def connected(far: Far, port: int) -> tuple[End, End]:
    """A line: the near end and the far one."""
    count = len(far.ends)
    near = await asyncio.open_connection("127.0.0.1", port)
    await wait_for(lambda: len(far.ends) > count, "a connection at the far end")
    return near, far.ends[-1]


def over(root: Path, test: Callable[[Proxy, Far, int], Awaitable[None]], **options: float) -> None:
    """Run a test on a line."""

    async def run() -> None:
        async with laid(root, **options) as (proxy, far, port):
            await test(proxy, far, port)

    run_leaping(run)


def now() -> float:
    """Seconds of the running loop."""
    return asyncio.get_running_loop().time()


def test_bytes_come_in_order_late_and_no_faster_than_the_rate(home: Path) -> None:
    async def test(_proxy: Proxy, far: Far, port: int) -> None:
        (_, near), (distant, _) = await connected(far, port)
        sent = bytes(range(256)) * 40
        near.write(sent)
        assert await distant.readexactly(len(sent)) == sent
        assert now() == pytest.approx(0.5 + len(sent) / 1024, abs=0.05)
        near.close()

    over(home, test, latency=0.5, rate=1024)


def test_a_stalled_way_holds_everything_and_the_other_way_flows(home: Path) -> None:
    async def test(proxy: Proxy, far: Far, port: int) -> None:
        (reader, writer), (far_reader, far_writer) = await connected(far, port)
        proxy.up.stall()
        writer.write(b"up")
        far_writer.write(b"down")
        assert await reader.readexactly(4) == b"down"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await far_reader.readexactly(2)
        proxy.heal()
        assert await far_reader.readexactly(2) == b"up"
        writer.close()

    over(home, test)


def test_a_reset_is_a_reset_and_a_half_open_line_says_nothing(home: Path) -> None:
    async def test(proxy: Proxy, far: Far, port: int) -> None:
        (reader, writer), (far_reader, _) = await connected(far, port)
        proxy.lose_server()
        assert await far_reader.read() == b""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await reader.read()
        proxy.hang_up(reset=True)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    over(home, test)


def test_a_cut_lets_exactly_so_many_bytes_through(home: Path) -> None:
    async def test(proxy: Proxy, far: Far, port: int) -> None:
        (reader, writer), (far_reader, _) = await connected(far, port)
        proxy.cut_in_the_middle(proxy.up, 1500)
        writer.write(b"x" * 4000)
        assert await far_reader.read() == b"x" * 1500
        assert await reader.read() == b""
        writer.close()
        assert proxy.up.left is None, "the next line is whole"

    over(home, test)


def test_a_closed_door_hangs_up_and_a_deaf_one_says_nothing(home: Path) -> None:
    async def test(proxy: Proxy, far: Far, port: int) -> None:
        proxy.cut()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()
        proxy.blackhole()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await reader.read()
        proxy.heal()
        assert await reader.read() == b"", "who was never heard is hung up on"
        writer.close()
        (_, writer), (far_reader, _) = await connected(far, port)
        writer.write(b"again")
        assert await far_reader.readexactly(5) == b"again"
        writer.close()
        assert proxy.accepted == 3

    over(home, test)
