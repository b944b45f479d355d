"""Reads kept bodies onto the board, a slice at a time, so that people are always served first.

Owns the order: bodies are read by their id, the ones a crash left unread before all others. The
board's changes and the mark "read" are saved together.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Iterator, Mapping

from warroom_incident.alerts import Signal

from ..board import Board
from ..metrics import Metrics
from .changes import read_changes
from .kinds import CHANGE, KINDS, Kind
from .post import Post
from .replay import Replayed, Wish, replay
from .rows import RawBody, Reading
from .source import Source
from .store import IntakeStore, IntakeUnavailable
from .unreadable import Unreadable, unreadable_card

SLICE_SECONDS = 0.004
"""How long reading may hold the loop before everybody else gets a turn."""

_SLICE_SIGNALS = 50
_RETRY_SECONDS = 1.0
_UPKEEP_SECONDS = 3600.0
_WISH_SECONDS = 1.0
_log = logging.getLogger(__name__)

FindSource = Callable[[str, str], Source]
"""Name and kind to the source as it is configured now."""


def plain_source(name: str, kind: str) -> Source:
    """A source without settings of its own."""
    return Source(name, kind)


class IntakeWorker:
    """The one reader of kept bodies. `start` it, `wake` it after each kept body, `stop` it."""

    def __init__(
        self,
        store: IntakeStore,
        board: Board,
        metrics: Metrics,
        *,
        find_source: FindSource = plain_source,
        kinds: Callable[[], Mapping[str, Kind]] = lambda: KINDS,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        refresh: Callable[[], None] = lambda: None,
    ) -> None:
        """Start nothing yet.

        `now` gives milliseconds; it dates readings and retention, never alerts. `refresh` is
        called before bodies are read again: what reads them was mended.
        """
        self._store = store
        self._board = board
        self._metrics = metrics
        self._find_source = find_source
        self._kinds = kinds
        self._now = now
        self._refresh = refresh
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._reading = asyncio.Lock()
        self._readings: list[Reading] = []
        self._owing = False
        self._slice_ends = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin with what an earlier run left unread."""
        self._work.set()
        self._tasks = [
            asyncio.create_task(self._run(), name="intake-worker"),
            asyncio.create_task(self._grant_wishes(), name="intake-wishes"),
        ]

    def wake(self) -> None:
        """Say that there is a body to read."""
        self._idle.clear()
        self._work.set()

    def save(self) -> None:
        """Say that the board has changed by other means than a body, and must be saved."""
        self._owing = True
        self.wake()

    async def idle(self) -> None:
        """Wait until every kept body has been read."""
        await self._idle.wait()

    async def stop(self) -> None:
        """Stop between two slices. What is unread stays so, for the next start."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []

    async def _run(self) -> None:
        upkeep_at = 0.0
        while True:
            self._work.clear()
            try:
                async with self._reading:
                    while await self._read_some():
                        pass
                if time.monotonic() >= upkeep_at:
                    await self._upkeep()
                    upkeep_at = time.monotonic() + _UPKEEP_SECONDS
            except IntakeUnavailable as error:
                _log.warning("Alerts wait to be read: %s", error)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if not self._work.is_set():
                self._idle.set()
            try:
                async with asyncio.timeout(max(0.0, upkeep_at - time.monotonic())):
                    await self._work.wait()
            except TimeoutError:
                continue

    async def _read_some(self) -> bool:
        # What was read but could not be saved is only saved again: read twice, it counts twice.
        if not self._readings:
            for raw in await self._store.unparsed():
                self._readings.append(await self._read(raw, self._board))
        some = bool(self._readings) or self._owing
        if some:
            self._owing = False
            await self._save()
        self._metrics.ingest_queue_length.set(self._store.unparsed_count)
        return some

    async def _save(self) -> None:
        unsaved = self._board.take_unsaved()
        try:
            await self._store.save(self._readings, unsaved)
        except IntakeUnavailable:
            self._board.give_back(unsaved)
            self._owing = True
            raise
        self._readings = []

    async def _upkeep(self) -> None:
        now = self._now()
        await self._store.prune(now)
        if self._board.forget(now):
            await self._save()

    async def _grant_wishes(self) -> None:
        """Read again what `warroom intake replay` asks for beside the running server."""
        while True:
            await asyncio.sleep(_WISH_SECONDS)
            try:
                if (wish := await self._store.wish()) is not None:
                    wish_id, source, since = wish
                    done = await self.replay(Wish(source, since))
                    await self._store.grant(wish_id, self._now(), str(done))
            except IntakeUnavailable as error:
                _log.warning("Bodies cannot be read again now: %s", error)

    async def replay(self, wish: Wish) -> Replayed:
        """Read kept bodies again, beside those that come in, and save what comes out."""
        self._refresh()
        done = await replay(self._store, self._board, wish, self._read, self._reading, self._now)
        async with self._reading:
            await self._save()
        return done

    async def _read(self, raw: RawBody, board: Board) -> Reading:
        if raw.kind == CHANGE:
            return self._read_changes(raw, board)
        count = 0
        error: str | None = None
        signals = self._signals(raw)
        more = True
        while more:
            part: list[Signal] = []
            try:
                more = _take(signals, part, self._slice_ends)
            except Unreadable as unreadable:
                error, more = str(unreadable), False
                part.append(self._card(raw, error, board))
            board.apply(part)
            count += len(part)
            await self._let_others()
        return Reading(raw.id, self._now(), count, error)

    def _read_changes(self, raw: RawBody, board: Board) -> Reading:
        """Read a body that tells of changes; one that cannot be read becomes a card."""
        try:
            post = Post(raw.body, raw.received, raw.headers)
            changes = read_changes(post, self._find_source(raw.source, raw.kind))
        except Exception as error:
            told = error if isinstance(error, Unreadable) else _failed(raw, error)
            board.apply([self._card(raw, str(told), board)])
            return Reading(raw.id, self._now(), 0, str(told))
        self._board.change(changes, raw.received)
        return Reading(raw.id, self._now(), len(changes), None)

    def _card(self, raw: RawBody, reason: str, board: Board) -> Signal:
        """Make the card of what cannot be read; what is read again was counted before."""
        if board is self._board:
            self._metrics.count_signal(raw.source, "unparsed")
        return unreadable_card(raw, reason)

    async def _let_others(self) -> None:
        """Give everybody else a turn once this slice is over, however many bodies it held."""
        if time.perf_counter() >= self._slice_ends:
            await asyncio.sleep(0)
            self._slice_ends = time.perf_counter() + SLICE_SECONDS

    def _signals(self, raw: RawBody) -> Iterator[Signal]:
        """Read one body. A reader that fails in a way of its own becomes a card like any other."""
        kind = self._kinds().get(raw.kind)
        if kind is None:
            raise Unreadable(f'this server has no kind "{raw.kind}"')
        try:
            post = Post(raw.body, raw.received, raw.headers)
            yield from kind.read(post, self._find_source(raw.source, raw.kind))
        except Unreadable:
            raise
        except Exception as error:
            raise _failed(raw, error) from None


def _take(signals: Iterator[Signal], part: list[Signal], until: float) -> bool:
    """Move signals into `part` until the slice is over; returns whether there may be more."""
    for signal in signals:
        part.append(signal)
        if len(part) >= _SLICE_SIGNALS or time.perf_counter() >= until:
            return True
    return False


def _failed(raw: RawBody, error: Exception) -> Unreadable:
    # Only names reach the log: an exception's text may quote what a stranger wrote.
    _log.error("Raw body %d: its reader failed at %s", raw.id, _place(error))
    return Unreadable(f"reading it failed ({type(error).__name__})")


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
    return f"{where} with {type(error).__name__}"
