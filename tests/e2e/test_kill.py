"""The server is killed as power would kill it; what it acknowledged is there, once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from tests.e2e.console_client import Console, leave_all, rejoin
from tests.server.running import ServerProcess, server_process
from tests.waiting import wait_for
from warroom_incident.vocabulary import NoteAdded

CONSOLES = 5
KILLS = 5

DIES_AT_COMMIT = """
import os, signal
from warroom_incident import log
from warroom_server.__main__ import main
whole = log.Log.append
commits = 0
def append(self, entries, now):
    global commits
    {before}
    receipts = whole(self, entries, now)
    {after}
    return receipts
log.Log.append = append
main()
"""
KILL = (
    "commits += any(e.event.head.type == 'note.added' for e in entries);"
    " commits == {n} and os.kill(os.getpid(), signal.SIGKILL)"
)


def dying(when: str, number: int) -> tuple[str, str]:
    """A server that is killed `before` or `after` the commit of the n-th notes."""
    kill = KILL.format(n=number)
    parts = {"before": "pass", "after": "pass", when: kill}
    return ("-c", DIES_AT_COMMIT.format(**parts))


async def keep_noting(console: Console, socket: Path, stream: str, stop: asyncio.Event) -> None:
    """Note without an end, a few at a time, through every loss of the line."""
    number = 0
    while not stop.is_set():
        for _ in range(3):
            number += 1
            console.write(stream, NoteAdded(text=f"{console.user} {number}"))
        last = next(reversed(console.outbox))
        try:
            await console.flush()
        except ConnectionClosed:
            await rejoin(console, socket, stream)
        while last in console.outbox:
            await asyncio.sleep(0.002)
            if console.closed is not None:
                await console.leave()
                await rejoin(console, socket, stream)


async def more_acks(people: Sequence[Console], count: int) -> None:
    """Wait until so many more events are acknowledged."""
    enough = sum(len(console.acks) for console in people) + count
    await wait_for(lambda: sum(len(console.acks) for console in people) >= enough, "acks")


async def test_what_was_acknowledged_survives_kills_and_keeps_its_place(home: Path) -> None:
    chance = random.Random(20261121)
    async with server_process(home) as process:
        people = [await Console(user=f"p{i}").join(process.socket) for i in range(CONSOLES)]
        stream = await people[0].declare()
        for console in people:
            await console.follow(stream)
        stop = asyncio.Event()
        work = [
            asyncio.create_task(keep_noting(console, process.socket, stream, stop))
            for console in people
        ]
        for _ in range(KILLS):
            await more_acks(people, chance.randint(20, 200))
            await process.kill()
            assert process.damages() == []
            await process.start()
        await more_acks(people, 100)
        stop.set()
        await asyncio.gather(*work)
        written = {id_ for console in people for id_ in console.acks}
        for console in people:
            await console.has(stream, *[i for c in people for i, a in c.acks.items()])
            assert console.outbox == {}
            assert console.refused == {}
            places = console.places[stream]
            assert sorted(places) == list(range(1, len(places) + 1))
        digests = {console.states[stream].state_digest() for console in people}
        assert len(digests) == 1
        await leave_all(people)
        assert await process.terminate() == 0
        assert process.damages() == []
        at_rest = process.places(stream)
        assert written <= set(at_rest)
        for console in people:
            for id_, (_, iseq) in console.acks.items():
                assert at_rest[id_] == iseq


async def test_an_event_whose_ack_was_lost_is_acknowledged_at_the_same_place(home: Path) -> None:
    process = ServerProcess(home, program=dying("after", 2))
    try:
        await process.start()
        console = await Console(user="ana").join(process.socket)
        stream = await console.declare()
        await console.follow(stream)
        first = await console.note(stream, "before")
        event = console.write(stream, NoteAdded(text="committed, never acknowledged"))
        await console.flush()
        await console.ended()
        assert event.id not in console.acks
        await process.ended()
        place = process.places(stream)[event.id]
        process.program = ("-m", "warroom_server")
        await process.start()
        await console.leave()
        await rejoin(console, process.socket, stream)
        await console.settled(event.id)
        assert console.acks[event.id] == (stream, place)
        assert console.acks[first.id][1] < place
        await console.has(stream, event.id)
        await leave_all([console])
    finally:
        await process.cleared()


async def test_an_event_that_was_never_committed_is_taken_when_it_is_sent_again(
    home: Path,
) -> None:
    process = ServerProcess(home, program=dying("before", 1))
    try:
        await process.start()
        console = await Console(user="ana").join(process.socket)
        stream = await console.declare()
        event = console.write(stream, NoteAdded(text="lost with the server"))
        await console.flush()
        await console.ended()
        await process.ended()
        assert event.id not in process.places(stream)
        process.program = ("-m", "warroom_server")
        await process.start()
        await console.leave()
        await rejoin(console, process.socket, stream)
        await console.settled(event.id)
        assert event.id in console.acks
        await leave_all([console])
    finally:
        await process.cleared()


async def test_a_console_goes_on_from_its_cursor_after_a_kill(home: Path) -> None:
    async with server_process(home) as process:
        console = await Console(user="ana").join(process.socket)
        stream = await console.declare()
        await console.follow(stream)
        for number in range(20):
            await console.note(stream, str(number))
        await wait_for(lambda: len(console.places.get(stream, {})) == 24, "all, and the number")
        await process.kill()
        await console.ended()
        await console.leave()
        heard = len(console.heard)
        await process.start()
        await console.join(process.socket, stream)
        late = await console.note(stream, "afterwards")
        await console.has(stream, late.id)
        again = [m for m in console.heard[heard:] if hasattr(m, "arrivals")]
        assert [a.event.id for m in again for a in m.arrivals] == [late.id]
        await leave_all([console])


async def test_a_push_that_was_committed_in_part_is_completed_when_it_is_sent_again(
    home: Path,
) -> None:
    process = ServerProcess(home, program=dying("after", 1))
    try:
        await process.start()
        console = await Console(user="ana").join(process.socket)
        stream = await console.declare()
        events = [console.write(stream, NoteAdded(text=f"{number}")) for number in range(1_200)]
        with suppress(ConnectionClosed):
            await console.flush()
        await console.ended()
        await process.ended()
        places = process.places(stream)
        committed = [event.id for event in events if event.id in places]
        assert 0 < len(committed) < len(events)
        process.program = ("-m", "warroom_server")
        await process.start()
        await console.leave()
        await rejoin(console, process.socket, stream)
        await console.settled(*[event.id for event in events])
        assert {id_: console.acks[id_][1] for id_ in committed} == {
            id_: places[id_] for id_ in committed
        }
        assert {event.id for event in events} <= process.places(stream).keys()
        await leave_all([console])
    finally:
        await process.cleared()
