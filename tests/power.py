"""Power cuts: the writes of a program, recorded by strace, replayed up to any point.

What was synced is on the disk. Of what was written since, any part may be: whole writes land or do
not, in any combination. New names, renames and removals count once their directory was synced;
those since then reach the disk in their order, up to some one of them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

CALLS = "openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,unlink,mkdir"
_LINE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)(.*)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FD = re.compile(r"(\d+)<([^>]*)>")


@dataclass
class _File:
    """One file: what is surely on the disk, and what was done to it since."""

    synced: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """(offset, bytes) of writes; (length, None) of truncations."""

    def after(self, chosen: list[tuple[int, bytes | None]]) -> bytes:
        content = bytearray(self.synced)
        for at, data in chosen:
            if data is None:
                del content[at:]
                content.extend(bytes(at - len(content)))
            else:
                content.extend(bytes(max(0, at - len(content))))
                content[at : at + len(data)] = data
        return bytes(content)


class Disk:
    """The files under one directory, as the calls change them."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self.files: dict[str, _File] = {}
        self._history: list[dict[str, _File]] = [{}]
        """The names after each change of one."""
        self._synced: dict[str, int] = {}
        """Up to which change the names of a directory are surely on the disk."""
        self._found: dict[str, tuple[int, _File]] = {}
        """Files that were synced: a new one is found again, also without its directory."""
        self.acked: list[str] = []

    def feed(self, line: str) -> bool:
        """Take in one recorded call; whether it changed anything that a cut could show."""
        found = _LINE.match(line)
        if found is None or int(found[3]) < 0:
            return False
        call, arguments, result = found[1], found[2], found[3] + found[4]
        match call:
            case "openat":
                return self._opened(arguments, result)
            case "rename" | "unlink":
                return self._named(call, [_decoded(text) for text in _TEXT.findall(arguments)])
            case "write" if arguments.startswith("1<"):
                self.acked.extend(_bytes(arguments).decode().split())
                return False
            case _:
                return self._changed(call, arguments)

    def _opened(self, arguments: str, result: str) -> bool:
        path = _path(result)
        if (
            not path.startswith(self._root)
            or "O_DIRECTORY" in arguments
            or "O_CREAT" not in arguments
        ):
            return False
        if path not in self.files:
            self.files[path] = _File()
            self._history.append(dict(self.files))
        file = self.files[path]
        if "O_TRUNC" in arguments:
            file.pending.append((0, None))
        return True

    def _named(self, call: str, paths: list[str]) -> bool:
        if not paths[0].startswith(self._root):
            return False
        file = self.files.pop(paths[0])
        if call == "rename":
            self.files[paths[1]] = file
        self._history.append(dict(self.files))
        return True

    def _changed(self, call: str, arguments: str) -> bool:
        path = _path(arguments)
        if path in self.files:
            file = self.files[path]
            if call in ("fsync", "fdatasync"):
                file.synced, file.pending = file.after(file.pending), []
                self._found[path] = len(self._history) - 1, file
            elif call == "ftruncate":
                file.pending.append((int(arguments.rsplit(",", 1)[1]), None))
            else:
                numbers = arguments.rsplit('"', 1)[1].split(",")
                at = int(numbers[2]) if call == "pwrite64" else len(file.after(file.pending))
                file.pending.append((at, _bytes(arguments)))
            return True
        if call in ("fsync", "fdatasync") and path.startswith(self._root):
            self._synced[path] = len(self._history) - 1
            return True
        return False

    def cut(self, target: Path, random: Random) -> None:
        """Write what a power cut now might leave to a directory."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        last = len(self._history) - 1
        upto = max(0, last - random.choice((0, 0, random.randint(1, 12), last)))
        luck = random.choice((0.0, 0.5, 1.0))
        for path, file in self._names(upto).items():
            chosen = [change for change in file.pending if random.random() < luck]
            place = target / Path(path).relative_to(self._root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.after(chosen))

    def _names(self, upto: int) -> dict[str, _File]:
        """The names on the disk when all changes up to one have reached it, and what was synced."""
        found: dict[str, _File] = {}
        for path, (at, file) in self._found.items():
            if at > max(upto, self._synced.get(_parent(path), 0)):
                found[path] = file
        for directory in {_parent(path) for names in self._history for path in names}:
            names = self._history[max(upto, self._synced.get(directory, 0))]
            found |= {path: file for path, file in names.items() if _parent(path) == directory}
        return found


def recorded(program: str, root: Path, trace: Path) -> list[str]:
    """Run Python code under strace; its calls. `root` is its only argument."""
    strace = shutil.which("strace")
    assert strace, "install strace: the power cuts of this test are recorded with it"
    command = [strace, "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o", str(trace)]
    done = subprocess.run(
        [*command, sys.executable, "-c", program, str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return trace.read_text().splitlines()


def cuts(calls: list[str], root: Path, target: Path, seed: int) -> Iterator[list[str]]:
    """Cut power after every call that changed the disk; yields what was acknowledged until then."""
    disk = Disk(root)
    random = Random(seed)
    for line in calls:
        if disk.feed(line):
            disk.cut(target, random)
            yield list(disk.acked)


def _path(text: str) -> str:
    found = _FD.search(text)
    return "" if found is None else _decoded(found[2])


def _bytes(text: str) -> bytes:
    found = _TEXT.search(text)
    assert found is not None, text[:200]
    return bytes.fromhex(found[1].replace("\\x", ""))


def _decoded(text: str) -> str:
    return bytes.fromhex(text.replace("\\x", "")).decode() if text.startswith("\\x") else text


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
