"""The tables of the log, and how every database of ours is opened and written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .filesystem import network_under

MINIMUM_SQLITE = (3, 38, 0)

LOG_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE events (
    stream INTEGER NOT NULL REFERENCES streams (id),
    iseq INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    rep TEXT NOT NULL,
    n INTEGER NOT NULL,
    type TEXT NOT NULL,
    head TEXT NOT NULL,
    body TEXT,
    admitted INTEGER NOT NULL,
    chain BLOB NOT NULL,
    PRIMARY KEY (stream, iseq)
) STRICT;
CREATE INDEX events_by_author ON events (stream, rep, n);
CREATE TABLE withheld (id BLOB PRIMARY KEY, reason TEXT NOT NULL) STRICT;
CREATE TABLE hearsay (id BLOB PRIMARY KEY, via TEXT NOT NULL) STRICT;
CREATE TABLE seals (
    stream INTEGER NOT NULL,
    iseq INTEGER NOT NULL,
    admitted INTEGER NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (stream, iseq)
) STRICT;
"""
"""`iseq` is the server's order in a stream, `chain` its hash chain, times are milliseconds."""


class StorageError(Exception):
    """The database cannot be used; the message is one sentence that says what to do."""


class Damaged(StorageError):
    """The file is there and is no database, or no longer one."""


def connect(path: Path, *, synchronous: str) -> sqlite3.Connection:
    """Open a database for its one writing and checkpointing connection.

    Args:
        path: The file, made with mode 0600 when it is missing.
        synchronous: `FULL` where a commit is a promise, `NORMAL` for a cache.

    Raises:
        StorageError: SQLite is too old, the file cannot be made or written, or it would be on a
            network file system.
        Damaged: The file is not a database.
    """
    if sqlite3.sqlite_version_info < MINIMUM_SQLITE:
        raise StorageError(f"SQLite {sqlite3.sqlite_version} is too old; 3.38 or newer is needed.")
    network = network_under(path.parent)
    if network is not None:
        raise StorageError(
            f"{path.parent} is on {network}, where a database does not survive: choose a local "
            "directory, for a server with WARROOM_DATA, for a console with WARROOM_REPLICA."
        )
    try:
        path.touch(mode=0o600, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"{path} cannot be opened for writing: {error}.") from error
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # a withheld body leaves no trace
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        kind = StorageError if isinstance(error, sqlite3.OperationalError) else Damaged
        raise kind(f"{path} cannot be used as a database: {error}.") from error
    wanted = {"FULL": 2, "NORMAL": 1}[synchronous]
    if level != wanted:
        connection.close()
        raise StorageError(f"{path}: this build of SQLite does not keep synchronous={synchronous}.")
    return connection


def connect_readonly(path: Path) -> sqlite3.Connection:
    """Open a database that another connection writes, for reading only.

    Raises:
        StorageError: The file is missing, cannot be read, or is not a database.
    """
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if connection is not None:
            connection.close()
        raise StorageError(f"{path} cannot be read as a database: {error}.") from error
    return connection


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what is done within, or leave nothing of it behind.

    It holds the write lock from its beginning, so it never finds half-way that it may not write.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # A full disk rolls back by itself; a second ROLLBACK would hide the reason.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
