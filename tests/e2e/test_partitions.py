"""Lines that nothing passes for a while: everybody goes on, and all hold the same afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.arrivals import acknowledged, arrived, join
from tests.e2e.leaps import now, room, same
from tests.leaping import pass_time, run_leaping
from tests.proxy import Proxy, Way
from tests.waiting import wait_for
from warroom_console.link import LONGEST_DELAY
from warroom_incident.vocabulary import NoteAdded, RoleAssigned, SeveritySet
from warroom_server.hub import STALL_SECONDS

HEALED_WITHIN = 5.0
"""How long after its line is back a console may take to hold what the others hold."""

CUT_WITHIN = 15.0


async def cut(way: Way) -> None:
    """Wait until a line that is to be cut is."""
    await wait_for(lambda: way.left is None, "the cut")


async def another_line(wire: Proxy) -> None:
    """Wait until somebody dials once more."""
    before = wire.accepted
    await wait_for(lambda: wire.accepted > before, "a new line")


@pytest.mark.parametrize(("hurried", "within"), [(True, 0.0), (False, LONGEST_DELAY)])
def test_three_consoles_that_were_apart_for_ten_minutes_hold_the_same_at_once(
    hurried: bool, within: float, home: Path
) -> None:
    async def test() -> None:
        async with room(home) as here:
            desks = await here.desks("ana", "bo", "cy")
            ana, bo, cy = desks
            stream = ana.declare("checkout answers 5xx", "SEV3")
            await join(stream, bo, cy)
            await same(stream, *desks)
            for wire in here.lines.values():
                wire.blackhole()
            for minute in range(10):
                await pass_time(60)
                for desk in desks:
                    event = desk.write(stream, NoteAdded(text=f"{desk.model.you} at {minute}"))
                    assert event.id in desk.model.incident(stream).events, "typing never blocks"
            ana.write(stream, SeveritySet(severity="SEV1"))
            bo.write(stream, SeveritySet(severity="SEV2"))
            bo.write(stream, RoleAssigned(role="commander", person="bo"))
            cy.write(stream, RoleAssigned(role="commander", person="cy"))
            await asyncio.gather(*(desk.kept() for desk in desks))
            assert all(desk.model.link.phase == "retrying" for desk in desks)
            for wire in here.lines.values():
                wire.heal()
            healed = now()
            if hurried:
                for desk in desks:
                    desk.retry_now()
            await same(stream, *desks)
            assert now() - healed < within + HEALED_WITHIN
            for desk in desks:
                state = desk.model.incident(stream)
                assert len(state.entries["note.added"]) == 30
                assert [c.key for c in state.conflicts()] == [("role", "commander"), ("severity",)]
            assert len({desk.model.incident(stream).holder("commander") for desk in desks}) == 1

    run_leaping(test)


def test_a_console_that_reads_nothing_is_cut_and_catches_up_later(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            ana, bo, cy = desks = await here.desks("ana", "bo", "cy")
            stream = ana.declare("checkout answers 5xx", "SEV3")
            await join(stream, bo, cy)
            await same(stream, *desks)
            hub = here.server.hub
            here.lines["cy"].down.stall()
            began = now()
            slowest = 0.0
            number = 0
            while len(hub.sessions) == 3:
                number += 1
                written = now()
                event = ana.write(stream, NoteAdded(text="x" * 2_000))
                await arrived(event, bo)
                slowest = max(slowest, now() - written)
                await pass_time(0.2)
                assert now() - began <= CUT_WITHIN
            assert number > STALL_SECONDS
            assert slowest < 0.5, "nobody else notices"
            here.lines["cy"].heal()
            await same(stream, *desks)

    run_leaping(test)


def test_a_console_that_says_nothing_in_a_silent_room_is_cut_and_comes_back(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            ana, cy = desks = await here.desks("ana", "cy")
            stream = ana.declare("checkout answers 5xx", "SEV3")
            await join(stream, cy)
            await same(stream, *desks)
            await pass_time(600)
            assert [here.lines[user].accepted for user in ("ana", "cy")] == [1, 1], "both are well"
            wire = here.lines["cy"]
            wire.up.stall()
            began = now()
            await wait_for(lambda: len(ana.model.people) == 1, "word that the other one is gone")
            assert now() - began <= CUT_WITHIN
            wire.heal()
            await wait_for(lambda: len(ana.model.people) == 2, "the other one")
            await same(stream, *desks)
            assert wire.accepted == 2

    run_leaping(test)


def test_a_line_that_breaks_in_the_middle_of_frames_loses_and_doubles_nothing(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            ana, bo = desks = await here.desks("ana", "bo")
            stream = ana.declare("checkout answers 5xx", "SEV3")
            await join(stream, bo)
            for turn in range(12):
                wire = here.lines["ana" if turn % 2 else "bo"]
                way = wire.up if turn % 3 else wire.down
                for number in range(5):
                    for desk in desks:
                        desk.write(stream, NoteAdded(text=f"{turn} {number} " + "x" * 300))
                wire.cut_in_the_middle(way, 100 + 251 * turn)
                await cut(way)
                await same(stream, *desks)
            assert len(ana.model.incident(stream).entries["note.added"]) == 120

    run_leaping(test)


def test_what_is_written_between_hello_and_welcome_is_sent_on_that_line(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            ana = await here.desk("ana", latency=0.5)
            stream = ana.declare("checkout answers 5xx", "SEV3")
            await same(stream, ana)
            wire = here.lines["ana"]
            for moment in range(20):
                wire.hang_up()
                await wait_for(lambda: not ana.model.live, "the end of the line")
                lines = wire.accepted
                await another_line(wire)
                await pass_time(moment * 0.2)
                note = ana.write(stream, NoteAdded(text="said meanwhile"))
                await wait_for(lambda: ana.model.live, "a live line")
                await acknowledged(ana, note)
                assert wire.accepted == lines + 1, "it took another line"
                await pass_time(10)

    run_leaping(test)
