"""How much each sender may post: one that never stops must not take the place of all others.

Every sender has credit that one storm does not use up and that comes back steadily. A body costs
one, and one more for each `UNIT_BYTES` of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

BURST = 5_000
"""What a sender may spend at once: half of the bodies that may wait to be read."""

PER_SECOND = 100.0
"""How much comes back in a second."""

UNIT_BYTES = 16 << 10


LOOK = 50
"""What a look at all alerts of the board costs."""


def cost_of(size: int) -> int:
    """What a body of so many bytes costs."""
    return 1 + size // UNIT_BYTES


@dataclass(slots=True)
class _Account:
    credit: float
    at: float


class Pace:
    """What every sender has left. Whoever has nothing waits; the last body may cost more."""

    def __init__(
        self,
        *,
        burst: float = BURST,
        per_second: float = PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives seconds and never goes back."""
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    def wait(self, sender: str) -> int:
        """For how many seconds a sender has to wait; 0 for one that has credit."""
        credit = self._account(sender).credit
        return 0 if credit >= 1 else ceil((1 - credit) / self._per_second)

    def spend(self, sender: str, cost: int) -> None:
        """Take what something costs."""
        self._account(sender).credit -= cost

    def _account(self, sender: str) -> _Account:
        now = self._clock()
        account = self._accounts.setdefault(sender, _Account(self._burst, now))
        earned = (now - account.at) * self._per_second
        account.credit, account.at = min(self._burst, account.credit + earned), now
        return account
