"""Whole copies of a log: what the server makes every hour, and `warroom backup` on request."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from .directory import sync
from .schema import StorageError, connect_readonly


def copy_log(source: Path, target: Path) -> None:
    """Write a compact, fsynced copy of a log to a new file of mode 0600.

    It may be made beside the log's writer or with none.

    Raises:
        StorageError: The log cannot be read, the target exists, or it cannot be written.
    """
    connection = connect_readonly(source)
    try:
        # The file is open for reading only; this one lets the copy be written.
        connection.execute("PRAGMA query_only = OFF")
        _copy(connection, target)
    finally:
        connection.close()


def _copy(connection: sqlite3.Connection, path: Path) -> None:
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
