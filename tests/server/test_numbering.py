"""The numbers of incidents: given once each, and never twice."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.console_client import Console, leave_all, new_author
from tests.server.duties_house import FullDisk, hand_on, settled, state_of, wait_numbered
from tests.server.running import InProcess, server_in_process
from tests.waiting import wait_for
from warroom_incident.author import new_stream
from warroom_incident.incident import IncidentState
from warroom_incident.log import Entry
from warroom_incident.vocabulary import (
    IncidentDeclared,
    IncidentNumbered,
    NoteAdded,
    StatusSet,
)


async def test_two_declarations_at_once_get_different_numbers(
    house: InProcess, ana: Console
) -> None:
    bo = await Console(user="bo").join(house.socket)
    streams = await asyncio.gather(*[person.declare() for person in (ana, bo) * 10])
    await settled(house)
    numbers = {state_of(house, stream).number for stream in streams}
    assert numbers == {f"INC-{n}" for n in range(1, 21)}
    await leave_all([bo])


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
