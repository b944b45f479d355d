"""Copies of the log beside it: one an hour; six hourly and fourteen daily ones are kept."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from warroom_incident.clock import Wall
from warroom_incident.directory import make_private, sync
from warroom_incident.log_copy import copy_log
from warroom_incident.schema import StorageError

HOURLY = 6
DAILY = 14

HOUR = 3_600_000
DAY = 24 * HOUR
"""In milliseconds."""

FIRST_AFTER = 10.0
LOOK_EVERY = 60.0
"""Seconds from the start to the first look, and from one look to the next."""

_NAME = re.compile(r"warroom-(\d{8}T\d{6})Z\.db")
_FORMAT = "%Y%m%dT%H%M%S"
_log = logging.getLogger(__name__)


def is_due(copies: Iterable[int], now: int) -> bool:
    """Whether no copy was made in the last hour. Times in milliseconds."""
    return not any(now - HOUR < at <= now for at in copies)


def superfluous(copies: Iterable[int]) -> list[int]:
    """The copies that need not be kept, oldest first.

    Kept are the last copy of each of the newest hours that have any, and of the newest days.
    """
    newest_first = sorted(copies, reverse=True)
    kept: set[int] = set()
    for length, count in ((HOUR, HOURLY), (DAY, DAILY)):
        last: dict[int, int] = {}
        for at in newest_first:
            last.setdefault(at // length, at)
        kept.update(list(last.values())[:count])
    return sorted(set(newest_first) - kept)


def name_at(at: int) -> str:
    """The name of a copy that was made at a time in milliseconds."""
    return f"warroom-{datetime.fromtimestamp(at // 1000, UTC).strftime(_FORMAT)}Z.db"


def time_of(name: str) -> int | None:
    """When a copy of this name was made, in milliseconds; None for any other file."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    with suppress(ValueError):
        at = datetime.strptime(found[1], _FORMAT).replace(tzinfo=UTC)
        return int(at.timestamp()) * 1000
    return None


class Backups:
    """Makes and drops the copies. `sentence` says what went wrong last, empty after a success."""

    def __init__(self, log: Path, wall: Wall, told: Callable[[], None] = lambda: None) -> None:
        self._source = log
        self._directory = log.parent / "backups"
        self._wall = wall
        self._told = told
        self.sentence = ""

    async def run(self) -> None:
        """Make what is due, for ever; at first what was missed while no server ran."""
        await asyncio.sleep(FIRST_AFTER)
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> bool:
        """Make a copy if one is due, then drop what is superfluous; whether one was made."""
        before = self.sentence
        try:
            made = await asyncio.to_thread(self._look)
        except (OSError, StorageError) as error:
            self.sentence = f"The hourly copy of the log failed and is tried again: {error}"
            made = False
        else:
            self.sentence = ""
        if self.sentence != before:
            _log.warning("%s", self.sentence or "The hourly copy of the log is made again.")
            self._told()
        return made

    def _look(self) -> bool:
        make_private(self._directory)
        copies = self._copies()
        now = self._wall()
        due = is_due(copies, now)
        if due:
            copies[now // 1000 * 1000] = self._copy(now)
        for at in superfluous(copies):
            copies[at].unlink(missing_ok=True)
        return due

    def _copies(self) -> dict[int, Path]:
        return {
            at: path for path in self._directory.iterdir() if (at := time_of(path.name)) is not None
        }

    def _copy(self, now: int) -> Path:
        """A copy has its name only when it is whole and on the disk."""
        for left in self._directory.glob("*.part"):
            left.unlink()
        path = self._directory / name_at(now)
        partial = path.with_suffix(".part")
        copy_log(self._source, partial)
        partial.rename(path)
        sync(self._directory)
        return path
