"""Directories: whose they are."""

import os
import stat
from pathlib import Path

import pytest

from warroom_incident.directory import is_anybodys


def test_below_a_directory_that_all_may_write_only_our_own_steps_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    for name in ("ours", "theirs"):
        (shared / name / "inside").mkdir(parents=True)
    shared.chmod(0o1777)
    (shared / "way").symlink_to(shared / "ours")
    look = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        found = list(look(path))
        found[stat.ST_UID] = 4242 if path.name in ("theirs", "inside", "way") else os.getuid()
        return os.stat_result(found)

    monkeypatch.setattr(Path, "lstat", lstat)
    assert not is_anybodys(shared / "ours" / "inside")
    assert is_anybodys(shared / "theirs" / "inside")
    assert is_anybodys(shared / "theirs")
    assert is_anybodys(shared / "way" / "inside"), "a link of theirs leads where they like"
    shared.chmod(0o755)
    assert not is_anybodys(shared / "theirs" / "inside")
