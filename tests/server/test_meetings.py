"""Meetings of servers and consoles that were found to go wrong, one by one, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.desks import Desk
from tests.server.lines import forge, from_replica, meet, settle, settle_houses, talk, withhold
from tests.server.machines import ROOT, STREAMS, House, World
from warroom_incident.event import ROOM, Event, Packet, read_packet
from warroom_incident.log import Entry
from warroom_incident.vocabulary import (
    IncidentDeclared,
    NoteAdded,
    RoleAssigned,
    SeveritySet,
    StatusSet,
)

STREAM = STREAMS[0]


@pytest.fixture
def world(home: Path) -> World:
    return World(home, 3)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as found:
        yield found


@contextmanager
def two(world: World, runner: asyncio.Runner) -> Iterator[tuple[House, House]]:
    """Two servers that know each other's keys and accounts."""
    one, other = House(world, "war1", "r" * 16), House(world, "war2", "r" * 16)
    one.open()
    other.open()
    runner.run(one.grant(ROOT, "admin"))
    runner.run(one.list(one, other))
    rows = one.room._reader.read(ROOM, 0, 99)
    entries = [Entry(read_packet(row.packet), row.packet, row.admitted) for row in rows]

    async def know() -> None:
        await other.room.commit(entries)

    runner.run(know())
    yield one, other
    runner.run(one.close())
    runner.run(other.close())


def forged_by(desk: Desk, name: str) -> tuple[Event, Packet]:
    return desk.author().write(STREAM, name, SeveritySet(severity="SEV1"))


def test_a_console_that_is_cut_off_at_any_frame_hands_on_the_rest_later(
    world: World, runner: asyncio.Runner
) -> None:
    for budget in range(1, 40):
        with two(World(world.directory(f"cut-{budget}"), budget), runner) as (one, other):
            ana = Desk(one.world, "ana", "ana")
            ana.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
            notes = [ana.write(STREAM, NoteAdded(text=f"note {n}"), ()) for n in range(3)]
            runner.run(settle(ana, one))
            bo = Desk(one.world, "bo", "bo")
            runner.run(settle(bo, one))
            bo.save()
            if runner.run(talk(bo, other, budget)):
                break
            bo.save()
            bo.crash()
            runner.run(settle(bo, other))
            assert set(other.fold(STREAM).events) >= {note.id for note in notes}, budget
            assert other.fold(STREAM).set_digest() == one.fold(STREAM).set_digest(), budget
    else:
        raise AssertionError("no budget was enough")
    assert budget > 10


def test_a_server_that_is_cut_off_at_any_frame_hands_on_the_rest_later(
    world: World, runner: asyncio.Runner
) -> None:
    for budget in range(1, 80):
        with two(World(world.directory(f"cut-{budget}"), budget), runner) as (one, other):
            for house, name in ((one, "ana"), (other, "bo")):
                desk = Desk(one.world, name, name)
                desk.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
                runner.run(settle(desk, house))
            whole = runner.run(meet(one, other, budget))
            runner.run(settle_houses(one, other))
            assert one.fold(STREAM).set_digest() == other.fold(STREAM).set_digest(), budget
            assert len(one.fold(STREAM).events) == 2
            if whole:
                break
    else:
        raise AssertionError("no budget was enough")


def test_what_a_restored_server_lost_behind_a_cursor_that_it_knows_comes_back(
    world: World, runner: asyncio.Runner
) -> None:
    """The console saved how far it had read before the copy was made, and its note after that."""
    with two(world, runner) as (one, _):
        ana = Desk(world, "ana", "ana")
        ana.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
        runner.run(settle(ana, one))
        ana.save()
        copy = one.backup()
        note = ana.write(STREAM, NoteAdded(text="acknowledged"), ())
        early = ana.cursors[STREAM]
        runner.run(settle(ana, one))
        assert note.id in ana.acked
        ana.cursors[STREAM] = early
        ana.save()
        ana.crash()
        runner.run(one.restore(copy))
        assert note.id not in one.fold(STREAM).events
        assert ana.cursors[STREAM] == early
        runner.run(settle(ana, one))
        assert note.id in one.fold(STREAM).events
        assert ana.fold(STREAM).set_digest() == one.fold(STREAM).set_digest()
        told = ana.cursors[STREAM]
        runner.run(settle(ana, one))
        assert ana.cursors[STREAM] == told


def test_what_a_restored_server_lost_stays_proven_wherever_the_line_is_cut(
    world: World, runner: asyncio.Runner
) -> None:
    """It gave the places of what it lost to something else, and is lost in turn soon after."""
    for budget in range(1, 40):
        with two(World(world.directory(f"cut-{budget}"), budget), runner) as (one, other):
            ana, bo, cy = (Desk(one.world, name, name) for name in ("ana", "bo", "cy"))
            ana.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
            runner.run(settle(ana, one))
            copy = one.backup()
            notes = [ana.write(STREAM, NoteAdded(text=f"note {n}"), ()) for n in range(5)]
            for desk in (ana, bo):
                runner.run(settle(desk, one))
            bo.save()
            runner.run(one.restore(copy))
            cy.write(STREAM, NoteAdded(text="in a place that was taken"), ())
            runner.run(settle(cy, one))
            whole = runner.run(talk(bo, one, budget))
            bo.save()
            bo.crash()
            runner.run(settle(bo, other))
            held = other.fold(STREAM).events
            assert [held[note.id].via for note in notes] == [None] * 5, budget
            if whole:
                break
    else:
        raise AssertionError("no budget was enough")
    assert budget > 10


def test_whoever_was_away_shows_the_same_commander_once_an_earlier_admission_is_known(
    world: World, runner: asyncio.Runner
) -> None:
    """Bo's claim reached war2 before ana's reached war1; war1 hears that last of all."""
    with two(world, runner) as (one, other):
        ana, bo, cy = (Desk(world, name, name) for name in ("ana", "bo", "cy"))
        ana.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
        for desk in (ana, bo, cy):
            runner.run(settle(desk, one))
        claim = bo.write(STREAM, RoleAssigned(role="commander", person="bo"), ())
        packet = bo.outbox[claim.id]
        runner.run(settle(bo, other))
        world.now += 1000
        mine = ana.write(STREAM, RoleAssigned(role="commander", person="ana"), ())
        runner.run(settle(ana, one))
        world.now += 1000
        again = Desk(world, "again", "bo")
        again.outbox[claim.id] = packet
        again.fold(STREAM).add(claim)
        runner.run(settle(again, one))
        runner.run(settle(cy, one))
        assert cy.fold(STREAM).holder("commander") == "ana", "as far as war1 knows"
        runner.run(settle_houses(one, other))
        for desk in (ana, cy):
            runner.run(settle(desk, one))
            assert desk.fold(STREAM).holder("commander") == "bo"
        for house in (one, other):
            assert [e.id for e in house.fold(STREAM).heads(("role", "commander"))] == [
                claim.id,
                mine.id,
            ]


def test_who_commanded_is_the_same_everywhere_though_somebody_wrote_late_over_two_claims(
    world: World, runner: asyncio.Runner
) -> None:
    """Ana's claim was at war2 before bo's was at war1, where hers came after his."""
    with two(world, runner) as (one, other):
        ana, bo, cy = (Desk(world, name, name) for name in ("ana", "bo", "cy"))
        ana.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
        for desk in (ana, bo):
            runner.run(settle(desk, one))
        claims = [ana.write(STREAM, RoleAssigned(role="commander", person="ana"), ())]
        twin = ana.clone("twin")
        for desk, house in ((ana, other), (bo, one), (twin, one)):
            world.now += 1000
            if desk is bo:
                claims.append(bo.write(STREAM, RoleAssigned(role="commander", person="bo"), ()))
            runner.run(settle(desk, house))
        for desk in (bo, cy):
            runner.run(settle(desk, one))
        bo.write(STREAM, StatusSet(status="closed", seen=dict(bo.fold(STREAM).vector)), ())
        runner.run(settle(bo, one))
        late = RoleAssigned(role="commander", person=None)
        cy.write(STREAM, late, tuple(claim.id for claim in claims))
        runner.run(settle(cy, one))
        assert one.fold(STREAM).holder("commander") == "bo", "as far as war1 knows"
        runner.run(settle_houses(other, one))
        for desk in (ana, bo, cy):
            runner.run(settle(desk, one))
        states = [machine.fold(STREAM) for machine in (one, other, ana, bo, cy)]
        assert [state.holder("commander") for state in states] == ["ana"] * 5


def test_a_console_that_becomes_a_server_does_not_vouch_for_what_it_heard_in_its_users_name(
    world: World, runner: asyncio.Runner
) -> None:
    with two(world, runner) as (one, _):
        ana = Desk(world, "ana", "ana")
        ana.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
        runner.run(settle(ana, one))
        event, packet = forged_by(ana, "ana")
        runner.run(forge(one, "mallory", ana.proofs(STREAM), [packet]))
        runner.run(settle(ana, one))
        assert ana.fold(STREAM).events[event.id].via == "mallory"
        house = runner.run(from_replica(ana, "war3"))
        assert house.fold(STREAM).events[event.id].via == "mallory"
        assert house.fold(STREAM).severity == "SEV?"
        assert house.fold(STREAM).title == "Checkout is down"
        runner.run(house.close())


def test_what_mallory_forged_is_hearsay_on_every_server_whoever_hands_it_on(
    world: World, runner: asyncio.Runner
) -> None:
    with two(world, runner) as (one, other):
        ana = Desk(world, "ana", "ana")
        ana.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
        runner.run(settle(ana, one))
        event, packet = forged_by(ana, "zoe")
        runner.run(forge(one, "mallory", [], [packet]))
        runner.run(settle(ana, one))
        ana.save()
        assert ana.proofs(STREAM), "she holds a seal that covers the hearsay"
        runner.run(forge(other, "mallory", ana.proofs(STREAM), [packet]))
        runner.run(settle(ana, other))
        runner.run(settle_houses(one, other))
        for house in (one, other):
            assert house.fold(STREAM).events[event.id].via == "mallory"
            assert house.fold(STREAM).severity == "SEV?"


def test_what_one_server_refused_and_another_admitted_counts_once_they_meet(
    world: World, runner: asyncio.Runner
) -> None:
    with two(world, runner) as (one, other):
        bo, again = Desk(world, "bo", "bo"), Desk(world, "again", "bo")
        bo.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
        for house in (one, other):
            runner.run(settle(bo, house))
        runner.run(one.grant("bo", "viewer"))
        event = bo.write(STREAM, NoteAdded(text="who may write this?"), ())
        again.outbox[event.id] = bo.outbox[event.id]
        runner.run(settle(bo, one))
        assert bo.refused[event.id][1].startswith("your account may only read here")
        assert one.fold(STREAM).events[event.id].refused
        runner.run(settle(again, other))
        runner.run(settle_houses(other, one))
        for house in (one, other):
            assert house.fold(STREAM).events[event.id].withheld is None
        runner.run(settle(bo, one))
        assert bo.fold(STREAM).events[event.id].withheld is None
        assert not bo.refused
        assert one.fold(STREAM).set_digest() == other.fold(STREAM).set_digest()


def test_a_withheld_body_is_withheld_everywhere_once_servers_meet(
    world: World, runner: asyncio.Runner
) -> None:
    with two(world, runner) as (one, other):
        ana, bo = Desk(world, "ana", "ana"), Desk(world, "bo", "bo")
        ana.write(STREAM, IncidentDeclared(title="Checkout is down"), ())
        secret = ana.write(STREAM, NoteAdded(text="the password"), ())
        for house in (one, other):
            runner.run(settle(ana, house))
        runner.run(settle(bo, other))
        runner.run(withhold(one, one.stored()[secret.id]))
        runner.run(settle_houses(other, one))
        runner.run(settle(ana, one))
        runner.run(settle(bo, other))
        for desk in (ana, bo):
            desk.save()
            assert desk.fold(STREAM).events[secret.id].withheld == "a password"
        for machine in (one, other, ana, bo):
            assert secret.id not in machine.stored()
        fresh = House(world, "war3", "r" * 16)
        fresh.open()
        runner.run(fresh.list(one, other, fresh))
        runner.run(settle(bo, fresh))
        assert fresh.fold(STREAM).events[secret.id].withheld == "a password", "by the seal on that"
        runner.run(fresh.close())
