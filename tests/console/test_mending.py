"""What a console hands on to a server that lacks it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.console.desks import places
from tests.console.fake_room import fake_room
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.sync.client_end import Ordered
from warroom_incident.sync.handing import Relaying
from warroom_incident.sync.wire import Fetch, encode
from warroom_incident.vocabulary import NoteAdded


async def test_what_cannot_be_proven_is_not_handed_on_and_holds_nothing_up(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await wait_for(lambda: desk.model.live)
        stream = desk.declare("checkout answers 5xx", "SEV3")
        desk.write(stream, NoteAdded(text="of no known server"))
        await wait_for(lambda: not desk.model.pending and stream in desk.model.synced)
        others = [
            event.id for event in room.state(stream).events.values() if event.head.by != "ana"
        ]
        assert others
        relaying = Relaying()
        relaying.comparing(stream)
        welcome = desk._following.welcome
        assert welcome is not None
        ordered = Ordered(stream, encode(Fetch(stream, [])), [], others, {})
        desk._mending.compared(ordered, welcome, relaying)
        (work,) = desk._mending._work
        async with asyncio.timeout(30):
            await work
        assert relaying.is_even(stream)
