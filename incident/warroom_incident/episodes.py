"""What a server remembers of alerts that are over: answers about the past, in short.

Times are integer milliseconds.
"""

from __future__ import annotations

import msgspec


class Episode(msgspec.Struct, frozen=True, omit_defaults=True):
    """One past or present episode of an alert, and the numbers of the incidents that it led to.

    `severity` is the worst that it had; `ends_at` is None while it is open.
    """

    uid: str
    title: str
    severity: str
    first_seen: int
    ends_at: int | None = None
    resolved_by: str = ""
    count: int = 1
    flaps: int = 0
    incidents: list[str] = []

    def lasted(self, now: int) -> int:
        """How long it lasted, or has lasted so far, in milliseconds."""
        return max(0, (now if self.ends_at is None else self.ends_at) - self.first_seen)


class RuleNoise(msgspec.Struct, frozen=True, omit_defaults=True):
    """How noisy one rule of a sender was: its episodes, and what people said of them.

    `open_ms` is how long they were open in all; `led` how many were linked to an incident.
    """

    source: str
    rule: str
    episodes: int
    false_positive: int = 0
    not_actionable: int = 0
    poor_details: int = 0
    led: int = 0
    flaps: int = 0
    open_ms: int = 0
    last_seen: int = 0

    @property
    def noise(self) -> int:
        """How many episodes somebody called noise."""
        return self.false_positive + self.not_actionable + self.poor_details
