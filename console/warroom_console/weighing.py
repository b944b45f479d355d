"""Weighs which alerts look like an incident: at once where they are few, beside the screen's work
where a storm makes that slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from warroom_incident.alerts import AlertRecord
from warroom_incident.suggesting import Suggestions, suggest

FEW = 1500
"""So many alerts are weighed within a few milliseconds."""

AGAIN_MS = 5_000
"""In a storm, how long the last result serves before it is worked out again."""


class Weighing:
    """The suggestions that were worked out last. Everything runs on one event loop.

    Args:
        done: Called when suggestions that took their time have come.
    """

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done
        self._last = Suggestions()
        self._began = 0
        self._working: asyncio.Future[Suggestions] | None = None

    def suggestions(
        self,
        records: Collection[AlertRecord],
        linked: Mapping[str, Collection[str]],
        now: int,
        hidden: Collection[str],
    ) -> Suggestions:
        """What to offer now; in a storm, what was to be offered a moment ago."""
        if len(records) <= FEW:
            self._last = suggest(records, linked, now, hidden=hidden)
        elif self._working is None and now - self._began >= AGAIN_MS:
            self._began = now
            self._begin([*records], linked, now, frozenset(hidden))
        return self._last

    def _begin(
        self,
        records: Sequence[AlertRecord],
        linked: Mapping[str, Collection[str]],
        now: int,
        hidden: Collection[str],
    ) -> None:
        def work() -> Suggestions:
            return suggest(records, linked, now, hidden=hidden)

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no screen waits: a command that runs once
            self._last = work()
            return
        self._working = loop.run_in_executor(None, work)
        self._working.add_done_callback(self._finish)

    def _finish(self, working: asyncio.Future[Suggestions]) -> None:
        self._working = None
        if not working.cancelled() and working.exception() is None:
            self._last = working.result()
            self._done()
