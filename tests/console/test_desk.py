"""The desk: writes that count at once, are kept, sent, answered, and survive everything."""

from pathlib import Path

import msgspec
import pytest

from tests.console.desks import declared, places, unsent
from tests.console.fake_room import fake_room
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_console.pen import NotAllowed
from warroom_incident.alerts import AlertRecord
from warroom_incident.door import DoorError
from warroom_incident.event import BOARD
from warroom_incident.reducers import Right
from warroom_incident.sync.wire import Held, Hello, Here, Person, Presence, Push, Records
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    NoteAdded,
    SeveritySet,
    StatusSet,
    TitleSet,
)

# Writing with a server ----------------------------------------------------------------------


async def test_a_write_counts_at_once_and_is_durable_after_the_ack(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        assert await desk.ready()
        room.silent = True
        stream = desk.declare("Checkout fails", "SEV2")
        state = desk.model.incident(stream)
        assert (state.title, state.severity, state.status) == ("Checkout fails", "SEV2", "started")
        assert len(state.checklists()) == 1
        assert {desk.model.mark(e) for e in state.events.values()} == {"pending"}
        await desk.kept()
        assert unsent(desk.places, room) == set(state.events)
        await wait_for(lambda: room.told(Push))
        room.silent = False
        event = desk.write(stream, NoteAdded(text="hello"))
        assert (await desk.sent([event.id])).acknowledged == {event.id}
        assert desk.model.mark(state.events[event.id]) == "durable"
        await wait_for(lambda: event.id not in unsent(desk.places, room))


async def test_what_was_pushed_and_never_answered_is_pushed_again(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        room.silent = True
        stream = desk.declare("Checkout fails")
        await wait_for(lambda: room.told(Push))
        room.silent = False
        await room.stop()
        await room.start()
        await wait_for(lambda: not desk.model.pending)
        state = desk.model.incident(stream)
        # The server's number follows the receipt in a frame of its own.
        await wait_for(lambda: ("number",) in state.registers)
        assert set(room.ids(stream)) == set(state.events)


async def test_many_writes_are_one_push_in_their_order(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails")
        await wait_for(lambda: not desk.model.pending)
        before = len(room.told(Push))
        events = desk.write_all(stream, [NoteAdded(text=f"note {n}") for n in range(20)])
        await desk.sent([event.id for event in events])
        assert len(room.told(Push)) == before + 1
        assert room.ids(stream)[-20:] == [event.id for event in events]


async def test_writing_all_or_nothing_leaves_no_gap(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails")
        count = len(desk.model.incident(stream).events)
        with pytest.raises(DoorError):
            desk.write_all(stream, [NoteAdded(text="fine"), NoteAdded(text="")])
        assert len(desk.model.incident(stream).events) == count
        assert desk.write(stream, NoteAdded(text="next")).head.n == count + 1


@pytest.mark.parametrize(
    "title", ["", "x" * 241, "a\udcff", "x" * 60_000], ids=["empty", "long", "surrogate", "huge"]
)
async def test_a_bad_declaration_leaves_nothing_behind(title: str, tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        with pytest.raises(DoorError):
            desk.declare(title)
        assert not desk.model.incidents
        assert not desk.model.summaries
        await desk.kept()
        assert unsent(desk.places, room) == set()


async def test_a_write_replaces_what_counts_and_an_entry_knows_the_closing(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails", "SEV2")
        state = desk.model.incident(stream)
        first = state.base_for(("severity",))
        second = desk.write(stream, SeveritySet(severity="SEV1"))
        assert second.head.base == first
        closed = desk.write(stream, StatusSet(status="closed"))
        assert isinstance(closed.body, StatusSet)
        assert closed.body.seen == {second.head.rep: second.head.n}
        note = desk.write(stream, NoteAdded(text="afterwards"))
        assert note.head.base == (closed.id,)
        assert not state.is_late(note)


async def test_a_draft_keeps_the_base_of_its_edit(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails")
        event = desk.write(stream, TitleSet(title="other"), base=())
        assert event.head.base == ()


async def test_a_refused_event_stops_counting_and_is_kept_with_its_reason(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails", "SEV3")
        await wait_for(lambda: not desk.model.pending)
        room.refuses = lambda e: "not now" if isinstance(e.body, SeveritySet) else None
        refused = desk.write(stream, SeveritySet(severity="SEV1"))
        after = desk.write(stream, NoteAdded(text="later events flow"))
        assert desk.model.incident(stream).severity == "SEV1"
        sent = await desk.sent([refused.id, after.id])
        assert sent.refused == {refused.id: "not now"}
        assert sent.acknowledged == {after.id}
        assert desk.model.incident(stream).severity == "SEV3"
        assert desk.model.mark(refused) == "refused"
        assert desk.model.refusals[refused.id].event.body == refused.body
        await wait_for(lambda: (desk.refused_directory / refused.id).exists())
        await wait_for(lambda: unsent(desk.places, room) == set())


async def test_what_was_refused_is_there_after_a_restart_until_it_is_put_away(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        room.refuses = lambda e: "not now" if isinstance(e.body, NoteAdded) else None
        async with Desk(places(room)) as desk:
            await desk.open(stream)
            refused = desk.write(stream, NoteAdded(text="my words"))
            other = desk.write(stream, NoteAdded(text="others"))
            await desk.sent([refused.id, other.id])
        async with Desk(places(room)) as desk:
            assert set(desk.model.refusals) == {refused.id, other.id}
            assert desk.dismiss(refused.id)
            assert not desk.dismiss(refused.id)
            assert set(desk.model.refusals) == {other.id}
            await desk.kept()
        async with Desk(places(room)) as desk:
            assert set(desk.model.refusals) == {other.id}
            kept = (desk.refused_directory / f"{refused.id}.dismissed").read_text()
            assert "my words" in kept, "refused never means lost"
            room.refuses = lambda _event: None
            assert desk.resend(other.id)
            assert (await desk.sent([other.id])).acknowledged == {other.id}
            assert desk.model.refusals == {}


async def test_a_declaration_that_was_refused_leaves_nothing_but_its_words(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        room.refuses = lambda _event: "you may only read here"
        stream = desk.declare("Checkout fails", "SEV2")
        assert stream in desk.model.summaries
        ids = set(desk.model.incident(stream).events)
        assert set((await desk.sent(ids)).refused) == ids
        assert stream not in desk.model.summaries
        assert stream not in room.log.streams(), "nobody else ever heard of it"
        assert set(desk.model.refusals) == ids
        room.refuses = lambda _event: None
        for event_id in ids:
            desk.resend(event_id)
        assert (await desk.sent(ids)).acknowledged == ids
        assert desk.model.incident(stream).title == "Checkout fails"
        await wait_for(lambda: stream in desk.model.summaries)


async def test_an_account_that_may_only_read_is_told_so_before_it_writes(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        room.welcome = msgspec.structs.replace(room.welcome, right="viewer")
        async with Desk(places(room)) as desk:
            await desk.ready()
            assert desk.model.right is Right.VIEWER
            with pytest.raises(NotAllowed, match="viewer"):
                desk.write(stream, NoteAdded(text="no"))


async def test_an_event_on_another_machine_is_held(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails")
        state = desk.model.incident(stream)
        await wait_for(lambda: not desk.model.pending and ("number",) in state.registers)
        await room.say_to_all(Held(stream, 1))
        marks = await wait_for(
            lambda: (
                "held" in (m := [desk.model.mark(state.events[i]) for i in room.ids(stream)]) and m
            )
        )
        assert marks
        assert marks[0] == "held"
        assert set(marks[1:]) == {"durable"}


async def test_the_server_is_told_what_this_machine_holds_on_disk(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails")
        await wait_for(lambda: not desk.model.pending)
        await wait_for(lambda: Held(stream, len(room.ids(stream))) in room.heard)


async def test_a_replica_on_the_servers_own_machine_is_not_claimed(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        found = places(room)
        room.welcome = msgspec.structs.replace(room.welcome, machine=found.machine)
        async with Desk(found) as desk:
            await desk.ready()
            state = desk.model.incident(stream := desk.declare("Checkout fails"))
            await wait_for(lambda: not desk.model.pending and ("number",) in state.registers)
        assert room.told(Held) == []
        async with Desk(found) as desk:
            assert len(desk.load(stream).events) == len(room.ids(stream))


async def test_where_a_person_is_is_told_again_after_a_reconnect(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        desk.here("i-" + "a" * 16, "typing")
        await wait_for(lambda: Here("i-" + "a" * 16, "typing") in room.heard)
        await room.say_to_all(Presence([Person("bo")]))
        await wait_for(lambda: desk.model.people == [Person("bo")])
        room.heard.clear()
        await room.stop()
        await wait_for(lambda: not desk.model.people)
        await room.start()
        await wait_for(lambda: Here("i-" + "a" * 16, "typing") in room.heard)


async def test_alerts_and_acknowledgements_arrive_and_are_kept(tmp_path: Path) -> None:
    record = AlertRecord(
        uid="u1", key="k", source="s", kind="generic", episode=1, title="disk", severity="SEV1",
        state="firing", first_seen=1, last_seen=1, starts_at=1,
    )  # fmt: skip
    async with fake_room(tmp_path) as room:
        room.records = [record]
        async with Desk(places(room)) as desk:
            await desk.ready()
            await wait_for(lambda: "u1" in desk.model.records)
            event = desk.write(BOARD, AlertAcknowledged(uid="u1"))
            await desk.sent([event.id])
            assert desk.model.board.acknowledged("u1") is not None
        await room.stop()
        async with Desk(places(room)) as desk:
            assert desk.model.records == {"u1": record}
            assert desk.model.board.acknowledged("u1") is not None


async def test_a_console_without_alerts_leaves_no_cursor_that_hides_them(tmp_path: Path) -> None:
    record = AlertRecord(
        uid="u1", key="k", source="s", kind="generic", episode=1, title="disk", severity="SEV1",
        state="firing", first_seen=1, last_seen=1, starts_at=1,
    )  # fmt: skip
    async with fake_room(tmp_path) as room:
        room.records = [record]
        async with Desk(places(room), board=False) as first:
            await first.ready()
            async with Desk(places(room)) as second:
                await wait_for(lambda: "u1" in second.model.records)
        async with Desk(places(room), board=False) as again:  # in the slot of the first
            await again.ready()
        room.heard.clear()
        async with Desk(places(room)) as last:
            assert last.model.records == {"u1": record}
            await last.ready()
        (hello,) = room.told(Hello)
        assert isinstance(hello, Hello)
        assert hello.board is not None
        assert hello.board.rev == 1
        await room.stop()
        async with Desk(places(room)) as offline:
            assert offline.model.records == {"u1": record}


async def test_it_is_not_fresh_before_the_alerts_have_come(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        room.board_held_back = True
        async with Desk(places(room)) as desk, Desk(places(room), board=False) as other:
            assert await other.ready()
            await wait_for(lambda: BOARD in desk.model.current)
            assert not desk.fresh
            await room.say_to_all(Records("board-1", 0, []))
            assert await desk.ready()


async def test_another_board_replaces_the_alerts(tmp_path: Path) -> None:
    record = AlertRecord(
        uid="u1", key="k", source="s", kind="generic", episode=1, title="disk", severity="SEV1",
        state="firing", first_seen=1, last_seen=1, starts_at=1,
    )  # fmt: skip
    async with fake_room(tmp_path) as room:
        room.records = [record]
        async with Desk(places(room)) as desk:
            await wait_for(lambda: "u1" in desk.model.records)
            other = msgspec.structs.replace(record, uid="u2")
            await room.say_to_all(Records("board-2", 1, [other]))
            await wait_for(lambda: desk.model.records == {"u2": other})
        room.records = []
        await room.stop()
        async with Desk(places(room)) as desk:
            assert desk.model.records == {"u2": other}
