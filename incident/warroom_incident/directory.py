"""Directories of one user's own: made for nobody else's eyes, and safe from a power cut."""

from __future__ import annotations

import os
from pathlib import Path

SOCKET_PATH_BYTES = 107
"""How long the path of a Unix socket may be: `sun_path` of unix(7), less the zero at its end."""


def make_private(path: Path) -> None:
    """Make a directory, and whatever of its parents is missing, for this user alone (0700).

    Raises:
        OSError: It cannot be made.
    """
    missing = [place for place in (path, *path.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)
        sync(place.parent)


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file for this user alone (0600) that is whole, or as it was before, after a crash.

    Args:
        path: The file; it is replaced.
        content: All of it.
        durable: Whether to make sure of the content first. Its name is made sure of by a `sync`
            of the directory.

    Raises:
        OSError: The disk did not take it; nothing is left of it.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    handle = os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(handle)
        partial.rename(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def is_anybodys(path: Path) -> bool:
    """Whether any user of this machine may have put there what lies at a path, or a way to it.

    That is so below a directory which all may write, where neither root nor this user made the
    next step of the way.

    Raises:
        OSError: A part of the way is gone.
    """
    ours = (0, os.getuid())
    return any(
        step.parent.stat().st_mode & 0o002 and step.lstat().st_uid not in ours
        for step in (path, *path.parents)
        if step != step.parent
    )


def sync(path: Path) -> None:
    """Make sure of the content of a file, or of the names in a directory.

    Raises:
        OSError: The disk did not take it.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
