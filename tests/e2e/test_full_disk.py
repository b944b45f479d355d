"""The disk is full: people's last events are kept, alerts wait, and all is told and recovers."""

from __future__ import annotations

import os
from pathlib import Path

import httpx

from tests.e2e.console_client import Console, leave_all, rejoin
from tests.e2e.houses import desk_at, in_step, make_token, server_and_standby
from tests.server.running import ServerProcess, server_process
from tests.small_disk import SmallDisk, no_larger_files, small_disk
from tests.waiting import wait_for
from warroom_incident.event import Event
from warroom_incident.outbox import Outbox
from warroom_incident.sync.wire import Close, Trouble
from warroom_incident.vocabulary import NoteAdded

TEXT = "x" * 12_000
CAUGHT_UP_WITHIN = 90.0


async def ask(process: ServerProcess, method: str, path: str) -> tuple[int, str]:
    """Ask the HTTP door."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.request(method, f"http://{process.ready.http}{path}", json={})
        return answer.status_code, answer.text.strip()


def said(console: Console) -> str:
    """The trouble that a console was told of last."""
    told = console.of(Trouble)
    return told[-1].sentence if told else ""


async def answered(console: Console, event_id: str) -> None:
    """Wait until the server took an event, or hung up."""
    await wait_for(lambda: console.closed or event_id in console.acks, "an answer")


async def write_until_full(console: Console, stream: str) -> tuple[int, Event]:
    """Write notes one by one until the server takes no more: how many it took, and the next."""
    count = 0
    while True:
        event = console.write(stream, NoteAdded(text=TEXT))
        await console.push(console.outbox[event.id])
        await answered(console, event.id)
        if event.id not in console.acks:
            return count, event
        count += 1
        assert count < 10_000, "the disk never filled up"


async def test_a_servers_full_disk_takes_peoples_last_events_and_recovers(home: Path) -> None:
    if os.geteuid() == 0:
        with small_disk(home / "room", "40m") as disk:
            await fill_up_and_recover(home, disk)
    else:
        await limit_and_recover(home)


async def fill_up_and_recover(home: Path, disk: SmallDisk) -> None:
    """All of it on a real small disk."""
    async with server_process(home) as process:
        async with desk_at(process, home, "admin") as admin:
            await admin.ready()
            token = await make_token(admin, "generic")
        ana = await Console(user="ana").join(process.socket)
        stream = await ana.declare()
        bo = await Console(user="bo").join(process.socket, stream)
        assert (await ask(process, "POST", f"/in/generic/{token}"))[0] == 202
        assert "less than 200 MiB left" in said(ana)

        disk.fill(leave=1 << 20)
        await wait_for(lambda: "nearly full: alerts wait" in said(ana), "the notice")
        status, text = await ask(process, "POST", f"/in/generic/{token}")
        assert status == 503
        assert "only people's events are kept" in text
        assert (await ask(process, "GET", "/readyz"))[0] == 200

        disk.fill()
        taken, lost = await write_until_full(ana, stream)
        assert taken > 50, "the ballast made no room for people's last events"
        assert await ana.ended() == (
            Close.BUSY,
            "the server cannot write now; your events stay with you",
        )
        assert not (process.data / "ballast").exists()
        await wait_for(lambda: said(bo).startswith("The server's disk is full"), "the notice")
        status, text = await ask(process, "GET", "/readyz")
        assert status == 503
        cy = await Console(user="cy").join(process.socket, stream)
        await wait_for(lambda: len(cy.states.get(stream, bo.states[stream]).events) >= taken)
        assert said(cy).startswith("The server's disk is full")

        disk.relieve()
        await wait_for(lambda: "less than" in said(bo), "the end of the trouble")
        await ana.leave()
        await rejoin(ana, process.socket, stream)
        await ana.flush()
        await ana.settled(lost.id)
        await bo.has(stream, lost.id)
        assert (await ask(process, "POST", f"/in/generic/{token}"))[0] == 202
        assert (await ask(process, "GET", "/readyz"))[0] == 200
        assert (process.data / "ballast").exists()
        await leave_all([ana, bo, cy])
        assert await process.terminate() == 0
        assert b"Traceback" not in process.output, process.output.decode()
        assert process.output.count(b"the ballast") == 1
        assert process.damages() == []


async def limit_and_recover(home: Path) -> None:
    """As far as it goes without root: files that stop growing."""
    async with server_process(home) as process:
        ana = await Console(user="ana").join(process.socket)
        stream = await ana.declare()
        size = process.data.joinpath("warroom.db-wal").stat().st_size
        with no_larger_files(size, process.pid):
            _, lost = await write_until_full(ana, stream)
            assert (await ana.ended())[0] == Close.BUSY
            await wait_for(lambda: not (process.data / "ballast").exists())
        await ana.leave()
        await rejoin(ana, process.socket, stream)
        await ana.flush()
        await ana.settled(lost.id)
        await wait_for(lambda: (process.data / "ballast").exists(), "the ballast")
        await leave_all([ana])
        assert await process.terminate() == 0
        assert process.damages() == []


async def test_a_standbys_full_disk_holds_nobody_up_and_is_caught_up_with_later(home: Path) -> None:
    async with server_and_standby(home) as (a, b), desk_at(a.url, home, "ana") as ana:
        assert await ana.ready()
        stream = ana.declare("checkout answers 5xx", "SEV2")
        await in_step(ana, b, stream)
        await wait_for(lambda: any(p.connected for p in ana.model.servers), "word of the standby")
        with no_larger_files(0, b.pid):
            for _ in range(20):
                ana.write(stream, NoteAdded(text=TEXT))
            await wait_for(lambda: not ana.model.pending, "the acks", 30)
            await wait_for(
                lambda: not any(p.connected for p in ana.model.servers), "that it lags behind", 30
            )
            assert len(b.state(stream).events) < len(ana.model.incident(stream).events)
        # It tries again after ten seconds at the latest.
        await wait_for(
            lambda: any(p.connected for p in ana.model.servers), "the standby", CAUGHT_UP_WITHIN
        )
        await in_step(ana, b, stream)
        assert await b.terminate() == 0
        assert b"disk is full" in b.output
        assert b"Traceback" not in b.output
        assert b.damages() == []


async def test_a_console_whose_disk_is_full_says_so_and_loses_nothing_that_was_typed(
    home: Path,
) -> None:
    async with server_process(home) as process, desk_at(process, home, "ana") as ana:
        await ana.ready()
        stream = ana.declare("checkout answers 5xx", "SEV2")
        await wait_for(lambda: not ana.model.pending)
        outbox = Outbox(home / "replica-ana")
        with no_larger_files(0):
            online = ana.write(stream, NoteAdded(text="straight to the server"))
            await wait_for(lambda: "keeps them in memory only" in ana.model.trouble)
            assert (await ana.sent([online.id])).acknowledged
            await process.kill()
            offline = ana.write(stream, NoteAdded(text="typed with neither disk nor server"))
            await ana.kept()
            assert offline.id not in outbox.ids()
            assert offline.id in ana.model.incident(stream).events
            assert "keeps them in memory only" in ana.model.trouble
        await wait_for(lambda: offline.id in outbox.ids(), "the disk's second chance")
        await wait_for(lambda: ana.model.trouble == "")
        await process.start()
        await wait_for(
            lambda: ana.model.mark(ana.model.incident(stream).events[offline.id]) != "pending"
        )


def test_the_ballast_of_an_outbox_is_for_the_last_events(home: Path) -> None:
    if os.geteuid() == 0:
        with small_disk(home / "replica", "10m") as disk:
            fill_an_outbox(home / "replica", disk)
    else:
        box = Outbox(home / "replica")
        assert box.weigh()
        with no_larger_files(0):
            assert put_until_full(box) == 0
        assert box.weigh()


def fill_an_outbox(path: Path, disk: SmallDisk) -> None:
    """On a real small disk."""
    box = Outbox(path)
    assert box.weigh()
    disk.fill()
    kept = put_until_full(box)
    assert 10 < kept < 200
    assert len(box.unsent()) == kept
    assert not box.weigh()
    disk.relieve()
    assert box.weigh()


def put_until_full(box: Outbox) -> int:
    """Put notes until the disk takes no more: how many it took."""
    from tests.incident.making import Writer

    writer = Writer()
    for count in range(1000):
        event = writer.write(NoteAdded(text=f"note {count}"))
        try:
            box.put([writer.packets[event.id]])
        except OSError:
            return count
    raise AssertionError("the disk never filled up")
