"""The replica gives back what it was given, claims nothing more, and costs nothing when lost."""

import os
import sqlite3
import stat
import tempfile
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.incident.making import (
    NOW,
    OTHER_STREAM,
    STREAM,
    Writer,
    admitted,
    alert_record,
    histories,
    incident,
    picture,
)
from tests.incident.talking import HELLO, Console, Server, complete, join
from tests.small_disk import no_larger_files
from warroom_incident import schema
from warroom_incident.beats import Beat
from warroom_incident.changes import Change
from warroom_incident.event import Event, Packet, check_packet, read_packet
from warroom_incident.log import Entry
from warroom_incident.proofs import Placed, Sealed
from warroom_incident.replica import FILE, Kept, Replica
from warroom_incident.schema import StorageError
from warroom_incident.sync.client_end import ClientEnd
from warroom_incident.sync.wire import BoardCursor, Follow, Push, Summary
from warroom_incident.vocabulary import NoteAdded


def kept(writer: Writer, *texts: str, stream: str = STREAM, at: int = NOW) -> list[Kept]:
    events = [writer.write(NoteAdded(text=text), stream=stream) for text in texts]
    return [Kept(event.id, stream, at, writer.packets[event.id]) for event in events]


def summary(title: str) -> Summary:
    return Summary(STREAM, "INC-1", title, "SEV2", "started", linked=["a"])


def test_what_was_saved_comes_back_the_same(home: Path) -> None:
    writer = Writer("größe")
    events = kept(writer, "1 \x00", "2")
    cursor = Follow(STREAM, "log-1", 2, "ab" * 32)
    replica = Replica.open(home)
    replica.save(
        events=events,
        cursors=[cursor],
        summaries=[summary("t")],
        records=[alert_record("a"), alert_record("b")],
        board=BoardCursor("b", 7),
        meta={"room": "r", "you": "ana"},
    )
    replica.close()
    for again in (Replica.open(home), Replica(schema.connect_readonly(home / FILE))):
        assert again.events(STREAM) == [(NOW, one.packet) for one in events]
        assert again.events(OTHER_STREAM) == []
        assert again.cursors() == [cursor]
        assert again.summaries() == [summary("t")]
        assert again.records() == [alert_record("a"), alert_record("b")]
        assert again.board() == BoardCursor("b", 7)
        assert again.meta() == {"room": "r", "you": "ana", "board": "b", "rev": "7"}
        again.close()


def test_the_state_is_rebuilt_from_the_replica(home: Path) -> None:
    writer = Writer()
    replica = Replica.open(home)
    replica.save(events=kept(writer, "1", "2", "3"))
    state = incident([read_packet(packet, at) for at, packet in replica.events(STREAM)])
    assert len(state.events) == 3
    assert {event.admitted for event in state.events.values()} == {NOW}
    replica.close()


def test_the_last_word_on_a_summary_a_cursor_and_a_setting_counts(home: Path) -> None:
    replica = Replica.open(home)
    for n in (1, 2):
        replica.save(
            summaries=[summary(f"t{n}")], cursors=[Follow(STREAM, "l", n)], meta={"you": str(n)}
        )
    assert [s.title for s in replica.summaries()] == ["t2"]
    assert replica.cursors() == [Follow(STREAM, "l", 2)]
    assert replica.meta() == {"you": "2"}
    assert replica.board() is None
    replica.close()


def test_the_records_of_another_board_are_forgotten(home: Path) -> None:
    replica = Replica.open(home)
    replica.save(records=[alert_record("a")], board=BoardCursor("b1", 7))
    replica.forget_records()
    assert replica.records() == []
    assert replica.board() is None
    replica.close()


def test_heartbeats_and_changes_are_kept_with_the_board(home: Path) -> None:
    beat = Beat(source="am", name="Watchdog", last_seen=NOW, every=90_000)
    later = msgspec.structs.replace(beat, last_seen=NOW + 1)
    deploy = Change(uid="c", service="web", kind="deploy", title="v7", at=NOW)
    replica = Replica.open(home)
    replica.save(beats=[beat], changes=[deploy])
    replica.save(beats=[later])
    assert replica.told() == ([later], [deploy])
    replica.forget_records()
    assert replica.told() == ([], [])
    replica.close()


def test_of_old_changes_only_each_services_last_is_kept(home: Path) -> None:
    def change(uid: str, service: str, at: int) -> Change:
        return Change(uid=uid, service=service, kind="deploy", title="v", at=at)

    replica = Replica.open(home)
    replica.save(
        changes=[change("a", "web", 1), change("b", "web", 2), change("c", "db", 1),
                 change("d", "db", 9)]
    )  # fmt: skip
    replica.prune(5, ())
    assert sorted(c.uid for c in replica.told()[1]) == ["b", "d"]
    replica.close()


def test_a_replica_of_an_older_version_keeps_what_it_has_and_learns_the_rest(home: Path) -> None:
    replica = Replica.open(home)
    replica.save(records=[alert_record("a")])
    replica.close()
    older = sqlite3.connect(home / FILE)
    older.execute("DROP TABLE told")
    older.close()
    reader = Replica(schema.connect_readonly(home / FILE))
    assert reader.told() == ([], [])
    reader.close()
    again = Replica.open(home)
    assert again.records() == [alert_record("a")]
    again.save(changes=[Change(uid="c", service="", kind="flag", title="on", at=NOW)])
    assert len(again.told()[1]) == 1
    again.close()


def test_an_event_that_comes_again_brings_the_earliest_stamp(home: Path) -> None:
    replica = Replica.open(home)
    (one,) = kept(Writer(), "1")
    for at in (NOW, NOW - 5, NOW + 5):
        replica.save(events=[msgspec.structs.replace(one, admitted=at)])
    assert replica.events(STREAM) == [(NOW - 5, one.packet)]
    replica.close()


def test_a_withheld_body_is_dropped_and_does_not_come_back(home: Path) -> None:
    replica = Replica.open(home)
    (one,) = kept(Writer(), "hunter2")
    gone = Packet(one.packet.head, None, "a password")
    for packet in (one.packet, gone, one.packet):
        replica.save(events=[msgspec.structs.replace(one, packet=packet)])
    assert replica.events(STREAM) == [(NOW, gone)]
    replica.close()


def test_a_save_that_fails_moves_no_cursor(home: Path) -> None:
    replica = Replica.open(home)
    (good, bad) = kept(Writer(), "1", "2")
    replica.save(events=[good], cursors=[Follow(STREAM, "l", 1)])
    spoiled = msgspec.structs.replace(bad, packet=Packet(bad.packet.head, b"\xff"))
    with pytest.raises(UnicodeDecodeError):
        replica.save(events=[spoiled], cursors=[Follow(STREAM, "l", 2)])
    with pytest.raises(sqlite3.Error):
        replica.save(events=[bad], cursors=[Follow(STREAM, "l", None)])  # type: ignore[arg-type]
    assert replica.cursors() == [Follow(STREAM, "l", 1)]
    assert len(replica.events(STREAM)) == 1
    replica.save(events=[bad], cursors=[Follow(STREAM, "l", 2)])
    assert len(replica.events(STREAM)) == 2
    replica.close()


def test_the_files_are_for_nobody_else(home: Path) -> None:
    replica = Replica.open(home)
    replica.save(events=kept(Writer(), "1"))
    for path in home.glob("replica*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    replica.close()


@pytest.mark.parametrize(
    "content", [b"no database " * 400, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_damaged_file_is_set_aside_with_its_log(home: Path, content: bytes) -> None:
    (home / FILE).write_bytes(content)
    (home / f"{FILE}-wal").write_bytes(b"a log of the damaged file")
    replica = Replica.open(home)
    replica.save(events=kept(Writer(), "1"))
    assert len(replica.events(STREAM)) == 1
    replica.close()
    assert (home / f"damaged-{FILE}").read_bytes() == content


def test_a_log_left_behind_is_not_played_into_the_next_file(home: Path) -> None:
    old = Replica.open(home)
    old.save(meta={"you": "old"})
    old._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    old.save(meta={"you": "new"})
    wal = (home / f"{FILE}-wal").read_bytes()
    old.close()
    (home / FILE).write_bytes(b"spoiled " * 600)
    (home / f"{FILE}-wal").write_bytes(wal)
    new = Replica.open(home)
    assert new.meta() == {}
    new.save(meta={"you": "newest"})
    assert new._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    new.close()


def test_a_database_of_others_is_set_aside(home: Path) -> None:
    connection = sqlite3.connect(home / FILE)
    connection.execute("CREATE TABLE something (x)")
    connection.close()
    replica = Replica.open(home)
    assert replica.meta() == {}
    replica.close()
    assert (home / f"damaged-{FILE}").exists()


def test_a_directory_that_cannot_be_written_is_a_sentence_and_moves_nothing(home: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        Replica.open(home / "missing")
    (home / FILE).mkdir()
    with pytest.raises(StorageError, match="cannot be opened"):
        Replica.open(home)
    assert (home / FILE).is_dir()


def test_a_full_disk_costs_no_replica(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replica = Replica.open(home)
    replica.save(events=kept(Writer(), "1"))
    replica.close()

    def full(connection: sqlite3.Connection) -> set[str]:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("warroom_incident.replica._tables", full)
    with pytest.raises(StorageError, match="disk is full"):
        Replica.open(home)
    monkeypatch.undo()
    again = Replica.open(home)
    assert len(again.events(STREAM)) == 1
    again.close()


def test_on_a_full_disk_it_opens_in_memory_with_what_the_file_holds(home: Path) -> None:
    replica = Replica.open(home)
    replica.save(events=kept(Writer(), "1"))
    assert not replica.in_memory
    replica.close()
    with no_larger_files(0):
        full = Replica.open(home)
        assert full.in_memory
        full.save(events=kept(Writer(seed=2), "2"))
        assert len(full.events(STREAM)) == 2
        full.close()
        (home / "fresh").mkdir()
        fresh = Replica.open(home / "fresh")
        fresh.save(events=kept(Writer(), "1"))
        assert len(fresh.events(STREAM)) == 1
        fresh.close()
    again = Replica.open(home)
    assert not again.in_memory
    assert len(again.events(STREAM)) == 1
    again.close()


def test_the_newest_readable_cache_is_opened_for_reading(home: Path) -> None:
    assert Replica.newest(home) is None
    for number, slot in enumerate(("slot-0", "slot-1", "slot-2", "slot-3")):
        (home / slot).mkdir()
        replica = Replica.open(home / slot)
        replica.save(meta={"you": slot})
        replica.close()
        os.utime(home / slot / FILE, (NOW / 1000 + number,) * 2)
    (home / "slot-3" / FILE).write_bytes(b"spoiled " * 600)
    (home / "slot-2" / FILE).write_bytes(b"")
    for number in (2, 3):
        os.utime(home / f"slot-{number}" / FILE, (NOW / 1000 + number,) * 2)
    newest = Replica.newest(home)
    assert newest is not None
    assert newest.meta() == {"you": "slot-1"}
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        newest.save(meta={"you": "x"})
    newest.close()


def test_what_waits_in_the_log_of_a_cache_makes_it_newer(home: Path) -> None:
    for slot in ("slot-0", "slot-1"):
        (home / slot).mkdir()
    open_one = Replica.open(home / "slot-0")
    open_one.save(meta={"you": "slot-0"})
    closed = Replica.open(home / "slot-1")
    closed.save(meta={"you": "slot-1"})
    closed.close()
    os.utime(home / "slot-0" / FILE, (1, 1))
    os.utime(home / "slot-1" / FILE, (2, 2))
    newest = Replica.newest(home)
    assert newest is not None
    assert newest.meta() == {"you": "slot-0"}
    newest.close()
    open_one.close()


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_what_one_console_wrote_another_holds_to_the_last_byte(
    home: Path, history: list[tuple[Event, Packet]], random: Random
) -> None:
    place = Path(tempfile.mkdtemp(dir=home))
    server = Server(place / "warroom.db")
    writer = ClientEnd(HELLO, [], None)
    packets = [packet for _, packet in history]
    random.shuffle(packets)
    end, _ = server.accept(writer.hello([]))
    for frame in writer.push(packets):
        push = end.receive(frame)
        assert isinstance(push, Push)
        arrived = [Packet(bytes(head), bytes(body)) for head, body in push.events]
        server.log.append([Entry(check_packet(p), p) for p in arrived], NOW)
    console = Console()
    join(server, console)
    complete(server, console)
    (place / "slot-0").mkdir()
    replica = Replica.open(place / "slot-0")
    kept = [Kept(a.event.id, STREAM, NOW, a.packet) for a in console.events[STREAM].values()]
    replica.save(events=kept, cursors=list(console.cursors.values()))
    again = incident([read_packet(packet, at) for at, packet in replica.events(STREAM)])
    assert picture(again) == picture(incident([admitted(event, NOW) for event, _ in history]))
    assert replica.cursors() == [console.cursors[STREAM]]
    replica.close()
    server.log.close()


def test_incidents_that_were_closed_long_ago_are_dropped_and_no_others(home: Path) -> None:
    streams = {name: f"i-{name * 16}" for name in "abcde"}
    replica = Replica.open(home)

    def line(name: str, status: str, changed_at: int) -> Summary:
        return Summary(streams[name], "INC-1", "t", "SEV2", status, changed_at=changed_at)

    lines = [
        line("a", "closed", NOW - 1),
        line("b", "closed", NOW + 1),
        line("c", "resolved", NOW - 1),
        line("d", "closed", NOW - 1),
        line("e", "closed", NOW - 1),
    ]
    for name in "abcd":
        replica.save(
            events=kept(Writer(), "1", "2", stream=streams[name]),
            cursors=[Follow(streams[name], "log-1", 2, "ab" * 32)],
            places=[Placed("log-1", streams[name], 1, bytes(32))],
            seals=[Sealed("log-1", streams[name], 1, NOW, "server", "ab" * 64)],
        )
    replica.save(summaries=lines)
    assert replica.prune(NOW, keep={streams["d"]}) == 1
    assert replica.prune(NOW, keep={streams["d"]}) == 0
    assert [n for n in "abcd" if replica.events(streams[n])] == ["b", "c", "d"]
    assert {c.stream for c in replica.cursors()} == {streams[n] for n in "bcd"}
    assert replica.proofs(streams["a"]) == []
    assert len(replica.summaries()) == 5
    replica.close()
