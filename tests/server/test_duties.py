"""What the server writes by itself: numbers, once each, and every change of a linked alert."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from tests.e2e.console_client import Console, leave_all, new_author
from tests.server.running import InProcess, server_in_process
from tests.waiting import wait_for
from warroom_incident.alerts import Severity, Signal, State
from warroom_incident.author import new_stream
from warroom_incident.event import Event, Packet
from warroom_incident.fields import AlertCopy
from warroom_incident.incident import IncidentState
from warroom_incident.linking import copy_of
from warroom_incident.log import Entry, Log, Receipt
from warroom_incident.vocabulary import (
    AlertChanged,
    AlertLinked,
    IncidentDeclared,
    IncidentNumbered,
    NoteAdded,
    StatusSet,
)
from warroom_server.board import Board, SavedBoard


@pytest.fixture
async def house(home: Path) -> AsyncIterator[InProcess]:
    """A running server."""
    async with server_in_process(home) as running:
        yield running


@pytest.fixture
async def ana(house: InProcess) -> AsyncIterator[Console]:
    """Somebody in it."""
    console = await Console(user="ana").join(house.socket)
    yield console
    await leave_all([console])


def state_of(house: InProcess, stream: str) -> IncidentState:
    """The server's own state of an incident."""
    return house.server.room.incidents[stream]


def signal(state: State = "firing", severity: Severity = "SEV2", received: int = 1_000) -> Signal:
    """One word of a sender about the one alert."""
    return Signal(
        source="am",
        kind="generic",
        key="disk",
        state=state,
        severity=severity if state == "firing" else None,
        title="disk full",
        received=received,
    )


def fire(
    board: Board, *, state: State = "firing", severity: Severity = "SEV2", at: int = 1_000
) -> str:
    """Let a sender speak; the uid of the alert."""
    board.apply([signal(state, severity, at)])
    record = board.newest("am", "disk")
    assert record is not None
    return record.uid


async def link(ana: Console, house: InProcess, stream: str, uid: str) -> None:
    """Link an alert as a console would."""
    record = house.server.board.get(uid)
    assert record is not None
    await ana.put(stream, AlertLinked(uid=uid, alert=copy_of(record)))


def told(state: IncidentState) -> list[str]:
    """The states of the linked alert that the server wrote, in its order of writing."""
    events = sorted(state.events.values(), key=lambda event: event.head.n)
    return [e.body.alert.state for e in events if isinstance(e.body, AlertChanged)]


async def settled(house: InProcess) -> None:
    """Wait until the server has no duty left."""
    await house.server.duties.finish()


# Numbers -----------------------------------------------------------------------------------


async def test_two_declarations_at_once_get_different_numbers(
    house: InProcess, ana: Console
) -> None:
    bo = await Console(user="bo").join(house.socket)
    streams = await asyncio.gather(*[person.declare() for person in (ana, bo) * 10])
    await settled(house)
    numbers = {state_of(house, stream).number for stream in streams}
    assert numbers == {f"INC-{n}" for n in range(1, 21)}
    await leave_all([bo])


async def hand_on(house: InProcess, *events: tuple[Event, Packet], at: int | None = None) -> None:
    """Let events come as from another server, which admitted them at some time."""
    room = house.server.room
    await room.commit([Entry(event, packet, at) for event, packet in events], handed_on=True)


async def test_an_incident_from_another_server_keeps_the_number_that_comes_after_it(
    house: InProcess,
) -> None:
    author, stream = new_author(), new_stream(secrets.token_bytes)
    await hand_on(house, author.write(stream, "zoe", IncidentDeclared(title="there")))
    await hand_on(house, author.write(stream, "warroom", IncidentNumbered(number="INC-9")))
    await settled(house)
    state = state_of(house, stream)
    await wait_for(lambda: not house.server.room.is_settling(stream), "its rest")
    await settled(house)
    assert [e.body for e in state.history(("number",)) if e.head.rep != author.rep] == []
    ana = await Console(user="ana").join(house.socket)
    await wait_numbered(house, await ana.declare(), "INC-10")
    await leave_all([ana])


async def test_of_two_incidents_with_one_number_the_earlier_keeps_it(
    house: InProcess, ana: Console
) -> None:
    stream = await ana.declare()
    await wait_numbered(house, stream, "INC-1")
    author, other = new_author(), new_stream(secrets.token_bytes)
    declared = author.write(other, "zoe", IncidentDeclared(title="there"))
    number = author.write(other, "warroom", IncidentNumbered(number="INC-1"))
    await hand_on(house, declared, number, at=1_000)
    await wait_numbered(house, stream, "INC-1-2")
    assert state_of(house, other).number == "INC-1"


async def test_of_two_numbers_of_one_incident_the_earlier_counts_and_no_conflict_stays(
    house: InProcess, ana: Console
) -> None:
    stream = await ana.declare()
    await wait_numbered(house, stream, "INC-1")
    author = new_author()
    await hand_on(house, author.write(stream, "warroom", IncidentNumbered(number="INC-7")))
    await wait_for(lambda: not state_of(house, stream).conflicts(), "one number")
    assert state_of(house, stream).number == "INC-1"


async def wait_numbered(house: InProcess, stream: str, number: str) -> None:
    """Wait until an incident is called so."""
    await wait_for(lambda: state_of(house, stream).number == number, number)


async def test_a_number_is_given_once_however_often_an_incident_is_declared(
    house: InProcess, ana: Console
) -> None:
    stream = await ana.declare()
    for _ in range(3):
        await ana.note(stream)
    await settled(house)
    events = state_of(house, stream).events.values()
    assert [e.body.number for e in events if isinstance(e.body, IncidentNumbered)] == ["INC-1"]


async def test_a_restart_goes_on_counting(home: Path) -> None:
    for expected in ("INC-1", "INC-2", "INC-3"):
        async with server_in_process(home) as house:
            ana = await Console(user="ana").join(house.socket)
            stream = await ana.declare()
            await settled(house)
            assert state_of(house, stream).number == expected
            await leave_all([ana])


async def test_an_incident_that_arrives_closed_is_numbered_too(
    house: InProcess, ana: Console
) -> None:
    await ana.declare()
    await settled(house)
    second = await declare_closed(ana)
    await settled(house)
    assert state_of(house, second).number == "INC-2"
    assert state_of(house, second).closed


async def declare_closed(ana: Console) -> str:
    """An incident that was begun and closed before any server heard of it."""
    stream = new_stream(lambda n: bytes(range(n)))
    state = IncidentState(stream)
    state.add(ana.write(stream, IncidentDeclared(title="over already")))
    state.add(ana.write(stream, StatusSet(status="started")))
    closing = StatusSet(status="closed", seen=dict(state.vector))
    state.add(ana.write(stream, closing, state.base_for(closing.key)))
    ids = list(ana.outbox)
    await ana.flush()
    await ana.settled(*ids)
    return stream


async def test_the_number_of_an_incident_closed_unseen_is_not_given_again(home: Path) -> None:
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        stream = await ana.declare()
        await settled(house)
        state = state_of(house, stream)
        seen = {ana.author.rep: 3}
        status = next(e for e in state.events.values() if isinstance(e.body, StatusSet))
        await ana.put(stream, StatusSet(status="closed", seen=seen), (status.id,))
        await leave_all([ana])
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        second = await ana.declare()
        await settled(house)
        assert state_of(house, second).number == "INC-2"
        await leave_all([ana])


class FullDisk:
    """Makes commits fail as a full disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full: Callable[[Sequence[Entry]], bool] = lambda entries: False
        append = Log.append

        def failing(log: Log, entries: Sequence[Entry], now: int) -> list[Receipt]:
            if self.full(entries):
                raise sqlite3.OperationalError("database or disk is full")
            return append(log, entries, now)

        monkeypatch.setattr(Log, "append", failing)


def numbers(entries: Sequence[Entry]) -> bool:
    """Whether a number is among events."""
    return any(isinstance(entry.event.body, IncidentNumbered) for entry in entries)


async def test_a_number_that_could_not_be_written_is_given_with_the_next_commit(
    house: InProcess, ana: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    disk.full = numbers
    stream = await ana.declare()
    other = await ana.declare()
    await settled(house)
    assert not state_of(house, stream).number.startswith("INC-1")
    disk.full = lambda entries: False
    await ana.put(other, NoteAdded(text="the disk is back"))
    await settled(house)
    given = {state_of(house, s).number for s in (stream, other)}
    assert len(given) == 2
    assert all("~" not in number for number in given)


# Linked alerts -----------------------------------------------------------------------------


async def test_a_change_of_a_linked_alert_is_written_once(house: InProcess, ana: Console) -> None:
    board = house.server.board
    uid = fire(board)
    stream = await ana.declare()
    await link(ana, house, stream, uid)
    for at in (2_000, 3_000, 4_000):
        fire(board, at=at)
    await settled(house)
    assert told(state_of(house, stream)) == []
    for at in (5_000, 5_001, 5_002):
        fire(board, state="resolved", at=at)
    await settled(house)
    assert told(state_of(house, stream)) == ["resolved"]
    assert state_of(house, stream).links()[0].alert.state == "resolved"


async def test_an_alert_that_turns_back_while_the_log_is_written_is_told_as_it_is(
    house: InProcess, ana: Console
) -> None:
    board = house.server.board
    uid = fire(board)
    stream = await ana.declare()
    await link(ana, house, stream, uid)
    fire(board, state="resolved", at=2_000)
    fire(board, at=3_000)
    await settled(house)
    fire(board, state="resolved", at=4_000)
    await asyncio.sleep(0)
    fire(board, at=5_000)
    await settled(house)
    assert state_of(house, stream).links()[0].alert.state == "firing"
    record = board.get(uid)
    assert record is not None
    assert record.state == "firing"


async def test_a_worse_severity_is_told_once(house: InProcess, ana: Console) -> None:
    board = house.server.board
    uid = fire(board, severity="SEV3")
    stream = await ana.declare()
    await link(ana, house, stream, uid)
    for at in (200_000, 400_000, 600_000):
        fire(board, severity="SEV1", at=at)
    await settled(house)
    assert state_of(house, stream).links()[0].alert.severity == "SEV1"
    assert told(state_of(house, stream)) == ["firing"]


async def test_nothing_is_told_to_a_closed_incident_until_it_is_open_again(
    house: InProcess, ana: Console
) -> None:
    board = house.server.board
    uid = fire(board)
    stream = await ana.declare()
    await link(ana, house, stream, uid)
    await settled(house)
    state = state_of(house, stream)
    await ana.put(
        stream, StatusSet(status="closed", seen=dict(state.vector)), state.base_for(("status",))
    )
    fire(board, state="resolved", at=2_000)
    await settled(house)
    assert told(state) == []
    await ana.put(stream, StatusSet(status="investigating"), state.base_for(("status",)))
    await settled(house)
    assert told(state) == ["resolved"]


async def test_an_unlinked_alert_is_no_longer_told(house: InProcess, ana: Console) -> None:
    board = house.server.board
    uid = fire(board)
    stream = await ana.declare()
    await link(ana, house, stream, uid)
    state = state_of(house, stream)
    await ana.put(stream, AlertLinked(uid=uid), state.base_for(("alert", uid)))
    fire(board, state="resolved", at=2_000)
    await settled(house)
    assert told(state) == []


async def test_an_alert_linked_with_an_old_copy_is_brought_up_to_date(
    house: InProcess, ana: Console
) -> None:
    board = house.server.board
    uid = fire(board)
    record = board.get(uid)
    assert record is not None
    stream = await ana.declare()
    fire(board, state="resolved", at=2_000)
    await ana.put(stream, AlertLinked(uid=uid, alert=copy_of(record)))
    await settled(house)
    assert told(state_of(house, stream)) == ["resolved"]


async def test_what_was_not_told_before_a_restart_is_told_after(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        board = house.server.board
        uid = fire(board)
        stream = await ana.declare()
        await link(ana, house, stream, uid)
        await settled(house)
        await leave_all([ana])
        disk.full = lambda entries: bool(entries)
        fire(board, state="resolved", at=2_000)
        await settled(house)
        assert told(state_of(house, stream)) == []
        await house.server.store.save([], board.take_unsaved())
    disk.full = lambda entries: False
    async with server_in_process(home) as house:
        await settled(house)
        assert told(state_of(house, stream)) == ["resolved"]


async def heard_elsewhere(house: InProcess, ana: Console) -> tuple[str, str, AlertCopy]:
    """A linked alert ends at another server: the incident, the alert, and what is told of it."""
    stream, board = await ana.declare(), house.server.board
    uid = fire(board)
    await link(ana, house, stream, uid)
    other = Board(SavedBoard("other", 0))
    other.adopt(board.ordered(), 1_000)
    (over,) = other.apply([signal("resolved", received=2_000)])
    board.adopt([over], 2_000)
    return stream, uid, copy_of(over)


async def test_what_another_server_heard_of_a_linked_alert_is_told_by_that_one(
    house: InProcess, ana: Console
) -> None:
    stream, uid, copy = await heard_elsewhere(house, ana)
    await settled(house)
    assert told(state_of(house, stream)) == []
    body = AlertChanged(uid=uid, alert=copy)
    await hand_on(house, new_author().write(stream, "warroom", body))
    await wait_for(lambda: not house.server.duties._timers, "its time")
    await settled(house)
    assert told(state_of(house, stream)) == ["resolved"], "once"


async def test_what_another_server_heard_and_did_not_tell_is_told_in_the_end(
    house: InProcess, ana: Console
) -> None:
    stream, _, _ = await heard_elsewhere(house, ana)
    await wait_for(lambda: told(state_of(house, stream)) == ["resolved"], "its end")
