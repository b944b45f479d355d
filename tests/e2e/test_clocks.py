"""Clocks that are wrong by a day, step, or were stopped: causality decides, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.arrivals import join
from tests.e2e.leaps import Room, room, same
from tests.leaping import leaping_wall, pass_time, run_leaping, skip
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.clock import MAX_LEAD_MS
from warroom_incident.vocabulary import (
    NoteAdded,
    RoleAssigned,
    SeverityName,
    SeveritySet,
    StatusSet,
)

DAY_MS = 86_400_000
SEVERITIES: tuple[SeverityName, ...] = ("SEV1", "SEV2", "SEV3", "SEV4")


class Clock:
    """A machine's clock that is wrong by `off` milliseconds."""

    def __init__(self, off: int = 0) -> None:
        self.off = off

    def __call__(self) -> int:
        """The time that the machine shows."""
        return leaping_wall() + self.off


async def followed(here: Room, stream: str, *desks: Desk) -> None:
    """Wait until everybody has an incident open."""
    await join(stream, *desks)
    await same(stream, *desks)


def test_clocks_a_day_apart_and_one_that_steps_decide_nothing(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            steps = Clock()
            ana = await here.desk("ana", wall=Clock(DAY_MS))
            bo = await here.desk("bo", wall=Clock(-DAY_MS))
            cy = await here.desk("cy", wall=steps)
            desks = (ana, bo, cy)
            stream = ana.declare("checkout answers 5xx", "SEV3")
            await followed(here, stream, *desks)
            written = []
            for turn in range(30):
                steps.off = (0, 3 * DAY_MS, -2 * DAY_MS)[turn // 2 % 3]
                desk = desks[turn % 3]
                severity = SEVERITIES[turn % 4]
                written.append(desk.write(stream, SeveritySet(severity=severity)))
                written.append(desk.write(stream, NoteAdded(text=f"{turn}")))
                await same(stream, *desks)
                for other in desks:
                    assert other.model.incident(stream).severity == severity, "who saw it wins"
                    assert not other.model.incident(stream).conflicts()
            assert not any(desk.model.refusals for desk in desks), "no event is refused for a clock"
            orders = {tuple(desk.model.incident(stream).ordered) for desk in desks}
            assert len(orders) == 1
            assert {event.id for event in written} < set(next(iter(orders)))
            for desk, sentence in ((ana, "1d ahead of"), (bo, "1d behind")):
                assert sentence in desk.model.trouble

    run_leaping(test)


def test_a_stamp_of_the_largest_number_leaves_everybody_able_to_write(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            mad = await here.desk("mad", wall=Clock(2**52 - leaping_wall()))
            ana, bo = await here.desks("ana", "bo")
            stream = mad.declare("from the far future", "SEV3")
            await followed(here, stream, mad, ana, bo)
            for desk in (ana, bo, mad, ana):
                desk.write(stream, StatusSet(status="investigating"))
                event = desk.write(stream, NoteAdded(text="written all the same"))
                await same(stream, ana, bo, mad)
                if desk is not mad:
                    assert event.head.hlc[0] <= leaping_wall() + MAX_LEAD_MS
            assert not any(desk.model.refusals for desk in (ana, bo, mad))

    run_leaping(test)


def test_a_laptop_that_claimed_command_before_it_slept_for_a_day_takes_it_from_nobody(
    home: Path,
) -> None:
    async def test() -> None:
        async with room(home) as here:
            ana, bo = await here.desks("ana", "bo")
            stream = ana.declare("checkout answers 5xx", "SEV3")
            await followed(here, stream, ana, bo)
            here.lines["ana"].blackhole()
            claim = ana.write(stream, RoleAssigned(role="commander", person="ana"))
            ana.write(stream, SeveritySet(severity="SEV1"))
            await ana.kept()
            bo.write(stream, RoleAssigned(role="commander", person="bo"))
            await pass_time(60)
            skip(DAY_MS)
            bo.write(stream, RoleAssigned(role="commander", person="cy"))
            bo.write(stream, SeveritySet(severity="SEV2"))
            await wait_for(lambda: not bo.model.pending, "the acks")
            assert ana.model.incident(stream).holder("commander") == "ana", "on her own screen only"
            here.lines["ana"].heal()
            await same(stream, ana, bo)
            for desk in (ana, bo):
                state = desk.model.incident(stream)
                assert claim.id in state.events
                assert state.holder("commander") == "cy", "who commands is who the others obeyed"
                assert state.severity == "SEV2"
                assert [c.key for c in state.conflicts()] == [("role", "commander"), ("severity",)]
            ana.write(stream, RoleAssigned(role="commander", person="cy"))
            await same(stream, ana, bo)
            assert [c.key for c in bo.model.incident(stream).conflicts()] == [("severity",)]

    run_leaping(test)


def test_what_comes_a_day_late_to_a_closed_incident_changes_nothing(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            ana, bo = await here.desks("ana", "bo")
            stream = ana.declare("checkout answers 5xx", "SEV3")
            await followed(here, stream, ana, bo)
            here.lines["ana"].blackhole()
            late = ana.write(stream, RoleAssigned(role="commander", person="ana"))
            await ana.kept()
            state = bo.model.incident(stream)
            bo.write(stream, StatusSet(status="closed", seen=dict(state.vector)))
            await wait_for(lambda: not bo.model.pending, "the close")
            await pass_time(60)
            skip(DAY_MS)
            here.lines["ana"].heal()
            await same(stream, ana, bo)
            for desk in (ana, bo):
                state = desk.model.incident(stream)
                assert state.status == "closed"
                assert state.holder("commander") is None
                assert state.is_late(state.events[late.id])

    run_leaping(test)
