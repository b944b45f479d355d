"""No server and no standby is left: what the consoles hold becomes a server again."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from tests.e2e.arrivals import declared_by_two, numbered, shows
from tests.e2e.console_client import Console, leave_all, new_author
from tests.e2e.houses import House, cleared, command, desk_at, in_step, make_token, post
from tests.waiting import wait_for
from warroom_incident.sync.handing import Handing
from warroom_incident.vocabulary import NoteAdded, SeveritySet
from warroom_server.identity import SERVER_NAME
from warroom_server.keys import load_or_create

SERVE = ("-m", "warroom_console", "serve")


async def test_a_users_replica_becomes_the_server_and_its_seals_go_on_proving(home: Path) -> None:
    a = House(home / "a")
    b = House(home / "b", "--from-replica", "--yes", program=SERVE)
    b.socket = a.socket
    b.environ |= {"WARROOM_REPLICA": str(home / "replica-ana"), "WARROOM_SERVER": a.url}
    async with cleared(a, b):
        await a.start()
        async with desk_at(a.url, home, "bo") as bo:
            async with desk_at(a.url, home, "ana") as ana:
                stream = await declared_by_two(ana, bo)
                other = bo.declare("only bo follows this")
                await wait_for(lambda: other in ana.model.summaries, "its title")
                await a.kill()
                shutil.rmtree(a.root)
                a.root.mkdir()
                ana.write(stream, SeveritySet(severity="SEV1"))
                bo.write(stream, NoteAdded(text="written while nobody served"))
                await ana.kept()
            await b.start()
            said = b.output.decode()
            assert "It knows the title of 1 more incident, and no entry" in said
            assert "It knows no tokens and no rights" in said
            assert "taken over: incidents 1" in said
            assert "word alone" not in said, "the lost server's seals prove it all"
            await wait_for(lambda: bo.model.live and not bo.model.pending, "bo is back", 30)
            await in_step(bo, b, stream)
            await in_step(bo, b, other)
            state = b.state(stream)
            assert (state.severity, state.number) == ("SEV1", "INC-1")
            assert not any(event.via for event in state.events.values())
            async with desk_at(a.url, home, "ana") as ana:
                await ana.open(stream)
                await in_step(ana, b, stream)
        await b.terminate()
        assert await b.run_to_end() == 2, "there is a log now"
        assert "without --from-replica" in b.output.decode()


async def test_a_takeover_is_not_hidden_in_a_private_directory(home: Path) -> None:
    a = House(home / "a")
    async with cleared(a):
        await a.start()
        async with desk_at(a.url, home, "ana") as ana:
            assert await ana.ready()
            ana.declare("x")
            await wait_for(lambda: not ana.model.pending, "the acks")
        await a.kill()
    environ = {
        "WARROOM_REPLICA": str(home / "replica-ana"),
        "WARROOM_SERVER": a.url,
        "WARROOM_DATA": str(home / "b"),
        "WARROOM_CONFIG": str(home / "b-config"),
    }
    asked = await command("serve", "--from-replica", environ=environ, code=2)
    assert "--yes" in asked
    private = home / "private" / "socket"
    b = House(home / "b", "--from-replica", "--yes", program=SERVE)
    b.environ |= environ
    b.socket = private
    async with cleared(b):
        await b.start()
        assert "only you can reach it" in b.output.decode()


async def test_a_fresh_server_trusts_each_author_and_marks_what_others_bring(home: Path) -> None:
    a = House(home / "a")
    fresh = House(home / "fresh")
    fresh.socket = a.socket
    async with cleared(a, fresh):
        await a.start()
        async with desk_at(a.url, home, "ana") as ana, desk_at(a.url, home, "bo") as bo:
            stream = await declared_by_two(ana, bo)
            bo.write(stream, SeveritySet(severity="SEV1"))
            await wait_for(lambda: ana.model.incident(stream).severity == "SEV1", "bo's word")
            room = ana.model.room
        await a.kill()
        # Nothing is left of the old server, not even what would prove its seals.
        load_or_create(fresh.config / "room.key", secrets.token_bytes, room)
        await fresh.start()
        async with desk_at(a.url, home, "ana") as ana:
            await ana.open(stream)
            hers = set(ana.model.incident(stream).events)
            await wait_for(lambda: set(fresh.state(stream).events) == hers, "all events", 30)
            state = fresh.state(stream)
            assert state.set_digest() != ana.model.incident(stream).set_digest(), "heard, not held"
            assert {e.via for e in state.events.values() if e.head.by == ana.model.you} == {None}
            others = {e.via for e in state.events.values() if e.head.by != ana.model.you}
            assert others == {ana.model.you}
            assert state.severity == "SEV2", "hearsay does not say how bad it is"
            async with desk_at(a.url, home, "bo") as bo:
                await bo.open(stream)
                await wait_for(lambda: fresh.state(stream).severity == "SEV1", "its author", 30)

                def vouchers() -> set[str | None]:
                    held = fresh.state(stream).events.values()
                    return {event.via for event in held if event.head.by == bo.model.you}

                await wait_for(lambda: vouchers() == {None}, "all of its author's", 30)
                await wait_for(lambda: ana.model.incident(stream).severity == "SEV1", "at ana's")
                unproven = {e.head.by for e in fresh.state(stream).events.values() if e.via}
                assert unproven == {SERVER_NAME}, "the lost server itself vouches no more"


async def keeps_number(house: House, stream: str, number: int) -> None:
    """Wait until a server's log has the number that an incident had."""
    await wait_for(
        lambda: house.state(stream).number == f"INC-{number}", "the number that it had", 30
    )


async def test_a_new_server_knows_the_numbers_and_the_alerts_that_the_replica_heard_of(
    home: Path,
) -> None:
    a = House(home / "a")
    b = House(home / "b", "--from-replica", "--yes", program=SERVE)
    b.socket = a.socket
    b.environ |= {"WARROOM_REPLICA": str(home / "replica-ana"), "WARROOM_SERVER": a.url}
    async with cleared(a, b):
        await a.start()
        async with desk_at(a.url, home, "bo") as bo:
            await bo.ready()
            streams = []
            for number in range(1, 5):
                streams.append(bo.declare(f"number {number}", "SEV3"))
                await numbered(streams[-1], bo, number)
            token = await make_token(bo, "generic")
            await post(a, token, "disk")
            await post(a, token, "gone")
            await post(a, token, "gone", "resolved")
            # Ana's console heard of all incidents, and never opened any.
            async with desk_at(a.url, home, "ana") as ana:
                await ana.ready()
                await wait_for(lambda: len(ana.model.summaries) == 4, "all lines")
                await shows(ana, ("disk", "firing"), ("gone", "resolved"))
                before = {r.uid: r for r in ana.model.records.values()}
                assert not any(r.is_stale(r.last_seen + 1000) for r in before.values())
                await ana.kept()
            await a.kill()
            shutil.rmtree(a.root)
            a.root.mkdir()
            # What bo alone has comes to the new server in his own time.
            await b.start()
            assert "open alerts 1" in b.output.decode()
            await wait_for(lambda: bo.model.live and not bo.model.pending, "bo is back", 30)
            fifth = bo.declare("after", "SEV3")
            await wait_for(lambda: bo.model.summaries[fifth].id == "INC-5", "the next number", 30)
            for number, stream in enumerate(streams, start=1):
                await bo.open(stream)
                await in_step(bo, b, stream)
                await keeps_number(b, stream, number)
            async with desk_at(a.url, home, "cy") as cy:
                await cy.ready()
                await shows(cy, ("disk", "firing"), ("gone", "resolved"))
                disk = next(r for r in cy.model.records.values() if r.is_open)
                assert disk.last_seen == before[disk.uid].last_seen, "as old as it is"
                assert disk.is_stale(disk.last_seen + 1000), "nobody here was told of it"
                token = await make_token(cy, "generic")
                await post(b, token, "disk", "resolved")
                await wait_for(
                    lambda: not cy.model.records[disk.uid].is_open, "the sender's own word", 30
                )


async def test_nobodys_console_vouches_for_what_somebody_forged_in_its_users_name(
    home: Path,
) -> None:
    a = House(home / "a")
    fresh = House(home / "fresh")
    fresh.socket = a.socket
    async with cleared(a, fresh):
        await a.start()
        async with desk_at(a.url, home, "ana") as ana, desk_at(a.url, home, "bo") as bo:
            stream = await declared_by_two(ana, bo)
            room, you = ana.model.room, ana.model.you
            event, packet = new_author().write(stream, you, SeveritySet(severity="SEV1"))
            mallory = await Console(user="mallory").join(a.socket)
            for frame in mallory.end.relaying.frames(stream, [Handing(event.id, 0, packet)]):
                await mallory.ws.send(frame, text=True)
            await wait_for(lambda: event.id in ana.model.incident(stream).events, "the forgery")
            assert ana.model.incident(stream).events[event.id].via == mallory.you
            await leave_all([mallory])
        await a.kill()
        load_or_create(fresh.config / "room.key", secrets.token_bytes, room)
        await fresh.start()
        async with desk_at(a.url, home, "ana") as ana:
            await ana.open(stream)
            await wait_for(lambda: event.id in fresh.state(stream).events, "the forgery", 30)
            note = ana.write(stream, NoteAdded(text="after all that was handed on"))
            await wait_for(lambda: note.id in fresh.state(stream).events, "a note", 30)
            assert fresh.state(stream).events[event.id].via == you, "as she says that she heard it"
            assert fresh.state(stream).severity == "SEV2"
        async with desk_at(a.url, home, "ana") as ana:
            await ana.open(stream)
            await wait_for(lambda: stream in ana.model.synced, "all of it")
            note = ana.write(stream, NoteAdded(text="and once more"))
            await wait_for(lambda: note.id in fresh.state(stream).events, "another note", 30)
            assert fresh.state(stream).events[event.id].via == you
