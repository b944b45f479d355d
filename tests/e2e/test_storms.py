"""Hours of random faults, a chance for each seed: everybody holds the same in the end."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.leaps import Room, room, same
from tests.leaping import leaping_wall, pass_time, run_leaping
from tests.proxy import Proxy
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.event import BOARD
from warroom_incident.fold import Fold
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    NoteAdded,
    RoleAssigned,
    SeverityName,
    SeveritySet,
    StatusSet,
    TitleSet,
)

STEPS = 60
BACK_WITHIN = 45.0
"""Seconds of a loop that leaps until also a line that was dead unsaid is replaced."""

SEVERITIES: tuple[SeverityName, ...] = ("SEV1", "SEV2", "SEV3")


class Storm:
    """Three people with bad lines, bad clocks and servers that come and go.

    Args:
        places: Where each of them is.
        seed: What happens.
    """

    def __init__(self, places: dict[str, Room], seed: int) -> None:
        self._places = places
        self._chance = random.Random(seed)
        self._users = list(places)
        self.rooms = list(dict.fromkeys(places.values()))
        self._offs = dict.fromkeys(places, 0)
        self.desks: dict[str, Desk] = {}
        self.stream = ""
        self.kept: set[str] = set()

    async def begin(self) -> None:
        """Open everything."""
        for user, place in self._places.items():
            await place.line(user)
            await self.open(user)
            assert await self.desks[user].ready(60)
        first = self.desks[self._users[0]]
        self.stream = first.declare("checkout answers 5xx", "SEV2")
        await first.sent()
        for desk in self.desks.values():
            await desk.open(self.stream)
        await self.settled()

    async def open(self, user: str) -> None:
        """Open somebody's desk, whether or not the server is there."""
        place = self._places[user]
        desk = place.closed_desk(user, lambda: leaping_wall() + self._offs[user])
        await desk.__aenter__()
        self.desks[user] = desk
        if self.stream:
            await desk.open(self.stream)

    async def close(self) -> None:
        """Close every desk."""
        for desk in self.desks.values():
            await desk.close()

    async def settled(self) -> None:
        """Make all good again, and wait until everybody holds the same."""
        for place in self.rooms:
            if not place.serves:
                await place.start()
            for wire in place.lines.values():
                wire.heal()
        await pass_time(BACK_WITHIN)  # lines that are half open are found out
        await wait_for(self._is_even, "the same on every server and console", 60)
        await same(self.stream, *self.desks.values())

    def _is_even(self) -> bool:
        return all(len(self._digests(stream)) == 1 for stream in (self.stream, BOARD))

    def _digests(self, stream: str) -> set[str]:
        states: list[Fold] = [place.server.room.state(stream) for place in self.rooms]
        states += [desk.model.fold(stream) for desk in self.desks.values()]
        return {state.set_digest() for state in states}

    # What happens --------------------------------------------------------------------------

    async def step(self) -> None:
        """One thing, and some time."""
        acts: list[Callable[[], Awaitable[None]]] = [
            *[self.write] * 12,
            self.hang_up,
            self.half_open,
            self.blackhole,
            self.stall,
            self.cut_in_the_middle,
            self.heal,
            self.heal,
            self.reopen,
            self.serve_or_not,
            self.set_clock,
        ]
        if len(self.rooms) > 1:
            acts.append(self.lose_disk)
        act = self._chance.choice(acts)
        await act()
        await pass_time(self._chance.choice((0.0, 0.01, 0.3, 2.0, 20.0, 120.0)))

    def _wire(self) -> Proxy:
        return self._chance.choice([w for place in self.rooms for w in place.lines.values()])

    async def write(self) -> None:
        """Somebody writes some things."""
        desk = self.desks[self._chance.choice(self._users)]
        for _ in range(self._chance.choice((1, 1, 3, 40))):
            state = desk.model.incident(self.stream)
            body = self._chance.choice(
                (
                    NoteAdded(text="x" * self._chance.choice((10, 1_000))),
                    SeveritySet(severity=self._chance.choice(SEVERITIES)),
                    TitleSet(title=f"title {self._chance.random()}"),
                    RoleAssigned(role="commander", person=desk.model.you),
                    StatusSet(status="investigating")
                    if state.status != "closed" and self._chance.random() < 0.9
                    else StatusSet(status="closed", seen=dict(state.vector)),
                )
            )
            self.kept.add(desk.write(self.stream, body).id)
        acked = AlertAcknowledged(uid=self._chance.choice("ab"))
        self.kept.add(desk.write(BOARD, acked).id)
        await desk.kept()

    async def hang_up(self) -> None:
        """A line breaks."""
        self._wire().hang_up()

    async def half_open(self) -> None:
        """A line is gone, and nobody says so."""
        self._wire().lose_server()

    async def blackhole(self) -> None:
        """Nothing gets through."""
        self._wire().blackhole()

    async def stall(self) -> None:
        """One way is held up."""
        wire = self._wire()
        self._chance.choice((wire.up, wire.down)).stall()

    async def cut_in_the_middle(self) -> None:
        """A line breaks within a frame, some time."""
        wire = self._wire()
        way = self._chance.choice((wire.up, wire.down))
        wire.cut_in_the_middle(way, self._chance.randint(1, 20_000))

    async def heal(self) -> None:
        """A line is good again."""
        self._wire().heal()

    async def reopen(self) -> None:
        """Somebody leaves and comes back."""
        user = self._chance.choice(self._users)
        await self.desks[user].close()
        await pass_time(self._chance.choice((0, 30)))
        await self.open(user)

    async def serve_or_not(self) -> None:
        """A server stops, or comes back."""
        place = self._chance.choice(self.rooms)
        await (place.stop() if place.serves else place.start())

    async def lose_disk(self) -> None:
        """A server's disk is lost, at a moment when another one holds the same."""
        await self.settled()
        place = self._chance.choice(self.rooms)
        await place.stop()
        await asyncio.to_thread(shutil.rmtree, place.data)
        await place.start()

    async def set_clock(self) -> None:
        """Somebody's clock steps."""
        self._offs[self._chance.choice(self._users)] = self._chance.choice(
            (0, 86_400_000, -86_400_000, 3_600_000, -60_000)
        )


async def weathered(storm: Storm) -> None:
    """Let a storm pass, and look at what is left."""
    for _ in range(STEPS):
        await storm.step()
    await storm.settled()
    desks = list(storm.desks.values())
    assert not any(desk.model.refusals for desk in desks)
    state, board = desks[0].model.incident(storm.stream), desks[0].model.board
    assert storm.kept <= {*state.events, *board.events}
    assert not any(event.via for event in board.events.values())
    assert not any(event.via for event in state.events.values())
    for place in storm.rooms:
        log = place.server.room.log
        held = await place.server.room.look(lambda log: log.read(storm.stream, 0, 10**6))
        assert len(held) == len(state.events), "something is there twice"
        assert list(log.damages()) == []


@pytest.mark.parametrize("seed", range(3))
def test_after_any_storm_all_hold_the_same_and_nothing_is_lost(seed: int, home: Path) -> None:
    async def test() -> None:
        async with room(home) as here, AsyncExitStack() as stack:
            storm = Storm(dict.fromkeys(("ana", "bo", "cy"), here), seed)
            stack.push_async_callback(storm.close)
            await storm.begin()
            await weathered(storm)

    run_leaping(test)


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_between_two_servers_leaves_one_room(seed: int, home: Path) -> None:
    async def test() -> None:
        async with room(home) as here, AsyncExitStack() as stack:
            there = await here.second(home / "there")
            storm = Storm({"ana": here, "bo": there, "cy": here}, seed)
            stack.push_async_callback(storm.close)
            await storm.begin()
            await weathered(storm)

    run_leaping(test)
