"""The server is lost for good, and everybody goes on with its standby as if nothing had been."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from tests.e2e.arrivals import declared_by_two
from tests.e2e.console_client import dial
from tests.e2e.houses import (
    House,
    cleared,
    command,
    desk_at,
    in_step,
    make_token,
    post_alert,
    promote,
    server_and_standby,
    show,
)
from tests.proxy import unix_proxy
from tests.server.running import ME
from tests.waiting import wait_for
from warroom_incident.sync.wire import PROTOCOL, Promote, Standing, encode, read_from_server
from warroom_incident.vocabulary import NoteAdded, SeveritySet


async def test_a_standby_takes_over_from_a_server_whose_disk_is_gone(home: Path) -> None:
    async with server_and_standby(home, listed=True) as (a, b):
        async with desk_at(a.url, home, "ana") as ana, desk_at(a.url, home, "bo") as bo:
            stream = await declared_by_two(ana, bo)
            token = await make_token(ana, "generic")
            await wait_for(lambda: any(p.connected for p in bo.model.servers), "word of B")
            await in_step(ana, b, stream)
            assert await post_alert(b, token, "disk") == 503

            await a.kill()
            shutil.rmtree(a.data)
            ana.write(stream, SeveritySet(severity="SEV1"))
            bo.write(stream, NoteAdded(text="written while nobody served"))
            await wait_for(
                lambda: "this is a standby" in ana.model.link.reason, "the standby's refusal"
            )
            await promote(b)
            await wait_for(
                lambda: (
                    {ana.model.link.server, bo.model.link.server} == {b.url}
                    and ana.model.live
                    and bo.model.live
                    and not ana.model.pending | bo.model.pending
                ),
                "both moved",
                30,
            )
            assert await post_alert(b, token, "disk") == 202
            await wait_for(lambda: ana.model.records, "the alert")
            here = next(place for place in ana.model.servers if place.here)
            assert here.promoted_by == ME
            assert 0 < here.as_of < here.since

            a.configure(f'peers = ["{b.url}"]')
            await a.start()
            bo.write(stream, NoteAdded(text="after the return"))
            await in_step(bo, b, stream)
            await in_step(bo, a, stream)
            assert not any(event.via for event in a.state(stream).events.values())
            assert (ana.model.link.server, bo.model.link.server) == (b.url, b.url)
            await in_step(ana, a, stream)
            # The empty server began the room's own stream anew; now it has the old token, too.
            assert await post_alert(a, token, "disk") == 202
        digests = [
            (await show("INC-1", url, replica))["set_digest"]
            for url, replica in (
                (a.url, home / "fresh-a"),
                (b.url, home / "fresh-b"),
            )
        ]
        await asyncio.gather(a.terminate(), b.terminate())
        nowhere = f"unix://{home}/nowhere"
        for user in ("ana", "bo"):
            shown = await show("INC-1", nowhere, home / f"replica-{user}")
            digests.append(shown["set_digest"])
            assert shown["severity"] == "SEV1"
        assert len(set(digests)) == 1


async def test_what_never_reached_the_standby_comes_from_the_consoles_that_read_it(
    home: Path,
) -> None:
    a = House(home / "a")
    async with unix_proxy(a.socket, home / "line") as wire:
        b = House(home / "b", "--standby-of", f"unix://{home}/line")
        b.configure(f'urls = ["{b.url}"]')
        async with cleared(a, b):
            await a.start()
            await b.start_standby()
            async with desk_at(a.url, home, "bo") as bo:
                async with desk_at(a.url, home, "ana") as ana:
                    stream = await declared_by_two(ana, bo)
                    await in_step(ana, b, stream)
                    await wait_for(lambda: any(p.connected for p in bo.model.servers), "B")
                    wire.cut()
                    late = [ana.write(stream, NoteAdded(text=f"late {n}")) for n in range(100)]
                    late.append(ana.write(stream, SeveritySet(severity="SEV1")))
                    await wait_for(lambda: not ana.model.pending, "the acks", 30)
                    other = ana.declare("B never heard of it", "SEV3")
                    await wait_for(lambda: other in bo.model.summaries, "the other incident")
                    await bo.open(other)
                    for each in (stream, other):
                        await in_step(ana, a, each)
                        await in_step(bo, a, each)
                # Their author is gone, and so is the server that had acknowledged them.
                await a.kill()
                shutil.rmtree(a.root)
                assert not {event.id for event in late} & set(b.state(stream).events)
                await promote(b)
                for each in (stream, other):
                    await in_step(bo, b, each)
                state = b.state(stream)
                assert {event.id for event in late} <= set(state.events)
                assert not any(event.via for event in state.events.values()), "A's seals prove it"
                assert state.severity == "SEV1"
                assert b.state(other).title == "B never heard of it"
                assert b.state(other).number == "INC-2"
                third = bo.declare("after that", "SEV3")
                await wait_for(lambda: bo.model.incident(third).number == "INC-3", "its number", 30)


async def test_a_promoted_standby_stays_one_after_a_restart(home: Path) -> None:
    async with server_and_standby(home) as (a, b):
        said = await command("promote", "--socket", str(a.socket), "--yes", code=3)
        assert "no standby" in said
        async with desk_at(a.url, home, "ana") as ana:
            await ana.ready()
            stream = ana.declare("x", "SEV3")
            await wait_for(lambda: ana.model.incident(stream).number == "INC-1")
            await in_step(ana, b, stream)
        refused = await command("promote", "--socket", str(b.socket), code=2)
        assert "--yes" in refused
        await promote(b)
        await b.terminate()
        await b.start()
        assert (await show("INC-1", b.url, home / "fresh"))["title"] == "x"


async def test_a_standby_without_a_key_says_what_it_needs(home: Path) -> None:
    b = House(home / "b", "--standby-of", f"unix://{home}/nowhere")
    assert await b.run_to_end() == 3
    assert "start it once while that server runs" in b.output.decode()
    a = House(home / "a")
    async with cleared(a):
        await a.start()
        own = House(home / "a2", "--standby-of", a.url)
        own.environ["WARROOM_CONFIG"] = str(a.config)
        assert await own.run_to_end() == 2
        assert "is the key of" in own.output.decode()


async def test_a_standby_knows_after_a_restart_how_old_its_copy_is(home: Path) -> None:
    async with server_and_standby(home) as (a, b):
        async with desk_at(a.url, home, "ana") as ana:
            await ana.ready()
            stream = ana.declare("x", "SEV3")
            await wait_for(lambda: ana.model.incident(stream).number == "INC-1")
            await in_step(ana, b, stream)
        written = max(e.admitted or 0 for e in b.state(stream).events.values())
        # Written down once in a while, so the first time may lie before the last event.
        await wait_for(lambda: _noted(b) > written, "a note of it", 30)
        await asyncio.gather(a.terminate(), b.terminate())
        noted = _noted(b)
        await b.start_standby()
        connection = await dial(b.socket)
        await connection.send(encode(Promote(PROTOCOL)), text=True)
        standing = read_from_server(bytes(await connection.recv(decode=False)))
        await connection.close()
        assert isinstance(standing, Standing)
        assert not standing.connected
        assert standing.in_step_at == noted


def _noted(house: House) -> int:
    path = house.data / "in-step"
    return int(path.read_text().split()[0]) if path.exists() else 0
