"""The alert board: the latest record of every alert episode, numbered by revision.

Owns the records in memory and the order in which they changed. A client's cursor is
(`board_id`, revision): it asks for what changed `since` a revision, and starts from 0 when the
board's id is another one. Nothing here waits or touches a disk; whoever applies signals saves
what `take_unsaved` returns. Everything runs on one event loop.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from warroom_incident.alerts import (
    ECHO_MS,
    AlertRecord,
    Folded,
    Signal,
    close_record,
    fold_signal,
)
from warroom_incident.beats import Beat
from warroom_incident.changes import Change
from warroom_incident.merging import ends, fits, is_newer, overtake

from .own_cards import FULL, FULL_SOURCE as FULL_SOURCE, full_card
from .saved_board import SavedBoard as SavedBoard, Unsaved as Unsaved
from .sideboard import Sideboard

RETENTION_MS = 7 * 24 * 3600 * 1000
"""How long a resolved episode stays on the board after the last word about it."""

MAX_RECORDS = 20_000
"""The board holds no more episodes than this; the longest resolved give way first."""

MAX_UNSEEN = 1_000
"""Ends without a beginning that are remembered for a short while."""

UNHEARD_MS = 1
"""The patience with an episode that is only known from a copy: stale until somebody speaks."""

_STATES = {"firing": 0, "nodata": 1, "acknowledged": 2, "suppressed": 3, "resolved": 4}
_log = logging.getLogger(__name__)

Listener = Callable[[Sequence[AlertRecord]], None]
Sift = Callable[[Signal], bool]
OutcomeHook = Callable[[str, str], None]


def urgency(record: AlertRecord) -> tuple[bool, str, int, int, str]:
    """Sort key: open first, then the worst severity, then the loudest state, then the newest."""
    state = _STATES.get(record.state, 0)
    return (not record.is_open, record.severity, state, -record.first_seen, record.uid)


class Board:
    """The latest record per episode. Bounded, in memory, read from any point of its history."""

    def __init__(
        self,
        saved: SavedBoard,
        *,
        retention_ms: int = RETENTION_MS,
        max_records: int = MAX_RECORDS,
        on_outcome: OutcomeHook | None = None,
    ) -> None:
        """Take up a saved board. `on_outcome` hears (source, outcome) for every signal."""
        self.beside = Sideboard(self._next_rev, saved.beats, saved.changes)
        self.sift: Sift = lambda _signal: False
        """Told every signal first; what it takes for itself is no alert."""
        self.stale_after: Callable[[str, str], int | None] = lambda _source, _kind: None
        """Source and kind to how long they may be quiet about an open alert (ms), 0 for ever.

        None leaves that as it is.
        """
        self.board_id = saved.board_id
        self.rev = saved.rev
        self._retention_ms = retention_ms
        self._max_records = max_records
        self._on_outcome = on_outcome
        self._records: dict[str, AlertRecord] = {}
        self._newest: dict[tuple[str, str], str] = {}
        self._unseen: OrderedDict[tuple[str, str], AlertRecord] = OrderedDict()
        self._history: list[tuple[int, str]] = []
        self._open_count = 0
        self._changed: set[str] = set()
        self._gone: set[str] = set()
        self._open_of: dict[tuple[str, str], set[str]] = {}
        self.on_adopted: Callable[[], None] = lambda: None
        """Called when something was taken in from another board: it is to be saved."""
        self._listeners: list[Listener] = []
        for record in sorted(saved.records, key=lambda r: r.rev):
            self._put(record)

    def __len__(self) -> int:
        """How many episodes are held, resolved ones included."""
        return len(self._records)

    def get(self, uid: str) -> AlertRecord | None:
        """Return one episode."""
        return self._records.get(uid)

    def newest(self, source: str, key: str) -> AlertRecord | None:
        """Return the newest episode of an alert."""
        uid = self._newest.get((source, key))
        return self._records[uid] if uid is not None else None

    def open(self) -> list[AlertRecord]:
        """Return what is not over, the most urgent first."""
        return sorted((r for r in self._records.values() if r.is_open), key=urgency)

    def ordered(self) -> list[AlertRecord]:
        """Return every episode held, open ones first, the most urgent first."""
        return sorted(self._records.values(), key=urgency)

    def since(self, rev: int, limit: int = 1000) -> list[AlertRecord]:
        """Return at most `limit` records changed after `rev`, in the order of their revisions.

        The last one's `rev` is the cursor to go on from; an empty list means all is known.
        """
        found: list[AlertRecord] = []
        for i in range(bisect_right(self._history, (rev, "~")), len(self._history)):
            if len(found) >= limit:
                break
            at, uid = self._history[i]
            record = self._records.get(uid)
            if record is not None and record.rev == at:
                found.append(record)
        return found

    def on_change(self, callback: Listener) -> Callable[[], None]:
        """Call `callback` with the records of every change; returns what ends that."""
        self._listeners.append(callback)

        def end() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return end

    def apply(self, signals: Iterable[Signal]) -> list[AlertRecord]:
        """Fold signals in their order; returns the records that changed, each once, by revision."""
        changed: dict[str, None] = {}
        for signal in signals:
            if self.sift(signal):
                self._tell(signal.source, "sifted")
                continue
            for record in self._fold(signal):
                changed.pop(record.uid, None)
                changed[record.uid] = None
        return self._publish([self._records[uid] for uid in changed if uid in self._records])

    def adopt(self, records: Iterable[AlertRecord], now: int) -> None:
        """Take in what another board holds: of each episode the newest word, wherever it came in.

        What a sender says here later folds into it as if it had begun here.
        """
        taken: dict[str, AlertRecord] = {}
        for record in records:
            if self._is_news(record, now):
                for news in self._merge(record):
                    taken.pop(news.uid, None)
                    taken[news.uid] = news
        if taken:
            self._publish(list(taken.values()))
            self.on_adopted()

    def _is_news(self, record: AlertRecord, now: int) -> bool:
        if record.source == FULL_SOURCE or not fits(record):
            return False  # each server tells of itself
        known = self._records.get(record.uid)
        if known is not None:
            return is_newer(record, known)
        if not record.is_open and record.last_seen < now - self._retention_ms:
            return False
        return len(self._records) < self._max_records or (record.is_open and self._make_room())

    def _merge(self, record: AlertRecord) -> Iterable[AlertRecord]:
        """Keep a word of another board; an alert has one open episode, its newest."""
        end = self._unseen.get((record.source, record.key))
        if end is not None and ends(end, record):
            # Its end came in here before its beginning was known.
            yield self._write(close_record(record, "source", end.ends_at or 0, end.last_seen))
        else:
            yield self._keep(record)
        newest = self.newest(record.source, record.key)
        for uid in tuple(self._open_of.get((record.source, record.key), ())):
            if newest is not None and uid != newest.uid:
                yield self._keep(overtake(self._records[uid], newest))

    def adopt_beats(self, beats: Iterable[Beat]) -> None:
        """Take in the signs of life of alert paths that another board heard of later."""
        known = self.beside.beats
        heartbeats = [b for b in beats if b.kind == "heartbeat" and b.is_watched]
        self.beat(*(b for b in heartbeats if b.key not in known or _later(b, known[b.key])))

    def beat(self, *beats: Beat) -> None:
        """Note signs of life of alert paths, or that one is late."""
        news = [beat for beat in beats if self.beside.beat(beat)]
        if news:
            self._announce(())

    def change(self, changes: Iterable[Change], now: int) -> None:
        """Note what was deployed or set."""
        if self.beside.change(changes, now):
            self._announce(())

    def revise(self, records: Iterable[AlertRecord]) -> None:
        """Show episodes as another witness than their sender tells of them.

        A record of which more has been heard meanwhile stays as it is: `rev` tells.
        """
        self._publish([self._write(record) for record in records if self._is_newer(record)])

    def _is_newer(self, record: AlertRecord) -> bool:
        known = self._records.get(record.uid)
        return known is not None and known.rev == record.rev and known != record

    def restate(self, records: Iterable[AlertRecord]) -> None:
        """Show episodes as they come out of their sender's words when those are read again."""
        self._publish([self._write(record) for record in records])

    def be_patient(self) -> None:
        """Hold open episodes to what is configured now of how long their senders may be quiet."""
        self._publish([self._keep(r) for r in self.open() if self._patiently(r) is not r])

    def close(self, uid: str, cause: str, now: int) -> AlertRecord | None:
        """End an open episode for a cause other than its source's word; None if there is none."""
        record = self._records.get(uid)
        if record is None or not record.is_open:
            return None
        over = self._write(close_record(record, cause, now, now))
        self._publish([over])
        return over

    def settle(self, now: int) -> bool:
        """End the card of a full board once a tenth of its places is free; whether it did."""
        card = self.newest(FULL_SOURCE, FULL)
        if card is None or not card.is_open or self._open_count > 0.9 * self._max_records:
            return False
        return self.close(card.uid, "source", now) is not None

    def forget(self, now: int) -> list[str]:
        """Drop resolved episodes past their retention; returns their uids. Clients age theirs."""
        horizon = now - self._retention_ms
        old = [r.uid for r in self._records.values() if not r.is_open and r.last_seen < horizon]
        for uid in old:
            self._drop(uid)
        return old

    def take_unsaved(self) -> Unsaved:
        """Return what has changed since the last call."""
        records = tuple(self._records[uid] for uid in self._changed if uid in self._records)
        unsaved = Unsaved(records, tuple(self._gone), self.rev, *self.beside.take_unsaved())
        self._changed.clear()
        self._gone.clear()
        return unsaved

    def give_back(self, unsaved: Unsaved) -> None:
        """Take back what could not be saved, so that the next save has it."""
        self._changed.update(r.uid for r in unsaved.records if r.uid in self._records)
        self._gone.update(uid for uid in unsaved.gone if uid not in self._records)
        self.beside.give_back(unsaved.beside, unsaved.beside_gone)

    def _fold(self, signal: Signal) -> tuple[AlertRecord, ...]:
        name = (signal.source, signal.key)
        known = self.newest(*name) or self._remembered(name, signal.received)
        folded = fold_signal(known, signal, signal.received)
        if folded.outcome == "new" and not self._has_room(folded):
            self._tell(signal.source, "rejected")
            return self._fold(full_card(signal, self._max_records))
        self._tell(signal.source, folded.outcome)
        if folded.unseen is not None:
            self._remember(name, folded.unseen)
        if folded.changed:
            self._unseen.pop(name, None)
        return tuple(self._write(record) for record in folded.changed)

    def _has_room(self, folded: Folded) -> bool:
        if len(self._records) < self._max_records or folded.changed[-1].source == FULL_SOURCE:
            return True
        return self._make_room()

    def _make_room(self) -> bool:
        """Drop the longest resolved episodes; whether there were any."""
        if self._open_count >= len(self._records):
            return False
        over = sorted((r for r in self._records.values() if not r.is_open), key=_last_heard)
        for record in over[: max(1, self._max_records // 20)]:
            self._drop(record.uid)
        return True

    def _write(self, record: AlertRecord) -> AlertRecord:
        """Keep a word that came in here."""
        known = self._records.get(record.uid)
        edition = max(record.edition, 0 if known is None else known.edition) + 1
        return self._keep(msgspec.structs.replace(record, board=self.board_id, edition=edition))

    def _keep(self, record: AlertRecord) -> AlertRecord:
        record = msgspec.structs.replace(self._patiently(record), rev=self._next_rev())
        self._put(record)
        self._changed.add(record.uid)
        self._gone.discard(record.uid)
        return record

    def _patiently(self, record: AlertRecord) -> AlertRecord:
        if record.stale_after == UNHEARD_MS and record.board != self.board_id:
            return record
        patience = self.stale_after(record.source, record.kind)
        if patience is None or patience == record.stale_after:
            return record
        return msgspec.structs.replace(record, stale_after=patience)

    def _next_rev(self) -> int:
        self.rev += 1
        return self.rev

    def _put(self, record: AlertRecord) -> None:
        before = self._records.get(record.uid)
        self._open_count += record.is_open - (before is not None and before.is_open)
        self._records[record.uid] = record
        self._note_open(record, is_open=record.is_open)
        self._history.append((record.rev, record.uid))
        newest = self.newest(record.source, record.key)
        if newest is None or _age(record) >= _age(newest):
            self._newest[record.source, record.key] = record.uid
        if len(self._history) > 2 * len(self._records) + 1000:
            live = sorted((r.rev, r.uid) for r in self._records.values())
            self._history = live

    def _note_open(self, record: AlertRecord, *, is_open: bool) -> None:
        name = (record.source, record.key)
        if is_open:
            self._open_of.setdefault(name, set()).add(record.uid)
        elif (uids := self._open_of.get(name)) is not None:
            uids.discard(record.uid)
            if not uids:
                del self._open_of[name]

    def _drop(self, uid: str) -> None:
        record = self._records.pop(uid)
        self._open_count -= record.is_open
        if self._newest.get((record.source, record.key)) == uid:
            del self._newest[record.source, record.key]
        self._changed.discard(uid)
        self._note_open(record, is_open=False)
        self._gone.add(uid)

    def _remembered(self, name: tuple[str, str], now: int) -> AlertRecord | None:
        unseen = self._unseen.get(name)
        return unseen if unseen is not None and now - unseen.last_seen <= ECHO_MS else None

    def _remember(self, name: tuple[str, str], unseen: AlertRecord) -> None:
        self._unseen.pop(name, None)
        self._unseen[name] = unseen
        if len(self._unseen) > MAX_UNSEEN:
            self._unseen.popitem(last=False)

    def _publish(self, changed: list[AlertRecord]) -> list[AlertRecord]:
        if changed:
            self._announce(changed)
        return changed

    def _announce(self, changed: Sequence[AlertRecord]) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(changed)
            except Exception:
                _log.exception("A listener of the alert board failed; the board goes on.")

    def _tell(self, source: str, outcome: str) -> None:
        if self._on_outcome is not None:
            self._on_outcome(source, outcome)


def _last_heard(record: AlertRecord) -> int:
    return record.last_seen


def _age(record: AlertRecord) -> tuple[int, int, str]:
    return record.first_seen, record.episode, record.uid


def _later(beat: Beat, known: Beat) -> bool:
    return beat.last_seen > known.last_seen
