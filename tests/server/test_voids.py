"""Which refusals everybody sees, and how many one connection may leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.console_client import new_author
from tests.server.running import ME, server_in_process
from tests.waiting import wait_for
from warroom_incident.author import new_stream
from warroom_incident.event import Packet
from warroom_incident.log import LogReader
from warroom_incident.reducers import Right
from warroom_incident.vocabulary import IncidentNumbered, NoteAdded
from warroom_server.identity import Caller, Who
from warroom_server.room import Room
from warroom_server.voids import VOID_EVERY_MS, VOIDS_AT_ONCE, Voids

WHO = Who(ME, Caller(ME))
READER = Who(ME, Caller(ME, Right.VIEWER))


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
async def room(home: Path) -> AsyncIterator[Room]:
    async with server_in_process(home) as running:
        yield running.server.room


class Pen:
    """Writes into one incident that exists."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.author = new_author()
        self.stream = new_stream(bytes)

    async def begin(self) -> Pen:
        done, refused = self.room.submit(WHO, [self.note("here it is")])
        assert refused == []
        assert done is not None
        await done
        return self

    def note(self, text: str = "a note", by: str = ME) -> Packet:
        return self.author.write(self.stream, by, NoteAdded(text=text))[1]

    @property
    def voids(self) -> list[str]:
        state = self.room.state(self.stream)
        return [e.withheld for i in state.ordered if (e := state.events[i]).withheld is not None]


def test_a_connection_may_leave_some_voids_at_once_and_then_a_few() -> None:
    clock = Clock()
    voids = Voids(clock)
    assert [voids.take() for _ in range(VOIDS_AT_ONCE + 2)] == [True] * VOIDS_AT_ONCE + [False] * 2
    clock.now += VOID_EVERY_MS * 2
    assert [voids.take() for _ in range(3)] == [True, True, False]
    clock.now -= 10**9
    assert not voids.take()
    clock.now += 10**12
    assert [voids.take() for _ in range(VOIDS_AT_ONCE + 1)][-1] is False


async def test_a_refusal_is_seen_by_everybody_without_its_text(room: Room) -> None:
    pen = await Pen(room).begin()
    done, refused = room.submit(READER, [pen.note("the secret text")], Voids(room.wall))
    assert done is None
    await wait_for(lambda: pen.voids)
    assert pen.voids == [f"refused: {refused[0].reason}"]
    reader = LogReader.open(room_file(room))
    assert [row.packet.body for row in reader.read(pen.stream, 1, 9)] == [None]
    assert list(reader.damages()) == []
    reader.close()


def room_file(room: Room) -> Path:
    ((_, _, name),) = room.log._db.execute("PRAGMA database_list").fetchall()
    return Path(name)


async def test_the_same_refusal_leaves_one_void_and_the_next_events_flow(room: Room) -> None:
    pen = await Pen(room).begin()
    voids = Voids(room.wall)
    packet = pen.note("x")
    for _ in range(3):
        room.submit(READER, [packet, packet], voids)
        await room.check_writable()
        await wait_for(lambda: pen.voids)
    done, refused = room.submit(WHO, [pen.note("after")], voids)
    assert refused == []
    assert done is not None
    await done
    assert len(pen.voids) == 1
    assert room.tops[pen.stream] == 3


async def test_what_was_refused_is_admitted_when_rights_have_changed(room: Room) -> None:
    pen = await Pen(room).begin()
    packet = pen.note("sent again")
    room.submit(READER, [packet], Voids(room.wall))
    await wait_for(lambda: pen.voids)
    done, refused = room.submit(WHO, [packet], Voids(room.wall))
    assert refused == []
    assert done is not None
    (receipt,) = await done
    assert receipt.fresh
    assert pen.voids == []


async def test_garbage_forgeries_and_new_streams_leave_no_void(room: Room) -> None:
    pen = await Pen(room).begin()
    voids = Voids(room.wall)
    garbage = Packet(b'{"v":1}', b"{}")
    broken = pen.note("x")._replace(body=b'{"text":"another"}')
    forged = pen.note("x", by="somebody")
    other = await Pen(room).begin()
    other.author = room._author
    stolen = other.note("x")
    new = Pen(room)
    new.stream = "i-" + "z" * 16
    _, refused = room.submit(READER, [garbage, broken, forged, stolen, new.note("x")], voids)
    assert len(refused) == 5
    await room.check_writable()
    assert pen.voids == other.voids == []
    assert new.stream not in room.tops


async def test_more_refusals_than_a_connection_may_leave_are_answered_all_the_same(
    room: Room,
) -> None:
    pen = await Pen(room).begin()
    body = IncidentNumbered(number="INC-9")
    packets = [pen.author.write(pen.stream, ME, body)[1] for _ in range(VOIDS_AT_ONCE + 20)]
    _, refused = room.submit(WHO, packets, Voids(lambda: 0))
    assert len(refused) == VOIDS_AT_ONCE + 20
    await wait_for(lambda: len(pen.voids) == VOIDS_AT_ONCE)
    await room.check_writable()
    assert len(pen.voids) == VOIDS_AT_ONCE


async def test_after_a_restart_a_void_binds_no_replica_to_an_account(home: Path) -> None:
    async with server_in_process(home) as running:
        pen = await Pen(running.server.room).begin()
        stranger = new_author()
        _, packet = stranger.write(pen.stream, ME, NoteAdded(text="x"))
        running.server.room.submit(READER, [packet], Voids(lambda: 0))
        await wait_for(lambda: pen.voids)
    async with server_in_process(home) as running:
        assert stranger.rep not in running.server.room._reps
        assert running.server.room.state(pen.stream).ordered
