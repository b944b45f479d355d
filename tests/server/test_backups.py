"""The copies of the log: when one is due, which are kept, and what a failure does."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.e2e.console_client import Console, leave_all
from tests.incident.making import STREAM, Writer, new_log
from tests.server.running import server_in_process
from warroom_incident.log import LogReader
from warroom_server.backups import (
    DAILY,
    DAY,
    HOUR,
    HOURLY,
    Backups,
    is_due,
    name_at,
    superfluous,
    time_of,
)

NOW = 1_790_000_000_000 // DAY * DAY + 15 * HOUR


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.mark.parametrize(
    ("ages", "due"),
    [
        ([], True),
        ([0], False),
        ([HOUR - 1], False),
        ([HOUR], True),
        ([30 * DAY, HOUR // 2], False),
        ([-HOUR], True),
        ([-HOUR, 10], False),
    ],
    ids=str,
)
def test_a_copy_is_due_an_hour_after_the_last(ages: list[int], due: bool) -> None:
    assert is_due([NOW - age for age in ages], NOW) is due


@pytest.mark.parametrize(
    ("ages", "dropped"),
    [
        ([], []),
        ([0, HOUR, 2 * HOUR], []),
        ([n * HOUR for n in range(8)], [7 * HOUR, 6 * HOUR]),
        ([0, 60_000, 120_000], [120_000, 60_000]),
        ([n * DAY for n in range(16)], [15 * DAY, 14 * DAY]),
        ([0, DAY, DAY + HOUR, DAY + 2 * HOUR], []),
        ([n * HOUR for n in range(6)] + [DAY, DAY + HOUR], [DAY + HOUR]),
        ([0, 300 * DAY], []),
    ],
    ids=str,
)
def test_six_hourly_and_fourteen_daily_copies_are_kept(ages: list[int], dropped: list[int]) -> None:
    base = NOW + 30 * 60_000
    assert superfluous([base - age for age in ages]) == [base - age for age in dropped]


def test_a_month_of_hourly_copies_leaves_what_is_promised() -> None:
    kept: list[int] = []
    for hour in range(31 * 24):
        kept.append(NOW + hour * HOUR)
        for gone in superfluous(kept):
            kept.remove(gone)
        assert len(kept) <= HOURLY + DAILY
    newest = kept[-1]
    assert [newest - n * HOUR for n in range(HOURLY)] == kept[: -HOURLY - 1 : -1]
    assert len({at // DAY for at in kept}) == DAILY
    assert kept[0] // DAY == newest // DAY - DAILY + 1


def test_a_name_tells_the_time_and_other_files_have_none() -> None:
    assert name_at(1_790_000_000_123) == "warroom-20260921T141320Z.db"
    assert time_of(name_at(1_790_000_000_123)) == 1_790_000_000_000
    for name in ("warroom.db", "warroom-20261399T000000Z.db", "warroom-20260921T141320Z.part", ""):
        assert time_of(name) is None


async def test_copies_are_whole_private_and_rotated(home: Path) -> None:
    log = new_log(home / "warroom.db")
    log.append(Writer().notes(20), NOW)
    clock = Clock()
    backups = Backups(home / "warroom.db", clock)
    (home / "backups").mkdir(mode=0o700)
    (home / "backups" / "left.part").write_text("half a copy")
    (home / "backups" / "mine.db").write_text("not ours")
    for hour in range(30):
        clock.now = NOW + hour * HOUR
        assert await backups.look()
        assert not await backups.look()
    names = sorted(path.name for path in (home / "backups").iterdir())
    assert "left.part" not in names
    assert "mine.db" in names
    copies = [name for name in names if time_of(name)]
    assert len(copies) == HOURLY + 1
    newest = home / "backups" / copies[-1]
    assert stat.S_IMODE(newest.stat().st_mode) == 0o600
    reader = LogReader.open(newest)
    assert reader.end(STREAM) == log.end(STREAM)
    assert list(reader.damages()) == []
    reader.close()
    log.close()


async def test_a_copy_that_failed_is_said_once_and_tried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    new_log(home / "warroom.db").close()
    told: list[str] = []
    backups = Backups(home / "warroom.db", Clock(), lambda: told.append(backups.sentence))

    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("warroom_incident.log_copy.sync", fail)
    for _ in range(2):
        assert not await backups.look()
    assert "No space left" in backups.sentence
    assert list((home / "backups").iterdir()) == []
    monkeypatch.undo()
    assert await backups.look()
    assert backups.sentence == ""
    assert len(told) == len(caplog.records) == 2
    assert len(list((home / "backups").iterdir())) == 1


async def test_a_server_that_was_down_makes_up_for_the_copy_it_missed(home: Path) -> None:
    new_log(home / "warroom.db").close()
    clock = Clock()
    assert await Backups(home / "warroom.db", clock).look()
    assert not await Backups(home / "warroom.db", clock).look()
    clock.now += 3 * DAY
    assert await Backups(home / "warroom.db", clock).look()
    assert len(list((home / "backups").iterdir())) == 2


async def test_a_copy_of_the_running_server_is_a_log_to_start_from(home: Path) -> None:
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        stream = await ana.declare()
        note = await ana.note(stream)
        assert await house.server.backups.look()
        await leave_all([ana])
    for left in home.joinpath("room").glob("warroom.db*"):
        left.unlink()
    (copy,) = home.joinpath("room", "backups").iterdir()
    copy.rename(home / "room" / "warroom.db")
    async with server_in_process(home) as house:
        assert note.id in house.server.room.incidents[stream].events
        bo = await Console(user="bo").join(house.socket, stream)
        await bo.has(stream, note.id)
        await leave_all([bo])
