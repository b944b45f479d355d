"""Turns at the one thread that all share: what strangers send is read a little at a time.

A request in a hundred thousand pieces takes seconds to take apart. People's words pass between two
rounds, however many such requests there are.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

ROUND_SECONDS = 0.01
"""How long one round of the event loop may read what strangers sent."""

READ = 64 << 10
"""How much of one connection arrives at once, in bytes."""

BITE = 4 << 10
"""How much of that is looked at before it is asked whether there is time for more."""


def read_in_bites(transport: asyncio.BaseTransport) -> None:
    """Have no more of a connection arrive at once, where it is asyncio's own."""
    if hasattr(transport, "max_size"):
        transport.max_size = READ


class Turns:
    """Does work in order, and no more in a round than there is time for.

    Args:
        seconds: The time of a round.
        clock: Gives seconds.
    """

    def __init__(
        self, seconds: float = ROUND_SECONDS, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._spent = 0.0
        self._waiting: deque[Callable[[], None]] = deque()
        self._next: asyncio.Handle | None = None

    @property
    def is_free(self) -> bool:
        """Whether there is time left in this round, and nobody who came before."""
        return not self._waiting and self._spent < self._seconds

    def take(self, work: Callable[[], None]) -> None:
        """Do something now or, where this round is over, in one of the next."""
        if self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._round)
        if self.is_free:
            self._do(work)
        else:
            self._waiting.append(work)

    def _do(self, work: Callable[[], None]) -> None:
        begun = self._clock()
        try:
            work()
        finally:
            self._spent += self._clock() - begun

    def _round(self) -> None:
        self._spent, self._next = 0.0, None
        if self._waiting:
            self._next = asyncio.get_running_loop().call_soon(self._round)
        while self._waiting and self._spent < self._seconds:
            self._do(self._waiting.popleft())
