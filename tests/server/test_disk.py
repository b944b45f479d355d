"""What the server does while its disk fills up."""

from __future__ import annotations

from pathlib import Path

import pytest

from warroom_incident import ballast as module
from warroom_server.disk import BALLAST_BYTES, LOW_BYTES, SPARE_BYTES, Disk


class Free:
    """How much is free, as the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bytes = 10**12
        monkeypatch.setattr(module, "free_bytes", lambda _path: self.bytes)
        monkeypatch.setattr("warroom_server.disk.free_bytes", lambda _path: self.bytes)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Free:
    """Set `bytes`."""
    return Free(monkeypatch)


def test_the_ballast_takes_up_its_room_and_is_for_nobody_else(home: Path, free: Free) -> None:
    disk = Disk(home)
    assert not disk.look()
    assert disk.sentence == ""
    found = (home / "ballast").stat()
    assert found.st_size == BALLAST_BYTES
    assert found.st_blocks * 512 >= BALLAST_BYTES
    assert found.st_mode & 0o777 == 0o600
    assert not disk.for_people_only


def test_people_are_told_once_when_there_is_little_left_and_once_when_it_is_over(
    home: Path, free: Free, caplog: pytest.LogCaptureFixture
) -> None:
    disk = Disk(home)
    disk.look()
    free.bytes = LOW_BYTES - 1
    assert disk.look()
    assert "less than 200 MiB left" in disk.sentence
    assert str(home) in disk.sentence
    assert not disk.look()
    free.bytes = LOW_BYTES + 1
    assert not disk.look(), "a disk that hovers around the line must not go on and on"
    free.bytes = LOW_BYTES * 2
    assert disk.look()
    assert disk.sentence == ""
    assert [record.message for record in caplog.records] == [
        f"The server's disk has less than 200 MiB left. Make room in {home}.",
        "There is room on the disk again.",
    ]


def test_alerts_wait_before_the_ballast_is_touched(home: Path, free: Free) -> None:
    disk = Disk(home)
    disk.look()
    free.bytes = SPARE_BYTES - 1
    disk.look()
    assert disk.for_people_only
    assert not disk.is_full
    assert "nearly full: alerts wait" in disk.sentence


def test_the_ballast_makes_room_once_and_comes_back_with_the_room(home: Path, free: Free) -> None:
    disk = Disk(home)
    disk.look()
    free.bytes = 0
    assert disk.make_room()
    assert not disk.make_room()
    free.bytes = BALLAST_BYTES
    disk.look()
    assert disk.is_full
    assert disk.for_people_only
    assert disk.sentence.startswith("The server's disk is full")
    free.bytes = BALLAST_BYTES + SPARE_BYTES
    disk.look()
    assert not disk.is_full


def test_a_disk_that_cannot_be_asked_counts_as_full(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(home / "gone")
    disk.look()
    assert disk.is_full
    assert disk.for_people_only
