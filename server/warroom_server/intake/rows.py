"""The rows of `intake.db`: each function is one transaction or one query on a connection.

Owns the SQL. Functions raise sqlite3.Error and leave nothing behind when they do.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from warroom_incident.alerts import AlertRecord
from warroom_incident.beats import Beat
from warroom_incident.changes import Change
from warroom_incident.schema import transaction

from ..board import SavedBoard, Unsaved
from ..sideboard import name_of
from . import past

RESTART_GAP = 1 << 20
"""Revisions skipped at a start, so that none that was shown but not saved is given out twice."""

PRUNE_ROWS = 500
"""How many bodies one pruning transaction deletes at most."""

NewRow = tuple[int, str, str, str, int, str, bytes]
"""received, kind, source, sha256, size, headers as JSON, body"""


@dataclass(frozen=True, slots=True)
class RawBody:
    """One body as it came, with who sent it. `headers` hold no credentials."""

    id: int
    received: int
    kind: str
    source: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a body: when it was read, how many signals it held, why it was not read."""

    raw_id: int
    at: int
    signals: int
    error: str | None = None


def insert(db: sqlite3.Connection, rows: Sequence[NewRow]) -> int:
    """Store bodies; returns the first id, the others follow it."""

    with transaction(db):
        first: int = db.execute("SELECT coalesce(max(id), 0) + 1 FROM raw").fetchone()[0]
        db.executemany(
            "INSERT INTO raw(id, received, kind, source, sha256, size, headers, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(first + i, *row) for i, row in enumerate(rows)],
        )
    return first


def raw_of(row: tuple[int, int, str, str, str, bytes]) -> RawBody:
    """Make a body of its row: id, received, kind, source, headers, body."""
    headers = msgspec.json.decode(row[4], type=dict[str, str])
    return RawBody(row[0], row[1], row[2], row[3], headers, row[5])


def select_unparsed(db: sqlite3.Connection, limit: int, max_bytes: int) -> list[RawBody]:
    """Return the oldest unread bodies, stopping after the one that passes `max_bytes`."""
    found: list[RawBody] = []
    total = 0
    rows = db.execute(
        "SELECT id, received, kind, source, headers, body FROM raw INDEXED BY raw_unparsed"
        " WHERE parsed IS NULL ORDER BY id LIMIT ?",
        (limit,),
    )
    for row in rows:
        found.append(raw_of(row))
        total += len(found[-1].body)
        if total >= max_bytes:
            break
    return found


def select_body(db: sqlite3.Connection, raw_id: int) -> RawBody | None:
    """Return one body."""
    row = db.execute(
        "SELECT id, received, kind, source, headers, body FROM raw WHERE id = ?", (raw_id,)
    ).fetchone()
    return raw_of(row) if row else None


def select_reading(db: sqlite3.Connection, raw_id: int) -> Reading | None:
    """Return what became of a body, None while it is not read."""
    row = db.execute(
        "SELECT id, parsed, signals, error FROM raw WHERE id = ? AND parsed IS NOT NULL", (raw_id,)
    ).fetchone()
    return Reading(*row) if row else None


def select_unreadable(db: sqlite3.Connection, source: str, limit: int) -> list[tuple[int, str]]:
    """Return (id, reason) of a source's unreadable bodies, the newest first."""
    return db.execute(
        "SELECT id, error FROM raw WHERE source = ? AND error IS NOT NULL ORDER BY id DESC LIMIT ?",
        (source, limit),
    ).fetchall()


def save(db: sqlite3.Connection, readings: Iterable[Reading], board: Unsaved) -> list[int]:
    """Mark bodies as read and write what they changed; returns the sizes of those marked now."""
    saved = [(r.uid, r.rev, r.source, r.key, _json(r)) for r in board.records]
    over = [past.row_of(record) for record in board.records if past.is_past(record)]
    beside = [(name_of(item), type(item).__name__, _json(item)) for item in board.beside]

    sizes: list[int] = []
    with transaction(db):
        for reading in readings:
            row = db.execute(
                "UPDATE raw SET parsed = ?, signals = ?, error = ?"
                " WHERE id = ? AND parsed IS NULL RETURNING size",
                (reading.at, reading.signals, reading.error, reading.raw_id),
            ).fetchone()
            if row is not None:
                sizes.append(row[0])
        db.executemany("DELETE FROM records WHERE uid = ?", [(uid,) for uid in board.gone])
        db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)", saved)
        past.insert(db, over)
        gone = [(name,) for name in board.beside_gone]
        db.executemany("DELETE FROM beside WHERE name = ?", gone)
        db.executemany("INSERT OR REPLACE INTO beside VALUES (?, ?, ?)", beside)
        _set_rev(db, board.rev)
    return sizes


def _json(item: AlertRecord | Beat | Change) -> str:
    return msgspec.json.encode(item).decode()


def _set_rev(db: sqlite3.Connection, rev: int) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES ('rev', ?)", (str(rev),))


def load_board(db: sqlite3.Connection) -> SavedBoard:
    """Return the saved board, its revision moved on by `RESTART_GAP` for good."""

    with transaction(db):
        db.execute("INSERT OR IGNORE INTO meta VALUES ('board_id', ?)", (secrets.token_hex(8),))
        meta: dict[str, str] = dict(db.execute("SELECT name, value FROM meta").fetchall())
        rev = int(meta["rev"]) + RESTART_GAP if "rev" in meta else 0
        _set_rev(db, rev)
    decode = msgspec.json.Decoder(AlertRecord).decode
    rows = db.execute("SELECT json FROM records ORDER BY rev")
    records = tuple(decode(row[0]) for row in rows)
    beside = db.execute("SELECT kind, json FROM beside").fetchall()
    beats = [msgspec.json.decode(text, type=Beat) for kind, text in beside if kind == "Beat"]
    changes = [msgspec.json.decode(text, type=Change) for kind, text in beside if kind == "Change"]
    return SavedBoard(meta["board_id"], rev, records, tuple(beats), tuple(changes))


def prune(db: sqlite3.Connection, horizon: int, max_bytes: int) -> int:
    """Delete one slice of read bodies past `horizon` or above `max_bytes`; returns how many."""

    with transaction(db):
        total: int = db.execute("SELECT coalesce(sum(size), 0) FROM raw").fetchone()[0]
        doomed: list[tuple[int]] = []
        rows = db.execute(
            # The newest row stays, so that its id is never given to another body.
            "SELECT id, received, size FROM raw WHERE parsed IS NOT NULL"
            " AND id < (SELECT max(id) FROM raw) ORDER BY received LIMIT ?",
            (PRUNE_ROWS,),
        )
        for raw_id, received, size in rows:
            if received >= horizon and total <= max_bytes:
                break
            doomed.append((raw_id,))
            total -= size
        db.executemany("DELETE FROM raw WHERE id = ?", doomed)
    return len(doomed)


def touch(db: sqlite3.Connection) -> None:
    """Write and commit something of no meaning."""
    with transaction(db):
        db.execute("INSERT OR REPLACE INTO meta VALUES ('checked', abs(random()))")
