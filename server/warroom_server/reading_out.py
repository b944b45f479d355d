"""What a standby tells whoever mends another log of the room: its events, and nothing live."""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection

from warroom_incident.sync.server_end import ServerEnd
from warroom_incident.sync.wire import Close, Fetch, ProtocolError, Seen, Subscribe, Welcome

from .following import begin
from .identity import Caller
from .room import Room

READ_WITHIN = 120.0
"""How long somebody may take to read, in seconds."""


async def read_out(
    ws: ServerConnection, end: ServerEnd, room: Room, caller: Caller, welcome: Welcome
) -> None:
    """Answer a console's end that has said hello, until it leaves.

    Raises:
        ProtocolError: It wants more than to read.
        TimeoutError: It takes too long.
    """
    assert end.hello is not None
    async with asyncio.timeout(READ_WITHIN):
        await ws.send(end.message(welcome), text=True)
        for follow in end.hello.follow:
            await begin(room, end, follow, caller)
        while True:
            await _send_what_is_due(ws, end, room)
            match end.receive(await ws.recv(decode=False)):
                case Fetch() as fetch:
                    end.fetch(fetch)
                case Subscribe() as more:
                    for follow in more.follow:
                        await begin(room, end, follow, caller)
                case Seen():
                    pass
                case _:
                    raise ProtocolError(Close.FORBIDDEN, "a standby only lets its log be read")


async def _send_what_is_due(ws: ServerConnection, end: ServerEnd, room: Room) -> None:
    while end.has_credit:
        read = end.next_read(room.tops)
        if read is None:
            for feed in end.newly_synced(room.tops):
                top, digest = room.tops.get(feed.stream, 0), room.state(feed.stream).set_digest()
                await ws.send(end.synced(feed.stream, top, digest), text=True)
            return
        if read.part == "order":
            frame: bytes | None = end.order(read, *await room.order(read))
        else:
            frame = end.events(read, await room.read(read), room.tops.get(read.stream, 0))
        if frame is not None:
            await ws.send(frame, text=True)
