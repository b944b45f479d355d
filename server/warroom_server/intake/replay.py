"""Reads kept bodies again, after their reader was mended, and makes the board tell what comes out.

Each source is folded anew from its kept bodies, in their order, on a board of its own; the result
takes the place of what the first reading made of them. The same bodies with the same reader give
the same episodes, so that doing it again changes nothing. Episodes that began before the oldest
body that is kept stay as they are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from warroom_incident.alerts import AlertRecord, Signal

from ..board import Board, SavedBoard
from .rows import RawBody, Reading
from .store import IntakeStore

_BATCH = 64
_MANY = 1 << 40
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
    store: IntakeStore, board: Board, wish: Wish, reread: Reread, now: Callable[[], int]
) -> Replayed:
    """Read again what is wished for. Raises IntakeUnavailable; then nothing is lost."""
    total = Replayed()
    for source, oldest in await store.sources():
        if wish.source in (None, source):
            fold = await _fold(store, board, source, wish.since, oldest, reread)
            readings, scratch, start, frozen = fold
            changed, ended = _take_over(board, scratch, source, start, frozen, now())
            await store.reread(readings)
            total = replace(
                total,
                bodies=total.bodies + len(readings),
                signals=total.signals + sum(r.signals for r in readings),
                unreadable=total.unreadable + sum(r.error is not None for r in readings),
                changed=total.changed + changed,
                ended=total.ended + ended,
            )
    return total


async def _fold(
    store: IntakeStore, board: Board, source: str, since: int, oldest: int, reread: Reread
) -> tuple[list[Reading], Board, int, frozenset[str]]:
    """Fold a source's bodies anew; also tells from when on, and which alerts to leave alone."""
    mine = [r for r in board.ordered() if r.source == source]
    start = max(_whole(mine, max(since, oldest)), oldest)
    frozen = frozenset(r.key for r in mine if r.first_seen < start <= r.last_seen)
    known = tuple(r for r in mine if r.last_seen < start)
    scratch = Board(SavedBoard("", 0, known), retention_ms=_MANY, max_records=_MANY)
    readings = [await reread(raw, scratch) async for raw in _bodies(store, source, start)]
    return readings, scratch, start, frozen


def _whole(records: Sequence[AlertRecord], start: int) -> int:
    """Move a start back until no episode lies across it."""
    while True:
        across = [r.first_seen for r in records if r.first_seen < start <= r.last_seen]
        if not across:
            return start
        start = min(across)


async def _bodies(store: IntakeStore, source: str, start: int) -> AsyncIterator[RawBody]:
    after = 0
    while batch := await store.read_bodies(source, start, after, _BATCH):
        for raw in batch:
            yield raw
            after = raw.id


def _take_over(
    board: Board, scratch: Board, source: str, start: int, frozen: frozenset[str], now: int
) -> tuple[int, int]:
    """Show on the board what came out; returns how many episodes changed and ended."""
    found = {
        r.uid: r
        for r in scratch.ordered()
        if r.source == source and r.last_seen >= start and r.key not in frozen
    }
    found = {uid: r for uid, r in found.items() if not board.sift(_signal(r))}
    news = list(_news(board, found.values()))
    board.restate(news)
    gone = [
        r.uid
        for r in board.open()
        if r.source == source and r.first_seen >= start and r.key not in frozen
        if r.uid not in found
    ]
    for uid in gone:
        board.close(uid, "superseded", now)
    return len(news), len(gone)


def _news(board: Board, records: Iterable[AlertRecord]) -> Iterable[AlertRecord]:
    for record in records:
        known = board.get(record.uid)
        if known is None:
            yield record
            continue
        same = {name: getattr(known, name) for name in ("rev", "stale_after", "told_by")}
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
