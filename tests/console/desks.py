"""Desks on a server of the tests, and what lies on their disk."""

import os

from tests.console.fake_room import FakeRoom
from warroom_console.desk import Desk
from warroom_console.places import Places
from warroom_incident.outbox import Outbox


def places(room: FakeRoom, **environ: str) -> Places:
    """Where a console finds a room, and keeps what is its own."""
    return Places.find(room.url, {**os.environ, **environ})


def unsent(found: Places, room: FakeRoom) -> set[str]:
    """The events that wait on the disk to be sent."""
    return Outbox(found.room_directory(room.welcome.room)).ids()


async def declared(room: FakeRoom, title: str = "Checkout fails") -> str:
    """An incident on the server, declared by a console that is gone."""
    async with Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare(title, "SEV2")
        assert not (await desk.sent(desk.model.incident(stream).events)).waiting
        await desk.complete(stream)
    return stream
