"""Taking alerts on, giving them back, linking them."""

from __future__ import annotations

import pytest

from tests.console.at_console import at_console
from tests.console.still_desk import StillDesk, tell_story
from tests.incident.making import STREAM
from warroom_incident.reducers import Right


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    tell_story(desk)
    return desk


def acked(desk: StillDesk) -> dict[str, str]:
    board = desk.model.board
    found = {uid: board.acknowledged(uid) for uid in desk.model.records}
    return {uid: ack.by for uid, ack in found.items() if ack is not None}


def links(desk: StillDesk) -> list[str]:
    return sorted(link.uid for link in desk.model.incident(STREAM).links())


async def test_a_takes_an_alert_on_and_gives_it_back(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "a")
        assert acked(desk) == {"a1": "bo", "a2": "ana"}
        assert console.prompt == "Took on “orders: replica lags 40 s” · u undo"
        await console.press("a")
        assert acked(desk) == {"a1": "bo"}


async def test_marked_alerts_are_taken_on_together_and_undone_together(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "space", "space", "space", "a")
        assert acked(desk) == {"a1": "bo", "a2": "ana", "a3": "ana"}
        assert console.prompt == "Took on 2 alerts · u undo"
        await console.press("u")
        assert acked(desk) == {"a1": "bo"}
        await console.press("escape")
        assert "◆" not in console.text
        assert "INC-42" in console.header


async def test_l_links_and_unlinks(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "l")
        assert links(desk) == ["a1", "a2"]
        linked = desk.model.incident(STREAM).links()[-1]
        assert linked.alert.title == "orders: replica lags 40 s"
        await console.press("l")
        assert links(desk) == ["a1"]


async def test_the_cursor_stays_on_its_alert_while_the_board_moves(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "j", "l", "a")
        assert links(desk) == ["a1", "a3"]
        assert acked(desk)["a3"] == "ana"


async def test_a_viewer_takes_on_nothing(desk: StillDesk) -> None:
    desk.right_is(Right.VIEWER)
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "a", "l")
        assert acked(desk) == {"a1": "bo"}
        assert links(desk) == ["a1"]
        assert console.prompt.startswith("Link: you are a viewer here")


async def test_on_an_empty_board_there_is_nothing_to_act_on() -> None:
    desk = StillDesk()
    async with at_console(desk) as console:
        await console.press("a")
        assert console.prompt == "Ack: no alert under the cursor"
