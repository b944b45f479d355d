"""The one path by which events become durable, through full disks and failing listeners."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from tests.e2e.console_client import Console, leave_all, new_author, rejoin
from tests.server.running import (
    ME,
    InProcess,
    server_in_process,
    server_process,
)
from tests.waiting import wait_for
from warroom_incident.author import new_stream
from warroom_incident.event import Event, Packet
from warroom_incident.incident import IncidentState
from warroom_incident.log import Entry, Log, LogReader, Receipt
from warroom_incident.reducers import Body, Right
from warroom_incident.sync.wire import Close
from warroom_incident.vocabulary import NoteAdded, StatusSet
from warroom_server.commits import MAX_BATCH
from warroom_server.identity import Caller, Who
from warroom_server.room import Commit, Room, Unavailable

T = TypeVar("T")

WHO = Who(ME, Caller(ME))


@pytest.fixture
async def house(home: Path) -> AsyncIterator[InProcess]:
    """A running server with its HTTP door."""
    async with server_in_process(home, http=True) as running:
        yield running


@pytest.fixture
def room(house: InProcess) -> Room:
    """Its room."""
    return house.server.room


class Pen:
    """Writes events of this account into one incident."""

    def __init__(self) -> None:
        self.author = new_author()
        self.stream = new_stream(bytes)

    def write(self, body: Body, by: str = ME) -> tuple[Event, Packet]:
        """An event that was not sent."""
        return self.author.write(self.stream, by, body)

    def notes(self, count: int) -> list[Packet]:
        """So many notes."""
        return [self.write(NoteAdded(text=str(i)))[1] for i in range(count)]


async def durable(done: Awaitable[T]) -> T:
    """Wait for a commit; one that never answers is a failure, not a test without an end."""
    async with asyncio.timeout(15):
        return await done


class FailingLog:
    """Makes `Log.append` fail as long as `error` is set; counts the commits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        self.batches: list[int] = []
        append = Log.append

        def failing(log: Log, entries: Sequence[Entry], now: int) -> list[Receipt]:
            if self.error is not None:
                raise self.error
            self.batches.append(len(entries))
            return append(log, entries, now)

        monkeypatch.setattr(Log, "append", failing)


FULL = sqlite3.OperationalError("database or disk is full")


async def test_events_that_arrive_during_a_commit_share_the_next_one(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FailingLog(monkeypatch)
    pens = [Pen() for _ in range(40)]
    waits = []
    for pen in pens:
        done, refused = room.submit(WHO, pen.notes(2))
        assert done is not None
        assert refused == []
        waits.append(done)
    receipts = [r for done in await durable(asyncio.gather(*waits)) for r in done]
    assert len({r.id for r in receipts}) == 80
    assert sum(log.batches) == 80
    assert len(log.batches) <= 2


async def test_a_commit_is_never_larger_than_its_limit(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FailingLog(monkeypatch)
    pen = Pen()
    waits = [room.submit(WHO, pen.notes(300))[0] for _ in range(5)]
    await durable(asyncio.gather(*[done for done in waits if done is not None]))
    assert max(log.batches) <= MAX_BATCH
    assert sum(log.batches) == 1500


async def test_the_order_of_a_push_is_the_order_of_the_log(room: Room) -> None:
    pen = Pen()
    events = [pen.write(NoteAdded(text=str(i))) for i in range(50)]
    done, _ = room.submit(WHO, [packet for _, packet in events])
    assert done is not None
    receipts = await durable(done)
    assert [r.id for r in receipts] == [event.id for event, _ in events]
    assert [r.iseq for r in receipts] == list(range(1, 51))


async def test_the_same_event_keeps_its_place_however_often_it_comes(room: Room) -> None:
    (packet,) = Pen().notes(1)
    places = set()
    for _ in range(3):
        done, _ = room.submit(WHO, [packet, packet])
        assert done is not None
        places |= {(r.iseq, r.admitted) for r in await durable(done)}
    assert len(places) == 1


async def test_a_commit_that_fails_changes_nothing_and_the_next_one_goes_through(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FailingLog(monkeypatch)
    pen = Pen()
    log.error = FULL
    done, _ = room.submit(WHO, pen.notes(1))
    assert done is not None
    with pytest.raises(Unavailable, match="full"):
        await durable(done)
    assert pen.stream not in room.incidents
    assert pen.stream not in room.tops
    with pytest.raises(Unavailable):
        await room.check_writable()
    log.error = None
    await room.check_writable()
    done, _ = room.submit(WHO, pen.notes(1))
    assert done is not None
    assert (await durable(done))[0].iseq == 1


async def test_an_unforeseen_failure_of_a_commit_leaves_nobody_waiting(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FailingLog(monkeypatch)
    pen = Pen()
    log.error = ValueError("nobody thought of this")
    done, _ = room.submit(WHO, pen.notes(1))
    assert done is not None
    with pytest.raises(Unavailable):
        await durable(done)
    log.error = None
    done, _ = room.submit(WHO, pen.notes(1))
    assert done is not None
    assert await durable(done)


async def test_a_listener_that_fails_keeps_no_other_from_hearing(room: Room) -> None:
    heard: list[Commit] = []

    def failing(commit: Commit) -> None:
        raise RuntimeError("a broken listener")

    room.listeners[:0] = [failing]
    room.listeners.append(heard.append)
    pens = [Pen(), Pen()]
    pens[1].stream = new_stream(os.urandom)
    waits = [room.submit(WHO, pen.notes(1))[0] for pen in pens]
    await durable(asyncio.gather(*[done for done in waits if done is not None]))
    assert {commit.stream for commit in heard} >= {pen.stream for pen in pens}
    assert all(room.tops[pen.stream] == 1 for pen in pens)


async def test_what_is_refused_binds_no_replica_to_an_account(room: Room) -> None:
    pen = Pen()
    _, forged = pen.write(NoteAdded(text="x"), by="somebody")
    done, refused = room.submit(WHO, [forged])
    assert done is None
    assert refused[0].reason == f"this event says it is by somebody, but you are {ME}"
    done, refused = room.submit(WHO, pen.notes(1))
    assert refused == []
    assert done is not None
    assert await durable(done)


async def test_nobody_writes_as_the_servers_replica(room: Room) -> None:
    pen = Pen()
    pen.author = room._author
    _, packet = pen.write(NoteAdded(text="x"))
    _, refused = room.submit(WHO, [packet])
    assert "belongs to another account" in refused[0].reason


async def test_a_refusal_is_one_clean_sentence(room: Room) -> None:
    pen = Pen()
    _, packet = pen.write(NoteAdded(text="x"), by="\x1b]52;c;eA==\x07[2J" + "x" * 60)
    _, (refusal,) = room.submit(WHO, [packet])
    assert refusal.reason.isprintable()
    assert len(refusal.reason) <= 300


async def test_state_follows_the_log_and_comes_back_from_it(home: Path) -> None:
    pen = Pen()
    async with server_in_process(home) as house:
        room = house.server.room
        done, _ = room.submit(WHO, [*pen.notes(5), pen.write(StatusSet(status="identified"))[1]])
        assert done is not None
        await durable(done)
        before = room.incidents[pen.stream]
        digests = (before.state_digest(), before.set_digest())
        admitted = {e.id: e.admitted for e in before.events.values()}
        assert before.status == "identified"
    async with server_in_process(home) as house:
        after = house.server.room.incidents[pen.stream]
        assert (after.state_digest(), after.set_digest()) == digests
        assert {e.id: e.admitted for e in after.events.values()} == admitted
        assert house.server.room.tops[pen.stream] == len(after.events)
    reader = LogReader.open(home / "room" / "warroom.db")
    assert list(reader.damages()) == []
    reader.close()


async def test_what_a_new_stream_shows_is_empty_and_kept_nowhere(room: Room) -> None:
    state = room.state("i-" + "a" * 16)
    assert isinstance(state, IncidentState)
    assert not state.events
    assert room.incidents == {}


async def test_rights_come_from_the_token_else_the_room_else_the_default(room: Room) -> None:
    assert room.right_of(Caller(ME)) is Right.ADMIN
    assert room.right_of(Caller("somebody")) is Right.RESPONDER
    assert room.right_of(Caller(ME, Right.VIEWER)) is Right.VIEWER
    assert room.may_read(Caller(ME), "room")
    assert not room.may_read(Caller("somebody"), "room")
    assert room.may_read(Caller("somebody"), "board")


# A disk that takes nothing -----------------------------------------------------------------


async def get(house: InProcess, path: str) -> tuple[int, str]:
    """Ask the HTTP door."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{house.ready.http}{path}")
        return answer.status_code, answer.text.strip()


async def test_a_log_that_takes_nothing_is_told_to_everybody_and_recovers_by_itself(
    house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FailingLog(monkeypatch)
    ana = await Console(user="ana").join(house.socket)
    stream = await ana.declare()
    assert await get(house, "/readyz") == (200, "ready")
    log.error = FULL
    status, sentence = await get(house, "/readyz")
    assert (status, sentence) == (503, "The server cannot write: database or disk is full.")
    assert (await get(house, "/healthz"))[0] == 200
    event = ana.write(stream, NoteAdded(text="into a full disk"))
    await ana.flush()
    assert await ana.ended() == (
        Close.BUSY,
        "the server cannot write now; your events stay with you",
    )
    await ana.leave()
    log.error = None
    assert await get(house, "/readyz") == (200, "ready")
    await rejoin(ana, house.socket, stream)
    await ana.settled(event.id)
    assert event.id in ana.acks
    await ana.has(stream, event.id)
    await leave_all([ana])


async def test_an_intake_that_takes_nothing_is_told_too(
    house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    from warroom_server.intake.store import IntakeUnavailable

    async def check() -> None:
        raise IntakeUnavailable("intake.db: database or disk is full")

    monkeypatch.setattr(house.server.store, "check", check)
    status, sentence = await get(house, "/readyz")
    assert status == 503
    assert sentence == "The server cannot write: intake.db: database or disk is full."


async def test_reading_goes_on_while_a_real_disk_takes_nothing(home: Path) -> None:
    async with server_process(home) as process:
        ana = await Console(user="ana").join(process.socket)
        stream = await ana.declare()
        note = await ana.note(stream, "while there was room")
        size = process.data.joinpath("warroom.db-wal").stat().st_size
        limits = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, limits[1]))
        event = ana.write(stream, NoteAdded(text="x" * 12_000))
        await ana.flush()
        assert (await ana.ended())[0] == Close.BUSY
        assert event.id not in ana.acks
        bo = await Console(user="bo").join(process.socket, stream)
        await bo.has(stream, note.id)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
        await ana.leave()
        await rejoin(ana, process.socket, stream)
        await ana.settled(event.id)
        await bo.has(stream, event.id)
        await leave_all([ana, bo])
        assert await process.terminate() == 0
        assert b"Traceback" not in process.output
        assert process.damages() == []


async def test_a_check_of_the_log_takes_its_turn_among_the_commits(room: Room) -> None:
    pen = Pen()
    done, _ = room.submit(WHO, pen.notes(10))
    assert done is not None
    await durable(asyncio.gather(room.check_writable(), done))
    await wait_for(lambda: room.tops[pen.stream] == 10)
