"""The way into the log: whatever arrives while a commit runs goes into the next one together.

One thread writes. While it does, the event loop tells everybody of the commit before.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from warroom_incident.ballast import is_full
from warroom_incident.clock import Wall
from warroom_incident.log import End, Entry, Log, Receipt

from .identity import SERVER_NAME

MAX_BATCH = 1000
"""The most events of one commit: whoever writes meanwhile waits for them, some 20 ms."""

Ends = Mapping[str, End]
"""Where the streams end that a commit added to."""

_log = logging.getLogger(__name__)


class Unavailable(Exception):
    """The log cannot be written now; nothing was kept, try again later."""


class Waiting(NamedTuple):
    """Admitted events that are to be committed together, and who wants to know of it."""

    entries: list[Entry]
    done: asyncio.Future[list[Receipt]]
    told: Callable[[list[Receipt], Ends], None]


class Written(NamedTuple):
    """One commit: what was in it, in order, its receipts, and where the streams end since."""

    batch: list[Waiting]
    receipts: list[Receipt]
    ends: Ends


class _Writing(NamedTuple):
    """A commit under way."""

    batch: list[Waiting]
    begun: float
    result: asyncio.Future[tuple[list[Receipt], Ends]]


class Commits:
    """Groups events into commits.

    Args:
        log: Where they go.
        wall: The clock, in milliseconds.
        settle: Called with each commit once it is durable, in order.
    """

    def __init__(self, log: Log, wall: Wall, settle: Callable[[Written], None]) -> None:
        self._log = log
        self._wall = wall
        self._settle = settle
        self._waiting: deque[Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "log-writer")
        self.make_room: Callable[[], bool] = lambda: False
        """Called in the writer's thread when the disk is full of what a person wrote."""
        self.on_commit_seconds: Callable[[float], object] = lambda _seconds: None
        """Told how long each durable commit took."""

    def add(self, waiting: Waiting) -> None:
        """Put events into the next commit that has room for them."""
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        written: Written | None = None
        try:
            while self._waiting or written is not None:
                writing = self._begin() if self._waiting else None
                if written is not None:
                    self._tell(written)
                written = await self._finish(writing) if writing is not None else None
        finally:
            self._task = None

    def _begin(self) -> _Writing:
        batch = self._next_batch()
        entries = [entry for waiting in batch for entry in waiting.entries]
        begun = time.perf_counter()
        loop = asyncio.get_running_loop()
        result = loop.run_in_executor(self._thread, self._append, entries, self._wall())
        return _Writing(batch, begun, result)

    async def _finish(self, writing: _Writing) -> Written | None:
        try:
            receipts, ends = await writing.result
        except Exception as error:
            if not isinstance(error, sqlite3.Error):
                _log.exception("a commit failed")
            for waiting in writing.batch:
                if not waiting.done.done():
                    waiting.done.set_exception(Unavailable(str(error)))
            return None
        self.on_commit_seconds(time.perf_counter() - writing.begun)
        return Written(writing.batch, receipts, ends)

    def _tell(self, written: Written) -> None:
        try:
            self._settle(written)
        except Exception:  # what is durable is durable, and the next ones wait
            _log.exception("a commit could not be told")

    def _append(self, entries: Sequence[Entry], now: int) -> tuple[list[Receipt], Ends]:
        try:
            receipts = self._log.append(entries, now)
        except sqlite3.Error as error:
            by_people = any(entry.event.head.by != SERVER_NAME for entry in entries)
            if not (is_full(error) and by_people and self.make_room()):
                raise
            receipts = self._log.append(entries, now)
        streams = {receipt.stream for receipt in receipts if receipt.fresh}
        return receipts, {stream: self._log.last(stream) for stream in streams}

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        count = 0
        while self._waiting and (not batch or count + len(self._waiting[0].entries) <= MAX_BATCH):
            batch.append(self._waiting.popleft())
            count += len(batch[-1].entries)
        return batch

    async def check_writable(self) -> None:
        """Take part in a commit that writes nothing, to see that the log can be written.

        Raises:
            Unavailable: It cannot.
        """
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._thread, self._log.append, [], self._wall()
            )
        except sqlite3.Error as error:
            raise Unavailable(str(error)) from error

    async def finish(self) -> None:
        """Wait until nothing waits."""
        while self._task is not None:
            await self._task

    async def close(self) -> None:
        """Close the log."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._log.close)
        self._thread.shutdown()
