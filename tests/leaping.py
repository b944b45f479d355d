"""An event loop whose clock leaps: where all wait for a time, that time is now.

Whole minutes of back-off and slow lines pass in a moment, and a bound in seconds can be asserted
exactly, however busy the machine. Threads are waited for and take no time at all. Everything that
takes part lives in this process: what another one does would take no time either.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

THREADS_WITHIN = 60.0
"""How long threads may take in real seconds, before a test that waits for them is given up."""


class _Leaping(selectors.DefaultSelector):
    """Lets no time pass while threads are at work, and else all that is waited for at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.at_work = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if self.at_work or timeout is None:
            found = super().select(THREADS_WITHIN)
            assert found, "a thread does not end, or nothing is left to happen"
            return found
        self.now += timeout
        return []


class LeapingLoop(asyncio.SelectorEventLoop):
    """The loop; its time begins at 0."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        self.skipped_ms = 0
        """How far the wall clocks went on while nothing ran at all."""
        super().__init__(self._leaping)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._leaping.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run something in a thread; the clock stands still meanwhile."""
        self._leaping.at_work += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._done)
        return future

    def _done(self, _future: object) -> None:
        self._leaping.at_work -= 1


def run_leaping(test: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a test in such a loop."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(test())


BEGAN = 1_790_000_000_000


def leaping_wall() -> int:
    """A wall clock in milliseconds that goes with the running loop's."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    return BEGAN + loop.skipped_ms + round(loop.time() * 1000)


async def pass_time(seconds: float) -> None:
    """Let everybody go on for so long by the loop's clock, which takes no real time."""
    assert isinstance(asyncio.get_running_loop(), LeapingLoop)
    await asyncio.sleep(seconds)


def skip(ms: int) -> None:
    """Move all wall clocks on by so much, as if every machine had slept."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    loop.skipped_ms += ms
