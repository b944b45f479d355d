"""Two servers of one room are killed in turns while people write at both; they end as one."""

from __future__ import annotations

import random
from pathlib import Path

from tests.e2e.arrivals import acknowledged
from tests.e2e.houses import desk_at, in_step, promote, server_and_standby
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.vocabulary import NoteAdded, SeveritySet

KILLS = 4
ENOUGH = 60.0


async def some_acknowledged(desk: Desk, left: int) -> None:
    """Wait until no more than some of what a desk wrote is left to be acknowledged."""
    await wait_for(lambda: len(desk.model.pending) <= left, "some acks", ENOUGH)


async def test_servers_that_are_killed_in_turns_stay_one_room(home: Path) -> None:
    chance = random.Random(20261121)
    async with (
        server_and_standby(home) as (a, b),
        desk_at(a.url, home, "ana") as ana,
    ):
        assert await ana.ready(ENOUGH)
        stream = ana.declare("checkout answers 5xx", "SEV3")
        await in_step(ana, b, stream)
        await promote(b)
        async with desk_at(b.url, home, "bo") as bo:
            assert await bo.ready(ENOUGH)
            await bo.open(stream)
            written = set()
            for turn in range(KILLS):
                house, desk = chance.choice(((a, ana), (b, bo)))
                for number in range(80):
                    for other in (ana, bo):
                        text = f"{other.model.you} {turn} {number}"
                        written.add(other.write(stream, NoteAdded(text=text)).id)
                desk.write(stream, SeveritySet(severity=chance.choice(("SEV1", "SEV2"))))
                await some_acknowledged(desk, chance.randint(1, 79))
                await house.kill()
                assert house.damages() == []
                await house.start()
            for desk in (ana, bo):
                await acknowledged(desk, within=ENOUGH)
            for desk in (ana, bo):
                for house in (a, b):
                    await in_step(desk, house, stream)
                state = desk.model.incident(stream)
                assert written <= set(state.events)
                assert len(state.entries["note.added"]) == len(written)
                assert not any(event.via for event in state.events.values())
            assert a.state(stream).state_digest() == b.state(stream).state_digest()
