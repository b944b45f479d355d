"""A replica directory is copied and both are used: it is noticed, and nothing is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.houses import desk_at
from tests.server.running import server_process
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.vocabulary import NoteAdded


def texts(desk: Desk, stream: str) -> set[str]:
    """The notes that a console shows."""
    events = desk.model.incident(stream).events.values()
    return {event.body.text for event in events if isinstance(event.body, NoteAdded)}


def rep(desk: Desk) -> str:
    """The name under which a console writes now."""
    return desk._home.slot.author.rep


async def test_a_copied_replica_takes_a_name_of_its_own_and_nothing_is_lost(home: Path) -> None:
    async with server_process(home) as process:
        async with desk_at(process, home, "ana") as ana:
            await ana.ready()
            stream = ana.declare("checkout answers 5xx", "SEV2")
            await wait_for(lambda: not ana.model.pending)
            await wait_for(lambda: stream in ana.model.synced)
        shutil.copytree(home / "replica-ana", home / "copy" / "replica-ana")
        async with (
            desk_at(process, home, "ana") as ana,
            desk_at(process, home / "copy", "ana") as copy,
        ):
            await ana.ready()
            await copy.ready()
            await ana.open(stream)
            await copy.open(stream)
            wanted = set()
            for number in range(5):
                for name, desk in (("original", ana), ("copy", copy)):
                    desk.write(stream, NoteAdded(text=f"{name} {number}"))
                    wanted.add(f"{name} {number}")
            await wait_for(lambda: texts(ana, stream) == texts(copy, stream) == wanted)
            await wait_for(lambda: not ana.model.pending and not copy.model.pending)
            await wait_for(lambda: rep(ana) != rep(copy), "that one takes a name of its own")
            ana.write(stream, NoteAdded(text="later"))
            copy.write(stream, NoteAdded(text="later too"))
            wanted |= {"later", "later too"}
            await wait_for(lambda: texts(ana, stream) == texts(copy, stream) == wanted)
            assert ana.model.link.phase != "stopped"
            assert copy.model.link.phase != "stopped"
            digests = {d.model.incident(stream).state_digest() for d in (ana, copy)}
            assert len(digests) == 1
            late = {
                event.head.rep
                for event in ana.model.incident(stream).events.values()
                if isinstance(event.body, NoteAdded) and "later" in event.body.text
            }
            assert len(late) == 2, "both go on under one name"
        assert await process.terminate() == 0
        assert b"was copied: two events" in process.output
        assert b"Traceback" not in process.output
        assert process.damages() == []
