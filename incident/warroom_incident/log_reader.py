"""Reads the log on disk: events in the server's order, its chains, and what is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

from .event import REFUSED, Packet
from .schema import StorageError, connect_readonly
from .seal import (
    BLURRED,
    PROVING,
    ZERO,
    Verify,
    heard_entry,
    link,
    sealed_text,
    void_entry,
    withheld_entry,
)


class Row(NamedTuple):
    """An event as it rests in a log.

    `apart` says that the name of its place there is that of hearsay or of a withheld body.
    """

    iseq: int
    admitted: int
    packet: Packet
    apart: bool = False


class End(NamedTuple):
    """The end of a stream: the last `iseq` (0 when empty), the chain there, and its seal.

    `admitted` is when it was sealed, in milliseconds.
    """

    iseq: int = 0
    chain: bytes = ZERO
    admitted: int = 0
    signature: bytes | None = None


class Stretch(NamedTuple):
    """Some events of a stream, the chain at the last of them, and the seal there if it has one."""

    rows: list[Row]
    chain: bytes | None = None
    signature: bytes | None = None
    sealed: int = 0
    """When that seal was put there, in milliseconds."""


class LogReader:
    """Reads a log, beside its writer or with none."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.damaged: dict[str, dict[int, bytes]] = {}
        """Per stream the places of events that are left out of what is read, with their entries."""
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

    def scan(self, stream: str, after: int, limit: int) -> list[tuple[bytes, Row]]:
        """As `read`, damaged events included, each with the entry that its place names."""
        rows = self._db.execute(
            "SELECT e.id, e.iseq, e.admitted, CAST(e.head AS BLOB), CAST(e.body AS BLOB), w.reason,"
            " h.via FROM streams s JOIN events e ON e.stream = s.id"
            " LEFT JOIN withheld w ON e.body IS NULL AND w.id = e.id"
            " LEFT JOIN hearsay h ON h.id = e.id"
            " WHERE s.name = ? AND e.iseq > ? ORDER BY e.iseq LIMIT ?",
            (stream, after, limit),
        ).fetchall()
        return [(id_, _row(id_, iseq, at, Packet(*packet))) for id_, iseq, at, *packet in rows]

    def read_at(self, stream: str, iseqs: Sequence[int]) -> list[Row]:
        """The events at some places of a stream, in order of place."""
        marks = ",".join("?" * len(iseqs))
        return list(
            self._rows(
                f"WHERE s.name = ? AND e.iseq IN ({marks}) ORDER BY e.iseq", (stream, *iseqs)
            )
        )

    def _rows(self, where: str, values: tuple[object, ...]) -> Iterator[Row]:
        """Read events of the stream that is the first of the values."""
        left_out = self.damaged.get(str(values[0]), {})
        rows = self._db.execute(
            "SELECT e.id, e.iseq, e.admitted, CAST(e.head AS BLOB), CAST(e.body AS BLOB), w.reason,"
            " h.via"
            " FROM streams s JOIN events e ON e.stream = s.id"
            " LEFT JOIN withheld w ON e.body IS NULL AND w.id = e.id"
            f" LEFT JOIN hearsay h ON h.id = e.id {where}",
            values,
        )
        try:
            for id_, iseq, admitted, *packet in rows:
                if iseq not in left_out:
                    yield _row(id_, iseq, admitted, Packet(*packet))
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
        chain, signature, sealed = self._db.execute(
            "SELECT e.chain, x.signature, x.admitted FROM streams s"
            " JOIN events e ON e.stream = s.id"
            " LEFT JOIN seals x ON x.stream = e.stream AND x.iseq = e.iseq"
            " WHERE s.name = ? AND e.iseq = ?",
            (stream, rows[-1].iseq),
        ).fetchone()
        return Stretch(rows, chain, signature, sealed or 0)

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
            "SELECT e.iseq, e.chain, coalesce(x.admitted, e.admitted), x.signature FROM streams s"
            " JOIN events e ON e.stream = s.id"
            " LEFT JOIN seals x ON x.stream = e.stream AND x.iseq = e.iseq"
            " WHERE s.name = ? ORDER BY e.iseq DESC LIMIT 1",
            (stream,),
        ).fetchone()
        return End(*row) if row else End()

    def prefixes(self, stream: str, after: int, upto: int, limit: int) -> tuple[bytes, list[int]]:
        """The first 8 bytes of the ids at up to `limit` places behind `after`, and the places of
        those among them that nobody vouched for. A damaged event has zeros: it is not held."""
        rows = self._db.execute(
            "SELECT substr(e.id, 1, 8), e.iseq, h.via IS NOT NULL FROM streams s"
            " JOIN events e ON e.stream = s.id LEFT JOIN hearsay h ON h.id = e.id"
            " WHERE s.name = ? AND e.iseq > ? AND e.iseq <= ? ORDER BY e.iseq LIMIT ?",
            (stream, after, upto, limit),
        ).fetchall()
        left_out = self.damaged.get(stream, {})
        found = [bytes(8) if row[1] in left_out else row[0] for row in rows]
        return b"".join(found), [row[1] for row in rows if row[2]]

    def entries(self, stream: str, after: int, upto: int) -> list[bytes]:
        """What a stream's chain links at the places behind `after` up to `upto`, in order."""
        rows = self._db.execute(
            "SELECT e.id FROM streams s JOIN events e ON e.stream = s.id"
            " WHERE s.name = ? AND e.iseq > ? AND e.iseq <= ? ORDER BY e.iseq",
            (stream, after, upto),
        )
        return [bytes(row[0]) for row in rows]

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
            "SELECT e.iseq, e.id, CAST(e.head AS BLOB), CAST(e.body AS BLOB), e.chain, w.reason,"
            " h.via FROM streams s JOIN events e ON e.stream = s.id"
            " LEFT JOIN withheld w ON w.id = e.id LEFT JOIN hearsay h ON h.id = e.id"
            " WHERE s.name = ? ORDER BY e.iseq",
            (stream,),
        )
        chain = ZERO
        expected = 1
        for iseq, id_, head, body, stored, reason, via in rows:
            if iseq != expected:
                yield f"{stream}: event {expected} is missing."
            expected = iseq + 1
            if id_ not in _entries(head, reason if body is None else None, via):
                yield f"{stream}: the head of event {iseq} is damaged."
            if body is None and reason is None:
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
            elif verify is not None and not any(
                verify(
                    sealed_text(self.log_id, stream, iseq, chain, admitted, kind=kind), signature
                )
                for kind in (PROVING, BLURRED)
            ):
                yield f"{stream}: the seal at event {iseq} does not fit."


def _row(id_: bytes, iseq: int, admitted: int, packet: Packet) -> Row:
    apart = False
    if packet.via is not None or packet.body is None:
        event_id = sha256(packet.head).digest()
        apart = id_ in (heard_entry(event_id), withheld_entry(event_id))
    return Row(iseq, admitted, packet, apart)


def _entries(head: bytes, reason: str | None, via: str | None) -> tuple[bytes, ...]:
    """Under which names an event may have its place."""
    event_id = sha256(head).digest()
    if reason is not None and reason.startswith(REFUSED):
        return (void_entry(event_id),)
    if via is not None:
        return (heard_entry(event_id), event_id)
    return (event_id,) if reason is None else (withheld_entry(event_id), event_id)
