"""The fan-out: who gets what, who holds what, and what is forgotten."""

from __future__ import annotations

from tests.e2e.console_client import Console, leave_all
from tests.server.running import InProcess
from tests.waiting import wait_for
from warroom_incident.sync.wire import Held


async def test_only_who_follows_a_stream_gets_its_events(house: InProcess) -> None:
    ana, bo = [await Console(user=u).join(house.socket) for u in ("ana", "bo")]
    one, two = await ana.declare(), await ana.declare()
    await bo.follow(one)
    await ana.note(two, "not for bo")
    note = await ana.note(one, "for bo")
    await bo.has(one, note.id)
    assert two not in bo.states
    await leave_all([ana, bo])


async def test_who_left_a_stream_gets_no_more_of_it(house: InProcess) -> None:
    ana, bo = [await Console(user=u).join(house.socket) for u in ("ana", "bo")]
    one, two = await ana.declare(), await ana.declare()
    await bo.follow(one, two)
    await bo.ws.send(bo.end.subscribe([], [one]), text=True)
    await wait_for(lambda: one not in house.server.hub.followers, "left")
    missed = await ana.note(one)
    note = await ana.note(two)
    await bo.has(two, note.id)
    assert missed.id not in bo.states[one].events
    await leave_all([ana, bo])


async def test_another_machine_holds_no_more_than_there_is(house: InProcess) -> None:
    ana = await Console(user="ana", machine="elsewhere").join(house.socket)
    stream = await ana.declare()
    await house.server.duties.finish()
    await ana.follow(stream)
    hub, top = house.server.hub, house.server.room.tops[stream]
    for _ in range(3):
        await ana.say(Held(stream, 2**53))
    await wait_for(lambda: ana.of(Held), "word of the holder")
    assert hub.held == {stream: top}
    assert {held.iseq for held in ana.of(Held)} == {top}
    await ana.say(Held("i-" + "a" * 16, 7))
    await ana.note(stream)
    assert set(hub.held) == {stream}
    await leave_all([ana])


async def test_the_servers_own_machine_is_no_second_holder(house: InProcess) -> None:
    own = house.server.hub.us.machine
    ana = await Console(user="ana", machine=own).join(house.socket)
    stream = await ana.declare()
    await ana.say(Held(stream, 1))
    await ana.note(stream)
    assert house.server.hub.held == {}
    await leave_all([ana])
