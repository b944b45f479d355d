"""The server's disk is lost, or comes back from an old copy: the consoles make it whole again."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.houses import desk_at
from tests.server.running import ServerProcess, server_process
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.log import LogReader
from warroom_incident.vocabulary import NoteAdded, RoleAssigned, SeveritySet


async def first_server(server: ServerProcess, ana: Desk, bo: Desk) -> str:
    """An incident that both consoles follow, with something from each; its stream."""
    await ana.ready()
    await bo.ready()
    stream = ana.declare("checkout answers 5xx", "SEV2")
    await bo.open(stream)
    ana.write(stream, RoleAssigned(role="commander", person="ana"))
    for number in range(300):
        (ana if number % 2 else bo).write(stream, NoteAdded(text=f"note {number}"))
    await wait_for(lambda: same(ana, bo, stream), "both consoles hold the same")
    assert server.ready.log
    return stream


def same(ana: Desk, bo: Desk, stream: str) -> bool:
    """Whether both consoles hold the same events of a stream, all of them admitted."""
    one, other = ana.model.incident(stream), bo.model.incident(stream)
    return (
        len(one.events) > 300
        and one.set_digest() == other.set_digest()
        and all(event.admitted for event in one.events.values())
        and ana.model.behind.get(stream) == 0
    )


def digest_on_disk(server: ServerProcess, stream: str) -> tuple[int, list[str]]:
    """How many events of a stream the server's log holds, and whatever is damaged in it."""
    reader = LogReader.open(server.log)
    try:
        return reader.streams().get(stream, 0), list(reader.damages())
    finally:
        reader.close()


async def test_an_emptied_server_is_refilled_by_its_consoles_with_nothing_missing(
    home: Path,
) -> None:
    async with (
        server_process(home) as server,
        desk_at(server, home, "ana") as ana,
        desk_at(server, home, "bo") as bo,
    ):
        stream = await first_server(server, ana, bo)
        before = ana.model.incident(stream).set_digest()
        count = len(ana.model.incident(stream).events)
        await server.kill()
        shutil.rmtree(server.data)
        ana.write(stream, SeveritySet(severity="SEV1"))
        bo.write(stream, NoteAdded(text="written while the server was gone"))
        await server.start()
        await wait_for(
            lambda: (
                same(ana, bo, stream)
                and ana.model.incident(stream).set_digest() != before
                and not ana.model.pending | bo.model.pending
            ),
            "the union on both",
            30,
        )
        state = bo.model.incident(stream)
        assert (state.severity, state.holder("commander")) == ("SEV1", "ana")
        assert not any(event.via for event in state.events.values()), "the old seals prove them"
        async with desk_at(server, home, "cy") as cy:
            await cy.open(stream)
            assert await cy.complete(stream)
            fresh = cy.model.incident(stream)
            await wait_for(lambda: fresh.set_digest() == state.set_digest(), "what is handed on")
            assert fresh.state_digest() == state.state_digest()
            assert fresh.number == state.number
    held, damages = digest_on_disk(server, stream)
    assert held >= count + 2
    assert damages == []


async def test_a_server_restored_from_an_old_copy_gets_the_rest_back(home: Path) -> None:
    async with (
        server_process(home) as server,
        desk_at(server, home, "ana") as ana,
        desk_at(server, home, "bo") as bo,
    ):
        stream = await first_server(server, ana, bo)
        await server.terminate()
        shutil.copytree(server.data, home / "yesterday")
        await server.start()
        for number in range(50):
            ana.write(stream, NoteAdded(text=f"today {number}"))
        await wait_for(lambda: same(ana, bo, stream) and not ana.model.pending, "all sent")
        today = ana.model.incident(stream).set_digest()
        await server.kill()
        shutil.rmtree(server.data)
        shutil.copytree(home / "yesterday", server.data)
        await server.start()
        async with desk_at(server, home, "cy") as cy:
            await cy.open(stream)
            await wait_for(
                lambda: cy.model.incident(stream).set_digest() == today,
                "what was written since the copy",
                30,
            )
            assert not any(event.via for event in cy.model.incident(stream).events.values())
