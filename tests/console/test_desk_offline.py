"""A desk without a server, and several at once: everything is there, written and kept."""

from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from tests.console.desks import declared, places, unsent
from tests.console.fake_room import fake_room
from tests.small_disk import no_larger_files
from tests.waiting import wait_for
from warroom_console.contact import NoServer, Unwelcome
from warroom_console.desk import Desk
from warroom_console.places import Places
from warroom_incident.outbox import Outbox
from warroom_incident.sync.wire import Close, Held, Hello
from warroom_incident.vocabulary import (
    NoteAdded,
    RoleAssigned,
)

# Without a server ---------------------------------------------------------------------------


async def test_without_any_contact_ever_it_says_what_was_tried(tmp_path: Path) -> None:
    with pytest.raises(NoServer, match="nowhere"):
        async with Desk(Places.find(f"unix://{tmp_path}/nowhere")):
            pass


@pytest.mark.parametrize("code", [code for code in Close if code.final])
async def test_a_server_that_lets_nobody_in_is_quoted(code: Close, tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        room.shut_out = (code, "no\x1b[31m entry")
        with pytest.raises(Unwelcome) as caught:
            async with Desk(places(room)):
                pass
        assert "\x1b" not in str(caught.value)


async def test_on_a_full_disk_it_opens_says_so_and_counts_as_no_other_machine(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        room.heard.clear()
        async with AsyncExitStack() as stack:
            with no_larger_files(0):
                desk = await stack.enter_async_context(Desk(places(room)))
            assert "The disk here is full" in desk.model.trouble
            assert await desk.ready()
            await desk.open(stream)
            assert await desk.complete(stream)
            note = desk.write(stream, NoteAdded(text="said all the same"))
            assert (await desk.sent([note.id])).acknowledged
            await wait_for(lambda: note.id not in desk.model.pending)
        assert room.told(Held) == []
        await room.stop()
        async with AsyncExitStack() as stack:
            with no_larger_files(0):
                desk = await stack.enter_async_context(Desk(places(room)))
            await desk.open(stream)
            assert desk.model.incident(stream).title == "Checkout fails"


async def test_a_server_of_another_protocol_is_said_to_be_one(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        room.welcome = msgspec.structs.replace(room.welcome, v=99)
        with pytest.raises(Unwelcome, match="protocol"):
            async with Desk(places(room)):
                pass


async def test_offline_it_opens_from_the_replica_and_everything_can_be_written(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        await room.stop()
        async with Desk(places(room)) as desk:
            assert not await desk.ready()
            assert desk.offline
            assert desk.has_picture
            assert desk.model.as_of is not None
            await desk.open(stream)
            state = desk.model.incident(stream)
            assert state.title == "Checkout fails"
            assert {desk.model.mark(e) for e in state.events.values()} == {"durable"}
            desk.write(stream, RoleAssigned(role="commander", person="ana"))
            own = desk.declare("Second", "SEV1", drill=True)
            assert desk.model.incident(own).number.startswith("INC-~")
            assert desk.model.summaries[own].title == "Second"
            assert desk.model.summaries[own].drill
            assert desk.model.summaries[stream].commander == "ana"
        async with Desk(places(room)) as desk:
            assert desk.model.summaries[own].title == "Second"
            assert desk.load(stream).holder("commander") == "ana"
            assert len(desk.model.pending) == 5
            await room.start()
            desk.link.retry_now()
            await wait_for(lambda: not desk.model.pending)
        assert room.state(own).title == "Second"
        assert room.state(stream).holder("commander") == "ana"
        assert unsent(places(room), room) == set()


async def test_what_one_process_left_the_other_sends(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        await room.stop()
        async with Desk(places(room)) as offline:
            event = offline.write(stream, NoteAdded(text="left behind"))
        await room.start()
        async with Desk(places(room)) as desk:
            await desk.open(stream)
            await wait_for(lambda: event.id in room.ids(stream))
            await wait_for(lambda: not desk.model.pending)
            assert desk.model.mark(desk.model.incident(stream).events[event.id]) == "durable"


async def test_two_consoles_at_once_take_two_slots_and_share_the_outbox(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        async with Desk(places(room)) as one, Desk(places(room)) as two:
            await one.open(stream)
            await two.open(stream)
            await one.ready()
            await two.ready()
            event = one.write(stream, NoteAdded(text="from one"))
            await wait_for(lambda: event.id in two.model.incident(stream).events)
            reply = two.write(stream, NoteAdded(text="from two"))
            await wait_for(lambda: reply.id in one.model.incident(stream).events)
            assert reply.head.rep != event.head.rep
            hellos = {m.rep for m in room.told(Hello) if isinstance(m, Hello)}
            assert {event.head.rep, reply.head.rep} <= hellos


async def test_a_second_process_reads_what_the_first_ones_replica_holds(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        async with Desk(places(room)) as first:
            await first.open(stream)
            await first.ready()
            await room.stop()
            async with Desk(places(room)) as second:
                assert second.load(stream).title == "Checkout fails"
                assert second.model.you == "ana"
        # what it read is its own now, the first slot's file is not needed any more
        directory = places(room).room_directory("fakeroom")
        for name in ("replica-1.db", "replica-1.db-wal", "replica-1.db-shm"):
            (directory / "slot-0" / name).unlink(missing_ok=True)
        async with Desk(places(room)) as third:
            assert third.load(stream).title == "Checkout fails"


async def test_a_damaged_replica_is_filled_again(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        directory = places(room).room_directory("fakeroom")
        (directory / "slot-0/replica-1.db").write_bytes(b"rubbish" * 1000)
        async with Desk(places(room)) as desk:
            await desk.open(stream)
            assert await desk.ready()
            assert desk.model.incident(stream).title == "Checkout fails"


async def test_a_full_disk_is_told_and_the_event_still_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_outbox: Outbox, _packets: object) -> None:
        raise OSError(28, "No space left on device")

    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails")
        await wait_for(lambda: not desk.model.pending)
        monkeypatch.setattr(Outbox, "put", full)
        event = desk.write(stream, NoteAdded(text="important"))
        assert (await desk.sent([event.id])).acknowledged == {event.id}
        assert "No space left" in desk.model.trouble
        assert not desk.keeps([event.id])
