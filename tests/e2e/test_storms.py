"""Hours of random faults, a chance for each seed: everybody holds the same in the end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.leaps import Room, room, same
from tests.leaping import leaping_wall, run_leaping
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.vocabulary import NoteAdded, RoleAssigned, SeveritySet, StatusSet, TitleSet

USERS = ("ana", "bo", "cy")
STEPS = 60
SEVERITIES = ("SEV1", "SEV2", "SEV3")


class Storm:
    """Three people with bad lines, bad clocks and a server that comes and goes."""

    def __init__(self, here: Room, seed: int) -> None:
        self._room = here
        self._chance = random.Random(seed)
        self._offs = dict.fromkeys(USERS, 0)
        self._served = True
        self.desks: dict[str, Desk] = {}
        self.stream = ""
        self.kept: set[str] = set()

    async def begin(self) -> None:
        """Open everything."""
        for user in USERS:
            await self._room.line(user)
            await self.open(user)
            assert await self.desks[user].ready(60)
        self.stream = self.desks["ana"].declare("checkout answers 5xx", "SEV2")
        await self.desks["ana"].sent()
        for user in USERS:
            await self.desks[user].open(self.stream)
        await same(self.stream, *self.desks.values())

    async def open(self, user: str) -> None:
        """Open somebody's desk, whether or not the server is there."""
        desk = self._room.closed_desk(user, lambda: leaping_wall() + self._offs[user])
        await desk.__aenter__()
        self.desks[user] = desk
        if self.stream:
            await desk.open(self.stream)

    async def close(self) -> None:
        """Close every desk."""
        for desk in self.desks.values():
            await desk.close()

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
        act = self._chance.choice(acts)
        await act()
        await asyncio.sleep(self._chance.choice((0.0, 0.01, 0.3, 2.0, 20.0, 120.0)))

    def _line(self) -> str:
        return self._chance.choice(USERS)

    async def write(self) -> None:
        """Somebody writes some things."""
        desk = self.desks[self._chance.choice(USERS)]
        for _ in range(self._chance.choice((1, 1, 3, 40))):
            state = desk.model.incident(self.stream)
            body = self._chance.choice(
                (
                    NoteAdded(text="x" * self._chance.choice((10, 1_000))),
                    SeveritySet(severity=self._chance.choice(SEVERITIES)),  # type: ignore[arg-type]
                    TitleSet(title=f"title {self._chance.random()}"),
                    RoleAssigned(role="commander", person=desk.model.you),
                    StatusSet(status="investigating")
                    if state.status != "closed" and self._chance.random() < 0.9
                    else StatusSet(status="closed", seen=dict(state.vector)),
                )
            )
            self.kept.add(desk.write(self.stream, body).id)
        await desk.kept()

    async def hang_up(self) -> None:
        """A line breaks."""
        self._room.lines[self._line()].hang_up()

    async def half_open(self) -> None:
        """A line is gone, and nobody says so."""
        self._room.lines[self._line()].lose_server()

    async def blackhole(self) -> None:
        """Nothing gets through."""
        self._room.lines[self._line()].blackhole()

    async def stall(self) -> None:
        """One way is held up."""
        wire = self._room.lines[self._line()]
        self._chance.choice((wire.up, wire.down)).stall()

    async def cut_in_the_middle(self) -> None:
        """A line breaks within a frame, some time."""
        wire = self._room.lines[self._line()]
        way = self._chance.choice((wire.up, wire.down))
        wire.cut_in_the_middle(way, self._chance.randint(1, 20_000))

    async def heal(self) -> None:
        """A line is good again."""
        self._room.lines[self._line()].heal()

    async def reopen(self) -> None:
        """Somebody leaves and comes back."""
        user = self._chance.choice(USERS)
        await self.desks[user].close()
        await asyncio.sleep(self._chance.choice((0, 30)))
        await self.open(user)

    async def serve_or_not(self) -> None:
        """The server stops, or comes back."""
        await (self._room.stop() if self._served else self._room.start())
        self._served = not self._served

    async def set_clock(self) -> None:
        """Somebody's clock steps."""
        self._offs[self._chance.choice(USERS)] = self._chance.choice(
            (0, 86_400_000, -86_400_000, 3_600_000, -60_000)
        )

    async def calm(self) -> None:
        """All is good again."""
        if not self._served:
            await self.serve_or_not()
        for wire in self._room.lines.values():
            wire.heal()


@pytest.mark.parametrize("seed", range(6))
def test_after_any_storm_all_hold_the_same_and_nothing_is_lost(seed: int, home: Path) -> None:
    async def test() -> None:
        async with room(home) as here, AsyncExitStack() as stack:
            storm = Storm(here, seed)
            stack.push_async_callback(storm.close)
            await storm.begin()
            for _ in range(STEPS):
                await storm.step()
            await storm.calm()
            desks = list(storm.desks.values())
            await same(storm.stream, *desks)
            assert not any(desk.model.refusals for desk in desks)
            await wait_for(
                lambda: (
                    here.house.server.room.state(storm.stream).set_digest()
                    == desks[0].model.incident(storm.stream).set_digest()
                ),
                "the server, too",
            )
            held = await here.house.server.room.look(lambda log: log.read(storm.stream, 0, 10**6))
            assert len(held) == len(desks[0].model.incident(storm.stream).events)
            assert storm.kept <= set(desks[0].model.incident(storm.stream).events)
            assert list(here.house.server.room.log.damages()) == []

    run_leaping(test)
