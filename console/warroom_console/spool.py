"""What could not be posted yet: one file each, sent in their order by whoever posts next.

Owns one directory for each target (0700). A body is a file before it is sent, so that a monitoring
system that kills its notification commands loses nothing. What the server refuses for good is put
aside, and never in the way of the next.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from warroom_incident.directory import make_private, sync

from .posting import Answer, Target

MOST = 1_000
"""How many bodies wait for one target; the oldest gives way."""

LOCK_SECONDS = 10.0
"""How long another process may be busy with the same spool."""

_REFUSED = "refused"
_MOST_REFUSED = 100

Post = Callable[[Target, bytes], Answer]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one body and of those before it.

    `answer` is None where the body was not reached: another process was busy, or one before it
    could not be sent. `waiting` counts what is kept, `dropped` what gave way.
    """

    answer: Answer | None
    waiting: int
    dropped: int = 0


class Spool:
    """The waiting bodies of one target."""

    def __init__(self, state: Path, target: Target) -> None:
        """Use the user's state directory. Nothing is made before something is put in."""
        name = f"{target.shown}\0{target.token}".encode()
        self.target = target
        self.path = state / "notify" / hashlib.sha256(name).hexdigest()[:16]

    def waiting(self) -> list[Path]:
        """The bodies that wait, the oldest first."""
        try:
            return sorted(p for p in self.path.iterdir() if p.suffix == ".json")
        except FileNotFoundError:
            return []

    def put(self, body: bytes) -> Path:
        """Keep a body for good.

        Raises:
            OSError: It cannot be kept.
        """
        make_private(self.path)
        path = self.path / f"{time.time_ns():020d}-{os.getpid()}.json"
        half = path.with_suffix(".half")
        handle = os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
        sync(self.path)
        return path

    def send(self, own: Path, post: Post) -> Outcome:
        """Send what waits, in order; tells what became of `own`."""
        with self._lock() as mine:
            if not mine:
                return Outcome(None, len(self.waiting()))
            dropped = self._make_room()
            answer = self._drain(own, post)
            return Outcome(answer, len(self.waiting()), dropped)

    def _drain(self, own: Path, post: Post) -> Answer | None:
        result: Answer | None = None
        for path in self.waiting():
            answer = post(self.target, path.read_bytes())
            if path == own:
                result = answer
            if answer.try_again:
                return answer if result is None else result
            if answer.sent:
                path.unlink()
            else:
                self._put_aside(path)
        # Another process may have sent ours while we waited for it.
        return Answer(True) if result is None else result

    def _make_room(self) -> int:
        old = self.waiting()[:-MOST]
        for path in old:
            path.unlink()
        return len(old)

    def _put_aside(self, path: Path) -> None:
        aside = self.path / _REFUSED
        aside.mkdir(mode=0o700, exist_ok=True)
        path.rename(aside / path.name)
        for old in sorted(aside.iterdir())[:-_MOST_REFUSED]:
            old.unlink()

    @contextmanager
    def _lock(self) -> Iterator[bool]:
        handle = os.open(self.path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= until:
                        yield False
                        return
                    time.sleep(0.05)
            yield True
        finally:
            os.close(handle)
