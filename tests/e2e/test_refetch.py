"""A damaged event is fetched from another server of the room, by a command or by itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.e2e.console_client import Console, leave_all
from tests.e2e.houses import (
    House,
    command,
    desk_at,
    in_step,
    promote,
    server_and_standby,
)
from tests.waiting import wait_for
from warroom_incident.event import Event
from warroom_incident.vocabulary import NoteAdded


def flip(house: House, *events: Event) -> None:
    """Damage the bodies of events in the log of a server that does not run."""
    connection = sqlite3.connect(house.log)
    with connection:
        connection.executemany(
            "UPDATE events SET body = replace(body, 'precious', 'PRECIOUS') WHERE id = ?",
            [(bytes.fromhex(event.id),) for event in events],
        )
    connection.close()


def fsck_environment(house: House) -> dict[str, str]:
    """Nothing of any console, the server's own configuration."""
    return house.environ | {"WARROOM_REPLICA": str(house.root / "no-replica")}


async def written(house: House, home: Path) -> tuple[str, list[Event]]:
    """An incident with precious notes: its stream and those."""
    async with desk_at(house.url, home, "ana") as ana:
        assert await ana.ready()
        stream = ana.declare("checkout answers 5xx", "SEV2")
        notes = [ana.write(stream, NoteAdded(text=f"a precious note {n}")) for n in range(30)]
        await wait_for(
            lambda: not ana.model.pending and ana.model.incident(stream).number == "INC-1", "acks"
        )
        await wait_for(lambda: stream in ana.model.synced, "all of it")
        return stream, notes


async def test_fsck_fetches_damaged_events_from_another_server_of_the_room(home: Path) -> None:
    async with server_and_standby(home, listed=True) as (a, b):
        stream, notes = await written(a, home)
        await wait_for(lambda: len(b.state(stream).events) == len(a.state(stream).events), "B")
        await promote(b)
        await a.terminate()
        for count, options in ((1, ("--from", b.url)), (2, ())):
            flip(a, *notes[:count])
            found = f"{count} of {count} damaged events were put back"
            arguments = ("fsck", "--data", str(a.data), "--mend", *options)
            said = await command(*arguments, environ=fsck_environment(a), complaints=True)
            assert found in said, "a listed server is asked without being named"
            assert a.damages() == []
        await a.start()
        async with desk_at(a.url, home, "bo") as bo:
            assert await bo.ready()
            await bo.open(stream)
            await wait_for(lambda: set(bo.model.incident(stream).events) >= {e.id for e in notes})


async def test_fsck_reads_a_standby_that_nobody_promoted_and_leaves_it_one(home: Path) -> None:
    async with server_and_standby(home) as (a, b):
        stream, notes = await written(a, home)
        await wait_for(lambda: len(b.state(stream).events) == len(a.state(stream).events), "B")
        await a.terminate()
        flip(a, *notes[:3])
        before = b.state(stream).set_digest()
        arguments = ("fsck", "--data", str(a.data), "--mend", "--from", b.url)
        said = await command(*arguments, environ=fsck_environment(a), complaints=True)
        assert "3 of 3 damaged events were put back" in said
        assert a.damages() == []
        # Whoever wants more than to read is turned away, and so is everybody else.
        reader = await Console(user="ana", reads=True).join(b.socket)
        reader.write(stream, NoteAdded(text="a standby admits nothing"))
        await reader.flush()
        assert await reader.ended() == (4003, "a standby only lets its log be read")
        plain = Console(user="ana")
        await plain.greet(b.socket)
        assert (await plain.ended())[0] == 1013
        await leave_all([reader, plain])
        assert b.state(stream).set_digest() == before
        await promote(b)


async def test_a_server_that_cannot_help_is_named_and_harms_nothing(home: Path) -> None:
    async with server_and_standby(home) as (a, b):
        stream, notes = await written(a, home)
        await wait_for(lambda: len(b.state(stream).events) == len(a.state(stream).events), "B")
        await a.terminate()
        flip(a, notes[3])
        arguments = ["fsck", "--data", str(a.data), "--mend"]
        nowhere = f"unix://{home}/nowhere"
        arguments += ["--from", nowhere]
        said = await command(*arguments, environ=fsck_environment(a), code=1)
        assert nowhere in said
        assert "0 of 1 damaged events were put back" in said
        said = await command(
            *arguments[:4], "--from", "http://x", environ=fsck_environment(a), code=2
        )
        assert "no server's address" in said
        assert len(a.damages()) == 1
        # The standby itself brings it as soon as its server runs again.
        await a.start()
        await wait_for(lambda: a.damages() == [], "the event in its place again", 30)
        assert a.state(stream).set_digest() == b.state(stream).set_digest()


async def test_a_server_fetches_what_is_damaged_from_its_peer_when_it_starts(home: Path) -> None:
    async with server_and_standby(home) as (a, b):
        stream, notes = await written(a, home)
        await wait_for(lambda: len(b.state(stream).events) == len(a.state(stream).events), "B")
        await b.terminate()
        flip(b, *notes[5:9])
        assert len(b.damages()) == 4
        await b.start_standby()
        await wait_for(lambda: b.damages() == [], "the events in their places again", 30)
        async with desk_at(a.url, home, "bo") as bo:
            assert await bo.ready()
            await bo.open(stream)
            await in_step(bo, b, stream)
