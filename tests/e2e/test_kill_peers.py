"""Two servers of one room are killed in turns while people write at both; they end as one."""

from __future__ import annotations

import random
from pathlib import Path

from tests.e2e.houses import damages, desk_at, in_step, promote, server_and_standby
from tests.waiting import wait_for
from warroom_incident.vocabulary import NoteAdded, SeveritySet

KILLS = 4
ENOUGH = 60.0


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
                some = chance.randint(1, 79)
                await wait_for(
                    lambda desk=desk, some=some: len(desk.model.pending) <= some,  # type: ignore[misc]
                    "some acks",
                    ENOUGH,
                )
                await house.kill()
                assert damages(house.log) == []
                await house.start()
            for desk in (ana, bo):
                await wait_for(lambda desk=desk: not desk.model.pending, "the acks", ENOUGH)  # type: ignore[misc]
            for desk in (ana, bo):
                for house in (a, b):
                    await in_step(desk, house, stream)
                state = desk.model.incident(stream)
                assert written <= set(state.events)
                assert len(state.entries["note.added"]) == len(written)
                assert not any(event.via for event in state.events.values())
            assert a.state(stream).state_digest() == b.state(stream).state_digest()
