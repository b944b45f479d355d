"""Ballast: a file that only takes up room, to be dropped when a disk is full.

What people wrote last then still fits. It is made again when there is room for more than itself.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path


class Ballast:
    """One file of `size` bytes."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self.size = size

    @property
    def is_there(self) -> bool:
        """Whether it takes up its room."""
        try:
            return self._path.stat().st_size >= self.size
        except OSError:
            return False

    def make(self, spare: int) -> bool:
        """Make it where it is missing and `spare` bytes stay free beside it; whether it is there.

        A disk that does not take it, for whatever reason, has none.
        """
        if self.is_there:
            return True
        try:
            if free_bytes(self._path.parent) < self.size + spare:
                return False
            handle = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(handle, 0, self.size)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError:
            self.drop()
        return self.is_there

    def drop(self) -> bool:
        """Give its room to others; whether there was any to give."""
        with suppress(OSError):
            self._path.unlink()
            return True
        return False


def free_bytes(path: Path) -> int:
    """How much a user without privileges may still write where a path lies.

    Raises:
        OSError: It cannot be asked.
    """
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def is_full(error: Exception) -> bool:
    """Whether a failure to write may be cured by room on the disk."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    return isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT, EFBIG)
