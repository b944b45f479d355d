"""What the header says of the link."""

from __future__ import annotations

import pytest

from tests.console.still_desk import Reader, StillDesk
from warroom_console.link import LinkState
from warroom_console.views.heading import link
from warroom_console.widgets.spans import plain
from warroom_incident.vocabulary import IncidentDeclared


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    desk.says("ana", IncidentDeclared(title="Checkout is down"))
    return desk


def test_a_live_link_shows_its_round_trip(desk: StillDesk) -> None:
    desk.model.link = LinkState(phase="live", rtt_ms=38)
    assert plain(link(Reader(desk))).endswith(" 38ms")


def test_a_silent_server_shows_for_how_long(desk: StillDesk) -> None:
    room = Reader(desk)
    desk.model.link = LinkState(phase="live", quiet_since=room.now() - 6_000)
    assert plain(link(room)).endswith(" no answer 6s")
