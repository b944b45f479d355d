"""One process is one replica, and no count of it is ever used twice."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.incident.making import NOW, STREAM, Clock
from tests.small_disk import no_larger_files
from warroom_incident import slot as module
from warroom_incident.slot import Slot
from warroom_incident.vocabulary import NoteAdded


def take(home: Path, seed: int = 1) -> Slot:
    return Slot.take(home, Clock(), Random(seed).randbytes)


def count(slot: Slot) -> tuple[str, int]:
    event, _ = slot.author.write(STREAM, "ana", NoteAdded(text="x"))
    return event.head.rep, event.head.n


def test_a_slot_given_back_goes_on_counting(home: Path) -> None:
    slot = take(home)
    rep, n = count(slot)
    slot.close()
    again = take(home, seed=2)
    assert again.path == slot.path == home / "slot-0"
    assert count(again) == (rep, n + 1)
    again.close()


def test_looking_at_slots_of_others_leaves_no_file_open(home: Path) -> None:
    others = [take(home, seed) for seed in (1, 2)]
    opened = len(list(Path("/proc/self/fd").iterdir()))
    take(home, 3).close()
    assert len(list(Path("/proc/self/fd").iterdir())) <= opened
    for slot in others:
        slot.close()


def test_a_second_taker_gets_the_next_slot_and_another_name(home: Path) -> None:
    first, second = take(home, 1), take(home, 2)
    assert [slot.path.name for slot in (first, second)] == ["slot-0", "slot-1"]
    assert first.author.rep != second.author.rep
    first.close()
    third = take(home, 3)
    assert third.path.name == "slot-0"
    assert third.author.rep == first.author.rep
    second.close()
    third.close()


def test_a_full_disk_costs_a_slot_its_name_and_nothing_else(home: Path) -> None:
    slot = take(home, seed=1)
    rep, _ = count(slot)
    with no_larger_files(0):
        slot.close()
    assert [path.name for path in slot.path.iterdir()] == ["lock"]
    again = take(home, seed=2)
    assert again.path == slot.path
    assert count(again)[0] != rep
    again.close()


def test_slots_are_for_nobody_else(home: Path) -> None:
    old = os.umask(0)
    try:
        slot = take(home / "rooms" / "r")
        slot.close()
    finally:
        os.umask(old)
    for path in (home / "rooms", home / "rooms" / "r", slot.path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in slot.path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


_HOLD = """
import sys
from pathlib import Path
from random import Random
from tests.incident.making import STREAM, Clock
from warroom_incident.slot import Slot
from warroom_incident.vocabulary import NoteAdded
slot = Slot.take(Path(sys.argv[1]), Clock(), Random(7).randbytes)
event, _ = slot.author.write(STREAM, "ana", NoteAdded(text="x"))
print(slot.path.name, event.head.rep, event.head.n, flush=True)
sys.stdin.read()
slot.close()
"""


def hold(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_killed_process_frees_its_slot_and_its_name_is_never_used_again(home: Path) -> None:
    slot = take(home)
    old, _ = count(slot)
    slot.close()
    with hold(home) as other:
        assert other.stdout is not None
        assert other.stdout.readline().split() == ["slot-0", old, "2"]
        beside = take(home, 3)
        assert beside.path.name == "slot-1", "the lock holds across processes"
        beside.close()
        other.send_signal(signal.SIGKILL)
        other.wait()
    after = take(home, 4)
    assert after.path.name == "slot-0"
    assert after.author.rep != old
    assert count(after)[1] == 1
    after.close()


def test_a_process_that_closes_its_slot_hands_its_count_on(home: Path) -> None:
    with hold(home) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        _, rep, n = other.stdout.readline().split()
        other.stdin.close()
        assert other.wait() == 0
    slot = take(home, 5)
    assert count(slot) == (rep, int(n) + 1)
    slot.close()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b"[]", b'{"rep":"../../etc"}', b'{"rep":"\xff"}', b'{"rep":7}']
)
def test_a_damaged_memory_makes_a_new_replica(home: Path, content: bytes) -> None:
    (home / "slot-0").mkdir()
    (home / "slot-0" / "author.json").write_bytes(content)
    slot = take(home)
    assert count(slot)[1] == 1
    assert not (slot.path / "author.json").exists()
    slot.close()


def test_the_memory_is_gone_for_good_before_it_is_used(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(home).close()
    gone: list[bool] = []

    def sync(path: Path) -> None:
        gone.append(not (path / "author.json").exists())

    monkeypatch.setattr(module, "sync", sync)
    slot = take(home)
    assert gone == [True]
    slot.close()


def test_a_clock_that_went_back_between_two_runs_stamps_no_earlier(home: Path) -> None:
    slot = take(home)
    event, _ = slot.author.write(STREAM, "ana", NoteAdded(text="x"))
    slot.close()
    again = Slot.take(home, Clock(NOW - 10**6), Random(2).randbytes)
    later, _ = again.author.write(STREAM, "ana", NoteAdded(text="y"))
    assert later.head.hlc > event.head.hlc
    again.close()


def test_when_every_slot_is_taken_there_is_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_SLOTS", 2)
    slots = [take(home, seed) for seed in (1, 2)]
    with pytest.raises(OSError, match="All 2 replica slots"):
        take(home, 3)
    for slot in slots:
        slot.close()
