"""SIGTERM with people in the room: told, everything durable, nothing left behind, in time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests.e2e.console_client import Console, dial, leave_all
from tests.e2e.leaps import now
from tests.leaping import run_leaping
from tests.server.running import Ready, ServerProcess, greeting, server_in_process, server_process
from tests.waiting import wait_for
from warroom_incident.sync.wire import Close, Follow, encode
from warroom_incident.vocabulary import NoteAdded

EXIT_WITHIN = 5.0


async def ends_clean(process: ServerProcess) -> None:
    """Ask for the end; it comes with code 0, and leaves no socket and no journal."""
    assert await process.terminate() == 0
    assert not process.socket.exists()
    left = {path.name for path in process.data.iterdir()}
    assert not {name for name in left if name.endswith(("-wal", "-shm", "-journal"))}
    assert b"Traceback" not in process.output, process.output.decode()
    assert process.damages() == []


async def test_everybody_is_told_and_every_ack_was_true(home: Path) -> None:
    async with server_process(home, "--listen", "127.0.0.1:0") as process:
        people = [await Console(user=f"p{i}").join(process.socket) for i in range(5)]
        stream = await people[0].declare()
        for console in people:
            await console.follow(stream)
            for number in range(40):
                console.write(stream, NoteAdded(text=str(number)))
            await console.flush()
        await wait_for(lambda: all(console.acks for console in people), "the first acks")
        await ends_clean(process)
        for console in people:
            assert await console.ended() == (Close.RESTART, "the server restarts")
        at_rest = process.places(stream)
        for console in people:
            for id_, (_, iseq) in console.acks.items():
                if id_ in at_rest:
                    assert at_rest[id_] == iseq
            noted = {i for i, (s, _) in console.acks.items() if s == stream}
            assert noted <= set(at_rest)
        await leave_all(people)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_every_signal_to_end_is_taken(home: Path, number: signal.Signals) -> None:
    async with server_process(home) as process:
        console = await Console(user="ana").join(process.socket)
        process.send(number)
        assert await process.ended() == 0
        assert (await console.ended())[0] == Close.RESTART
        await leave_all([console])


@asynccontextmanager
async def people_who_do_not_read(ready: Ready) -> AsyncIterator[None]:
    """Consoles that stopped reading, others that never said hello, half of an alert, and one."""
    async with AsyncExitStack() as stack:
        console = await Console(user="ana").join(ready.socket)
        stack.push_async_callback(console.leave)
        stream = await console.declare()
        for _ in range(40):
            console.write(stream, NoteAdded(text="x" * 10_000))
        await console.flush()
        await console.settled(*list(console.outbox))
        for _ in range(3):
            ws = await dial(ready.socket)
            stack.callback(ws.transport.abort)
            ws.transport.pause_reading()
            hello = msgspec.structs.replace(greeting("a" * 16), follow=[Follow(stream)])
            await ws.send(encode(hello), text=True)
        for _ in range(3):
            ws = await dial(ready.socket)
            stack.callback(ws.transport.abort)
        host, _, port = ready.http.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        stack.push_async_callback(reader.read)
        stack.callback(writer.close)
        writer.write(b"POST /in/generic/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        await writer.drain()
        await wait_for(lambda: any(p.consoles == 3 for p in console.people), "everybody in")
        yield


async def test_who_does_not_read_does_not_keep_it_from_ending(home: Path) -> None:
    async with (
        server_process(home, "--listen", "127.0.0.1:0") as process,
        people_who_do_not_read(process.ready),
    ):
        await ends_clean(process)


def test_who_does_not_read_does_not_hold_the_end_up(home: Path) -> None:
    async def test() -> None:
        async with (
            server_in_process(home, http=True, listen=("127.0.0.1", 0)) as here,
            people_who_do_not_read(here.ready),
        ):
            begun = now()
            await here.server.stop()
            assert now() - begun < EXIT_WITHIN

    run_leaping(test)


async def test_a_second_signal_changes_nothing(home: Path) -> None:
    async with server_process(home) as process:
        console = await Console(user="ana").join(process.socket)
        for _ in range(3):
            process.send(signal.SIGTERM)
        assert await process.ended() == 0
        await leave_all([console])


async def test_what_was_sent_in_the_last_moment_is_sent_again_and_taken(home: Path) -> None:
    async with server_process(home) as process:
        console = await Console(user="ana").join(process.socket)
        stream = await console.declare()
        events = [console.write(stream, NoteAdded(text=str(i))) for i in range(100)]
        process.send(signal.SIGTERM)
        await console.flush()
        await console.ended()
        assert await process.ended() == 0
        await console.leave()
        await process.start()
        await console.join(process.socket, stream)
        await console.flush()
        if console.outbox:
            await console.settled(*list(console.outbox))
        assert all(event.id in console.acks for event in events)
        await console.has(stream, *[event.id for event in events])
        await leave_all([console])
