"""The desk: writes that count at once, are kept, sent, answered, and survive everything."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.console.fake_room import FakeRoom, fake_room
from tests.waiting import wait_for
from warroom_console.contact import NoServer, Unwelcome
from warroom_console.desk import Desk, OtherRoom
from warroom_console.model import Area
from warroom_console.naming import NoIncident
from warroom_console.pen import NotAllowed
from warroom_console.places import Places
from warroom_incident.alerts import AlertRecord
from warroom_incident.door import DoorError
from warroom_incident.event import BOARD, ROOM
from warroom_incident.outbox import Outbox
from warroom_incident.reducers import Right
from warroom_incident.sync.wire import Close, Held, Hello, Here, Person, Presence, Push, Records
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    NoteAdded,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    TitleSet,
    TokenCreated,
)


def places(room: FakeRoom, **environ: str) -> Places:
    return Places.find(room.url, {**os.environ, **environ})


def unsent(found: Places, room: FakeRoom) -> set[str]:
    return Outbox(found.room_directory(room.welcome.room)).ids()


async def declared(room: FakeRoom, title: str = "Checkout fails") -> str:
    """An incident on the server, declared by a console that is gone."""
    async with Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare(title, "SEV2")
        assert not (await desk.sent(desk.model.incident(stream).events)).waiting
        await desk.complete(stream)
    return stream


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
        sent = await wait_for(lambda: not desk.model.pending)
        assert sent
        assert set(room.ids(stream)) == set(desk.model.incident(stream).events)


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
            assert await desk.complete(stream)


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
