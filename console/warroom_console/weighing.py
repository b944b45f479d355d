"""Works out beside the screen what a storm makes slow, and at once what is small."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Generic, TypeVar

from .mishap import record

T = TypeVar("T")

FEW = 1000
"""What is made of so many alerts is worked out within a few milliseconds."""

BEHIND = 0.05
"""Work begins so many seconds later: who asks for it is drawing, and would share the processor."""


class Weighing(Generic[T]):
    """The result that was worked out last, and what it was worked out for.

    Everything but the work itself runs on one event loop. The work is given copies of what may
    change meanwhile.

    Args:
        done: Called when a result that took its time has come.
        rest_ms: For how long such a result serves before another is begun, in milliseconds.
    """

    def __init__(self, done: Callable[[], None], rest_ms: int = 0) -> None:
        self._done = done
        self._rest = rest_ms
        self._began = 0
        self._last: tuple[object, T] | None = None
        self._is_busy = False

    def get(self, key: object, size: int, now: int, prepare: Callable[[], Callable[[], T]]) -> T:
        """The result for a key; of many alerts the one before, while theirs is worked out.

        `prepare` is called only when there is work: it copies what the work needs.
        """
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        loop = _running() if size > FEW else None
        if self._last is None or loop is None:
            self._last = (key, prepare()())
        elif not self._is_busy and now - self._began >= self._rest:
            self._is_busy, self._began = True, now
            loop.call_later(BEHIND, self._begin, loop, key, prepare())
        return self._last[1]

    def _begin(self, loop: asyncio.AbstractEventLoop, key: object, work: Callable[[], T]) -> None:
        working = loop.run_in_executor(_one_at_a_time(), work)
        working.add_done_callback(partial(self._finish, key))

    def _finish(self, key: object, working: asyncio.Future[T]) -> None:
        self._is_busy = False
        if working.cancelled():
            return
        if (error := working.exception()) is not None:
            record(error)
            return
        self._last = (key, working.result())
        self._done()


@cache
def _one_at_a_time() -> ThreadPoolExecutor:
    """Each thread that works slows down the one that draws, so there is never more than one."""
    return ThreadPoolExecutor(1, "weighing")


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # no screen waits: a command that runs once
        return None
