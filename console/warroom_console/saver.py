"""Writes the replica lazily: at most one commit a second, off the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from msgspec import Struct, field

from warroom_incident.alerts import AlertRecord
from warroom_incident.beats import Beat
from warroom_incident.changes import Change
from warroom_incident.clock import Wall
from warroom_incident.proofs import Placed, Sealed
from warroom_incident.replica import Kept, Replica
from warroom_incident.sync.wire import BoardCursor, Follow, Summary

SAVE_EVERY = 1.0

_IN_MEMORY = "The disk here is full: the room is kept in memory only."

TIDY_AFTER = 30.0
"""When a console that stays open drops old incidents from its replica, in seconds."""

KEEP_CLOSED_MS = 14 * 86_400_000
"""How long a replica keeps an incident that is closed; open ones it keeps for ever."""


class _Unsaved(Struct):
    """What came since the last commit."""

    events: list[Kept] = field(default_factory=list)
    cursors: list[Follow] = field(default_factory=list)
    summaries: dict[str, Summary] = field(default_factory=dict)
    records: dict[str, AlertRecord] = field(default_factory=dict)
    board: BoardCursor | None = None
    meta: dict[str, str] = field(default_factory=dict)
    other_board: bool = False
    beats: dict[str, Beat] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    places: list[Placed] = field(default_factory=list)
    seals: list[Sealed] = field(default_factory=list)


class Saver:
    """Gathers what the replica lacks and commits it.

    Args:
        replica: The cache of this process's slot.
        disk: The thread that writes it.
        cursors: Gives how far each stream was read; called when a commit is put together.
        saved: Called after a commit with the cursors that are now on disk.
        trouble: Called with a sentence when the disk refuses, with an empty one when it works.
    """

    def __init__(
        self,
        replica: Replica,
        disk: ThreadPoolExecutor,
        cursors: Callable[[], list[Follow]],
        saved: Callable[[list[Follow]], None],
        trouble: Callable[[str], None],
    ) -> None:
        self._replica = replica
        if replica.in_memory:
            trouble(_IN_MEMORY)
        self._cursors = cursors
        self._saved = saved
        self._trouble = trouble
        self._unsaved = _Unsaved()
        self._dirty = asyncio.Event()
        self._disk = disk

    # Gathering -----------------------------------------------------------------------------

    def keep(self, events: Iterable[Kept]) -> None:
        """Save events with the next commit."""
        self._unsaved.events.extend(events)
        self._dirty.set()

    def keep_copies(self, events: Iterable[Kept], cursor: Follow) -> None:
        """Save another process's events of a stream, and how far it had read it."""
        self._unsaved.cursors.append(cursor)
        self.keep(events)

    def keep_places(self, places: Iterable[Placed]) -> None:
        """Save the places of events in a log's order with the next commit."""
        self._unsaved.places.extend(places)
        self._dirty.set()

    def keep_seal(self, seal: Sealed) -> None:
        """Save a server's seal with the next commit."""
        self._unsaved.seals.append(seal)
        self._dirty.set()

    def keep_summaries(self, summaries: Iterable[Summary]) -> None:
        """Save summaries with the next commit."""
        self._unsaved.summaries.update({summary.stream: summary for summary in summaries})
        self._dirty.set()

    def keep_records(self, records: Iterable[AlertRecord], board: BoardCursor | None) -> None:
        """Save alert episodes, and how far the board was read, with the next commit."""
        self._unsaved.records.update({record.uid: record for record in records})
        self._unsaved.board = board
        self._dirty.set()

    def keep_told(self, beats: Iterable[Beat], changes: Iterable[Change]) -> None:
        """Save heartbeats and changes with the next commit."""
        self._unsaved.beats.update({beat.key: beat for beat in beats})
        self._unsaved.changes.update({change.uid: change for change in changes})
        self._dirty.set()

    def forget_records(self) -> None:
        """Another board counts: drop what is kept of this one with the next commit."""
        self._unsaved.records.clear()
        self._unsaved.beats.clear()
        self._unsaved.changes.clear()
        self._unsaved.other_board = True
        self._dirty.set()

    def keep_meta(self, **values: str) -> None:
        """Save named values with the next commit."""
        self._unsaved.meta.update(values)
        self._dirty.set()

    # Saving --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Commit whenever there is something, at most once a second, until cancelled."""
        while True:
            await self._dirty.wait()
            await self.save()
            await asyncio.sleep(SAVE_EVERY)

    async def save(self) -> None:
        """Commit what was gathered; what cannot be written waits for the next time."""
        self._dirty.clear()
        unsaved, self._unsaved = self._unsaved, _Unsaved()
        cursors = [*unsaved.cursors, *self._cursors()]
        loop = asyncio.get_running_loop()
        try:
            # Leaving cancels the wait, not a commit that stands in the thread's queue.
            await asyncio.shield(loop.run_in_executor(self._disk, self._commit, unsaved, cursors))
        except sqlite3.Error as error:
            self._unsaved = _joined(unsaved, self._unsaved)
            self._dirty.set()
            self._trouble(f"This console's replica cannot be written ({error}).")
        else:
            if self._replica.in_memory:
                return  # nobody may take it for kept
            self._trouble("")
            self._saved(cursors)

    async def tidy(self, wall: Wall, wanted: Callable[[], frozenset[str]]) -> None:
        """Drop what is too old, some time after the start; `wanted` is in use."""
        await asyncio.sleep(TIDY_AFTER)
        await self.prune(wall() - KEEP_CLOSED_MS, wanted())

    async def prune(self, before: int, keep: Collection[str]) -> None:
        """Drop incidents that were closed before a time in milliseconds; a failure can wait."""
        with suppress(sqlite3.Error):
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._disk, self._replica.prune, before, keep)

    def _commit(self, unsaved: _Unsaved, cursors: list[Follow]) -> None:
        if unsaved.other_board:
            self._replica.forget_records()
        self._replica.save(
            events=unsaved.events,
            cursors=cursors,
            summaries=list(unsaved.summaries.values()),
            records=list(unsaved.records.values()),
            board=unsaved.board,
            meta=unsaved.meta,
            places=unsaved.places,
            seals=unsaved.seals,
            beats=list(unsaved.beats.values()),
            changes=list(unsaved.changes.values()),
        )

    async def close(self) -> None:
        """Commit what is left."""
        if self._dirty.is_set():
            await self.save()


def _joined(first: _Unsaved, then: _Unsaved) -> _Unsaved:
    return _Unsaved(
        first.events + then.events,
        first.cursors + then.cursors,
        first.summaries | then.summaries,
        then.records if then.other_board else first.records | then.records,
        then.board or first.board,
        first.meta | then.meta,
        first.other_board or then.other_board,
        then.beats if then.other_board else first.beats | then.beats,
        then.changes if then.other_board else first.changes | then.changes,
        first.places + then.places,
        first.seals + then.seals,
    )
