"""What idle consoles cost the server, and what one that never reads costs the others."""

from __future__ import annotations

import asyncio
import secrets
from statistics import median, quantiles

from websockets.asyncio.client import ClientConnection, unix_connect

from warroom_incident import vocabulary as v
from warroom_incident.author import new_rep
from warroom_incident.sync.wire import MAX_FRAME, Follow, Hello, encode

from .measure import Result
from .rig import Crowd, Pen, Running, console, floor_server, pss_bytes, warroom_server

CONSOLES = 200
EVENTS = 200
RUNS = 5


async def memory_per_console() -> float:
    """KiB of server memory per console that joined an incident and is idle."""
    with warroom_server() as server:
        async with console(server) as author:
            assert author.end.welcome is not None
            pen = Pen(author.end.welcome.you)
            await author.push(pen.declaration())
            await _join_and_leave(server, pen.stream)
            before = pss_bytes(server.pid)
            crowd = Crowd(server, CONSOLES)
            await crowd.join(pen.stream)
            grown = pss_bytes(server.pid) - before
            await crowd.leave()
    return grown / CONSOLES / 1024


async def _join_and_leave(server: Running, stream: str) -> None:
    """Load what the first console loads, so that only consoles are counted."""
    crowd = Crowd(server, 5)
    await crowd.join(stream)
    await crowd.leave()


async def memory_per_connection() -> float:
    """KiB of memory per idle connection of a bare websockets server."""
    with floor_server("idle") as server:
        connections: list[ClientConnection] = []
        for _ in range(5):
            connections.append(await unix_connect(str(server.socket), compression=None))
        before = pss_bytes(server.pid)
        for _ in range(CONSOLES):
            connections.append(await unix_connect(str(server.socket), compression=None))
        grown = pss_bytes(server.pid) - before
        for connection in connections:
            await connection.close()
    return grown / CONSOLES / 1024


async def p99_lag(server: Running, *, stuck: bool) -> float:
    """Milliseconds within which 99 of 100 deliveries to 199 consoles arrive."""
    async with console(server) as author:
        assert author.end.welcome is not None
        pen = Pen(author.end.welcome.you)
        await author.push(pen.declaration())
        crowd = Crowd(server, CONSOLES - 1)
        await crowd.join(pen.stream)
        sleeper = await _stuck_reader(server, pen.stream) if stuck else None
        crowd.expect((CONSOLES - 1) * EVENTS)
        for _ in range(EVENTS):
            packet = pen.write(v.NoteAdded(text="x" * 400))
            crowd.sending()
            await author.push([packet])
        await crowd.reached()
        lags = crowd.lag_ms
        await crowd.leave()
        if sleeper is not None:
            sleeper.close()
    return quantiles(lags, n=100)[98]


async def _stuck_reader(server: Running, stream: str) -> asyncio.StreamWriter:
    """A console that says hello and never reads."""
    reader, writer = await asyncio.open_unix_connection(str(server.socket), limit=1024)
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    writer.write(
        f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    hello = encode(
        Hello(1, "never reads, " * 5, new_rep(secrets.token_bytes), follow=[Follow(stream)])
    )
    assert 126 <= len(hello) < MAX_FRAME
    # A masking key of zeros leaves the text as it is.
    writer.write(b"\x81\xfe" + len(hello).to_bytes(2, "big") + bytes(4) + hello)
    await writer.drain()
    assert isinstance(writer.transport, asyncio.Transport)
    writer.transport.pause_reading()
    return writer


async def measure() -> list[Result]:
    """Run everything by turns and return the medians."""
    memory = [(await memory_per_console(), await memory_per_connection()) for _ in range(3)]
    with warroom_server() as server:
        lags = [
            (await p99_lag(server, stuck=True), await p99_lag(server, stuck=False))
            for _ in range(RUNS)
        ]
    return [
        Result(
            "server memory per idle console (floor: bare connection)",
            median(pair[0] for pair in memory),
            "KiB",
            median(pair[1] for pair in memory),
            2.0,
        ),
        Result(
            "p99 latency of 199 consoles beside one that never reads (floor: without it)",
            median(pair[0] for pair in lags),
            "ms",
            median(pair[1] for pair in lags),
            1.2,
        ),
    ]


def main() -> list[Result]:
    """Run the benchmark."""
    return asyncio.run(measure())
