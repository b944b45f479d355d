"""What consoles say after an absence, on real servers: moved, restored, emptied, asleep."""

from __future__ import annotations

import shutil
from pathlib import Path
from unittest import mock

import pytest

from tests.e2e.houses import desk_at, in_step, promote, server_and_standby
from tests.server.running import ME, server_process
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_console.link import wall_ms
from warroom_console.meanwhile import is_worth_opening
from warroom_incident.vocabulary import NoteAdded, RoleAssigned

DAY = 86_400_000


def said(desk: Desk, stream: str) -> str:
    """All that a console says of its absence from an incident."""
    digest = desk.model.digests.get(stream)
    return "" if digest is None else "\n".join(one.text for one in digest.news)


async def declared(desk: Desk) -> str:
    """An incident that the server has."""
    assert await desk.ready()
    stream = desk.declare("checkout answers 5xx", "SEV2")
    await wait_for(lambda: not desk.model.pending and stream in desk.model.synced, "the acks")
    return stream


async def test_after_a_takeover_it_says_where_the_room_is_who_moved_it_and_how_old_it_was(
    home: Path,
) -> None:
    async with (
        server_and_standby(home, listed=True) as (a, b),
        desk_at(a.url, home, "ana") as ana,
    ):
        stream = await declared(ana)
        await wait_for(lambda: any(p.connected for p in ana.model.servers), "word of B")
        await in_step(ana, b, stream)
        await a.kill()
        await promote(b)
        await wait_for(lambda: ana.model.live and ana.model.link.server == b.url, "moved", 30)
        await wait_for(lambda: f"{ME} made it the server" in said(ana, stream), "the notice")
        first = said(ana, stream).splitlines()[0]
        assert first.startswith("this console moved to ")
        assert b.url in first
        assert ", with a copy " in first
        assert is_worth_opening(ana.model.digests[stream])


@pytest.mark.parametrize(
    ("what", "told"), [("old copy", "with an old copy of its log"), ("nothing", "with a new log")]
)
async def test_a_server_that_came_back_with_less_is_said_to_have(
    what: str, told: str, home: Path
) -> None:
    async with server_process(home) as server, desk_at(server, home, "ana") as ana:
        stream = await declared(ana)
        await server.terminate()
        shutil.copytree(server.data, home / "yesterday")
        await server.start()
        await wait_for(lambda: ana.model.live, "the server", 30)
        for number in range(5):
            ana.write(stream, NoteAdded(text=f"today {number}"))
        await wait_for(lambda: not ana.model.pending, "the acks")
        await server.kill()
        shutil.rmtree(server.data)
        if what == "old copy":
            shutil.copytree(home / "yesterday", server.data)
        await server.start()
        await wait_for(lambda: told in said(ana, stream), "the notice", 30)
        given = 5 if what == "old copy" else len(ana.model.incident(stream).events)
        assert f"gives it {given} entries" in said(ana, stream)


async def test_a_laptop_that_claimed_command_before_it_slept_for_a_day_is_told_who_has_it(
    home: Path,
) -> None:
    slept = 0
    async with server_process(home) as server, desk_at(server, home, "bo") as bo:
        stream = await declared(bo)
        laptop = desk_at(server, home, "ana")
        laptop = Desk(laptop.places, wall=lambda: wall_ms() - DAY + slept)
        async with laptop as ana:
            await ana.open(stream)
            await wait_for(lambda: stream in ana.model.synced, "the incident")
            assert ana.link._connection is not None
            ana.link._connection.transport.pause_reading()
            # The lid closes right after the key press: the claim is on the laptop's disk alone.
            with mock.patch.object(ana.link, "send"):
                claim = ana.write(stream, RoleAssigned(role="commander", person=ana.model.you))
                await ana.kept()
            bo.write(stream, RoleAssigned(role="commander", person=bo.model.you))
            await wait_for(lambda: not bo.model.pending, "bo's claim")
            slept = DAY
            ana.link._connection.transport.abort()
            await wait_for(lambda: ana.model.live and not ana.model.pending, "the laptop is back")
            await wait_for(lambda: "commands now (you did)" in said(ana, stream), "the digest")
            text = said(ana, stream)
            assert text.startswith(f"{bo.model.you} commands now (you did)")
            assert "not knowing that" in text
            for desk in (ana, bo):
                state = desk.model.incident(stream)
                await wait_for(state.conflicts, "the conflict")
                assert state.holder("commander") == bo.model.you
                assert claim.id in {e.id for c in state.conflicts() for e in c.writes}
