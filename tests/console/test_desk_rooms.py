"""Whose a replica is, which room it holds, and what views are told of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.console.desks import declared, places, unsent
from tests.console.fake_room import fake_room
from tests.waiting import wait_for
from warroom_console.desk import Desk, OtherRoom
from warroom_console.model import Area
from warroom_console.naming import NoIncident
from warroom_incident.event import BOARD, ROOM
from warroom_incident.outbox import Outbox
from warroom_incident.sync.wire import Close, Hello
from warroom_incident.vocabulary import (
    NoteAdded,
    TokenCreated,
)

# Names, accounts, rooms ----------------------------------------------------------------------


async def test_events_of_others_on_a_shared_account_are_sent_and_another_accounts_wait(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room:
        room.welcome = msgspec.structs.replace(room.welcome, you="ana (ops)", account="ops")
        async with Desk(places(room, WARROOM_USER="ana")) as desk:
            await desk.ready()
            stream = desk.declare("Checkout fails")
            await wait_for(lambda: not desk.model.pending)
        await room.stop()
        async with Desk(places(room, WARROOM_USER="bo")) as desk:
            assert desk.model.you == "bo (ops)"
            left = desk.write(stream, NoteAdded(text="by bo"))
        await room.start()
        async with Desk(places(room, WARROOM_USER="ana")) as desk:
            await desk.ready()
            assert left.id in (await desk.sent()).acknowledged | set(room.ids(stream))
            await wait_for(lambda: not desk.model.pending)
        assert left.id in room.ids(stream)
        await room.stop()
        async with Desk(places(room, WARROOM_USER="bo")) as desk:
            again = desk.write(stream, NoteAdded(text="by bo again"))
        await room.start()
        room.welcome = msgspec.structs.replace(room.welcome, you="cy (dev)", account="dev")
        async with Desk(places(room, WARROOM_USER="cy")) as desk:
            await desk.ready()
            mine = desk.write(stream, NoteAdded(text="by cy"))
            await desk.sent([mine.id])
            assert again.id in desk.model.pending
        assert again.id in unsent(places(room), room)


async def test_another_account_writes_as_another_replica(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        first = room.state(stream).events[room.ids(stream)[0]].head.rep
        room.welcome = msgspec.structs.replace(room.welcome, you="bo", account="bo")
        async with Desk(places(room)) as desk:
            await desk.ready()
            event = desk.write(stream, NoteAdded(text="by bo"))
            assert event.head.by == "bo"
            assert event.head.rep != first
            assert event.head.n == 1


async def test_an_address_that_became_another_room_is_noticed_and_learnt(tmp_path: Path) -> None:
    async with fake_room(tmp_path / "a", "one") as room:
        await declared(room)
        room.welcome = msgspec.structs.replace(room.welcome, room="two")
        async with Desk(places(room)) as desk:
            with pytest.raises(OtherRoom, match="another room"):
                await desk.ready()
        async with Desk(places(room)) as desk:
            assert await desk.ready()
            assert desk.model.room == "two"


async def test_a_given_replica_is_never_mixed_with_another_room(tmp_path: Path) -> None:
    async with fake_room(tmp_path / "a", "one") as room:
        given = str(tmp_path / "replica")
        async with Desk(places(room, WARROOM_REPLICA=given)) as desk:
            assert await desk.ready()
        room.welcome = msgspec.structs.replace(room.welcome, room="two")
        async with Desk(places(room, WARROOM_REPLICA=given)) as desk:
            with pytest.raises(OtherRoom, match="WARROOM_REPLICA"):
                await desk.ready()


async def test_the_rooms_tokens_never_reach_the_disk(tmp_path: Path) -> None:
    async with fake_room(tmp_path / "server") as room:
        async with Desk(places(room)) as desk:
            await desk.ready()
            await desk.open(ROOM)
            event = desk.write(ROOM, TokenCreated(name="am", hash="f" * 64, kind="generic"))
            await desk.sent([event.id])
            assert [token.name for token in desk.model.members.tokens()] == ["am"]
        directory = places(room).room_directory("fakeroom")
        kept = b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())
        assert b"f" * 64 not in kept


async def test_a_changed_history_is_read_again_from_its_beginning(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        async with Desk(places(room)) as desk:
            await desk.open(stream)
            await desk.ready()
            room.heard.clear()
            for seat in tuple(room.seats):
                await seat.ws.close(Close.LOG_CHANGED, "changed")
            hello = await wait_for(lambda: room.told(Hello))
            assert isinstance(hello[0], Hello)
            assert {f.stream: f.iseq for f in hello[0].follow} == {BOARD: 0, stream: 0}
            model = desk.model
            await wait_for(lambda: model.live and stream in model.synced, "the whole stream")


# Names of incidents, changes -----------------------------------------------------------------


async def test_an_incident_has_many_names(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails")
        number = desk.model.incident(stream).number
        for name in (number, number.lower(), number[4:], stream, stream[2:], f" {number} "):
            assert desk.resolve(name) == stream
        for name in ("INC-99", "", "x[prod] y[/b]", "\x1b[31m", "\udcff", "INC-" + "9" * 50):
            with pytest.raises(NoIncident) as caught:
                desk.resolve(name)
            assert "\x1b" not in str(caught.value)


async def test_views_are_told_what_changed_and_own_actions_at_once(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        desk.model.take()
        told: list[bool] = []
        unsubscribe = desk.model.subscribe(told.append)
        stream = desk.declare("Checkout fails")
        assert True in told
        changes = desk.model.take()
        assert changes.events[stream] == set(desk.model.incident(stream).events)
        assert Area.SUMMARIES in changes.areas
        assert not desk.model.changed
        await wait_for(lambda: desk.model.changed)
        unsubscribe()
        told.clear()
        desk.write(stream, NoteAdded(text="unheard"))
        assert told == []


async def test_a_long_history_arrives_and_is_there_offline(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        async with Desk(places(room)) as desk:
            await desk.ready()
            for start in range(0, 600, 200):
                notes = [NoteAdded(text=f"note {start + n}") for n in range(200)]
                events = desk.write_all(stream, notes)
                assert not (await desk.sent([e.id for e in events], within=30)).waiting
        total = len(room.ids(stream))
        other = places(room, WARROOM_REPLICA=str(tmp_path / "other"))
        async with Desk(other) as desk:
            await desk.ready()
            await desk.open(stream)
            assert await desk.complete(stream)
            assert desk.model.incident(stream).set_digest() == room.state(stream).set_digest()
            assert desk.model.behind[stream] == 0
        await room.stop()
        async with Desk(other) as desk:
            assert len(desk.load(stream).events) == total


async def test_closing_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put: Callable[..., None] = Outbox.put
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(outbox: Outbox, packets: object) -> None:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()
        put(outbox, packets)

    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        await room.stop()
        monkeypatch.setattr(Outbox, "put", slow)
        desk = await Desk(places(room)).__aenter__()
        event = desk.write(stream, NoteAdded(text="kept"))
        closing = asyncio.create_task(desk.close())
        await asyncio.sleep(0)
        assert unsent(desk.places, room) == set()
        gate.set()
        await closing
        assert unsent(desk.places, room) == {event.id}
