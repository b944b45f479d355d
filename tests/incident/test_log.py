"""The log keeps every event once, in order, and knows when anything in it was touched."""

import sqlite3
import stat
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.incident.making import NOW, OTHER_STREAM, STREAM, Writer, new_log, sign, verify, withheld
from warroom_incident import schema
from warroom_incident.event import Packet
from warroom_incident.log import End, Entry, Log, LogReader, Row, Stretch
from warroom_incident.schema import StorageError
from warroom_incident.seal import ZERO, link, sealed_text
from warroom_incident.vocabulary import NoteAdded


def raw(log: Log, sql: str, *values: object) -> None:
    """Reach around the log, as a failing disk does."""
    log._db.execute(sql, values)


# Appending ---------------------------------------------------------------------------------


def test_events_are_numbered_and_chained_in_each_stream_apart(log: Log) -> None:
    writer = Writer()
    here, there = writer.notes(3), writer.notes(2, OTHER_STREAM)
    mixed = [here[0], there[0], here[1], there[1], here[2]]
    receipts = log.append(mixed, NOW)
    assert [(r.stream, r.iseq, r.admitted, r.fresh) for r in receipts] == [
        (STREAM, 1, NOW, True),
        (OTHER_STREAM, 1, NOW, True),
        (STREAM, 2, NOW, True),
        (OTHER_STREAM, 2, NOW, True),
        (STREAM, 3, NOW, True),
    ]
    assert [r.id for r in receipts] == [entry.event.id for entry in mixed]
    assert log.streams() == {STREAM: 3, OTHER_STREAM: 2}
    chain = ZERO
    for place, entry in enumerate(here, 1):
        chain = link(chain, bytes.fromhex(entry.event.id))
        assert log.chain_at(STREAM, place) == chain
    assert log.chain_at(STREAM, 0) == ZERO
    assert log.chain_at(STREAM, 4) is None
    assert log.chain_at("i-" + "z" * 16, 1) is None
    assert log.end(STREAM).chain == log.last(STREAM).chain == chain


def test_an_event_appended_again_keeps_its_place_and_its_time(log: Log) -> None:
    entries = Writer().notes(3)
    first = log.append(entries, NOW)
    again = log.append([entries[2], entries[0]], NOW + 9)
    assert [(r.iseq, r.admitted, r.fresh) for r in again] == [(3, NOW, False), (1, NOW, False)]
    assert not any(r.changed for r in again)
    assert [r.id for r in again] == [first[2].id, first[0].id]
    assert log.end(STREAM).iseq == 3


def test_an_event_twice_in_one_batch_is_there_once(log: Log) -> None:
    (entry,) = Writer().notes(1)
    receipts = log.append([entry, entry], NOW)
    assert [(r.iseq, r.fresh) for r in receipts] == [(1, True), (1, False)]
    assert len(log.read(STREAM, 0, 10)) == 1


def test_a_batch_larger_than_one_look_up_finds_what_is_known(log: Log) -> None:
    entries = Writer().notes(1200)
    log.append(entries[:700], NOW)
    receipts = log.append(entries, NOW + 1)
    assert [r.fresh for r in receipts] == [False] * 700 + [True] * 500
    assert [r.iseq for r in receipts] == list(range(1, 1201))
    assert list(log.damages(verify)) == []


def test_a_failed_batch_leaves_nothing_and_the_next_goes_on(log: Log) -> None:
    writer = Writer()
    good, more = writer.notes(2), writer.notes(2)
    log.append(good, NOW)
    bad = Entry(more[1].event, Packet(more[1].packet.head, b"\xff"))
    with pytest.raises(UnicodeDecodeError):
        log.append([more[0], *writer.notes(1, OTHER_STREAM), bad], NOW)
    assert log.streams() == {STREAM: 2}
    receipts = log.append(more, NOW)
    assert [r.iseq for r in receipts] == [3, 4]
    assert list(log.damages(verify)) == []


def test_a_commit_that_the_disk_refuses_leaves_nothing_and_the_next_goes_on(log: Log) -> None:
    writer = Writer()
    log.append(writer.notes(1), NOW)
    raw(log, "PRAGMA max_page_count = 20")
    many = [writer.write(NoteAdded(text="x" * 10_000)) for _ in range(40)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        log.append(writer.entries(many), NOW)
    assert log.end(STREAM).iseq == log.last(STREAM).iseq == 1
    assert len(log.read(STREAM, 0, 99)) == 1, "what is there can still be read"
    raw(log, "PRAGMA max_page_count = 1000000")
    assert log.append(writer.entries(many), NOW)[-1].iseq == 41
    assert list(log.damages(verify)) == []


def test_a_failing_signature_leaves_nothing(home: Path) -> None:
    def refuse(message: bytes) -> bytes:
        raise RuntimeError("no key")

    log = new_log(home / "warroom.db", sign=refuse)
    with pytest.raises(RuntimeError):
        log.append(Writer().notes(2), NOW)
    assert log.streams() == {}
    log.close()


def test_an_empty_batch_is_a_commit_of_nothing(log: Log) -> None:
    assert log.append([], NOW) == []
    assert log.streams() == {}


def test_each_commit_is_sealed_once_in_each_stream_it_touched(log: Log) -> None:
    writer = Writer()
    log.append([*writer.notes(2), *writer.notes(1, OTHER_STREAM)], NOW)
    log.append(writer.notes(1), NOW + 1)
    assert log.end(STREAM) == log.last(STREAM)
    for stream, iseq, at in ((STREAM, 3, NOW + 1), (OTHER_STREAM, 1, NOW)):
        end = log.end(stream)
        assert (end.iseq, end.admitted) == (iseq, at)
        assert end.signature is not None
        assert verify(sealed_text("log-1", stream, iseq, end.chain, at), end.signature)
    assert [s.signature is None for s in _each(log)] == [True, False, False]


def _each(log: Log) -> list[Stretch]:
    return [log.stretch(STREAM, place, place + 1, 1) for place in range(3)]


def test_a_log_without_a_key_has_no_seals(home: Path) -> None:
    log = new_log(home / "warroom.db")
    log.append(Writer().notes(2), NOW)
    assert log.end(STREAM).signature is None
    assert list(log.damages(verify)) == []
    log.close()


def test_a_withheld_event_is_kept_with_its_reason(log: Log) -> None:
    writer = Writer()
    (entry,) = writer.notes(1)
    packet = Packet(entry.packet.head, None, "it held a password")
    log.append([Entry(withheld(entry.packet), packet)], NOW)
    (row,) = log.read(STREAM, 0, 9)
    assert row.packet == packet
    assert list(log.damages(verify)) == []


# Reading -----------------------------------------------------------------------------------


def test_rows_come_back_byte_for_byte(log: Log) -> None:
    writer = Writer("größe \x00")
    entries = writer.entries([writer.write(NoteAdded(text="\x00 \u2028 🔥\n"))])
    log.append(entries, NOW)
    assert log.read(STREAM, 0, 1) == [Row(1, NOW, entries[0].packet)]


def test_reading_goes_on_behind_a_place_and_stops_at_a_limit(log: Log) -> None:
    log.append(Writer().notes(10), NOW)
    assert [r.iseq for r in log.read(STREAM, 3, 4)] == [4, 5, 6, 7]
    assert [r.iseq for r in log.read(STREAM, 8, 99)] == [9, 10]
    assert log.read(STREAM, 10, 9) == log.read(OTHER_STREAM, 0, 9) == []
    assert log.read(STREAM, 0, 0) == log.read(STREAM, 0, -1) == []
    assert [r.iseq for r in log.read_at(STREAM, [9, 2, 77, 2])] == [2, 9]
    assert log.read_at(STREAM, []) == []


def test_places_are_found_by_id_in_their_own_stream(log: Log) -> None:
    writer = Writer()
    here, there = writer.notes(2), writer.notes(1, OTHER_STREAM)
    log.append([*here, *there], NOW)
    ids = [entry.event.id for entry in (*here, *there)]
    assert log.place(STREAM, [*ids, "0" * 64]) == {ids[0]: 1, ids[1]: 2}
    assert log.place(OTHER_STREAM, ids) == {ids[2]: 1}


def test_an_unknown_stream_ends_where_it_begins(log: Log) -> None:
    assert log.end(STREAM) == log.last(STREAM) == End()
    stretch = log.stretch(STREAM, 0, 10, 1000)
    assert (stretch.rows, stretch.chain, stretch.signature) == ([], None, None)


def test_stretches_respect_size_and_always_go_on(log: Log) -> None:
    writer = Writer()
    sizes = [1, 9000, 1, 1, 12_000, 12_000, 1, 300, 1]
    log.append(writer.entries([writer.write(NoteAdded(text="x" * n)) for n in sizes]), NOW)
    for size in (0, 1, 700, 5000, 10_000, 100_000):
        after = 0
        while after < len(sizes):
            stretch = log.stretch(STREAM, after, len(sizes), size)
            assert [r.iseq for r in stretch.rows] == list(
                range(after + 1, after + len(stretch.rows) + 1)
            )
            weight = sum(len(r.packet.head) + len(r.packet.body or b"") for r in stretch.rows)
            assert len(stretch.rows) == 1 or weight <= size
            after = stretch.rows[-1].iseq
            assert stretch.chain == log.chain_at(STREAM, after)
        assert after == len(sizes)


def test_a_stretch_never_passes_its_end(log: Log) -> None:
    log.append(Writer().notes(10), NOW)
    for after, upto in product(range(-2, 12), range(-2, 13)):
        rows = log.stretch(STREAM, after, upto, 10**6).rows
        assert [r.iseq for r in rows] == [n for n in range(1, 11) if after < n <= upto]


def test_a_read_that_stops_early_does_not_pin_the_log(log: Log) -> None:
    log.append(Writer().notes(50), NOW)
    assert len(log.stretch(STREAM, 0, 50, 1).rows) == 1
    (busy, _, _) = log._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0


def test_a_reader_beside_the_writer_sees_each_commit(log: Log, home: Path) -> None:
    writer = Writer()
    reader = LogReader.open(home / "warroom.db")
    assert reader.log_id == "log-1"
    for count in (1, 2, 3):
        log.append(writer.notes(1), NOW)
        assert reader.end(STREAM).iseq == count
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._db.execute("DELETE FROM events")
    reader.close()


# Opening -----------------------------------------------------------------------------------


def test_a_log_opened_again_keeps_its_name_and_goes_on(home: Path) -> None:
    path = home / "warroom.db"
    writer = Writer()
    log = new_log(path, sign=sign)
    log.append(writer.notes(2), NOW)
    end = log.end(STREAM)
    log.close()
    again = Log.create_or_open(path, new_id="another", sign=sign)
    assert again.log_id == "log-1"
    assert again.end(STREAM) == again.last(STREAM) == end
    assert again.append(writer.notes(1), NOW)[0].iseq == 3
    assert list(again.damages(verify)) == []
    again.close()


def test_a_closed_log_lies_in_its_one_file_also_beside_a_reader(home: Path) -> None:
    log = new_log(home / "warroom.db")
    log.append(Writer().notes(3), NOW)
    reader = LogReader.open(home / "warroom.db")
    log.close()
    assert (home / "warroom.db-wal").stat().st_size == 0
    assert reader.end(STREAM).iseq == 3
    reader.close()


def test_the_files_are_for_nobody_else(log: Log, home: Path) -> None:
    log.append(Writer().notes(1), NOW)
    for path in home.glob("warroom.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_commit_is_fsynced(log: Log) -> None:
    assert log._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert log._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_no_database_is_refused_with_a_sentence(home: Path) -> None:
    path = home / "warroom.db"
    path.write_bytes(b"this is not a database at all, but long enough to look at" * 30)
    for attempt in (new_log, LogReader.open):
        with pytest.raises(StorageError, match=r"warroom\.db cannot be .* database"):
            attempt(path)
    assert path.read_bytes().startswith(b"this is not"), "it is left as it was"


def test_a_database_of_others_is_no_log(home: Path) -> None:
    path = home / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE meta (something)")
    connection.close()
    with pytest.raises(StorageError, match=r"cannot be used as a log|not a warroom log"):
        new_log(path)
    with pytest.raises(StorageError, match="not a warroom log"):
        LogReader.open(path)


def test_a_log_that_is_not_there_or_cannot_be_made_is_a_sentence(home: Path) -> None:
    with pytest.raises(StorageError, match="no log at"):
        LogReader.open(home / "none.db")
    with pytest.raises(StorageError, match="cannot be opened"):
        new_log(home / "missing" / "warroom.db")
    (home / "folder.db").mkdir()
    with pytest.raises(StorageError, match="cannot be opened"):
        new_log(home / "folder.db")


def test_an_old_sqlite_is_refused_with_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MINIMUM_SQLITE", (99, 0, 0))
    with pytest.raises(StorageError, match="too old"):
        new_log(home / "warroom.db")


def test_a_sqlite_that_keeps_no_promise_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Careless(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("= FULL", "= OFF"), *values)

    opened = sqlite3.connect

    def connect(path: Path, **kwargs: Any) -> sqlite3.Connection:
        return opened(path, factory=Careless, **kwargs)

    monkeypatch.setattr(sqlite3, "connect", connect)
    with pytest.raises(StorageError, match="synchronous=FULL"):
        new_log(home / "warroom.db")


def test_a_count_that_a_replica_used_twice_is_told_and_both_events_are_kept(log: Log) -> None:
    original, copy = Writer(seed=7), Writer(seed=7)
    assert original.author.rep == copy.author.rep
    first = original.entries([original.write(NoteAdded(text="one"))])
    assert [r.clash for r in log.append(first, NOW)] == [""]
    second = copy.entries([copy.write(NoteAdded(text="another"))])
    assert [r.clash for r in log.append(second, NOW)] == [original.author.rep]
    assert [r.clash for r in log.append([*first, *second], NOW)] == ["", ""]
    both = [*original.notes(1), *copy.notes(1)]
    assert [bool(r.clash) for r in log.append(both, NOW)] == [False, True]
    assert len(log.read(STREAM, 0, 10)) == 4
    assert list(log.damages(verify)) == []


def test_counts_that_come_late_or_after_a_failed_batch_are_told_from_those_used_twice(
    home: Path,
) -> None:
    path = home / "warroom.db"
    original, copy = Writer(seed=7), Writer(seed=7)
    early = original.notes(60)
    late = copy.entries([copy.write(NoteAdded(text=f"copy {n}")) for n in range(3)])
    log = new_log(path)
    assert not any(r.clash for r in log.append(early[30:], NOW))
    assert not any(r.clash for r in log.append(early[10:30], NOW))
    broken = Entry(early[2].event, Packet(early[2].packet.head, b"\xff"))
    with pytest.raises(UnicodeDecodeError):
        log.append([*early[:2], broken], NOW)
    log.close()
    again = Log.create_or_open(path, new_id="another")
    assert not any(r.clash for r in again.append(early[:10], NOW))
    assert all(r.clash for r in again.append([late[0], late[2]], NOW))
    assert [row.packet for row in again.read(STREAM, 0, 99)][:30] == [e.packet for e in early[30:]]
    assert list(again.damages()) == []
    again.close()
