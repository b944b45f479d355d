"""A body that is withheld is gone wherever it was held, also with who was away for a week."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.e2e.arrivals import join
from tests.e2e.leaps import Room, room, same
from tests.leaping import pass_time, run_leaping, skip
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.event import Packet, read_packet
from warroom_incident.log import Entry
from warroom_incident.vocabulary import NoteAdded
from warroom_server.server import Server

WEEK_MS = 7 * 86_400_000
SECRET = "the password is hunter2"


async def redact(server: Server, stream: str, event_id: str) -> Packet:
    """Withhold the body of an event; what it was before."""
    (place,) = (await server.room.look(lambda log: log.place(stream, [event_id]))).values()
    (row,) = await server.room.look(lambda log: log.read_at(stream, [place]))
    packet = Packet(row.packet.head, None, "a password")
    await server.room.commit([Entry(read_packet(packet), packet)])
    return row.packet


def is_gone(desk: Desk, stream: str, event_id: str) -> bool:
    """Whether a desk shows the head of an event and nothing of its text."""
    event = desk.model.incident(stream).events.get(event_id)
    return event is not None and event.withheld is not None


async def noted(here: Room) -> tuple[Desk, Desk, str, str]:
    """Two desks that both hold the secret: they, the stream and the event."""
    ana, bo = await here.desks("ana", "bo")
    stream = ana.declare("checkout answers 5xx", "SEV3")
    note = ana.write(stream, NoteAdded(text=SECRET))
    await join(stream, bo)
    await same(stream, ana, bo)
    return ana, bo, stream, note.id


def test_a_console_that_was_away_for_a_week_forgets_the_text_when_it_is_back(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            ana, bo, stream, note = await noted(here)
            here.lines["bo"].blackhole()
            whole = await redact(here.server, stream, note)
            assert SECRET.encode() in (whole.body or b"")
            await wait_for(lambda: is_gone(ana, stream, note), "the text gone")
            await pass_time(60)
            skip(WEEK_MS)
            here.lines["bo"].heal()
            await wait_for(lambda: is_gone(bo, stream, note), "the text gone")
            # Its author's own copy, sent again, brings nothing back.
            ana._following.push([whole])
            cy = await here.desk("cy")
            await cy.open(stream)
            await wait_for(lambda: is_gone(cy, stream, note), "nothing to be had")
            await same(stream, ana, bo, cy)
            for desk in (ana, bo, cy):
                await desk._saver.save()
                kept = await asyncio.to_thread(desk._home.load, stream)
                assert not any(event.id == note and not event.withheld for event in kept.events)
            held = await here.server.room.look(lambda log: log.read(stream, 0, 1000))
            assert not any(SECRET.encode() in (row.packet.body or b"") for row in held)
            assert list(here.server.room.log.damages()) == []

    run_leaping(test)


def test_a_withheld_body_is_gone_at_the_peer_too_whichever_took_it_back(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            first, second = here.server, (await here.second(home / "second")).server
            ana, _bo, stream, note = await noted(here)
            other = ana.write(stream, NoteAdded(text=SECRET))
            await same(stream, ana)

            def held(server: Server) -> int:
                events = server.room.state(stream).events
                return sum(
                    id_ in events and events[id_].withheld is None for id_ in (note, other.id)
                )

            await wait_for(lambda: held(second) == 2, "both at the peer", 30)
            await redact(first, stream, note)
            await wait_for(lambda: held(second) == 1, "one gone at the peer", 30)
            await redact(second, stream, other.id)
            await wait_for(lambda: held(first) == 0, "both gone at the first", 30)
            await wait_for(lambda: is_gone(ana, stream, other.id), "gone at the console")
            for server in (first, second):
                rows = await server.room.look(lambda log: log.read(stream, 0, 1000))
                assert not any(SECRET.encode() in (row.packet.body or b"") for row in rows)

    run_leaping(test)
