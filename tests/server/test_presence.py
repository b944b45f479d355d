"""Who is here: several consoles of one person, floods, and leaving."""

from __future__ import annotations

import pytest

from tests.e2e.console_client import Console, consoles, dial, leave_all
from tests.server.running import InProcess
from tests.waiting import wait_for
from warroom_incident.reducers import Right
from warroom_incident.sync.wire import MAX_FRAME, Here, Person, Presence, encode
from warroom_server.identity import Caller, Who
from warroom_server.presence import Seat, people
from warroom_server.session import Session


def test_nobody_is_here() -> None:
    assert people([]) == []


def test_several_consoles_of_one_person_are_one_person_since_the_first() -> None:
    seats = [
        Seat("ana", 30, Here("i-1")),
        Seat("bo", 20),
        Seat("ana", 10, Here("i-2")),
    ]
    assert people(seats) == [Person("ana", "i-1", "", 10, 2), Person("bo", "", "", 20, 1)]


def test_the_console_that_does_something_speaks_for_its_person() -> None:
    seats = [Seat("ana", 10, Here("i-1", "typing")), Seat("ana", 30, Here("i-2"))]
    assert people(seats)[0] == Person("ana", "i-1", "typing", 10, 2)


async def test_everybody_sees_who_is_where_and_who_has_left(house: InProcess) -> None:
    async with consoles(house.socket, "ana", "bo") as (ana, bo):
        await ana.here("board", "writing an update")
        await wait_for(
            lambda: (
                [(p.where, p.doing) for p in bo.people if p.name == ana.you]
                == [("board", "writing an update")]
            ),
            "ana's place",
        )
        again = await Console(user="ana").join(house.socket)
        await wait_for(lambda: [p.consoles for p in bo.people] == [2, 1], "her second console")
        await again.leave()
        await wait_for(lambda: [p.consoles for p in bo.people] == [1, 1], "one of them gone")
        ana.ws.transport.abort()
        await wait_for(lambda: [p.name for p in bo.people] == [bo.you], "ana gone")


async def test_a_flood_of_moves_reaches_the_others_a_few_times_a_second(house: InProcess) -> None:
    async with consoles(house.socket, "ana", "bo") as (ana, bo):
        await wait_for(lambda: len(bo.people) == 2, "both")
        before = bo.presences
        for number in range(2000):
            await ana.here("", str(number))
        await wait_for(lambda: any(p.doing == "1999" for p in bo.people), "the last move")
        assert bo.presences - before < 40


async def test_who_never_says_hello_moves_nobody(
    house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = house.server.hub
    moved: list[str] = []
    gone: list[Session] = []
    remove = hub.remove

    def removing(session: Session) -> None:
        remove(session)
        gone.append(session)

    monkeypatch.setattr(hub, "on_presence", lambda: moved.append("moved"))
    monkeypatch.setattr(hub, "remove", removing)
    for _ in range(5):
        ws = await dial(house.socket)
        await ws.send("garbage", text=True)
        await ws.wait_closed()
    await wait_for(lambda: len(gone) == 5, "five strangers gone")
    assert moved == []


async def test_a_place_is_told_only_to_who_may_read_it(house: InProcess) -> None:
    async with consoles(house.socket, "ana", "bo") as (ana, bo):
        await ana.here("room", "counting tokens")
        await wait_for(lambda: any(p.where == "room" for p in bo.people), "an admin sees it")
        seen = house.server.hub.people_for(Who("cy", Caller("cy", Right.VIEWER)))
        assert {(p.where, p.doing) for p in seen} == {("", "")}
        assert len(seen) == 2


def test_a_crowd_fits_into_one_frame() -> None:
    crowd = [Seat(f"{i}" + "李" * 70, i, Here("李" * 64, "李" * 80)) for i in range(3000)]
    listed = people(reversed(crowd))
    assert MAX_FRAME // 2 < len(encode(Presence(listed))) < MAX_FRAME
    assert {p.since for p in listed} == set(range(len(listed))), "who came first stays"


async def test_leaving_leaves_nothing_behind(house: InProcess) -> None:
    crowd = [await Console(user=f"p{i}").join(house.socket, "board") for i in range(10)]
    hub = house.server.hub
    assert len(hub.sessions) == 10
    await leave_all(crowd)
    await wait_for(lambda: not hub.sessions, "everybody gone")
    assert hub.followers == {}
