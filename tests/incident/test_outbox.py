"""What lies in the outbox survives crashes, other processes, damage and lying servers."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.incident.making import Writer
from warroom_incident import directory, outbox as module
from warroom_incident.event import Event, Packet
from warroom_incident.outbox import Outbox
from warroom_incident.vocabulary import NoteAdded


def written(writer: Writer, *texts: str) -> tuple[list[Event], list[Packet]]:
    events = [writer.write(NoteAdded(text=text)) for text in texts]
    return events, [writer.packets[event.id] for event in events]


def test_events_are_kept_oldest_first_until_they_are_sent(home: Path) -> None:
    writer = Writer()
    events, packets = written(writer, "1", "2", "3")
    box = Outbox(home)
    box.put(packets[::-1])
    assert box.unsent() == list(zip(events, packets, strict=True))
    assert Outbox(home).ids() == {event.id for event in events}
    box.sent([events[1].id, events[1].id, "0" * 64])
    assert [event.id for event, _ in box.unsent()] == [events[0].id, events[2].id]
    box.put(packets)
    assert len(box.ids()) == 3


def test_files_and_directories_are_for_nobody_else(home: Path) -> None:
    _, packets = written(Writer(), "1")
    root = home / "state" / "warroom" / "rooms" / "r"
    old = os.umask(0)
    try:
        Outbox(root).put(packets)
    finally:
        os.umask(old)
    for path in (root.parent.parent, root.parent, root, root / "outbox", root / "refused"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    for path in (root / "outbox").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_put_returned_for_was_synced_with_its_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, packets = written(Writer(), "1", "2")
    box = Outbox(home)
    synced: list[tuple[str, int]] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").resolve().name
        synced.append((name, os.fstat(handle).st_size))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    box.put(packets)
    whole = [
        (f"{path.name}.{os.getpid()}.part", path.stat().st_size) for path in box.path.iterdir()
    ]
    assert sorted(synced[:2]) == sorted(whole)
    assert synced[2][0] == "outbox"


def test_a_put_that_fails_keeps_none_of_its_events(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer()
    _, before = written(writer, "kept")
    _, packets = written(writer, "1", "2", "3")
    box = Outbox(home)
    box.put(before)
    real = os.fsync
    calls = iter([None, OSError(28, "No space left on device")])

    def fsync(handle: int) -> None:
        real(handle)
        if (error := next(calls, None)) is not None:
            raise error

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        box.put([*before, *packets])
    assert [packet for _, packet in box.unsent()] == before
    assert [path.suffix for path in box.path.iterdir()] == [""]


def test_a_directory_that_cannot_be_synced_keeps_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error")

    _, packets = written(Writer(), "1")
    box = Outbox(home)
    monkeypatch.setattr(module, "sync", fail)
    with pytest.raises(OSError, match="Input/output"):
        box.put(packets)
    assert box.ids() == set()


def test_the_half_written_file_of_a_crash_is_no_event(home: Path) -> None:
    box = Outbox(home)
    (box.path / ("a" * 64 + ".123.part")).write_bytes(b'["half')
    (box.path / "README").write_text("not ours")
    assert box.unsent() == []
    assert box.ids() == set()


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b"{}", b"[1,2]", b'[{"v":1},{}]', b"[" * 5000, b"\xff\xfe", b'[{"v":"\xff"},{}]'],
)
def test_a_damaged_file_is_set_aside_and_the_others_go_on(home: Path, content: bytes) -> None:
    (event,), packets = written(Writer(), "good")
    box = Outbox(home)
    box.put(packets)
    name = "b" * 64
    (box.path / name).write_bytes(content)
    assert [found.id for found, _ in box.unsent()] == [event.id]
    assert (box.refused_path / f"{name}.damaged").read_bytes() == content


def test_an_event_under_another_name_is_set_aside(home: Path) -> None:
    (event,), packets = written(Writer(), "good")
    box = Outbox(home)
    box.put(packets)
    (box.path / event.id).rename(box.path / ("c" * 64))
    assert box.unsent() == []
    assert (box.refused_path / ("c" * 64 + ".damaged")).exists()


def test_a_file_that_another_process_sends_meanwhile_is_passed_over(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, second), packets = written(Writer(), "1", "2")
    box = Outbox(home)
    box.put(packets)
    (box.path / first.id).write_bytes(b"damaged")
    real = Path.read_bytes

    def read(path: Path) -> bytes:
        found = real(path)
        Outbox(home).sent([first.id, second.id])
        return found

    monkeypatch.setattr(Path, "read_bytes", read)
    assert {event.id for event, _ in box.unsent()} <= {second.id}


def test_a_refused_event_keeps_its_text_and_the_sentence(home: Path) -> None:
    (event,), packets = written(Writer(), "my words")
    box = Outbox(home)
    box.put(packets)
    box.refuse(event.id, "you may only read")
    assert box.unsent() == []
    kept = msgspec.json.decode((box.refused_path / event.id).read_bytes())
    assert kept["reason"] == "you may only read"
    assert kept["event"][1]["text"] == "my words"
    box.refuse(event.id, "again")
    assert msgspec.json.decode((box.refused_path / event.id).read_bytes()) == kept


def test_refused_events_are_listed_oldest_first_until_they_are_dismissed_or_sent(
    home: Path,
) -> None:
    (first, second, third), packets = written(Writer(), "1", "2", "3")
    box = Outbox(home)
    box.put(packets)
    for event in (third, first, second):
        box.refuse(event.id, f"not {event.head.n}")
    (box.refused_path / ("c" * 64)).write_bytes((box.refused_path / first.id).read_bytes())
    assert [(one.event, one.packet, one.reason) for one in box.refusals()] == [
        (event, packet, f"not {event.head.n}")
        for event, packet in zip((first, second, third), packets, strict=True)
    ]
    box.dismiss(first.id)
    box.sent([second.id])
    assert [one.event for one in box.refusals()] == [third]
    box.put(packets[2:])
    assert box.refusals() == [], "it is on its way again"


def test_a_refused_event_that_was_damaged_is_kept_as_it_is(home: Path) -> None:
    (event,), packets = written(Writer(), "my words")
    box = Outbox(home)
    box.put(packets)
    (box.path / event.id).write_bytes(b"garbage")
    box.refuse(event.id, "no")
    assert b"garbage" in (box.refused_path / event.id).read_bytes()


@pytest.mark.parametrize("name", ["../victim", "victim", "", ".", "..", "{home}/victim", "A" * 64])
def test_a_name_from_a_lying_server_reaches_no_other_file(home: Path, name: str) -> None:
    name = name.format(home=home)  # never a real file: this would be its end if the check broke
    box = Outbox(home / "room")
    victims = [home / "victim", home / "room" / "victim", box.path / "victim"]
    for victim in victims:
        victim.write_text("precious")
    box.sent([name])
    box.refuse(name, "no")
    assert all(victim.read_text() == "precious" for victim in victims)
    assert list(box.refused_path.iterdir()) == []


_PUT = """
import sys
from pathlib import Path
from tests.incident.making import Writer
from warroom_incident.outbox import Outbox
from warroom_incident.vocabulary import NoteAdded
writer = Writer(seed=int(sys.argv[2]))
box = Outbox(Path(sys.argv[1]))
for number in range(30):
    event = writer.write(NoteAdded(text=str(number)))
    box.put([writer.packets[event.id]])
"""


def test_two_processes_fill_one_outbox_and_a_third_drains_it(home: Path) -> None:
    command = [sys.executable, "-c", _PUT, str(home)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    root = Path(__file__).parents[2]
    running = [
        subprocess.Popen([*command, str(seed)], cwd=root, env=environment) for seed in (1, 2)
    ]
    box = Outbox(home)
    drained: set[str] = set()
    while any(process.poll() is None for process in running):
        drained |= (ids := {event.id for event, _ in box.unsent()})
        box.sent(ids)
    assert [process.returncode for process in running] == [0, 0]
    drained |= {event.id for event, _ in box.unsent()}
    assert len(drained) == 60
    assert list(box.refused_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_an_error_of_the_disk(home: Path) -> None:
    (home / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        Outbox(home / "file" / "room")
    with pytest.raises(FileNotFoundError):
        directory.sync(home / "nothing")
