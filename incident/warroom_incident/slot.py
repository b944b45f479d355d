"""A replica slot: the directory that one process of a user writes as one replica.

A second console on the same host takes the next slot. What the author must remember is read and
removed when the slot is opened and written back when it is closed, so a process that died leaves
none and the next one starts as a new replica: a count is never used twice.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from .author import Author, Counters, Entropy, new_rep
from .clock import HybridClock, Wall
from .directory import make_private, sync, write_whole

MAX_SLOTS = 64


class Slot:
    """One held slot. Close it to give it back."""

    def __init__(self, path: Path, lock: int, author: Author) -> None:
        self.path = path
        self._lock = lock
        self.author = author

    @classmethod
    def take(cls, directory: Path, wall: Wall, entropy: Entropy) -> Slot:
        """Take the first free slot of a replica directory.

        Raises:
            OSError: The directory cannot be written, or every slot is taken.
        """
        for number in range(MAX_SLOTS):
            path = directory / f"slot-{number}"
            make_private(path)
            lock = os.open(path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            counters = _take_counters(path / "author.json") or Counters(new_rep(entropy))
            return cls(path, lock, Author(counters, HybridClock(wall), entropy))
        raise OSError(f"All {MAX_SLOTS} replica slots in {directory} are in use.")

    def close(self) -> None:
        """Remember the author's counters and give the slot back.

        Where the disk does not take them the next process begins under a new name.
        """
        with suppress(OSError):
            counters = msgspec.json.encode(self.author.counters)
            write_whole(self.path / "author.json", counters, durable=False)
        os.close(self._lock)


def _take_counters(path: Path) -> Counters | None:
    try:
        raw = path.read_bytes()
        path.unlink()
        sync(path.parent)  # a file that a power cut brings back would have counts used twice
        return msgspec.json.decode(raw, type=Counters)
    except (FileNotFoundError, UnicodeDecodeError, msgspec.MsgspecError):
        return None
