"""An older console in the room: it knows neither the newest messages nor the newest events, misses
nothing, is not cut, and hands on what it does not understand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.server.desks import Desk
from tests.server.lines import forge, settle, talk, withhold
from tests.server.machines import STREAMS, House, World
from warroom_incident.event import Event, read_packet
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Append
from warroom_incident.telling import tell
from warroom_incident.vocabulary import IncidentDeclared, NoteAdded, SeveritySet, Unknown

STREAM = STREAMS[0]
SINCE = ("apart", "settings", "reads", "number", "answers", "damaged", "alertmanagers")
"""The fields of the protocol that are younger than this console."""


class OlderDesk(Desk):
    """A console of the first protocol: it says and reads none of what came since."""

    def dial(self) -> list[bytes]:
        """As it was said then."""
        return [without(frame) for frame in super().dial()]

    def hear(self, frame: bytes) -> list[bytes]:
        """What it does not know it passes over."""
        return [without(answer) for answer in super().hear(without(frame))]

    def ids(self, stream: str) -> Iterable[str]:
        """It knew no other names than those of events and voids."""
        events = self.fold(stream).events.values()
        return [e.entry if e.refused else e.id for e in events if e.admitted is not None]


def without(frame: bytes) -> bytes:
    """A message without its younger fields; events stay the bytes that they are."""
    message = msgspec.json.decode(frame, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({k: v for k, v in message.items() if k not in SINCE})


class PagerPaged(Append, frozen=True):
    """An event of a newer console."""

    text: str
    type = "pager.paged"


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as found:
        yield found


@pytest.fixture
def house(home: Path, runner: asyncio.Runner) -> Iterator[House]:
    world = World(home, 7)
    found = House(world, "war1", "r" * 16)
    found.open()
    runner.run(found.list(found))
    yield found
    runner.run(found.close())


def desks(house: House) -> tuple[Desk, OlderDesk]:
    return Desk(house.world, "ana", "ana"), OlderDesk(house.world, "bo", "bo")


def newer_event(desk: Desk) -> Event:
    return desk.write(STREAM, PagerPaged(text="the database team was paged"), ())


def test_an_older_console_shows_and_keeps_what_it_does_not_know(
    house: House, runner: asyncio.Runner
) -> None:
    ana, bo = desks(house)
    ana.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
    event = newer_event(ana)
    sent = ana.outbox[event.id]
    runner.run(settle(ana, house))
    runner.run(settle(bo, house))
    held = bo.fold(STREAM).events[event.id]
    assert isinstance(held.body, Unknown)
    assert "newer" in tell(held, bo.fold(STREAM)).text
    bo.restart()
    assert bo.stored()[event.id] == sent, "byte for byte"
    assert bo.fold(STREAM).state_digest() == house.fold(STREAM).state_digest()


def test_an_older_console_hands_on_what_it_does_not_know(
    house: House, runner: asyncio.Runner
) -> None:
    ana, bo = desks(house)
    event = newer_event(ana)
    runner.run(settle(ana, house))
    runner.run(settle(bo, house))
    fresh = House(house.world, "war2", "r" * 16)
    fresh.open()
    runner.run(fresh.list(house, fresh))
    runner.run(settle(bo, fresh))
    assert fresh.stored()[event.id][:2] == house.stored()[event.id][:2]
    assert fresh.fold(STREAM).events[event.id].via == "bo", "it was told no seals"
    runner.run(settle(ana, fresh))
    assert fresh.fold(STREAM).events[event.id].via is None
    runner.run(fresh.close())


def test_an_older_console_is_not_cut_for_entries_that_it_cannot_name(
    house: House, runner: asyncio.Runner
) -> None:
    ana, bo = desks(house)
    secret = ana.write(STREAM, NoteAdded(text="the password"), ())
    runner.run(settle(ana, house))
    runner.run(settle(bo, house))
    _, packet = ana.author().write(STREAM, "zoe", SeveritySet(severity="SEV1"))
    runner.run(forge(house, "mo", [], [packet]))
    runner.run(withhold(house, house.stored()[secret.id]))
    for _ in range(3):
        note = ana.write(STREAM, NoteAdded(text="on it goes"), ())
        runner.run(settle(ana, house))
        assert runner.run(talk(bo, house, 1000)), "both rest, and nobody was cut"
        state: IncidentState = bo.fold(STREAM)
        assert note.id in state.events
        assert set(state.events) == set(house.fold(STREAM).events)
        assert state.events[secret.id].withheld == "a password"
        assert state.events[read_packet(packet).id].via == "mo"
        assert state.state_digest() == house.fold(STREAM).state_digest()
        bo.restart()
    assert "the password" not in str(bo.stored())
