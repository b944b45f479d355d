"""What a server refuses is seen by all, kept by its author, and may be sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.houses import desk_at
from tests.server.running import ME, ServerProcess, damages, server_in_process
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.event import ROOM, Event
from warroom_incident.reducers import Right
from warroom_incident.vocabulary import MemberGranted, NoteAdded, RightName, SeveritySet
from warroom_server.room import Room


class House:
    """A server in this process, which the tests grant rights in."""

    def __init__(self, root: Path, room: Room) -> None:
        self.root = root
        self.room = room
        self.process = ServerProcess(root)

    def desk(self, user: str) -> Desk:
        """A console."""
        return desk_at(self.process, self.root, user)

    async def grant(self, right: RightName) -> None:
        """Change what this account may do."""
        body = MemberGranted(account=ME, right=right)
        await self.room.write(ROOM, body, self.room.room.base_for(body.key))


@pytest.fixture
async def house(home: Path) -> AsyncIterator[House]:
    """A running server."""
    async with server_in_process(home) as running:
        yield House(home, running.server.room)


async def begin(ana: Desk, bo: Desk) -> str:
    """An incident that two people follow."""
    assert await ana.ready()
    assert await bo.ready()
    stream = ana.declare("checkout answers 5xx", "SEV2")
    await bo.open(stream)
    await wait_for(lambda: bo.model.incident(stream).declared)
    return stream


def voids(desk: Desk, stream: str) -> dict[str, Event]:
    """What a console shows as refused."""
    return {i: e for i, e in desk.model.incident(stream).events.items() if e.refused}


async def test_a_member_who_was_revoked_while_offline_leaves_voids_and_keeps_the_texts(
    house: House,
) -> None:
    async with house.desk("bo") as bo:
        async with house.desk("ana") as ana:
            stream = await begin(ana, bo)
            await wait_for(lambda: not ana.model.pending)
        await house.grant("viewer")
        async with house.desk("ana") as ana:
            assert ana.model.incident(stream).events == {}
            events = [ana.write(stream, NoteAdded(text=f"unsent {n}")) for n in range(4)]
            events.append(ana.write(stream, SeveritySet(severity="SEV1")))
            ids = {event.id for event in events}
            sent = await ana.sent(ids)
            assert set(sent.refused) == ids
            await wait_for(lambda: set(voids(bo, stream)) == ids, "the voids at the other console")
            await wait_for(lambda: ana.model.incident(stream).severity == "SEV2")
            assert bo.model.incident(stream).severity == "SEV2"
            void = voids(bo, stream)[events[0].id]
            assert void.withheld is not None
            assert void.withheld.startswith("refused: your account may only read here")
            assert (void.head.by, void.head.type) == (f"ana ({ME})", "note.added")
            assert b"unsent" not in house.root.joinpath("room", "warroom.db-wal").read_bytes()
            assert bo.model.mark(void) == "refused"
            assert {r.event.id for r in ana.refusals()} == ids
        async with house.desk("ana") as ana:
            assert {r.event.id for r in ana.refusals()} == ids
            texts = [
                r.event.body.text for r in ana.refusals() if isinstance(r.event.body, NoteAdded)
            ]
            assert texts == [f"unsent {n}" for n in range(4)]
            await ana.ready()
            await house.grant("admin")
            await wait_for(lambda: bo.model.right is Right.ADMIN, "word of the right")
            after = bo.write(stream, NoteAdded(text="later events flow"))
            await wait_for(lambda: not bo.model.pending)
            assert after.id not in bo.model.refusals
    assert damages(house.process.log) == []


async def test_what_was_refused_may_be_sent_again_and_then_counts(house: House) -> None:
    async with house.desk("bo") as bo, house.desk("ana") as ana:
        stream = await begin(ana, bo)
        await ana.open(stream)
        await wait_for(lambda: not ana.model.pending)
        await house.grant("viewer")
        event = ana.write(stream, SeveritySet(severity="SEV1"))
        await ana.sent([event.id])
        await wait_for(lambda: event.id in voids(ana, stream), "the author's own void")
        assert ana.resend(event.id)
        assert ana.model.incident(stream).severity == "SEV1"
        assert ana.refusals() == []
        assert set((await ana.sent([event.id])).refused) == {event.id}
        assert ana.model.incident(stream).severity == "SEV2"
        assert event.id in voids(ana, stream)
        await house.grant("admin")
        assert ana.resend(event.id)
        assert (await ana.sent([event.id])).acknowledged == {event.id}
        await wait_for(lambda: bo.model.incident(stream).severity == "SEV1")
        assert voids(bo, stream) == voids(ana, stream) == {}
        await wait_for(lambda: same(ana, bo, house, stream), "the same everywhere")
        assert ana.refusals() == []
        assert not ana.resend(event.id)
    assert damages(house.process.log) == []


async def test_an_author_cannot_bring_back_by_relaying_what_was_refused(home: Path) -> None:
    """The seal on a void is handed on by every console; it must not vouch for the event."""
    async with server_in_process(home) as running:
        house = House(home, running.server.room)
        async with house.desk("bo") as bo, house.desk("ana") as ana:
            stream = await begin(ana, bo)
            await ana.open(stream)
            await wait_for(lambda: not ana.model.pending)
            await house.grant("viewer")
            event = ana.write(stream, SeveritySet(severity="SEV1"))
            await ana.sent([event.id])
            await wait_for(lambda: event.id in voids(bo, stream) and event.id in voids(ana, stream))
    (home / "room").rename(home / "lost")
    async with server_in_process(home) as running:
        house = House(home, running.server.room)
        async with house.desk("bo") as bo, house.desk("ana") as ana:
            await bo.open(stream)
            await ana.open(stream)
            await wait_for(lambda: same(ana, bo, house, stream), "the same everywhere", 30)
            assert house.room.incidents[stream].severity == "SEV2"
            assert event.id in voids(bo, stream)
    assert damages(house.process.log) == []


def same(ana: Desk, bo: Desk, house: House, stream: str) -> bool:
    """Whether two consoles and the server hold the same."""
    if stream not in house.room.incidents:
        return False
    states = [ana.model.incident(stream), bo.model.incident(stream), house.room.incidents[stream]]
    return (
        len({state.set_digest() for state in states}) == 1
        and len({state.state_digest() for state in states}) == 1
        and len(states[0].events) > 4
    )
