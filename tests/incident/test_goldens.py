"""Logs, replicas and frames of every version so far, read by today's code to the same ends."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.incident.goldens import (
    GOLDEN,
    SAMPLES,
    STREAMS,
    Golden,
    Said,
    restore,
    said,
    shown,
    sign,
    state_of,
    verify,
)
from tests.incident.making import NOW, OTHER_STREAM, STREAM, Writer
from tests.incident.talking import HELLO
from warroom_incident import vocabulary
from warroom_incident.event import Event, read_packet
from warroom_incident.incident import IncidentState
from warroom_incident.log import Log, LogReader
from warroom_incident.replica import FILE, Replica
from warroom_incident.seal import BLURRED, PROVING, ZERO, link, sealed_text
from warroom_incident.sync.client_end import Batch, ClientEnd
from warroom_incident.sync.wire import Hello, Push, Seen, read_from_console
from warroom_incident.telling import tell
from warroom_incident.vocabulary import Unknown

NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))
BEFORE_HEARSAY_HAD_A_NAME = ("seals-1",)


def golden(name: str) -> Golden:
    return msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes(), type=Golden)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def log_path(home: Path, name: str) -> Path:
    path = home / "warroom.db"
    restore((GOLDEN / f"{name}.log.sql").read_text(encoding="utf-8"), path)
    return path


@pytest.fixture
def log(log_path: Path) -> Iterator[Log]:
    found = Log.create_or_open(log_path, new_id="another", sign=sign)
    yield found
    found.close()


def events_of(reader: LogReader, stream: str) -> list[Event]:
    return [read_packet(row.packet, row.admitted) for row in reader.read(stream, 0, 999)]


def check(name: str, stream: str, events: list[Event]) -> None:
    """What events add up to today is what their version made of them."""
    expected, found = golden(name).streams[stream], said(stream, events)
    if name in BEFORE_HEARSAY_HAD_A_NAME and stream == OTHER_STREAM:
        # It counted hearsay by the ids of the events; all else is the same.
        state = state_of(stream)
        state.extend(events)
        ids = [e.entry if e.refused else e.id for e in state.events.values()]
        assert any(event.via for event in state.events.values())
        assert f"{sum(int(id_, 16) for id_ in ids) % 2**256:064x}" == expected.set_digest
        expected = msgspec.structs.replace(expected, set_digest=found.set_digest)
    assert found == expected


def test_there_is_a_golden_log_of_each_kind_of_seal() -> None:
    assert NAMES == ["seals-1", "seals-2"]
    assert {kind for _, kind, _ in SAMPLES} <= set(dir(vocabulary))


@pytest.mark.parametrize("stream", STREAMS)
def test_a_log_is_read_as_its_version_read_it(log_path: Path, name: str, stream: str) -> None:
    reader = LogReader.open(log_path)
    check(name, stream, events_of(reader, stream))
    assert reader.log_id == golden(name).log_id
    assert list(reader.damages(verify)) == []
    reader.close()


def test_a_log_is_gone_on_with_and_keeps_its_name_and_chains(log: Log, name: str) -> None:
    expected = golden(name)
    assert log.log_id == expected.log_id
    for stream in STREAMS:
        end = log.end(stream)
        assert (end.iseq, end.chain.hex()) == expected.ends[stream]
        check(name, stream, events_of(log, stream))
    writer = Writer("zoe", seed=77)
    log.append([entry for stream in STREAMS[:2] for entry in writer.notes(2, stream)], NOW + 10**6)
    assert list(log.damages(verify)) == []


def test_a_seal_proves_events_only_where_hearsay_has_a_name(log: Log, name: str) -> None:
    for stream in STREAMS:
        end = log.end(stream)
        old = name in BEFORE_HEARSAY_HAD_A_NAME and stream == OTHER_STREAM
        about = (log.log_id, stream, end.iseq, end.chain, end.admitted)
        text = sealed_text(*about, kind=BLURRED if old else PROVING)
        assert end.signature is not None
        assert verify(text, end.signature), stream


@pytest.mark.parametrize("stream", STREAMS)
def test_a_replica_is_read_as_its_version_read_it(home: Path, name: str, stream: str) -> None:
    (home / "slot-0").mkdir()
    sql = (GOLDEN / f"{name}.replica.sql").read_text(encoding="utf-8")
    restore(sql, home / "slot-0" / FILE)
    replica = Replica.open(home / "slot-0")
    kept = replica.events(stream)
    check(name, stream, [read_packet(packet, at) for at, packet in kept])
    cursors = {cursor.stream: (cursor.iseq, cursor.chain) for cursor in replica.cursors()}
    assert cursors[stream] == golden(name).ends[stream]
    (proof,) = replica.proofs(stream)
    chain = ZERO
    for entry in proof.ids:
        chain = link(chain, entry)
    assert chain.hex() == golden(name).ends[stream][1]
    replica.close()


def test_what_its_server_said_is_read_to_the_same_ends(name: str) -> None:
    expected = golden(name)
    end = ClientEnd(HELLO, (), None)
    end.hello(STREAMS)
    events: dict[str, list[Event]] = {stream: [] for stream in STREAMS}
    for frame in expected.from_server:
        found = end.receive(frame.encode())
        if isinstance(found, Batch):
            events[found.stream].extend(arrival.event for arrival in found.arrivals)
    assert {c.stream: (c.iseq, c.chain) for c in end.cursors()} == expected.ends
    for stream in STREAMS:
        check(name, stream, events[stream])


def test_what_its_console_said_is_understood(name: str) -> None:
    kinds = [type(read_from_console(frame.encode())) for frame in golden(name).from_console]
    assert kinds[0] is Hello
    assert kinds[-1] is Push
    assert set(kinds[1:-1]) == {Seen}


def test_an_event_of_a_newer_console_is_kept_whole_and_shown_as_such(log: Log, name: str) -> None:
    (newer,) = [e for e in events_of(log, STREAM) if e.head.type == "pager.paged"]
    assert isinstance(newer.body, Unknown)
    (row,) = log.read_at(STREAM, list(log.place(STREAM, [newer.id]).values()))
    assert row.packet.body is not None
    assert b"somebody was paged" in row.packet.body
    state = IncidentState(STREAM)
    state.extend(events_of(log, STREAM))
    assert "newer" in tell(newer, state).text


def test_what_is_shown_is_part_of_what_is_compared() -> None:
    assert {field.name for field in msgspec.structs.fields(Said)} >= {"state_digest", "shown"}
    assert shown(state_of(STREAM))["title"] == "untitled"
