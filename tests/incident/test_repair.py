"""Damaged events are recognised, left out, and put back from whoever holds the right bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.incident.making import NOW, STREAM, Writer, new_log
from warroom_incident.event import Packet, read_packet, void_of
from warroom_incident.log import Entry, Log, LogReader
from warroom_incident.log_copy import copy_log
from warroom_incident.repair import broken, mend
from warroom_incident.replica import FILE, Kept, Replica
from warroom_incident.vocabulary import NoteAdded


def void(writer: Writer) -> Entry:
    event = writer.write(NoteAdded(text="refused"))
    packet = void_of(writer.packets[event.id], "not now")
    return Entry(read_packet(packet), packet)


@pytest.fixture
def log(home: Path) -> Iterator[Log]:
    found = new_log(home / "warroom.db")
    yield found
    found.close()


def flip(log: Log, iseq: int, column: str = "body") -> None:
    """Change one letter, as a failing disk does."""
    log._db.execute(
        f"UPDATE events SET {column} = replace({column}, ':', ';') WHERE iseq = ?", (iseq,)
    )


def packets(log: LogReader) -> list[Packet]:
    return [row.packet for row in log.read(STREAM, 0, 100)]


@pytest.mark.parametrize("column", ["head", "body"])
def test_a_damaged_event_is_mended_from_a_copy(log: Log, home: Path, column: str) -> None:
    log.append(Writer().notes(5), NOW)
    before = packets(log)
    copy_log(home / "warroom.db", home / "copy.db")
    flip(log, 3, column)
    (found,) = broken(log)
    assert (found.stream, found.iseq) == (STREAM, 3)
    assert mend(home / "warroom.db", [found], [home / "gone.db", home / "copy.db"]) == []
    assert packets(log) == before
    assert list(log.damages()) == []


def test_a_damaged_event_is_mended_from_a_replica(log: Log, home: Path) -> None:
    writer = Writer()
    entries = [*writer.notes(2), void(writer)]
    log.append(entries, NOW)
    before = packets(log)
    (home / "slot-0").mkdir()
    replica = Replica.open(home / "slot-0")
    replica.save(events=[Kept(event.entry, STREAM, NOW, packet) for event, packet, _ in entries])
    replica.close()
    flip(log, 2)
    flip(log, 3, "head")
    found = list(broken(log))
    assert [place.iseq for place in found] == [2, 3]
    assert mend(home / "warroom.db", found, [home / "slot-0" / FILE]) == []
    assert packets(log) == before
    assert list(log.damages()) == []


def test_a_copy_with_the_same_damage_mends_nothing(log: Log, home: Path) -> None:
    log.append(Writer().notes(3), NOW)
    flip(log, 2)
    copy_log(home / "warroom.db", home / "copy.db")
    (home / "garbage.db").write_bytes(b"no database at all")
    found = list(broken(log))
    assert mend(home / "warroom.db", found, [home / "copy.db", home / "garbage.db"]) == found
    assert len(list(log.damages())) == 1


def test_what_is_left_out_keeps_its_place_and_comes_back_into_it(log: Log) -> None:
    writer = Writer()
    entries = writer.notes(4)
    log.append(entries, NOW)
    before = packets(log)
    chain = log.end(STREAM).chain
    flip(log, 2)
    (found,) = broken(log)
    log.damaged = {STREAM: {2: found.entry}}
    log.broken = {found.entry}
    assert [row.iseq for row in log.read(STREAM, 0, 100)] == [1, 3, 4]
    assert [row.iseq for row in log.read_at(STREAM, [2, 3])] == [3]
    assert [row.iseq for row in log.stretch(STREAM, 0, 4, 10**6).rows] == [1, 3, 4]
    prefixes, _ = log.prefixes(STREAM, 0, 4, 100)
    assert len(prefixes) == 32
    assert prefixes[8:16] == bytes(8)
    (receipt,) = log.append([entries[1]], NOW + 5)
    assert (receipt.iseq, receipt.fresh, receipt.changed) == (2, False, True)
    assert receipt.admitted == NOW
    log.damaged = {}
    assert log.broken == set()
    assert packets(log) == before
    assert log.end(STREAM).chain == chain
    assert list(log.damages()) == []
