"""The intake's memory: every body as it came, byte for byte, and the board's records.

Owns `intake.db` through one connection on one thread. A body is durable before its sender is
answered; bodies that arrive while a commit runs share the next one. What is read from a body is
saved in the same transaction that marks it read, so a crash loses nothing and counts nothing
twice. Times are integer milliseconds.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from ..board import SavedBoard, Unsaved
from . import past, rereading, rows
from .rows import RawBody, Reading
from .schema import connect

RAW_DAYS = 30
RAW_BYTES = 2 << 30
"""Raw bodies are kept for this many days or up to this many bytes, whichever ends first."""

_MAX_BATCH = 500
_T = TypeVar("_T")


class IntakeUnavailable(Exception):
    """The intake cannot write now: its disk is full or failing, or it is closed. Try again."""


@dataclass(slots=True)
class _Waiting:
    row: rows.NewRow
    done: asyncio.Future[int] = field(repr=False)


class IntakeStore:
    """`intake.db`, open. Made by `IntakeStore.open`; all methods run on the event loop."""

    def __init__(self, path: Path, on_commit: Callable[[float], None] | None = None) -> None:
        """Use `IntakeStore.open` instead."""
        self.path = path
        self._on_commit = on_commit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._connection: sqlite3.Connection | None = None
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None
        self.unparsed_count = 0
        self.unparsed_bytes = 0

    @classmethod
    async def open(
        cls, path: Path, *, on_commit: Callable[[float], None] | None = None
    ) -> IntakeStore:
        """Open or create the file. Raises IntakeUnavailable with a sentence when it cannot.

        `on_commit` hears how many seconds each commit of bodies took.
        """
        store = cls(path, on_commit)
        try:
            await store._run(store._open)
        except IntakeUnavailable:
            store._thread.shutdown(wait=False)
            raise
        return store

    async def close(self) -> None:
        """Finish the running commit and close. Bodies not yet read are read at the next start."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
        if self._connection is not None:
            await self._run(self._close)
        self._thread.shutdown(wait=True)

    async def keep(
        self, kind: str, source: str, headers: Mapping[str, str], body: bytes, received: int
    ) -> int:
        """Store a body and return its id, once it is on the disk. Raises IntakeUnavailable."""
        digest = hashlib.sha256(body).hexdigest()
        encoded = msgspec.json.encode(dict(headers)).decode()
        row = (received, kind, source, digest, len(body), encoded, body)
        waiting = _Waiting(row, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_waiting())
        return await waiting.done

    async def unparsed(self, limit: int = 64, max_bytes: int = 8 << 20) -> list[RawBody]:
        """Return the oldest bodies not yet read, at least one if there is any."""
        return await self._run(lambda db: rows.select_unparsed(db, limit, max_bytes))

    async def body(self, raw_id: int) -> RawBody | None:
        """Return one kept body."""
        return await self._run(lambda db: rows.select_body(db, raw_id))

    async def reading(self, raw_id: int) -> Reading | None:
        """Return what became of a kept body, None while it is not read."""
        return await self._run(lambda db: rows.select_reading(db, raw_id))

    async def unreadable(self, source: str, limit: int = 20) -> list[tuple[int, str]]:
        """Return (id, reason) of a source's bodies that could not be read, the newest first."""
        return await self._run(lambda db: rows.select_unreadable(db, source, limit))

    async def save(self, readings: Sequence[Reading], board: Unsaved) -> None:
        """Mark bodies as read and save what they changed, in one transaction."""
        sizes = await self._run(lambda db: rows.save(db, readings, board))
        self.unparsed_count -= len(sizes)
        self.unparsed_bytes -= sum(sizes)

    async def sources(self) -> list[tuple[str, int]]:
        """Return each source of kept bodies, and when the oldest of them came (ms)."""
        return await self._run(rereading.select_sources)

    async def read_bodies(self, source: str, since: int, after: int, limit: int) -> list[RawBody]:
        """Return bodies of a source that were read, behind the one with the id `after`."""
        return await self._run(lambda db: rereading.select_read(db, source, since, after, limit))

    async def reread(self, readings: Sequence[Reading]) -> None:
        """Write what became of bodies that were read again."""
        await self._run(lambda db: rereading.mark_reread(db, readings))

    async def wish(self) -> tuple[int, str | None, int] | None:
        """Return what is asked to be read again: id, source or None for all, from when on (ms)."""
        return await self._run(rereading.select_wish)

    async def grant(self, wish_id: int, at: int, said: str) -> None:
        """Say what came of a wish."""
        await self._run(lambda db: rereading.grant_wish(db, wish_id, at, said))

    async def load_board(self) -> SavedBoard:
        """Return the saved board, with its revision moved past any that was ever shown."""
        return await self._run(rows.load_board)

    async def prune(self, now: int, *, days: int = RAW_DAYS, max_bytes: int = RAW_BYTES) -> int:
        """Delete bodies past their retention, never one that is unread; returns how many."""
        deleted = 0
        await self._run(lambda db: past.prune(db, now))
        while True:
            count = await self._run(lambda db: rows.prune(db, now - days * 86_400_000, max_bytes))
            deleted += count
            if count < rows.PRUNE_ROWS:
                return deleted

    async def ask(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Read something else of the file. Raises IntakeUnavailable."""
        return await self._run(work)

    async def check(self) -> None:
        """Prove that the file takes a write. Raises IntakeUnavailable."""
        await self._run(rows.touch)

    async def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._guarded, work)
        except RuntimeError as error:
            raise IntakeUnavailable("the intake is closed") from error

    def _guarded(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            if self._connection is None:
                self._connection = connect(self.path)
            return work(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise IntakeUnavailable(f"{self.path}: {error}") from error

    def _open(self, db: sqlite3.Connection) -> None:
        row = db.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM raw WHERE parsed IS NULL"
        ).fetchone()
        self.unparsed_count, self.unparsed_bytes = row

    def _close(self, db: sqlite3.Connection) -> None:
        db.close()
        self._connection = None

    async def _commit_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MAX_BATCH], self._waiting[_MAX_BATCH:]
                await self._commit(batch)
        finally:
            self._committing = None

    async def _commit(self, batch: list[_Waiting]) -> None:
        new = [waiting.row for waiting in batch]
        begun = time.perf_counter()
        try:
            first = await self._run(lambda db: rows.insert(db, new))
        except Exception as error:
            for waiting in batch:
                if not waiting.done.done():
                    waiting.done.set_exception(error)
            return
        if self._on_commit is not None:
            self._on_commit(time.perf_counter() - begun)
        self.unparsed_count += len(batch)
        self.unparsed_bytes += sum(row[4] for row in new)
        for i, waiting in enumerate(batch):
            if not waiting.done.done():
                waiting.done.set_result(first + i)
