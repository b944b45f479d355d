"""The pace of drawing: how long others' changes wait before they are drawn together.

Four times a second at rest. Two hundred consoles may share one machine, so a console that finds
itself slow, or woken late, draws less often: it never spends more than a tenth of its time on it.
"""

from __future__ import annotations

QUICKEST = 0.25
SLOWEST = 2.0
_SHARE = 10


class Pace:
    """Adapts the wait to what drawing costs. All in seconds."""

    def __init__(self) -> None:
        self.wait = QUICKEST

    def drew(self, cost: float, late: float) -> None:
        """Take note of how long a drawing took, and by how much it began too late."""
        wanted = min(SLOWEST, max(QUICKEST, _SHARE * (cost + max(0.0, late))))
        # Slow down at once, come back gradually: one quiet moment says little.
        self.wait = wanted if wanted > self.wait else (self.wait + wanted) / 2
