"""What became of linked alerts: every change is told once, by one server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.console_client import Console, leave_all, new_author
from tests.server.duties_house import FullDisk, hand_on, settled, state_of
from tests.server.running import InProcess, server_in_process
from tests.waiting import wait_for
from warroom_incident.alerts import Severity, Signal, State
from warroom_incident.fields import AlertCopy
from warroom_incident.incident import IncidentState
from warroom_incident.linking import copy_of
from warroom_incident.vocabulary import (
    AlertChanged,
    AlertLinked,
    StatusSet,
)
from warroom_server.board import Board, SavedBoard


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
