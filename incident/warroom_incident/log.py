"""The log on disk: every admitted event of every stream, in the server's order.

One file, one writing connection, used from one thread at a time. A batch is one transaction, and
when `append` returns, power may fail.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

from .directory import sync
from .event import Event, Packet
from .schema import StorageError, connect, connect_readonly
from .seal import ZERO, Sign, Verify, link, sealed_text


class Entry(NamedTuple):
    """What is appended: the event as read at the door, and its bytes."""

    event: Event
    packet: Packet


class Receipt(NamedTuple):
    """The server's word on an event: its place, and when it was admitted (milliseconds).

    `fresh` is False for an event that had its place before.
    """

    id: str
    stream: str
    iseq: int
    admitted: int
    fresh: bool


class Row(NamedTuple):
    """An event as it rests in a log."""

    iseq: int
    admitted: int
    packet: Packet


class End(NamedTuple):
    """The end of a stream: the last `iseq` (0 when empty), the chain there, and its seal."""

    iseq: int = 0
    chain: bytes = ZERO
    admitted: int = 0
    signature: bytes | None = None


class Stretch(NamedTuple):
    """Some events of a stream, the chain at the last of them, and the seal there if it has one."""

    rows: list[Row]
    chain: bytes | None = None
    signature: bytes | None = None


class LogReader:
    """Reads a log, beside its writer or with none."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        try:
            self.log_id = self._meta("log")
        except sqlite3.OperationalError as error:
            raise StorageError("This database is not a warroom log.") from error

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a log read-only."""
        if not path.exists():
            raise StorageError(f"There is no log at {path}.")
        connection = connect_readonly(path)
        try:
            return cls(connection)
        except StorageError:
            connection.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _meta(self, name: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def streams(self) -> dict[str, int]:
        """Every stream with its last `iseq`."""
        return dict(
            self._db.execute(
                "SELECT name, (SELECT coalesce(max(iseq), 0) FROM events WHERE stream = streams.id)"
                " FROM streams"
            )
        )

    def read(self, stream: str, after: int, limit: int) -> list[Row]:
        """Up to `limit` events of a stream behind `after`, in order."""
        return list(self._read(stream, after, limit))

    def _read(self, stream: str, after: int, limit: int) -> Iterator[Row]:
        return self._rows(
            "WHERE s.name = ? AND e.iseq > ? ORDER BY e.iseq LIMIT ?",
            (stream, after, max(0, limit)),
        )

    def read_at(self, stream: str, iseqs: Sequence[int]) -> list[Row]:
        """The events at some places of a stream, in order of place."""
        marks = ",".join("?" * len(iseqs))
        return list(
            self._rows(
                f"WHERE s.name = ? AND e.iseq IN ({marks}) ORDER BY e.iseq", (stream, *iseqs)
            )
        )

    def _rows(self, where: str, values: tuple[object, ...]) -> Iterator[Row]:
        rows = self._db.execute(
            "SELECT e.iseq, e.admitted, CAST(e.head AS BLOB), CAST(e.body AS BLOB), w.reason"
            " FROM streams s JOIN events e ON e.stream = s.id"
            f" LEFT JOIN withheld w ON e.body IS NULL AND w.id = e.id {where}",
            values,
        )
        try:
            for iseq, admitted, head, body, reason in rows:
                yield Row(iseq, admitted, Packet(head, body, reason))
        finally:
            rows.close()  # a read that stops early must not pin the WAL

    def stretch(self, stream: str, after: int, upto: int, size: int) -> Stretch:
        """Events of a stream behind `after` up to `upto`, about `size` bytes of them.

        At least one event is read where there is one.
        """
        rows: list[Row] = []
        total = 0
        for row in self._read(stream, after, upto - after):
            total += len(row.packet.head) + len(row.packet.body or b"")
            if row.iseq > upto or (rows and total > size):
                break
            rows.append(row)
        if not rows:
            return Stretch([])
        chain, signature = self._db.execute(
            "SELECT e.chain, x.signature FROM streams s JOIN events e ON e.stream = s.id"
            " LEFT JOIN seals x ON x.stream = e.stream AND x.iseq = e.iseq"
            " WHERE s.name = ? AND e.iseq = ?",
            (stream, rows[-1].iseq),
        ).fetchone()
        return Stretch(rows, chain, signature)

    def place(self, stream: str, ids: Iterable[str]) -> dict[str, int]:
        """The places (`iseq`) of events of a stream by their ids."""
        found = {}
        for id_ in ids:
            row = self._db.execute(
                "SELECT e.iseq FROM events e JOIN streams s ON s.id = e.stream"
                " WHERE e.id = ? AND s.name = ?",
                (bytes.fromhex(id_), stream),
            ).fetchone()
            if row:
                found[id_] = int(row[0])
        return found

    def end(self, stream: str) -> End:
        """The end of a stream."""
        row = self._db.execute(
            "SELECT e.iseq, e.chain, e.admitted, x.signature FROM streams s"
            " JOIN events e ON e.stream = s.id"
            " LEFT JOIN seals x ON x.stream = e.stream AND x.iseq = e.iseq"
            " WHERE s.name = ? ORDER BY e.iseq DESC LIMIT 1",
            (stream,),
        ).fetchone()
        return End(*row) if row else End()

    def chain_at(self, stream: str, iseq: int) -> bytes | None:
        """The chain at a place, None where the stream has no such place."""
        if iseq == 0:
            return ZERO
        row = self._db.execute(
            "SELECT e.chain FROM streams s JOIN events e ON e.stream = s.id"
            " WHERE s.name = ? AND e.iseq = ?",
            (stream, iseq),
        ).fetchone()
        return bytes(row[0]) if row else None

    def damages(self, verify: Verify | None = None) -> Iterator[str]:
        """Check every hash, chain and, with `verify`, seal; yield a sentence for each damage."""
        for stream in self.streams():
            yield from self._bad_events(stream)
            yield from self._bad_seals(stream, verify)

    def _bad_events(self, stream: str) -> Iterator[str]:
        rows = self._db.execute(
            "SELECT e.iseq, e.id, CAST(e.head AS BLOB), CAST(e.body AS BLOB), e.chain, w.id"
            " FROM streams s JOIN events e ON e.stream = s.id LEFT JOIN withheld w ON w.id = e.id"
            " WHERE s.name = ? ORDER BY e.iseq",
            (stream,),
        )
        chain = ZERO
        expected = 1
        for iseq, id_, head, body, stored, withheld in rows:
            if iseq != expected:
                yield f"{stream}: event {expected} is missing."
            expected = iseq + 1
            if sha256(head).digest() != id_:
                yield f"{stream}: the head of event {iseq} is damaged."
            if body is None and withheld is None:
                yield f"{stream}: the body of event {iseq} is missing."
            elif body is not None and sha256(body).hexdigest().encode() not in head:
                yield f"{stream}: the body of event {iseq} is damaged."
            chain = link(chain, id_)
            if chain != stored:
                yield f"{stream}: the chain breaks at event {iseq}."
                chain = stored

    def _bad_seals(self, stream: str, verify: Verify | None) -> Iterator[str]:
        seals = self._db.execute(
            "SELECT x.iseq, x.admitted, x.signature, e.chain FROM streams s"
            " JOIN seals x ON x.stream = s.id"
            " LEFT JOIN events e ON e.stream = s.id AND e.iseq = x.iseq WHERE s.name = ?",
            (stream,),
        )
        for iseq, admitted, signature, chain in seals:
            if chain is None:
                yield f"{stream}: event {iseq}, which was sealed, is missing."
            elif verify is not None and not verify(
                sealed_text(self.log_id, stream, iseq, chain, admitted), signature
            ):
                yield f"{stream}: the seal at event {iseq} does not fit."


class Log(LogReader):
    """Reads and appends."""

    def __init__(self, connection: sqlite3.Connection, sign: Sign | None = None) -> None:
        super().__init__(connection)
        self._sign = sign
        self._ends: dict[str, tuple[int, End]] = {}

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
            return cls(connection, sign)
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
        ends = dict(self._ends)
        db.execute("BEGIN IMMEDIATE")
        try:
            receipts, rows, touched = self._place(entries, now, ends)
            db.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
            gone = [
                (bytes.fromhex(event.id), event.withheld)
                for event, _ in entries
                if event.withheld is not None
            ]
            db.executemany("INSERT OR IGNORE INTO withheld VALUES (?,?)", gone)
            if self._sign is not None:
                for stream in touched:
                    ends[stream] = self._seal(stream, *ends[stream], self._sign)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        self._ends = ends
        return receipts

    def _place(
        self, entries: Sequence[Entry], now: int, ends: dict[str, tuple[int, End]]
    ) -> tuple[list[Receipt], list[tuple[object, ...]], set[str]]:
        known = self._known([bytes.fromhex(entry.event.id) for entry in entries])
        receipts: list[Receipt] = []
        rows: list[tuple[object, ...]] = []
        touched: set[str] = set()
        for event, packet in entries:
            head = event.head
            id_ = bytes.fromhex(event.id)
            place = known.get(id_)
            if place is None:
                number, end = ends.get(head.stream) or self._end_for(head.stream)
                chain = link(end.chain, id_)
                place = (end.iseq + 1, now)
                ends[head.stream] = (number, End(place[0], chain, now))
                known[id_] = place
                touched.add(head.stream)
                body = None if packet.body is None else packet.body.decode()
                rows.append(
                    (
                        number,
                        place[0],
                        id_,
                        head.rep,
                        head.n,
                        head.type,
                        packet.head.decode(),
                        body,
                        now,
                        chain,
                    )
                )
                receipts.append(Receipt(event.id, head.stream, *place, True))
            else:
                receipts.append(Receipt(event.id, head.stream, *place, False))
        return receipts, rows, touched

    def _known(self, ids: list[bytes]) -> dict[bytes, tuple[int, int]]:
        known: dict[bytes, tuple[int, int]] = {}
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            marks = ",".join("?" * len(some))
            found = self._db.execute(
                f"SELECT id, iseq, admitted FROM events WHERE id IN ({marks})", some
            )
            known.update({id_: (iseq, admitted) for id_, iseq, admitted in found})
        return known

    def _end_for(self, stream: str) -> tuple[int, End]:
        self._db.execute("INSERT OR IGNORE INTO streams (name) VALUES (?)", (stream,))
        (number,) = self._db.execute("SELECT id FROM streams WHERE name = ?", (stream,)).fetchone()
        return number, self.end(stream)

    def _seal(self, stream: str, number: int, end: End, sign: Sign) -> tuple[int, End]:
        text = sealed_text(self.log_id, stream, end.iseq, end.chain, end.admitted)
        sealed = end._replace(signature=sign(text))
        self._db.execute(
            "INSERT INTO seals VALUES (?,?,?,?)",
            (number, end.iseq, end.admitted, sealed.signature),
        )
        return number, sealed

    def last(self, stream: str) -> End:
        """The end of a stream after the last `append` that touched it, from memory."""
        return self._ends[stream][1] if stream in self._ends else self.end(stream)

    def backup(self, path: Path) -> None:
        """Write a compact copy of the whole log to a new file."""
        copy_database(self._db, path)

    def close(self) -> None:
        """Checkpoint and close."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        super().close()


def copy_database(connection: sqlite3.Connection, path: Path) -> None:
    """Write a compact, fsynced copy of a database to a new file of mode 0600.

    Raises:
        StorageError: The file exists, or cannot be written.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise StorageError(f"{path} exists already; choose another name.") from error
    except OSError as error:
        raise StorageError(f"The copy {path} could not be written: {error}.") from error
    try:
        connection.execute("VACUUM INTO ?", (str(path),))
        for place in (path, path.parent):
            sync(place)
    except (OSError, sqlite3.Error) as error:
        path.unlink(missing_ok=True)
        raise StorageError(f"The copy {path} could not be written: {error}.") from error
