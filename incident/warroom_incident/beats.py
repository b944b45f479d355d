"""Heartbeats: what says that alerts would reach us, and how long ago it did.

A beat is shown beside the alerts ("alert path ok 34 s"), never among them. Times are integer
milliseconds of the server's clock.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Beat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest sign of life of one alert path.

    A `heartbeat` is an alert that its sender sends for ever to prove the path, such as
    `Watchdog`. A `poll` is the server asking an Alertmanager's API for the truth; `trouble` then
    says why the newest attempt failed, and of a heartbeat that its sender has ended it. After
    `every` milliseconds without a sign the beat is late; with 0 it is watched no longer, and
    forgotten. `rev` is the board's revision.
    """

    source: str
    name: str
    kind: Literal["heartbeat", "poll"] = "heartbeat"
    last_seen: int
    every: int
    trouble: str = ""
    rev: int = 0

    @property
    def key(self) -> str:
        """What tells it from others."""
        return f"{self.source}/{self.name}"

    @property
    def is_watched(self) -> bool:
        """Whether signs are still waited for."""
        return self.every > 0

    def is_late(self, now: int) -> bool:
        """Whether no sign came for longer than it should take, or the sender has ended it."""
        if not self.is_watched:
            return False
        ended = self.kind == "heartbeat" and bool(self.trouble)
        return ended or now - self.last_seen > self.every
