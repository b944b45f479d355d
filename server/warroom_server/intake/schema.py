"""The tables of `intake.db`: raw bodies as they came, the board, past episodes, a few values."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlite_utils import Database, Migrations

migrations = Migrations("warroom-intake")


@migrations()
def raw_bodies_and_board(db: Database) -> None:
    """Create the first tables. `raw.parsed` is when a body was read, NULL until then."""
    db.execute(
        """CREATE TABLE raw (
            id INTEGER PRIMARY KEY, received INTEGER NOT NULL, kind TEXT NOT NULL,
            source TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
            headers TEXT NOT NULL, parsed INTEGER, signals INTEGER, error TEXT,
            body BLOB NOT NULL) STRICT"""
    )
    # Every question that is asked often is answered by an index, without reading any body.
    db.execute("CREATE INDEX raw_unparsed ON raw(id, size) WHERE parsed IS NULL")
    db.execute("CREATE INDEX raw_age ON raw(received, size)")
    db.execute("CREATE INDEX raw_unreadable ON raw(source, id, error) WHERE error IS NOT NULL")
    db.execute(
        """CREATE TABLE records (
            uid TEXT PRIMARY KEY, rev INTEGER NOT NULL, source TEXT NOT NULL,
            key TEXT NOT NULL, json TEXT NOT NULL) STRICT"""
    )
    db.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT")


@migrations()
def past_episodes_and_what_is_beside_alerts(db: Database) -> None:
    """Create what is remembered of alerts that are over, and of heartbeats and changes."""
    db.execute(
        """CREATE TABLE episodes (
            uid TEXT PRIMARY KEY, source TEXT NOT NULL, key TEXT NOT NULL, rule TEXT NOT NULL,
            title TEXT NOT NULL, severity TEXT NOT NULL, first_seen INTEGER NOT NULL,
            ends_at INTEGER NOT NULL, resolved_by TEXT NOT NULL, count INTEGER NOT NULL,
            flaps INTEGER NOT NULL) STRICT"""
    )
    db.execute("CREATE INDEX episodes_of_key ON episodes(source, key, first_seen)")
    db.execute("CREATE INDEX episodes_age ON episodes(first_seen)")
    db.execute(
        """CREATE TABLE beside (
            name TEXT PRIMARY KEY, kind TEXT NOT NULL, json TEXT NOT NULL) STRICT"""
    )


@migrations()
def wishes_for_replays(db: Database) -> None:
    """Create where a running server is asked to read bodies again; `said` is what came of it."""
    db.execute(
        """CREATE TABLE replays (
            id INTEGER PRIMARY KEY, source TEXT, since INTEGER NOT NULL,
            done INTEGER, said TEXT) STRICT"""
    )


def connect(path: Path) -> sqlite3.Connection:
    """Open the one writing connection, for the owner alone; every commit reaches the disk.

    Raises sqlite3.Error when the file is not a database or cannot be written.
    """
    # SQLite gives its side files the mode of the main one. The file is made before the first
    # connection, because closing any descriptor of an open database drops its locks.
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA journal_size_limit={64 << 20}")
        migrations.apply(Database(connection, execute_plugins=False))
    except BaseException:
        connection.close()
        raise
    return connection
