"""Taking alerts on, giving them back, linking them."""

from __future__ import annotations

import pytest

from tests.console.at_console import at_console
from tests.console.still_desk import MINUTE, StillDesk, alert, tell_story
from tests.incident.making import STREAM
from warroom_console.verbs.alerts import MOST_AT_ONCE
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


# Folds, holds, whose it is, noise ----------------------------------------------------------


def storm(desk: StillDesk, count: int = 5) -> list[str]:
    """Alerts of one service that are folded into one line, the topmost of those not linked."""
    records = [alert(f"s{n}", f"cart {n} is slow", "SEV1", service="cart") for n in range(count)]
    desk.fires(*records)
    return [record.uid for record in records]


async def test_a_verb_on_a_fold_acts_on_all_of_it(desk: StillDesk) -> None:
    uids = storm(desk)
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "a")
        assert set(acked(desk)) == {"a1", *uids}
        assert console.prompt == "Took on 5 alerts · u undo"
        assert "5 taken on" in console.text
        await console.press("l")
        assert links(desk) == ["a1", *uids]


async def test_enter_unfolds_and_folds(desk: StillDesk) -> None:
    storm(desk)
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j")
        assert "▸ x5" in console.text
        assert "cart 3 is slow" not in console.text
        await console.press("enter")
        assert "▾ x5" in console.text
        assert "cart 3 is slow" in console.text
        await console.press("enter")
        assert "cart 3 is slow" not in console.text
        await console.press("s")
        assert "cart 3 is slow" in console.text
        assert "x5" not in console.text


async def test_an_alert_held_for_a_while_waits_again_afterwards(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "h", "q")
        assert "Took on “orders: replica lags 40 s” until 23:08Z" in console.prompt
        assert "4 open · 2 waiting" in console.text
        desk.clock.now += 15 * MINUTE
        console.screen.tick()
        await console.settle()
        assert "4 open · 3 waiting" in console.text


async def test_a_hold_has_its_limits(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", ":")
        await console.type("hold 30d", "enter")
        assert "a minute to seven days" in console.text
        assert set(acked(desk)) == {"a1"}


async def test_an_alert_is_given_to_a_person_and_taken_back(desk: StillDesk) -> None:
    def assigned() -> str | None:
        found = desk.model.board.assigned("a2")
        return found.person if found is not None else None

    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "o")
        assert assigned() == "ana"
        await console.press("o")
        assert assigned() is None
        await console.press("O")
        await console.type("bo", "enter")
        assert assigned() == "bo"
        assert "“orders: replica lags 40 s” is bo's" in console.prompt
        await console.press("u")
        assert assigned() is None


async def test_noise_is_said_with_a_reason_and_taken_back(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "X", "n")
        assert desk.model.board.noise("a2") is None
        await console.press("escape", "X", "a")
        marked = desk.model.board.noise("a2")
        assert marked is not None
        assert marked.noise == "not_actionable"
        assert any("orders" in row and "noise" in row for row in console.rows)
        await console.press("X", "n")
        assert desk.model.board.noise("a2") is None


async def test_C_says_that_an_alert_is_over_and_u_takes_that_back(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "C")
        assert console.prompt == "Said that “orders: replica lags 40 s” is over · u undo"
        said = desk.model.board.ended("a2")
        assert said is not None
        assert (said.over, said.heard) == (True, desk.model.records["a2"].last_seen)
        assert acked(desk) == {"a1": "bo", "a2": "ana"}, "it waits for nobody any more"
        await console.press("u")
        said = desk.model.board.ended("a2")
        assert said is not None
        assert not said.over
        assert acked(desk) == {"a1": "bo"}


async def test_marked_alerts_are_said_to_be_over_together(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "space", "space", "C")
        assert console.prompt == "Said that 2 alerts are over · u undo"


async def test_of_a_storm_the_most_urgent_are_linked_and_taken_on_first(desk: StillDesk) -> None:
    storm(desk, MOST_AT_ONCE + 30)
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "l")
        assert len(links(desk)) == 1 + MOST_AT_ONCE
        assert console.prompt.startswith("Linked the 1,000 most urgent of 1,033 alerts to INC-42")
        await console.sees(f"x{1 + MOST_AT_ONCE}")
        await console.press("g", "a")
        assert console.prompt == "Took on 1000 alerts · u undo"
        assert len(acked(desk)) == 1 + MOST_AT_ONCE
        still_open = sum(record.is_open for record in desk.model.records.values())
        await console.sees(f"{still_open - len(acked(desk))} waiting")
