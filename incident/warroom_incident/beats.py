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
    says in one sentence why the newest attempt failed. After `every` milliseconds without a sign
    the beat is late. `rev` is the board's revision.
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

    def is_late(self, now: int) -> bool:
        """Whether no sign came for longer than it should take."""
        return now - self.last_seen > self.every
