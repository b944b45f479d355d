"""A disk that is full when a test wants it: a small tmpfs, or a limit on the size of files."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STEP = 64 * 1024


class SmallDisk:
    """A tmpfs of its own, which only root can mount."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self, leave: int = 0) -> None:
        """Take up all that is free but `leave` bytes."""
        handle = os.open(self._filler, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            while (free := self.free - leave) > 0:
                os.write(handle, b"x" * min(STEP, free))
        except OSError:
            assert leave == 0
        finally:
            os.close(handle)

    def relieve(self) -> None:
        """Give it all back."""
        self._filler.unlink()

    @property
    def free(self) -> int:
        """How many bytes are free."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[SmallDisk]:
    """Mount a small tmpfs. A root that may not mount fails here, and is not passed over."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"root must be able to mount a tmpfs here: {done.stderr}"
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def no_larger_files(size: int, pid: int = 0) -> Iterator[None]:
    """Let no file of a process grow past `size` bytes, as a full disk would not."""
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
