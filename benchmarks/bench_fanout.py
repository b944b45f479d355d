"""Fan-out and pushing: server CPU per delivery and per pushed event, against bare servers."""

from __future__ import annotations

import asyncio
from statistics import median

from websockets.asyncio.client import ClientConnection, unix_connect

from warroom_incident import vocabulary as v
from warroom_incident.sync.client_end import ClientEnd
from warroom_incident.sync.wire import MAX_FRAME, Hello

from .measure import Result
from .rig import Crowd, Pen, Running, console, cpu_seconds, floor_server, scratch, warroom_server

CONSOLES = 200
EVENTS = 300
PUSHERS = 100
PUSHES = 60
RUNS = 3


async def fan_out(in_flight: int) -> float:
    """Microseconds of server CPU per delivery, `in_flight` events on their way at a time."""
    with warroom_server() as server:
        async with console(server) as author:
            assert author.end.welcome is not None
            pen = Pen(author.end.welcome.you)
            await author.push(pen.declaration())
            crowd = Crowd(server, CONSOLES)
            await crowd.join(pen.stream)
            packets = [pen.write(v.NoteAdded(text="x")) for _ in range(EVENTS)]
            crowd.expect(CONSOLES * EVENTS)
            begun = cpu_seconds(server.pid)
            for start in range(0, EVENTS, in_flight):
                some = packets[start : start + in_flight]
                frames = [frame for packet in some for frame in author.end.push([packet])]
                await author.send(*frames)
                await author.acked(len(some))
            await crowd.reached()
            used = cpu_seconds(server.pid) - begun
            await crowd.leave()
    return used / (CONSOLES * EVENTS) * 1e6


async def raw_sends() -> float:
    """Microseconds of CPU per raw send of as many bytes."""
    pen = Pen("root")
    packet = pen.write(v.NoteAdded(text="x"))
    message = packet.head + (packet.body or b"")
    with floor_server("sends") as server:
        reached = asyncio.Event()
        left = CONSOLES * EVENTS

        async def read(ws: ClientConnection) -> None:
            nonlocal left
            while left:
                await ws.recv(decode=False)
                left -= 1
            reached.set()

        readers = []
        for _ in range(CONSOLES):
            ws = await unix_connect(str(server.socket), compression=None)
            await ws.send("listen")
            readers.append(asyncio.create_task(read(ws)))
        sender = await unix_connect(str(server.socket), compression=None)
        await sender.send("go")
        begun = cpu_seconds(server.pid)
        for _ in range(EVENTS):
            await sender.send(message, text=True)
            await sender.recv()
        await reached.wait()
        used = cpu_seconds(server.pid) - begun
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return used / (CONSOLES * EVENTS) * 1e6


async def _pushing(server: Running, frames: list[list[bytes]], hellos: list[bytes]) -> float:
    """CPU of a server while every client sends its frames, each after the last one's answer."""
    sockets = [
        await unix_connect(str(server.socket), max_size=MAX_FRAME, compression=None) for _ in frames
    ]
    for ws, hello in zip(sockets, hellos, strict=False):
        await ws.send(hello, text=True)
        await ws.recv(decode=False)

    async def client(ws: ClientConnection, own: list[bytes]) -> None:
        for frame in own:
            await ws.send(frame, text=True)
            while b'"presence"' in await ws.recv(decode=False):
                pass

    begun = cpu_seconds(server.pid)
    await asyncio.gather(*(client(ws, own) for ws, own in zip(sockets, frames, strict=True)))
    used = cpu_seconds(server.pid) - begun
    for ws in sockets:
        await ws.close()
    return used / sum(map(len, frames)) * 1e6


async def pushes() -> float:
    """Microseconds of server CPU per event pushed by 100 clients."""
    with warroom_server() as server:
        async with console(server) as author:
            assert author.end.welcome is not None
            you = author.end.welcome.you
            pens = [Pen(you) for _ in range(PUSHERS)]
            for pen in pens:
                pen.stream = pens[0].stream
            await author.push(pens[0].declaration())
        ends = [ClientEnd(Hello(1, "bench", pen.author.rep), [], None) for pen in pens]
        frames = [
            [end.push([pen.write(v.NoteAdded(text="x" * 120))])[0] for _ in range(PUSHES)]
            for pen, end in zip(pens, ends, strict=True)
        ]
        return await _pushing(server, frames, [end.hello([]) for end in ends])


async def echoes() -> float:
    """Microseconds of CPU per message of an echo server that inserts the same rows."""
    pen = Pen("root")
    packet = pen.write(v.NoteAdded(text="x" * 120))
    message = packet.head + (packet.body or b"")
    with scratch() as place, floor_server("echo", str(place / "rows.db")) as server:
        return await _pushing(server, [[message] * PUSHES for _ in range(PUSHERS)], [])


async def measure() -> list[Result]:
    """Run everything alternately and return the medians."""
    single, several, sends, pushed, echoed = [], [], [], [], []
    for _ in range(RUNS):
        sends.append(await raw_sends())
        several.append(await fan_out(4))
        single.append(await fan_out(1))
        echoed.append(await echoes())
        pushed.append(await pushes())
    floor, insert = median(sends), median(echoed)
    return [
        Result("fan-out to 200 consoles, 4 in flight", median(several), "us CPU", floor, 1.0),
        Result("the same, one event at a time", median(single), "us CPU", floor),
        Result("pushed by 100 clients", median(pushed), "us CPU", insert, 1 / 0.6),
    ]


def main() -> list[Result]:
    """Run the benchmark."""
    return asyncio.run(measure())
