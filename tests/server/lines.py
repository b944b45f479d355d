"""Lines between machines, that carry as many frames as a test lets them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from unittest.mock import patch

from tests.server.desks import Desk
from tests.server.machines import IDLE_TURNS, ROOT, House, Seat
from warroom_incident.author import new_rep
from warroom_incident.event import Packet, read_packet
from warroom_incident.log import Entry
from warroom_incident.sync.handing import Handing, Relaying
from warroom_incident.sync.wire import (
    PROTOCOL,
    BoardCursor,
    Close,
    Hello,
    ProtocolError,
    Relay,
    Welcome,
    encode,
    raw_pair,
)
from warroom_server.exchange import Exchange, Progress
from warroom_server.identity import Caller
from warroom_server.takeover import Shelf, take_over


async def talk(desk: Desk, house: House, budget: int) -> bool:
    """Connect a console to a server until both rest, or the line breaks after so many frames.

    Returns whether both rest.
    """
    seat = Seat(house, Caller(desk.account))
    to_server = deque(desk.dial())
    idle = 0
    try:
        while budget > 0:
            budget, idle = budget - 1, idle + 1
            if to_server:
                idle = 0
                await seat.receive(to_server.popleft())
            elif (frame := await seat.next_frame()) is not None:
                idle = 0
                to_server.extend(desk.hear(frame))
            elif (seen := desk.end.seen(now=True)) is not None:
                to_server.append(seen)
            elif idle > IDLE_TURNS:
                return True
            else:
                await asyncio.sleep(0)
    except ProtocolError as error:
        if error.code is Close.LOG_CHANGED:
            desk.cursors.clear()
        elif error.code is Close.REPLICA_CLASH:
            desk.writer = desk.author()
            desk.stamps = []
        else:
            raise
    finally:
        seat.leave()
    return False


async def settle(desk: Desk, house: House) -> None:
    """Connect, as often as it takes, until both rest."""
    for _ in range(6):
        if await talk(desk, house, 100_000):
            return
    raise AssertionError(f"{desk.name} and {house.name} never come to rest")


async def meet(client: House, server: House, budget: int) -> bool:
    """Let a server follow another one until both rest, or the line breaks after so many frames."""
    seat = Seat(server, Caller(ROOT))
    progress = client.progress.setdefault(server.name, Progress())
    broken: list[None] = []
    exchange = _dial(client, progress, lambda: broken.append(None))
    client.room.listeners.append(exchange.on_commit)
    client.room.amendments.append(exchange.on_amendment)
    handing = asyncio.create_task(_hand_on(exchange))
    await seat.receive(exchange.hello())
    try:
        idle = 0
        while budget > 0 and idle < IDLE_TURNS:
            budget -= 1
            idle = 0 if await _carry(exchange, seat) else idle + 1
            await asyncio.sleep(0)
        assert not broken
        return idle >= IDLE_TURNS
    except ProtocolError as error:
        if error.code is not Close.LOG_CHANGED:
            raise
        progress.cursors.clear()
        return False
    finally:
        seat.leave()
        client.room.listeners.remove(exchange.on_commit)
        client.room.amendments.remove(exchange.on_amendment)
        handing.cancel()
        await asyncio.gather(handing, return_exceptions=True)
        exchange.ended()


def _dial(client: House, progress: Progress, broken: Callable[[], None]) -> Exchange:
    hello = Hello(
        PROTOCOL,
        "warroom server",
        new_rep(client.world.random.randbytes),
        client.name,
        board=BoardCursor("", 0),
        lobby=True,
        server=client.us.server,
    )
    return Exchange(
        hello,
        client.room,
        client.board,
        client.us,
        progress,
        client.author(),
        holds=lambda _machine, _stream, _iseq: None,
        broken=broken,
    )


async def _carry(exchange: Exchange, seat: Seat) -> bool:
    """Carry one frame one way or the other; whether there was any to carry."""
    if not exchange.out.empty():
        await seat.receive(exchange.out.get_nowait())
    elif (frame := await seat.next_frame()) is not None:
        found = exchange.end.receive(frame)
        if isinstance(found, Welcome):
            exchange.welcomed()
        else:
            exchange.heard(found)
    else:
        if (seen := exchange.end.seen(now=True)) is not None:
            exchange.say(seen)
        else:
            exchange.report()
        return False
    return True


async def _hand_on(exchange: Exchange) -> None:
    await exchange.introduced.wait()
    frames: AsyncIterator[bytes] = exchange.owing.frames()
    async for frame in frames:
        exchange.say(frame)


async def settle_houses(client: House, server: House) -> None:
    """Let a server follow another one, as often as it takes, until both rest."""
    for _ in range(6):
        if await meet(client, server, 100_000):
            return
    raise AssertionError(f"{client.name} and {server.name} never come to rest")


async def withhold(house: House, packet: Packet) -> None:
    """Withhold a body from now on."""
    gone = packet._replace(body=None, reason="a password", via=None)
    await house.room.commit([Entry(read_packet(gone), gone)])


async def forge(house: House, account: str, proofs: list[bytes], some: Iterable[Packet]) -> None:
    """Hand events on without any mark, with whatever proofs there are."""
    seat = Seat(house, Caller(account))
    hello = Hello(PROTOCOL, "test", new_rep(house.world.random.randbytes))
    try:
        await seat.receive(encode(hello))
        handed = [Handing(read_packet(packet).id, 0, packet) for packet in some]
        by_stream = {read_packet(one.packet).head.stream for one in handed}
        for frame in proofs:
            await seat.receive(frame)
        for stream in sorted(by_stream):
            own = [one for one in handed if read_packet(one.packet).head.stream == stream]
            for frame in Relaying().frames(stream, own):
                await seat.receive(frame)
    finally:
        seat.leave()


async def from_replica(desk: Desk, name: str) -> House:
    """Make a server out of a console's replica."""
    desk.save()
    shelf = Shelf(desk.directory)
    house = House(desk.world, name, shelf.room)
    chance = desk.world.random
    try:
        with (
            patch("secrets.token_bytes", chance.randbytes),
            patch("secrets.token_hex", lambda count: chance.randbytes(count).hex()),
        ):
            take_over(house.directory, shelf, house.key, ROOT, house.wall)
    finally:
        shelf.close()
    house.open()
    await house.list(house)
    return house


def relays(events: Iterable[tuple[int, Packet]]) -> list[bytes]:
    """One frame, not counted, that hands on events with their stamps."""
    stamps, found = zip(*events, strict=True)
    via = {str(place): packet.via for place, packet in enumerate(found) if packet.via}
    gone = {str(place): packet.reason for place, packet in enumerate(found) if packet.reason}
    return [encode(Relay([raw_pair(packet) for packet in found], list(stamps), gone, via))]
