"""A console's process is killed while somebody writes: what it kept is sent by the next one."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from tests.e2e.houses import desk_at
from tests.headless import Headless, start_headless
from tests.server.running import server_process
from tests.waiting import wait_for

KILLS = 3
ENOUGH = 60.0


async def write_until_killed(process: Headless, stream: str, round_: int, kept: set[str]) -> None:
    """Write one note after the other; the ids of those that are on the console's disk."""
    number = 0
    try:
        while True:
            number += 1
            answer = await process.ask("note", user="ana", stream=stream, text=f"{round_} {number}")
            kept.add(answer["id"])
    except EOFError:
        pass


async def more_of(kept: set[str], count: int) -> None:
    """Wait until so many more notes are kept."""
    enough = len(kept) + count
    await wait_for(lambda: len(kept) >= enough, "notes", ENOUGH)


async def test_a_console_killed_at_any_moment_loses_nothing_that_it_kept(home: Path) -> None:
    chance = random.Random(20261121)
    replica = str(home / "replica-ana")
    kept: set[str] = set()
    async with server_process(home) as server:
        url = f"unix://{server.socket}"
        stream = ""
        for round_ in range(KILLS):
            process = await start_headless()
            try:
                await process.ask("open", user="ana", url=url, replica=replica)
                if not stream:
                    stream = (await process.ask("declare", user="ana", title="x"))["stream"]
                await process.ask("follow", user="ana", stream=stream)
                if round_ == 1:
                    await server.kill()  # this time everything stays in the outbox
                writing = asyncio.create_task(write_until_killed(process, stream, round_, kept))
                await more_of(kept, chance.randint(10, 80))
                await process.kill()
                await writing
            finally:
                await process.kill()
            if round_ == 1:
                await server.start()
        async with desk_at(server, home, "ana") as ana:
            assert await ana.ready(ENOUGH)
            await ana.open(stream)
            await wait_for(
                lambda: not ana.model.pending and stream in ana.model.synced, "the rest", ENOUGH
            )
            state = ana.model.incident(stream)
            assert kept <= set(state.events)
            notes = [state.note(state.events[id_]) for id_ in state.entries["note.added"]]
            texts = [note.text for note in notes if note is not None]
            assert len(texts) == len(set(texts)), "something is there twice"
        async with desk_at(server, home, "bo") as bo:
            assert await bo.ready(ENOUGH)
            await bo.open(stream)
            assert await bo.complete(stream, ENOUGH)
            assert bo.model.incident(stream).set_digest() == state.set_digest()
