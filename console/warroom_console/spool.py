"""What could not be posted yet: one file each, sent in their order by whoever posts next.

Owns one directory (0700) for each file that an address is read from, whatever it holds by then, and
for each address that was given as such. A body is a file before it is sent, so that a monitoring
system that kills its notification commands loses nothing. A body that the server refuses for good
is put aside, and never in the way of the next; an address that takes nothing keeps all of them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from warroom_incident.directory import make_private, sync, write_whole

from .posting import Answer, Target

MOST = 1_000
"""How many bodies wait for one target; the oldest gives way."""

LOCK_SECONDS = 10.0
"""How long another process may be busy with the same spool."""

_REFUSED = "refused"
_NOTE = "kept-for"
_MOST_REFUSED = 100

Post = Callable[[Target, bytes], Answer]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one body and of those before it.

    `answer` is None where the body was not reached: another process was busy, or one before it
    could not be sent. `waiting` counts what is kept, `dropped` what gave way, `sent` what went.
    """

    answer: Answer | None
    waiting: int
    dropped: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """One directory as it lies there: for which address, and how many wait or were refused.

    `file` is where the address was read from, if in one; `reason` why the address takes nothing.
    Nothing is known of what older versions kept.
    """

    path: Path
    shown: str
    file: str
    reason: str
    waiting: int
    refused: int


class Spool:
    """The waiting bodies of one target."""

    def __init__(self, state: Path, target: Target) -> None:
        """Use the user's state directory. Nothing is made before something is put in."""
        self.target = target
        self._root = state / "notify"
        by_address = self._named(f"{target.shown}\0{target.token}")
        by_file = self._named(f"file\0{target.file}\0{target.kind}")
        self.path = by_file if target.file else by_address
        self._same = by_address
        """Where the same was kept when its address was given as such."""

    def _named(self, name: str) -> Path:
        return self._root / hashlib.sha256(name.encode()).hexdigest()[:16]

    def waiting(self) -> list[Path]:
        """The bodies that wait, the oldest first."""
        return _bodies(self.path)

    def gather(self) -> int:
        """Take over what was kept or put aside for any other address; returns how many.

        Alerts go where alerts go, and changes where changes go.

        Raises:
            OSError: They cannot be moved.
        """
        make_private(self.path)
        moved = 0
        for other in sorted(p for p in self._root.iterdir() if p.is_dir() and p != self.path):
            moved += self._move(other)
        for path in _bodies(self.path / _REFUSED):
            path.rename(self.path / path.name)
            moved += 1
        return moved

    def _move(self, other: Path) -> int:
        """Take over what another directory holds, unless somebody is busy with it."""
        with _locked(other) as mine:
            found = [*_bodies(other), *_bodies(other / _REFUSED)] if mine else []
            found = [p for p in found if _is_change(p) is (self.target.kind == "change")]
            for path in found:
                path.rename(self.path / path.name)
            return len(found)

    def put(self, body: bytes) -> Path:
        """Keep a body for good.

        Raises:
            OSError: It cannot be kept.
        """
        make_private(self.path)
        path = self.path / f"{time.time_ns():020d}-{os.getpid()}.json"
        write_whole(path, body)
        sync(self.path)
        self._note("")
        return path

    def send(self, own: Path | None, post: Post) -> Outcome:
        """Send what waits, in order; tells what became of `own`, or else of all."""
        with _locked(self.path) as mine:
            if not mine:
                return Outcome(None, len(self.waiting()))
            if self._same != self.path and self._same.is_dir():
                self._move(self._same)
            dropped, before = self._make_room(), len(self.waiting())
            answer = self._drain(own, post)
            left = len(self.waiting())
            if answer is not None and answer.gone:
                self._note(answer.reason)
            return Outcome(answer, left, dropped, max(0, before - left))

    def _drain(self, own: Path | None, post: Post) -> Answer | None:
        result: Answer | None = None
        for path in self.waiting():
            answer = post(self.target, path.read_bytes())
            if path == own:
                result = answer
            if answer.try_again or answer.gone:
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

    def _note(self, reason: str) -> None:
        """Write down for whom these are, without the token, and why the address takes nothing."""
        told = {"shown": self.target.shown, "file": self.target.file, "reason": reason}
        with suppress(OSError):  # it only tells people
            handle = os.open(self.path / _NOTE, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as file:
                json.dump(told, file)


def kept(state: Path) -> list[Kept]:
    """Everything that waits or was refused, below the user's state directory."""
    found = []
    for path in sorted((state / "notify").glob("*/")):
        waiting, refused = len(_bodies(path)), len(_bodies(path / _REFUSED))
        if waiting or refused:
            told = _told(path / _NOTE)
            shown, file, reason = (told.get(name, "") for name in ("shown", "file", "reason"))
            found.append(Kept(path, shown, file, reason, waiting, refused))
    return found


def _told(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, str)} if type(found) is dict else {}


def _bodies(path: Path) -> list[Path]:
    try:
        return sorted(p for p in path.iterdir() if p.suffix == ".json")
    except FileNotFoundError:
        return []


def _is_change(path: Path) -> bool:
    try:
        return "status" not in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError):
        return False


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Be the only one who is busy with a directory; False when somebody else is for too long."""
    handle = os.open(path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
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
