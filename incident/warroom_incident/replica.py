"""A console's replica: a cache of what the server said, that opens a console with no server.

It is written lazily and may lose its last second in a power cut; the cursors are written in the
same transaction as the events that they count, so it never claims what it lacks. Only the process
that holds the slot writes; anybody of the same user may read. On a full disk it opens in memory,
with what the file holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from . import proofs
from .alerts import AlertRecord
from .ballast import is_full
from .beats import Beat
from .changes import Change
from .event import REFUSED, Packet
from .proofs import Placed, Proof, Sealed
from .schema import Damaged, StorageError, connect, connect_readonly, transaction
from .seal import heard_entry
from .sync.wire import BoardCursor, Follow, Summary

FILE = "replica-1.db"
"""The schema's number is in the name, so that no version meets another's tables."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE events (
    id BLOB PRIMARY KEY, stream TEXT NOT NULL, admitted INTEGER NOT NULL,
    head TEXT NOT NULL, body TEXT, reason TEXT, via TEXT
) STRICT;
CREATE INDEX events_of_stream ON events (stream);
CREATE TABLE cursors (
    stream TEXT PRIMARY KEY, log TEXT NOT NULL, iseq INTEGER NOT NULL, chain TEXT NOT NULL
) STRICT;
CREATE TABLE places (
    log TEXT NOT NULL, stream TEXT NOT NULL, iseq INTEGER NOT NULL, id BLOB NOT NULL,
    PRIMARY KEY (log, stream, iseq)
) STRICT, WITHOUT ROWID;
CREATE TABLE seals (
    log TEXT NOT NULL, stream TEXT NOT NULL, iseq INTEGER NOT NULL, sealed INTEGER NOT NULL,
    server TEXT NOT NULL, signature TEXT NOT NULL, PRIMARY KEY (log, stream, server)
) STRICT, WITHOUT ROWID;
CREATE TABLE summaries (stream TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
CREATE TABLE records (uid TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
"""
_TOLD = """
CREATE TABLE IF NOT EXISTS told (
    kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
"""
"""Heartbeats and changes: no older version looks for this table, so it may be missing."""

_PUT_EVENT = (
    "INSERT INTO events VALUES (?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET"
    # a body that was withheld once stays so, whoever brings it again
    " body = CASE WHEN body IS NULL THEN NULL ELSE excluded.body END,"
    " reason = coalesce(reason, excluded.reason),"
    " via = CASE WHEN via IS NULL THEN NULL ELSE excluded.via END,"
    " admitted = min(admitted, excluded.admitted)"
)

_CACHE_KIB = 64
"""What SQLite may keep of the file in memory between transactions: it is read once."""

_WANTED = {"meta", "events", "cursors", "places", "seals", "summaries", "records"}


class Kept(msgspec.Struct, frozen=True):
    """An event that the replica keeps."""

    event_id: str
    stream: str
    admitted: int
    packet: Packet


class Replica:
    """One slot's cache."""

    def __init__(self, connection: sqlite3.Connection, *, in_memory: bool = False) -> None:
        self._db = connection
        self.in_memory = in_memory
        """Whether what is saved ends with the process, because the disk is full."""

    @classmethod
    def open(cls, directory: Path) -> Replica:
        """Open the cache of a slot for writing, making it when it is missing.

        A file that cannot be used is set aside: everything in it can be had again.

        Raises:
            StorageError: The file can be neither opened nor made, for another reason than room.
        """
        path = directory / FILE
        try:
            return cls(_open(path))
        except Damaged:
            # Its log goes with it: it belongs to no other file, and may hold what is missing.
            for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
                with suppress(FileNotFoundError):
                    (directory / name).rename(directory / f"damaged-{name}")
            return cls(_open(path))
        except StorageError as error:
            if not isinstance(error.__cause__, Exception) or not is_full(error.__cause__):
                raise
            return cls(_in_memory(path), in_memory=True)

    @classmethod
    def newest(cls, directory: Path) -> Replica | None:
        """Open the freshest cache of a replica directory read-only, None when there is none."""
        for path in sorted(directory.glob(f"slot-*/{FILE}"), key=_written_at, reverse=True):
            with suppress(StorageError):
                connection = connect_readonly(path)
                if _tables(connection) >= _WANTED:
                    return cls(connection)
                connection.close()
        return None

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    # Writing -------------------------------------------------------------------------------

    def save(
        self,
        *,
        events: Sequence[Kept] = (),
        cursors: Sequence[Follow] = (),
        summaries: Sequence[Summary] = (),
        records: Sequence[AlertRecord] = (),
        board: BoardCursor | None = None,
        meta: dict[str, str] | None = None,
        places: Sequence[Placed] = (),
        seals: Sequence[Sealed] = (),
        beats: Sequence[Beat] = (),
        changes: Sequence[Change] = (),
    ) -> None:
        """Keep all this in one transaction."""
        values = dict(meta or {})
        if board is not None:
            values |= {"board": board.board, "rev": str(board.rev)}
        told: list[tuple[str, str, Beat | Change]] = [
            *(("beat", beat.key, beat) for beat in beats),
            *(("change", change.uid, change) for change in changes),
        ]
        db = self._db
        with transaction(db):
            # one event at a time: a backlog is not to be in memory twice
            db.executemany(_PUT_EVENT, map(_row, events))
            db.executemany(
                "UPDATE events SET body = NULL, reason = ? WHERE id IN (?,?)", _withheld(events)
            )
            db.executemany(
                "REPLACE INTO cursors VALUES (?,?,?,?)",
                [(c.stream, c.log, c.iseq, c.chain) for c in cursors],
            )
            db.executemany(
                "REPLACE INTO summaries VALUES (?,?)", [(s.stream, _json(s)) for s in summaries]
            )
            db.executemany(
                "REPLACE INTO records VALUES (?,?)", [(r.uid, _json(r)) for r in records]
            )
            db.executemany(
                "REPLACE INTO told VALUES (?,?,?)", [(k, name, _json(w)) for k, name, w in told]
            )
            proofs.keep(db, places, seals)
            db.executemany("REPLACE INTO meta VALUES (?,?)", list(values.items()))

    def forget_records(self) -> None:
        """Drop the alert records: another board counts now."""
        # The cursor goes first: without it the board is read from its beginning.
        self._db.execute("DELETE FROM meta WHERE name IN ('board', 'rev')")
        self._db.execute("DELETE FROM records")
        self._db.execute("DELETE FROM told")

    def prune(self, before: int, keep: Collection[str]) -> int:
        """Drop incidents that were closed and untouched since `before` (milliseconds).

        Their lines in the lobby stay. Returns how many were dropped; `keep` names streams that
        are in use. Older changes go too, but for each service's last.
        """
        db = self._db
        db.execute(
            "DELETE FROM told WHERE kind = 'change' AND json ->> 'at' < ? AND EXISTS ("
            " SELECT 1 FROM told later WHERE later.kind = 'change'"
            " AND later.json ->> 'service' = told.json ->> 'service'"
            " AND later.json ->> 'at' > told.json ->> 'at')",
            (before,),
        )
        rows = db.execute(
            "SELECT s.stream FROM summaries s WHERE json_extract(s.json, '$.status') = 'closed'"
            " AND coalesce(json_extract(s.json, '$.changed_at'), 0) < ?"
            " AND EXISTS (SELECT 1 FROM events e WHERE e.stream = s.stream)",
            (before,),
        ).fetchall()
        old = [stream for (stream,) in rows if stream not in keep]
        for stream in old:
            with transaction(db):
                for table in ("cursors", "places", "seals", "events"):
                    db.execute(f"DELETE FROM {table} WHERE stream = ?", (stream,))
        return len(old)

    # Reading -------------------------------------------------------------------------------

    def events(self, stream: str) -> list[tuple[int, Packet]]:
        """The kept events of a stream with their admission stamps."""
        return list(self.walk(stream))

    def walk(self, stream: str) -> Iterator[tuple[int, Packet]]:
        """As `events`, one after the other: the bytes of all are several times their state."""
        rows = self._db.execute(
            "SELECT admitted, CAST(head AS BLOB), CAST(body AS BLOB), reason, via FROM events"
            " WHERE stream = ?",
            (stream,),
        )
        for admitted, head, body, reason, via in rows:
            yield admitted, Packet(head, body, reason, via)

    def some(self, stream: str, entries: Iterable[str]) -> list[tuple[str, int, Packet]]:
        """Those of some events of a stream that are kept: entry, admission stamp and bytes."""
        wanted = [bytes.fromhex(entry) for entry in entries]
        rows = self._db.execute(
            "SELECT id, admitted, CAST(head AS BLOB), CAST(body AS BLOB), reason, via FROM events"
            # the plus keeps SQLite from reading all of the stream
            f" WHERE +stream = ? AND id IN ({','.join('?' * len(wanted))})",
            (stream, *wanted),
        )
        return [(id_.hex(), admitted, Packet(*packet)) for id_, admitted, *packet in rows]

    def streams(self) -> set[str]:
        """The streams that events are kept of."""
        return {name for (name,) in self._db.execute("SELECT DISTINCT stream FROM events")}

    def proofs(self, stream: str) -> list[Proof]:
        """What this replica can prove of a stream: for each log the ids up to its newest seal."""
        return proofs.read(self._db, stream)

    def cursors(self) -> list[Follow]:
        """How far each stream was read without a gap, in which log."""
        return [
            Follow(*row) for row in self._db.execute("SELECT stream, log, iseq, chain FROM cursors")
        ]

    def summaries(self) -> list[Summary]:
        """The incidents as last heard of."""
        rows = self._db.execute("SELECT json FROM summaries")
        return [msgspec.json.decode(text, type=Summary) for (text,) in rows]

    def records(self) -> list[AlertRecord]:
        """The alert episodes as last heard of."""
        rows = self._db.execute("SELECT json FROM records")
        return [msgspec.json.decode(text, type=AlertRecord) for (text,) in rows]

    def told(self) -> tuple[list[Beat], list[Change]]:
        """The heartbeats and the changes as last heard of."""
        if "told" not in _tables(self._db):
            return [], []
        rows = self._db.execute("SELECT kind, json FROM told").fetchall()
        beats = [msgspec.json.decode(text, type=Beat) for kind, text in rows if kind == "beat"]
        changes = [
            msgspec.json.decode(text, type=Change) for kind, text in rows if kind == "change"
        ]
        return [beat for beat in beats if beat.is_watched], changes

    def meta(self) -> dict[str, str]:
        """What else is kept.

        `room`, `you`, `account`, `right`, `heard_at`, `board`, `rev`, and as JSON in `servers` who
        keeps the room (a list of `Place`).
        """
        return dict(self._db.execute("SELECT name, value FROM meta"))

    def board(self) -> BoardCursor | None:
        """How far the board's records were read."""
        meta = self.meta()
        if "board" not in meta:
            return None
        return BoardCursor(meta["board"], int(meta["rev"]))


def _withheld(events: Sequence[Kept]) -> Iterator[tuple[str, bytes, bytes]]:
    """Which bodies are to be forgotten: the reason, and the names under which they may lie."""
    for kept in events:
        reason = kept.packet.reason
        if kept.packet.body is None and reason and not reason.startswith(REFUSED):
            id_ = sha256(kept.packet.head).digest()
            yield reason, id_, heard_entry(id_)


def _json(value: Summary | AlertRecord | Beat | Change) -> str:
    return msgspec.json.encode(value).decode()


def _row(kept: Kept) -> tuple[object, ...]:
    head, body, reason, via = kept.packet
    texts = (head.decode(), None if body is None else body.decode())
    return (bytes.fromhex(kept.event_id), kept.stream, kept.admitted, *texts, reason, via)


def _in_memory(path: Path) -> sqlite3.Connection:
    """What a file holds, without its log: on a full disk there is no room to look into that."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True)) as kept:
        kept.backup(connection)
    return _furnished(connection, path)


def _open(path: Path) -> sqlite3.Connection:
    return _furnished(connect(path, synchronous="NORMAL"), path)


def _furnished(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA cache_spill = OFF")
    try:
        found = _tables(connection)
        if not found:
            connection.executescript(f"BEGIN; {_TABLES} COMMIT;")
        elif not found >= _WANTED:
            raise Damaged(f"{path} has not the tables of a replica.")
        connection.execute(_TOLD)
    except sqlite3.OperationalError as error:
        connection.close()
        raise StorageError(f"{path} cannot be used: {error}.") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise Damaged(f"{path} is damaged: {error}.") from error
    except Damaged:
        connection.close()
        raise
    return connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


def _written_at(path: Path) -> float:
    found = 0.0
    for file in (path, Path(f"{path}-wal")):
        with suppress(FileNotFoundError):
            found = max(found, file.stat().st_mtime)
    return found
