"""The log on disk: every admitted event of every stream, in the server's order.

One file, one writing connection, used from one thread at a time. A batch is one transaction, and
when `append` returns, power may fail.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from .event import Event, Packet
from .log_reader import End, LogReader, Row, Stretch
from .repair import put_back
from .schema import StorageError, connect, transaction
from .seal import (
    BLURRED,
    PROVING,
    Sign,
    heard_entry,
    link,
    sealed_text,
    void_entry,
    withheld_entry,
)

__all__ = ["End", "Entry", "Log", "LogReader", "Receipt", "Row", "Stretch"]


class Entry(NamedTuple):
    """What is appended: the event as read at the door, and its bytes.

    `admitted` is an earlier admission stamp that is proven, in milliseconds.
    """

    event: Event
    packet: Packet
    admitted: int | None = None


class Receipt(NamedTuple):
    """The server's word on an event: its place, and when it was admitted (milliseconds).

    `fresh` is False for an event that had its place before; it `changed` when it now is vouched
    for, or proven to have been admitted earlier. `clash` names the replica that has used this
    event's count before for another one, so that there are two of it.
    """

    id: str
    stream: str
    iseq: int
    admitted: int
    fresh: bool
    changed: bool = False
    clash: str = ""


_Place = tuple[int, int, str | None]
"""Where an event already is (`iseq`), since when, and on whose word."""


class _Tail:
    """The end of a stream while a batch is placed there, and the highest counts in it by replica.

    `number` is that of the stream in the database.
    """

    __slots__ = ("chain", "counts", "iseq", "number")

    def __init__(self, number: int, iseq: int, chain: bytes, counts: dict[str, int]) -> None:
        self.number = number
        self.iseq = iseq
        self.chain = chain
        self.counts = counts


class Log(LogReader):
    """Reads and appends."""

    def __init__(self, connection: sqlite3.Connection, sign: Sign | None = None) -> None:
        super().__init__(connection)
        self._sign = sign
        self._ends: dict[str, tuple[int, End]] = {}
        self._counts: dict[str, dict[str, int]] = {}
        """Per stream the highest count of each replica, or a higher one: it saves looking."""
        self._blurred: dict[int, bool] = {}
        self._withheld = {row[0] for row in connection.execute("SELECT id FROM withheld")}
        self.broken: set[bytes] = set()
        """The entries of damaged events: they are put back in their places when they come again."""

    @classmethod
    def create_or_open(cls, path: Path, *, new_id: str, sign: Sign | None = None) -> Log:
        """Open the log for writing; a new one gets `new_id` as its `log_id`.

        Raises:
            StorageError: The file cannot be used.
        """
        connection = connect(path, synchronous="FULL")
        from .migrations import migrate  # sqlite-utils takes 90 ms to import; readers skip it

        try:
            migrate(connection)
            connection.execute("INSERT OR IGNORE INTO meta VALUES ('log', ?)", (new_id,))
            log = cls(connection, sign)
            if sign is not None:
                log._renew_seals(sign)
            return log
        except sqlite3.Error as error:
            connection.close()
            raise StorageError(f"{path} cannot be used as a log: {error}.") from error

    def append(self, entries: Sequence[Entry], now: int) -> list[Receipt]:
        """Append events in one durable transaction and return a receipt for each, in order.

        Args:
            entries: Events of any streams that passed the door.
            now: The admission time in milliseconds.

        Raises:
            sqlite3.Error: Nothing was written.
        """
        db = self._db
        tails: dict[str, _Tail] = {}
        ends: dict[str, tuple[int, End]] = {}
        ids = [bytes.fromhex(event.entry) for event, _, _ in entries]
        withheld = set(self._withheld)
        gone = _names_of_withheld(entries, withheld)
        with transaction(db):
            receipts, rows = self._place(entries, ids, gone, now, tails)
            db.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
            reasons = [
                (id_, entry.event.withheld)
                for id_, entry in zip(ids, entries, strict=True)
                if entry.event.withheld is not None
            ]
            db.executemany("INSERT OR IGNORE INTO withheld VALUES (?,?)", reasons)
            self._drop_bodies(entries)
            mended = self._put_back(entries, gone)
            self._note_hearsay(entries, ids, receipts)
            for stream, tail in tails.items():
                end = End(tail.iseq, tail.chain, now)
                if self._sign is not None:
                    end = self._seal(stream, tail.number, end, self._sign)
                ends[stream] = (tail.number, end)
        self._ends.update(ends)
        self._withheld = withheld
        self.broken -= mended
        return receipts

    def _place(
        self,
        entries: Sequence[Entry],
        ids: Sequence[bytes],
        gone: dict[str, bytes],
        now: int,
        tails: dict[str, _Tail],
    ) -> tuple[list[Receipt], list[tuple[object, ...]]]:
        known = self._known([*ids, *gone.values()])
        receipts: list[Receipt] = []
        rows: list[tuple[object, ...]] = []
        firsts: dict[tuple[str, str, int], str] = {}
        for (event, packet, proven), id_ in zip(entries, ids, strict=True):
            head = event.head
            stream, rep, n = head.stream, head.rep, head.n
            place = known.get(id_) or known.get(gone.get(event.id, id_))
            if place is not None:
                receipts.append(self._again(event, packet, proven, place))
                continue
            tail = tails.get(stream)
            if tail is None:
                number, end = self._end_for(stream)
                counts = self._counts.setdefault(stream, {})
                tail = tails[stream] = _Tail(number, end.iseq, end.chain, counts)
            iseq = tail.iseq = tail.iseq + 1
            chain = tail.chain = link(tail.chain, id_)
            stamp = now if proven is None or proven > now else proven
            known[id_] = (iseq, stamp, packet.via)
            body = None if packet.body is None else packet.body.decode()
            raw = packet.head.decode()
            rows.append((tail.number, iseq, id_, rep, n, head.type, raw, body, stamp, chain))
            clash = ""
            if packet.via is None:  # what hearsay counts proves nothing against a replica
                is_clash = firsts.setdefault((stream, rep, n), event.id) != event.id
                clash = rep if self._is_used(tail, event) or is_clash else ""
            receipts.append(Receipt(event.id, stream, iseq, stamp, True, False, clash))
        return receipts, rows

    def _again(self, event: Event, packet: Packet, proven: int | None, place: _Place) -> Receipt:
        """The receipt for an event that has its place already."""
        iseq, before, via = place
        earlier = before if proven is None or proven > before else proven
        is_vouched_for = via is not None and packet.via is None
        mends = bytes.fromhex(event.entry) in self.broken
        changed = earlier < before or is_vouched_for or mends
        return Receipt(event.id, event.head.stream, iseq, earlier, False, changed)

    def _is_used(self, tail: _Tail, event: Event) -> bool:
        """Whether a replica has used an event's count before, for one that is in the log."""
        rep, n = event.head.rep, event.head.n
        highest = tail.counts.get(rep)
        if highest is None:
            highest = self._highest(tail.number, rep)
        if n <= highest:
            return self._is_counted(tail.number, event)
        tail.counts[rep] = n
        return False

    def _highest(self, number: int, rep: str) -> int:
        (found,) = self._db.execute(
            "SELECT coalesce(max(n), 0) FROM events WHERE stream = ? AND rep = ?", (number, rep)
        ).fetchone()
        return int(found)

    def _is_counted(self, number: int, event: Event) -> bool:
        """Whether the log holds another event, not of hearsay, with this count of a replica."""
        rep, n, id_ = event.head.rep, event.head.n, bytes.fromhex(event.id)
        row = self._db.execute(
            "SELECT 1 FROM events WHERE stream = ? AND rep = ? AND n = ? AND id NOT IN (?,?,?,?)"
            " AND id NOT IN (SELECT id FROM hearsay)",
            (number, rep, n, id_, void_entry(id_), heard_entry(id_), withheld_entry(id_)),
        ).fetchone()
        return row is not None

    def _drop_bodies(self, entries: Sequence[Entry]) -> None:
        """Forget the bodies of events that are withheld from now on."""
        for event, _, _ in entries:
            if event.withheld is None or event.refused or not event.may_be_withheld:
                continue
            id_ = bytes.fromhex(event.id)
            for name in (id_, heard_entry(id_)):
                found = self._db.execute("UPDATE events SET body = NULL WHERE id = ?", (name,))
                if found.rowcount:
                    row = (name, event.withheld)
                    self._db.execute("INSERT OR IGNORE INTO withheld VALUES (?,?)", row)

    def _put_back(self, entries: Sequence[Entry], gone: dict[str, bytes]) -> set[bytes]:
        if not self.broken:
            return set()
        found = {
            bytes.fromhex(event.entry): packet._replace(body=None) if event.id in gone else packet
            for event, packet, _ in entries
        }
        mended = self.broken & found.keys()
        for entry in mended:
            put_back(self._db, entry, found[entry])
        return mended

    def _note_hearsay(
        self, entries: Sequence[Entry], ids: Sequence[bytes], receipts: Sequence[Receipt]
    ) -> None:
        """Keep who handed on what nobody vouches for, and forget it once somebody does."""
        for (_, packet, _), id_, receipt in zip(entries, ids, receipts, strict=True):
            if receipt.fresh and packet.via is not None:
                self._db.execute("INSERT INTO hearsay VALUES (?,?)", (id_, packet.via))
            elif receipt.changed:
                if packet.via is None and id_ not in self.broken:
                    self._db.execute("DELETE FROM hearsay WHERE id = ?", (id_,))
                stamped = (receipt.admitted, id_)
                self._db.execute("UPDATE events SET admitted = ? WHERE id = ?", stamped)

    def _known(self, ids: Sequence[bytes]) -> dict[bytes, _Place]:
        known: dict[bytes, _Place] = {}
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            marks = ",".join("?" * len(some))
            found = self._db.execute(
                "SELECT e.id, e.iseq, e.admitted, h.via FROM events e"
                f" LEFT JOIN hearsay h ON h.id = e.id WHERE e.id IN ({marks})",
                some,
            )
            known.update({id_: (iseq, admitted, via) for id_, iseq, admitted, via in found})
        return known

    def _end_for(self, stream: str) -> tuple[int, End]:
        if stream in self._ends:
            return self._ends[stream]
        self._db.execute("INSERT OR IGNORE INTO streams (name) VALUES (?)", (stream,))
        (number,) = self._db.execute("SELECT id FROM streams WHERE name = ?", (stream,)).fetchone()
        return number, self.end(stream)

    def _seal(self, stream: str, number: int, end: End, sign: Sign) -> End:
        sealed = self._signed(stream, number, end, sign)
        self._db.execute(
            "INSERT INTO seals VALUES (?,?,?,?)",
            (number, end.iseq, end.admitted, sealed.signature),
        )
        return sealed

    def _signed(self, stream: str, number: int, end: End, sign: Sign) -> End:
        kind = BLURRED if self._is_blurred(number) else PROVING
        text = sealed_text(self.log_id, stream, end.iseq, end.chain, end.admitted, kind=kind)
        return end._replace(signature=sign(text))

    def _is_blurred(self, number: int) -> bool:
        """Whether a stream's chain has hearsay under the id of the event, as old logs do."""
        found = self._blurred.get(number)
        if found is None:
            rows = self._db.execute(
                "SELECT e.id, CAST(e.head AS BLOB) FROM hearsay h JOIN events e ON e.id = h.id"
                " WHERE e.stream = ?",
                (number,),
            )
            found = any(sha256(head).digest() == id_ for id_, head in rows)
            self._blurred[number] = found
        return found

    def _renew_seals(self, sign: Sign) -> None:
        """Once: seal anew what older seals do not prove, also where nothing will be written."""
        if self._meta("seals") == str(PROVING):
            return
        with transaction(self._db):
            for stream in self.streams():
                number, end = self._end_for(stream)
                if end.iseq and not self._is_blurred(number):
                    self._db.execute(
                        "UPDATE seals SET signature = ? WHERE stream = ? AND iseq = ?",
                        (self._signed(stream, number, end, sign).signature, number, end.iseq),
                    )
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('seals', ?)", (str(PROVING),))

    def last(self, stream: str) -> End:
        """The end of a stream after the last `append` that touched it, from memory."""
        return self._ends[stream][1] if stream in self._ends else self.end(stream)

    def close(self) -> None:
        """Checkpoint and close."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        super().close()


def _names_of_withheld(entries: Sequence[Entry], withheld: set[bytes]) -> dict[str, bytes]:
    """Of what is appended, the events of which it was said before that their bodies are withheld.

    By their ids, the names of the places where that was said; `withheld` has these, and takes in
    those of the batch.
    """
    found = {}
    for event, _, _ in entries:
        if event.withheld is not None:
            withheld.add(bytes.fromhex(event.entry))
        elif withheld and event.may_be_withheld:
            name = withheld_entry(bytes.fromhex(event.id))
            if name in withheld:
                found[event.id] = name
    return found
