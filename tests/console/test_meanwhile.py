"""What a console says of the time in which it was away."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.console.desks import declared, places
from tests.console.fake_room import FakeRoom, fake_room
from tests.console.still_desk import StillDesk
from tests.incident.making import STREAM, Writer, alert_record
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_console.errand import say_meanwhile
from warroom_console.link import wall_ms
from warroom_console.meanwhile import LOBBY, is_worth_opening, sentences
from warroom_incident.catchup import Digest, News
from warroom_incident.event import Event
from warroom_incident.log import Entry
from warroom_incident.reducers import Body
from warroom_incident.sync.wire import Place, Servers
from warroom_incident.vocabulary import (
    IncidentDeclared,
    NoteAdded,
    RoleAssigned,
    SeveritySet,
    StatusSet,
)

MINUTE = 60_000


class Others:
    """Somebody else, whose events are on the server before any console hears of them."""

    def __init__(self, room: FakeRoom, name: str = "bo", seed: int = 77) -> None:
        self.room = room
        self.writer = Writer(name, seed=seed)

    def say(self, stream: str, *bodies: Body) -> list[Event]:
        """Write, knowing everything that is there."""
        events = []
        for body in bodies:
            state = self.room.state(stream)
            event = self.writer.act(state, body, stream)
            self.room.admit([Entry(event, self.writer.packets[event.id])])
            events.append(event)
        return events


async def gone(room: FakeRoom, desk: Desk) -> None:
    """The server goes away."""
    await room.stop()
    await wait_for(lambda: desk.model.link.phase == "retrying", "the loss")


async def back(room: FakeRoom, desk: Desk, stream: str) -> list[str]:
    """It comes back; what is then said of an incident."""
    desk.model.digests.clear()
    await room.start()
    desk.link.retry_now()
    await wait_for(
        lambda: desk.model.live and stream in desk.model.synced and not desk.model.pending,
        "all that happened",
    )
    digest = desk.model.digests.get(stream)
    return [] if digest is None else [one.text for one in digest.news]


async def test_after_a_lost_line_it_says_what_others_did_and_what_came_late(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails", "SEV2")
        await desk.sent(desk.model.incident(stream).events)
        await wait_for(lambda: stream in desk.model.synced)
        assert desk.model.digests == {}
        await gone(room, desk)
        Others(room).say(
            stream,
            SeveritySet(severity="SEV1"),
            RoleAssigned(role="commander", person="bo"),
            NoteAdded(text="all of the EU"),
        )
        desk.write(stream, NoteAdded(text="mine"))
        said = await back(room, desk, stream)
        assert said == [
            "bo commands now (nobody did)",
            "severity SEV1 (was SEV2)",
            "3 entries by bo",
        ]
        assert any("SEV1 (was SEV2)" in n.text for n in desk.model.digests[LOBBY].news)


async def test_where_nothing_happened_there_is_nothing_to_say(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails", "SEV2")
        await desk.sent(desk.model.incident(stream).events)
        await wait_for(lambda: stream in desk.model.synced)
        await gone(room, desk)
        desk.write(stream, SeveritySet(severity="SEV1"))
        assert await back(room, desk, stream) == [], "one's own is no news"


async def test_what_was_refused_meanwhile_is_told(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails", "SEV2")
        await desk.sent(desk.model.incident(stream).events)
        await wait_for(lambda: stream in desk.model.synced)
        await gone(room, desk)
        room.refuses = lambda event: "not now" if isinstance(event.body, NoteAdded) else None
        desk.write(stream, NoteAdded(text="the secret text"))
        await back(room, desk, stream)
        await wait_for(lambda: stream in desk.model.digests)
        (news,) = desk.model.digests[stream].news
        assert news.text == "“the secret text” was refused: not now"
        assert is_worth_opening(desk.model.digests[stream])


async def test_an_incident_that_is_opened_after_a_day_says_what_happened_since(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        Others(room).say(stream, StatusSet(status="mitigated"), NoteAdded(text="rolled back"))
        async with Desk(places(room)) as desk:
            await desk.open(stream)
            await wait_for(lambda: stream in desk.model.digests)
            digest = desk.model.digests[stream]
            assert [one.text for one in digest.news] == [
                "status mitigated (was started)",
                "2 entries by bo",
            ]
            assert digest.since <= digest.until
        async with Desk(places(room)) as desk:
            await desk.open(stream)
            await desk.complete(stream)
            assert stream not in desk.model.digests, "nothing since then"


async def test_an_incident_that_was_never_opened_here_says_nothing(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        environ = {"WARROOM_REPLICA": str(tmp_path / "another")}
        async with Desk(places(room, **environ)) as desk:
            await desk.open(stream)
            await desk.complete(stream)
            assert desk.model.digests == {}


async def test_a_claim_that_slept_for_a_day_is_listed_and_does_not_command(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        slept = 0
        async with Desk(places(room), wall=lambda: room.now + slept) as desk:
            await desk.open(stream)
            await desk.complete(stream)
            await gone(room, desk)
            claim = desk.write(stream, RoleAssigned(role="commander", person="ana"))
            await desk.kept()
            slept = 24 * 60 * MINUTE
            room.now += slept
            Others(room).say(stream, RoleAssigned(role="commander", person="bo"))
            said = await back(room, desk, stream)
            state = desk.model.incident(stream)
            assert state.holder("commander") == "bo", "whom a server had first"
            (conflict,) = state.conflicts()
            assert {e.id for e in conflict.writes} >= {claim.id}
            assert "bo commands now (you did)" in said
            assert any("not knowing that bo took the role" in line for line in said)
            assert any(line.endswith("arrived up to 24h 0m late") for line in said), said
            assert room.state(stream).holder("commander") == "bo"


async def test_what_came_over_a_line_that_outlived_a_sleep_is_summed_up_too(
    tmp_path: Path,
) -> None:
    slept = 0
    async with (
        fake_room(tmp_path) as room,
        Desk(places(room), wall=lambda: wall_ms() + slept) as desk,
    ):
        await desk.ready()
        stream = desk.declare("Checkout fails", "SEV2")
        await desk.sent(desk.model.incident(stream).events)
        await wait_for(lambda: stream in desk.model.synced and desk.model.link.rtt_ms is not None)
        assert desk.link._connection is not None
        greeted = room.greeted
        desk.link._connection.transport.pause_reading()
        Others(room).say(stream, SeveritySet(severity="SEV1"))
        for seat in room.seats:
            await room._send_what_is_due(seat)
        slept = 8 * 60 * MINUTE
        desk.link._connection.transport.resume_reading()
        await wait_for(lambda: stream in desk.model.digests, "the digest")
        assert [one.text for one in desk.model.digests[stream].news] == [
            "severity SEV1 (was SEV2)",
            "1 entry by bo",
        ]
        assert desk.model.live
        assert room.greeted == greeted, "over the same line"
        await wait_for(lambda: desk.model.link.slept_since is None and not desk.model.stale)


async def test_alerts_and_incidents_that_began_meanwhile_are_told_in_the_lobby(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        await gone(room, desk)
        desk.declare("Payments are down", "SEV1")
        room.records = [alert_record("a1")]
        writer = Writer("bo", seed=5)
        declared_ = writer.write(IncidentDeclared(title="Search is slow"), stream="i-" + "q" * 16)
        room.admit([Entry(declared_, writer.packets[declared_.id])])
        await room.start()
        desk.link.retry_now()
        await wait_for(lambda: LOBBY in desk.model.digests)
        assert [one.text for one in desk.model.digests[LOBBY].news] == [
            "new: INC-1 “Search is slow”, SEV?",
            "1 alert began: alert a1",
        ]


async def test_alerts_are_told_once_and_not_with_every_incident_that_is_opened(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room:
        stream = await declared(room)
        room.records = [alert_record("a1")]
        async with Desk(places(room)) as desk:
            await wait_for(lambda: LOBBY in desk.model.digests)
            await desk.open(stream)
            await desk.complete(stream)
            assert stream not in desk.model.digests


# Servers ------------------------------------------------------------------------------------


async def test_moving_to_a_promoted_server_says_who_made_it_one_and_how_old_it_was(
    tmp_path: Path,
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    async with fake_room(one) as first, fake_room(two) as second, Desk(places(first)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails", "SEV2")
        await desk.sent(desk.model.incident(stream).events)
        await wait_for(lambda: stream in desk.model.synced)
        second.welcome = msgspec.structs.replace(second.welcome, server="second")
        desk.link.learn([second.url])
        await first.stop()
        await wait_for(lambda: desk.model.live and desk.model.link.server == second.url)
        await wait_for(lambda: stream in desk.model.synced and LOBBY in desk.model.digests)
        said = desk.model.digests[LOBBY].news[0].text
        assert said == f"this console moved to {second.url}"
        place = Place(
            "second", "", "war2", [second.url], serves=True, here=True,
            since=80_000_000, promoted_by="dan", as_of=79_988_000,
        )  # fmt: skip
        await second.say_to_all(Servers([place], 1))
        await wait_for(lambda: "war2" in desk.model.digests[LOBBY].news[0].text)
        assert desk.model.digests[LOBBY].news[0].text == (
            f"this console moved to war2 ({second.url}): dan made it the server at 22:13Z, "
            "with a copy 12s old"
        )


async def test_where_a_standby_is_promoted_while_the_server_lives_it_is_said_at_once(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await desk.ready()
        here = Place("server", "", "war1", serves=True, here=True)
        other = Place("second", "", "war2")
        await room.say_to_all(Servers([here, other], 1))
        await wait_for(lambda: desk.model.servers)
        assert desk.model.digests == {}
        promoted = Place(
            "second", "", "war2", serves=True, since=desk.link.now(), promoted_by="dan"
        )
        await room.say_to_all(Servers([here, promoted], 2))
        await wait_for(lambda: LOBBY in desk.model.digests)
        said = desk.model.digests[LOBBY].news[0].text
        assert said.startswith("war2 serves this room too: dan made it the server at ")


def test_a_short_absence_opens_nothing_unless_something_was_lost_or_moved() -> None:
    news = (News("severity", "severity SEV1 (was SEV2)", True),)
    assert not is_worth_opening(Digest(0, 5_000, news))
    assert is_worth_opening(Digest(0, 42 * MINUTE, news))
    assert is_worth_opening(Digest(0, 5_000, (News("server", "moved", True),)))
    assert sentences(Digest(0, 42 * MINUTE, news)) == [
        "since 00:00Z (42m):",
        "severity SEV1 (was SEV2)",
    ]


def test_a_command_says_it_line_by_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk = StillDesk()
    say_meanwhile(desk, STREAM)
    news = (News("severity", "severity \x1b[31mSEV1 (was SEV2)", True),)
    desk.model.digests[STREAM] = Digest(0, 5_000, news)
    say_meanwhile(desk, STREAM)
    assert capsys.readouterr() == ("", ""), "nothing, and nothing to speak of"
    desk.model.digests[STREAM] = Digest(0, 42 * MINUTE, news)
    say_meanwhile(desk, STREAM)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "-- since 00:00Z (42m):"
    assert err.splitlines()[1].startswith("-- severity ")
    assert "\x1b" not in err
    said = desk.model.digests[STREAM]
    more = News("alerts", "1 alert began: disk full")
    desk.model.digests[STREAM] = Digest(0, 42 * MINUTE, (*news, more))
    say_meanwhile(desk, STREAM, said)
    assert capsys.readouterr().err == "-- 1 alert began: disk full\n", "nothing twice"
