"""What the header says of the link."""

from __future__ import annotations

import pytest

from tests.console.still_desk import Reader, StillDesk
from tests.incident.making import STREAM
from warroom_console.link import LinkState
from warroom_console.views.heading import link, lobby_heading, room_heading
from warroom_console.widgets.spans import plain, width_of
from warroom_incident.sync.wire import Person
from warroom_incident.vocabulary import IncidentDeclared, RoleAssigned


def header(room: Reader, width: int) -> str:
    """The parts of an incident's header, as they are placed in so many cells."""
    shown = room_heading(room, width)
    return f"{plain(shown.lead)} {shown.title}{plain(shown.tail)} | {plain(shown.right)}"


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    desk.says("ana", IncidentDeclared(title="Checkout is down"))
    return desk


def test_a_live_link_shows_its_round_trip(desk: StillDesk) -> None:
    desk.model.link = LinkState(phase="live", rtt_ms=38)
    assert plain(link(Reader(desk))).endswith(" 38ms")


def test_the_header_stands_still_while_the_round_trip_changes(desk: StillDesk) -> None:
    widths = set()
    for trip in (0, 38, 300):
        desk.model.link = LinkState(phase="live", rtt_ms=trip)
        widths.add(width_of(room_heading(Reader(desk), 80).right))
    assert len(widths) == 1


def test_a_long_incident_is_told_in_hours_for_four_days(desk: StillDesk) -> None:
    room = Reader(desk)
    desk.model.machines = 1
    for hours, shown in ((3, "3h"), (30, "30h"), (95, "95h"), (97, "4d")):
        desk.clock.now = (room.state.started_at or 0) + hours * 3_600_000
        assert f" {shown} IC VACANT" in header(Reader(desk), 80), hours


def test_on_a_narrow_screen_the_commanders_account_gives_way(desk: StillDesk) -> None:
    desk.says("ana (ops)", RoleAssigned(role="commander", person="ana (ops)"))
    room = Reader(desk)
    assert "IC ana (ops)" in header(room, 120)
    assert "IC ana" in header(room, 80)
    assert "(ops)" not in header(room, 80)


def test_what_was_seen_before_a_sleep_is_called_old_until_it_is_current(desk: StillDesk) -> None:
    room = Reader(desk)
    desk.model.link = LinkState(phase="live", rtt_ms=38)
    desk.model.stale[STREAM] = room.now() - 23 * 3_600_000
    assert plain(link(room)).endswith(" catching up 23h old")
    assert plain(link(Reader(desk, None))).endswith(" 38ms"), "the lobby is current"
    del desk.model.stale[STREAM]
    assert plain(link(room)).endswith(" 38ms")


def test_a_room_that_one_machine_alone_holds_says_so_where_there_is_room(desk: StillDesk) -> None:
    room = Reader(desk)
    desk.arrives(Person("bo", STREAM))
    assert "one machine" not in header(room, 120), "no server said so yet"
    desk.model.machines = 1
    assert "one machine" in header(room, 120)
    assert "one machine  1 here" in header(room, 99)
    assert "one machine  ●" in header(room, 90), "how many are here gives way first"
    assert "one machine" in header(room, 80), "the seconds and most of the title give way"
    assert "Checkout is down <1m IC VACANT" in header(room, 80)
    assert "one machine" in plain(lobby_heading(room, 80).right)
    desk.model.machines = 2
    assert "one machine" not in header(room, 120)
    desk.model.machines = 1
    desk.link_is(LinkState("retrying"))
    assert "one machine" not in header(room, 120), "nobody knows while the server is away"


def test_a_silent_server_shows_for_how_long(desk: StillDesk) -> None:
    room = Reader(desk)
    desk.model.link = LinkState(phase="live", quiet_since=room.now() - 6_000)
    assert plain(link(room)).endswith(" no answer 6s")
