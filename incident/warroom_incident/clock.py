"""The hybrid logical clock: stamps that sort events and break ties, and decide nothing."""

from __future__ import annotations

from collections.abc import Callable

Stamp = tuple[int, int]
"""A stamp is `(milliseconds since the epoch, counter)`; it sorts as a tuple."""

Wall = Callable[[], int]
"""A wall clock: integer milliseconds since the epoch, UTC."""

MAX_LEAD_MS = 24 * 60 * 60 * 1000
"""A received stamp further ahead of the wall than this is kept out of our own clock.

A peer that stamps the maximum would otherwise push every later stamp there for good.
"""


MAX_COUNTER = 2**32
"""Behind this count the next stamp takes the next millisecond, so that no stamp of a peer, however
large its counter, brings our own past what an event may hold.
"""


class HybridClock:
    """Stamps that never go back and always follow every stamp that was observed."""

    def __init__(self, wall: Wall, last: Stamp = (0, 0)) -> None:
        self.wall = wall
        self.last = last

    def tick(self) -> Stamp:
        """Return the stamp of a new event."""
        now = self.wall()
        ms, counter = self.last
        if now > ms:
            self.last = (now, 0)
        else:
            self.last = (ms, counter + 1) if counter < MAX_COUNTER else (ms + 1, 0)
        return self.last

    def observe(self, stamp: Stamp) -> None:
        """Follow a received stamp, unless it lies absurdly far ahead."""
        if stamp > self.last and stamp[0] <= self.wall() + MAX_LEAD_MS:
            self.last = stamp
