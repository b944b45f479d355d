"""Reads kept bodies again, after their reader was mended, and makes the board tell what comes out.

Each source is folded anew from its kept bodies, in their order, on a board of its own; the result
takes the place of what the first reading made of them. The same bodies with the same reader give
the same episodes, so that doing it again changes nothing. Episodes that began before the oldest
body that is kept stay as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from warroom_incident.alerts import AlertRecord, Signal

from ..board import Board, SavedBoard
from .rows import RawBody, Reading
from .store import IntakeStore

_BATCH = 64
_MANY = 1 << 40
_OWN = ("rev", "stale_after", "told_by", "board", "edition")
_OTHERS_SAY = ("reconcile", "manual", "timeout", "superseded")


@dataclass(frozen=True, slots=True)
class Wish:
    """What to read again: one source or all of them, from a time (ms) on."""

    source: str | None = None
    since: int = 0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it: bodies read, signals in them, bodies still unreadable, changed episodes."""

    bodies: int = 0
    signals: int = 0
    unreadable: int = 0
    changed: int = 0
    ended: int = 0

    def __str__(self) -> str:
        """One sentence."""
        return (
            f"Read {self.bodies:,} kept bodies with {self.signals:,} alerts again: "
            f"{self.changed:,} episodes changed, {self.ended:,} ended, "
            f"{self.unreadable:,} bodies cannot be read."
        )


Reread = Callable[[RawBody, Board], Awaitable[Reading]]
"""Reads one body onto a board, giving others their turn."""


async def replay(
    store: IntakeStore,
    board: Board,
    wish: Wish,
    reread: Reread,
    alone: asyncio.Lock,
    now: Callable[[], int],
) -> Replayed:
    """Read again what is wished for. Raises IntakeUnavailable; then nothing is lost.

    Args:
        store: The kept bodies.
        board: Where the result is shown.
        wish: What to read again.
        reread: What reads one body.
        alone: Held while the result is put on the board: nothing new may be read then. The long
            part before runs beside what comes in.
        now: The clock, in milliseconds.
    """
    total = Replayed()
    for source, oldest in await store.sources():
        if wish.source in (None, source):
            fold = _Fold(store, board, source, max(wish.since, oldest), oldest)
            await fold.catch_up(reread)
            async with alone:
                await fold.catch_up(reread)
                changed, ended = fold.take_over(board, now())
                await store.reread(fold.readings)
            total = replace(
                total,
                bodies=total.bodies + len(fold.readings),
                signals=total.signals + sum(r.signals for r in fold.readings),
                unreadable=total.unreadable + sum(r.error is not None for r in fold.readings),
                changed=total.changed + changed,
                ended=total.ended + ended,
            )
    return total


class _Fold:
    """One source's kept bodies, folded anew on a board of its own."""

    def __init__(
        self, store: IntakeStore, board: Board, source: str, since: int, oldest: int
    ) -> None:
        mine = [r for r in board.ordered() if r.source == source]
        self._store, self._source = store, source
        self._start = max(_whole(mine, since), oldest)
        self._frozen = frozenset(
            r.key
            for r in mine
            if r.first_seen < self._start <= r.last_seen or r.board not in ("", board.board_id)
        )
        """What is left alone: the beginning is kept no longer, or another server heard the rest."""
        known = tuple(r for r in mine if r.last_seen < self._start)
        self._scratch = Board(SavedBoard("", 0, known), retention_ms=_MANY, max_records=_MANY)
        self._after = 0
        self.readings: list[Reading] = []

    async def catch_up(self, reread: Reread) -> None:
        """Read all bodies that were not read here yet."""
        while batch := await self._store.read_bodies(
            self._source, self._start, self._after, _BATCH
        ):
            for raw in batch:
                self.readings.append(await reread(raw, self._scratch))
                self._after = raw.id

    def take_over(self, board: Board, now: int) -> tuple[int, int]:
        """Show on a board what came out; returns how many episodes changed and ended."""
        found = {r.uid: r for r in self._scratch.ordered() if self._is_mine(r, r.last_seen)}
        found = {uid: r for uid, r in found.items() if not board.sift(_signal(r))}
        news = list(_news(board, found.values()))
        board.restate(news)
        gone = [r for r in board.open() if self._is_mine(r, r.first_seen) and r.uid not in found]
        for record in gone:
            board.close(record.uid, "superseded", now)
        return len(news), len(gone)

    def _is_mine(self, record: AlertRecord, at: int) -> bool:
        return (
            record.source == self._source and at >= self._start and record.key not in self._frozen
        )


def _whole(records: Sequence[AlertRecord], start: int) -> int:
    """Move a start back until no episode lies across it."""
    while True:
        across = [r.first_seen for r in records if r.first_seen < start <= r.last_seen]
        if not across:
            return start
        start = min(across)


def _news(board: Board, records: Iterable[AlertRecord]) -> Iterable[AlertRecord]:
    for record in records:
        known = board.get(record.uid)
        if known is None:
            yield record
            continue
        same = {name: getattr(known, name) for name in _OWN}
        record = msgspec.structs.replace(
            record, **same, silenced=known.silenced, inhibited=known.inhibited
        )
        if not known.is_open and known.resolved_by in _OTHERS_SAY:
            # What ended it was none of its source's words, so reading those again does not tell.
            record = msgspec.structs.replace(
                record, state=known.state, ends_at=known.ends_at, resolved_by=known.resolved_by
            )
        if record != known:
            yield record


def _signal(record: AlertRecord) -> Signal:
    """The last word about an episode, to ask whether it is an alert at all."""
    return Signal(
        source=record.source,
        kind=record.kind,
        key=record.key,
        state="firing" if record.is_open else "resolved",
        title=record.title,
        received=record.last_seen,
        labels=record.labels,
    )
