"""A bit flips on the server's disk: it starts all the same, says it, and is brought the event."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.e2e.console_client import Console, leave_all
from tests.e2e.houses import desk_at
from tests.server.running import ServerProcess, server_process
from tests.waiting import wait_for
from warroom_incident.event import Event
from warroom_incident.vocabulary import NoteAdded


def flip(process: ServerProcess, event: Event) -> None:
    """Damage the body of an event in the log of a server that does not run."""
    connection = sqlite3.connect(process.log)
    with connection:
        connection.execute(
            "UPDATE events SET body = replace(body, 'precious', 'PRECIOUS') WHERE id = ?",
            (bytes.fromhex(event.id),),
        )
    connection.close()


async def test_a_flipped_bit_is_found_at_the_start_and_mended_by_the_next_console(
    home: Path,
) -> None:
    async with server_process(home) as process:
        async with desk_at(process, home, "ana") as ana:
            await ana.ready()
            stream = ana.declare("checkout answers 5xx", "SEV2")
            event = ana.write(stream, NoteAdded(text="a precious note"))
            after = ana.write(stream, NoteAdded(text="another"))
            await wait_for(lambda: not ana.model.pending)
            await wait_for(lambda: stream in ana.model.synced)
            assert await process.terminate() == 0
            flip(process, event)
            await process.start()
            assert b"is damaged on the disk" in process.output
            await wait_for(lambda: ana.model.live and stream in ana.model.synced)
            await wait_for(lambda: process.damages() == [], "the event in its place again")
            bo = await Console(user="bo").join(process.socket, stream)
            await bo.has(stream, event.id, after.id)
            assert bo.states[stream].events[event.id].withheld is None
            await leave_all([bo])
        assert await process.terminate() == 0
        assert b"is whole again" in process.output
        assert b"Traceback" not in process.output
        assert process.damages() == []


async def test_a_damaged_event_of_an_incident_that_nobody_has_open_is_mended_too(
    home: Path,
) -> None:
    async with server_process(home) as process:
        async with desk_at(process, home, "ana") as ana:
            await ana.ready()
            stream = ana.declare("checkout answers 5xx", "SEV2")
            event = ana.write(stream, NoteAdded(text="a precious note"))
            await wait_for(lambda: not ana.model.pending and stream in ana.model.synced)
        assert await process.terminate() == 0
        flip(process, event)
        await process.start()
        async with desk_at(process, home, "ana"):
            await wait_for(lambda: process.damages() == [], "the event in its place again")


async def test_who_has_read_past_a_damaged_event_goes_on_without_it(home: Path) -> None:
    async with server_process(home) as process:
        ana = await Console(user="ana").join(process.socket)
        stream = await ana.declare()
        event = await ana.note(stream, "a precious note")
        later = await ana.note(stream, "another")
        await leave_all([ana])
        assert await process.terminate() == 0
        flip(process, event)
        await process.start()
        bo = await Console(user="bo").join(process.socket, stream)
        await bo.has(stream, later.id)
        assert event.id not in bo.states[stream].events
        note = await bo.note(stream, "and on it goes")
        await bo.has(stream, note.id)
        await leave_all([bo])


async def test_fsck_mends_a_log_from_this_users_replica_once_the_server_is_stopped(
    home: Path,
) -> None:
    async with server_process(home) as process:
        async with desk_at(process, home, "ana") as ana:
            await ana.ready()
            stream = ana.declare("checkout answers 5xx", "SEV2")
            event = ana.write(stream, NoteAdded(text="a precious note"))
            await wait_for(lambda: not ana.model.pending)
        code, said = fsck(process, home, "--mend")
        assert code == 2
        assert f"A server uses {process.log}: stop it first." in said
        assert await process.terminate() == 0
        flip(process, event)
        code, said = fsck(process, home)
        assert code == 1
        assert "warroom fsck --mend" in said
        code, said = fsck(process, home, "--mend")
        assert code == 0, said
        assert "1 of 1 damaged events were put back" in said
        assert process.damages() == []


def fsck(process: ServerProcess, home: Path, *options: str) -> tuple[int, str]:
    """Run the command beside the log."""
    done = subprocess.run(
        [sys.executable, "-m", "warroom_console", "fsck", "--data", str(process.data), *options],
        env={**os.environ, "WARROOM_REPLICA": str(home / "replica-ana")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
