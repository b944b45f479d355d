"""What is sent: in order, credit first, and never much more than arrives in a moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial

from tests.leaping import pass_time, run_leaping
from tests.waiting import wait_for
from warroom_incident.sync.uplink import FIRST_WINDOW, LARGEST_WINDOW, LEAST, Uplink


class Line:
    """A connection that carries so many bytes a second, and tells what is under way."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.sent: list[bytes] = []
        self.pieces: list[int] = []
        self.under_way = self.most = 0
        self._free_at = 0.0

    async def send(self, message: bytes | AsyncIterator[bytes], *, text: bool) -> None:
        """Take a message, whole or in pieces."""
        assert text
        whole = b""
        if isinstance(message, bytes):
            whole = message
            self._carry(len(message))
        else:
            async for piece in message:
                whole += piece
                self._carry(len(piece))
        self.sent.append(whole)

    async def ping(self) -> Awaitable[float]:
        """The answer comes when all that was sent has arrived."""
        pong = asyncio.get_running_loop().create_future()
        self._at_end(partial(pong.set_result, 0.0))
        return pong

    def _carry(self, size: int) -> None:
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + size / self.rate
        self.pieces.append(size)
        self.under_way += size
        self.most = max(self.most, self.under_way)
        self._at_end(lambda: self._arrived(size))

    def _arrived(self, size: int) -> None:
        self.under_way -= size

    def _at_end(self, then: Callable[[], object]) -> None:
        asyncio.get_running_loop().call_at(self._free_at, then)


def over(rate: float, test: Callable[[Uplink, Line], Awaitable[None]]) -> None:
    """Run a test on such a line."""

    async def run() -> None:
        line = Line(rate)
        uplink = Uplink(line)
        task = asyncio.create_task(uplink.run())
        try:
            await test(uplink, line)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    run_leaping(run)


def test_frames_arrive_whole_and_in_order_however_slow_the_line() -> None:
    async def test(uplink: Uplink, line: Line) -> None:
        frames = [bytes([number]) * size for number, size in enumerate((5, 100_000, 1, 20_000, 9))]
        for frame in frames:
            uplink.put(frame)
        await uplink.drained()
        assert line.sent == frames

    over(8_000, test)


def test_a_slow_line_is_never_filled() -> None:
    async def test(uplink: Uplink, line: Line) -> None:
        for _ in range(20):
            uplink.put(b"x" * 100_000)
        await uplink.drained()
        assert line.most <= FIRST_WINDOW + 2 * LEAST

    over(8_000, test)


def test_a_fast_line_soon_carries_whole_frames_and_much_at_once() -> None:
    async def test(uplink: Uplink, line: Line) -> None:
        for _ in range(300):
            uplink.put(b"x" * 100_000)
        await uplink.drained()
        assert line.pieces[-100:] == [100_000] * 100
        assert FIRST_WINDOW < line.most < 2 * LARGEST_WINDOW

    over(500_000_000, test)


def test_credit_goes_before_all_frames_that_wait() -> None:
    async def test(uplink: Uplink, line: Line) -> None:
        for _ in range(50):
            uplink.put(b"x" * 50_000)
        await wait_for(lambda: line.sent, "the first")
        uplink.put_first(b"seen")
        await uplink.drained()
        assert b"seen" in line.sent[:4]

    over(8_000, test)


def test_nobody_waits_for_a_line_that_is_gone() -> None:
    async def test() -> None:
        uplink = Uplink(Line(8_000))
        task = asyncio.create_task(uplink.run())
        uplink.put(b"x" * 1_000_000)
        waiting = asyncio.create_task(uplink.drained())
        await pass_time(10)
        assert not waiting.done()
        task.cancel()
        await waiting

    run_leaping(test)
