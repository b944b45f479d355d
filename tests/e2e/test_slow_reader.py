"""Consoles that do not read, read and say nothing, or ask for more than they take."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.e2e.console_client import Console, dial, leave_all
from tests.leaping import pass_time, run_leaping
from tests.server.running import (
    IMPATIENT,
    InProcess,
    greeting,
    server_in_process,
    server_process,
)
from tests.waiting import wait_for
from warroom_incident.author import new_rep
from warroom_incident.sync.wire import CREDIT, Close, Follow, encode
from warroom_incident.vocabulary import NoteAdded
from warroom_server import patience
from warroom_server.hub import STALL_SECONDS
from warroom_server.session import Session

FLAT_MIB = 12


def resident(pid: int) -> float:
    """The memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def stuck_reader(socket: Path, stream: str, *, reads: bool = False) -> ClientConnection:
    """A console that follows a stream and never says `seen`, nor reads unless it `reads`."""
    ws = await dial(socket)
    if not reads:
        ws.transport.pause_reading()
    await ws.send(greeting_to(stream), text=True)
    return ws


def greeting_to(stream: str) -> bytes:
    """A hello that follows a stream."""
    hello = greeting(new_rep(secrets.token_bytes))
    return encode(msgspec.structs.replace(hello, follow=[Follow(stream)]))


async def test_who_never_reads_is_cut_in_time_while_the_server_stays_small(home: Path) -> None:
    async with server_process(home, program=IMPATIENT) as process:
        ana, bo = [await Console(user=u).join(process.socket) for u in ("ana", "bo")]
        stream = await ana.declare()
        await bo.follow(stream)
        await ana.note(stream, "x" * 10_000)
        stuck = await stuck_reader(process.socket, stream)
        silent = await stuck_reader(process.socket, stream, reads=True)
        farewell = asyncio.create_task(read_to_end(silent))
        await wait_for(lambda: len(ana.people) == 3, "everybody in")
        before = resident(process.pid)
        written = 0
        async with asyncio.timeout(60):
            while any(person.consoles > 1 for person in ana.people) or written == 0:
                for _ in range(20):
                    ana.write(stream, NoteAdded(text="x" * 8_000))
                last = next(reversed(ana.outbox))
                await ana.flush()
                await ana.settled(last)
                written += 20
                await bo.has(stream, last)
                bo.states.pop(stream)
                ana.states.clear()
        assert await farewell == (
            Close.STALLED,
            "nothing was read or said for too long, or no `seen`",
        )
        grown = resident(process.pid) - before
        kept = written * 8_000 * 2 / 2**20  # every event's state stays in memory, head and body
        assert grown < kept + FLAT_MIB, f"{grown:.1f} MiB for {written} events"
        stuck.transport.abort()
        await leave_all([ana, bo])


async def read_to_end(ws: ClientConnection) -> tuple[int, str]:
    """Read whatever comes, say nothing; how the line ended."""
    try:
        while True:
            await ws.recv()
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


async def sweeps(house: InProcess, count: int) -> None:
    """Let so many seconds pass for the hub, at once."""
    for _ in range(count):
        house.server.hub.sweep()
        await asyncio.sleep(0)


def test_who_says_seen_is_never_cut(home: Path) -> None:
    async def test() -> None:
        async with server_in_process(home) as house:
            ana = await Console(user="ana").join(house.socket)
            stream = await ana.declare()
            await ana.follow(stream)
            for _ in range(5):
                ana.says_seen = False
                await ana.note(stream)
                await pass_time(STALL_SECONDS - 1)
                ana.says_seen = True
                await ana.say_seen(now=True)
                await wait_for(lambda: all_seen(house), "seen")
            await pass_time(10 * STALL_SECONDS)
            assert ana.closed is None
            await leave_all([ana])

    run_leaping(test)


def follower(house: InProcess) -> Session | None:
    """The console that follows a stream, once it does."""
    return next((s for s in house.server.hub.sessions if s.end.feeds), None)


def all_seen(house: InProcess) -> bool:
    """Whether every console has said `seen` for all it got."""
    return all(s.end.bytes_seen == s.end.bytes_sent for s in house.server.hub.sessions)


async def test_who_reads_but_never_says_seen_gets_no_more_than_its_credit(home: Path) -> None:
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        stream = await ana.declare()
        for _ in range(60):
            ana.write(stream, NoteAdded(text="x" * 5_000))
        await ana.flush()
        await ana.settled(*list(ana.outbox))
        silent = await stuck_reader(house.socket, stream, reads=True)
        farewell = asyncio.create_task(read_to_end(silent))
        session = await wait_for(lambda: follower(house), "a console that follows")
        assert session is not None
        await wait_for(lambda: not session.end.has_credit, "the credit used up")
        await ana.note(stream)
        assert session.end.bytes_sent < CREDIT + 32 * 1024
        await leave_all([ana])
        await sweeps(house, STALL_SECONDS + 1)
        assert (await farewell)[0] == Close.STALLED
        await wait_for(lambda: not house.server.hub.sessions, "an empty room")


async def test_answers_do_not_pile_up_for_who_asks_and_never_reads(home: Path) -> None:
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        greedy = await stuck_reader(house.socket, "board")
        session = await wait_for(lambda: follower(house), "a console that follows")
        assert session is not None
        bad = b'{"t":"push","events":[' + b",".join([b"[{},{}]"] * 500) + b"]}"

        async def keep_asking() -> None:
            while True:
                await greedy.send(bad, text=True)

        asking = asyncio.create_task(keep_asking())
        await wait_for(lambda: len(session._out) > 500, "answers waiting")
        note = await ana.declare()
        for _ in range(50):
            await ana.note(note)
        assert len(session._out) <= 1600
        await leave_all([ana])
        await sweeps(house, STALL_SECONDS + 1)
        await wait_for(lambda: session not in house.server.hub.sessions, "cut")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        greedy.transport.abort()


async def test_pings_that_nobody_reads_the_answers_of_are_no_way_to_fill_the_server(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "MOST_CONTROLS", 10**9)  # it takes its time
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        flood = await Console(user="flood").join(house.socket)
        await wait_for(lambda: len(house.server.hub.sessions) == 2, "both in")
        session = next(s for s in house.server.hub.sessions if s.who.name.startswith("flood"))
        await flood.say_seen(now=True)
        flood.ws.transport.pause_reading()

        async def keep_pinging() -> None:
            while True:
                flood.ws.protocol.send_ping(b"x" * 125)
                flood.ws.transport.write(b"".join(flood.ws.protocol.data_to_send()))
                if flood.ws.transport.get_write_buffer_size() > 2**20:
                    await asyncio.sleep(0.001)

        pinging = asyncio.create_task(keep_pinging())
        await wait_for(
            lambda: session.transport.get_write_buffer_size() > 2**20, "a buffer that grows"
        )
        house.server.hub.sweep()
        assert session.transport.is_closing(), "one sweep is enough: credit says nothing of pings"
        await wait_for(lambda: session not in house.server.hub.sessions, "cut")
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)
        flood.ws.transport.abort()
        assert ana.closed is None
        await leave_all([ana, flood])
