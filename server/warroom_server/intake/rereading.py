"""The rows that reading kept bodies again needs: which there are, and what was asked of a server.

Like `rows`, each function is one transaction or one query, and raises sqlite3.Error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from warroom_incident.schema import transaction

from .rows import RawBody, Reading, raw_of


def select_sources(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return each source with kept bodies, and when the oldest of them came."""
    return db.execute(
        "SELECT source, min(received) FROM raw WHERE parsed IS NOT NULL"
        " GROUP BY source ORDER BY source"
    ).fetchall()


def select_read(
    db: sqlite3.Connection, source: str, since: int, after: int, limit: int
) -> list[RawBody]:
    """Return read bodies of a source, behind the one with the id `after`, in their order."""
    rows = db.execute(
        "SELECT id, received, kind, source, headers, body FROM raw"
        " WHERE source = ? AND received >= ? AND id > ? AND parsed IS NOT NULL"
        " ORDER BY id LIMIT ?",
        (source, since, after, limit),
    )
    return [raw_of(row) for row in rows]


def mark_reread(db: sqlite3.Connection, readings: Iterable[Reading]) -> None:
    """Write what became of bodies this time."""
    marks = [(r.at, r.signals, r.error, r.raw_id) for r in readings]
    with transaction(db):
        db.executemany("UPDATE raw SET parsed = ?, signals = ?, error = ? WHERE id = ?", marks)


def select_wish(db: sqlite3.Connection) -> tuple[int, str | None, int] | None:
    """Return the oldest wish that nobody granted yet: its id, its source and from when on."""
    row: tuple[int, str | None, int] | None = db.execute(
        "SELECT id, source, since FROM replays WHERE done IS NULL ORDER BY id LIMIT 1"
    ).fetchone()
    return row


def grant_wish(db: sqlite3.Connection, wish_id: int, at: int, said: str) -> None:
    """Write what came of a wish, and forget those long granted."""
    with transaction(db):
        db.execute("UPDATE replays SET done = ?, said = ? WHERE id = ?", (at, said, wish_id))
        db.execute("DELETE FROM replays WHERE id <= ?", (wish_id - 100,))
