"""Hiding alerts for a time: who, why, until, which."""

from __future__ import annotations

import pytest

from tests.console.at_console import at_console
from tests.console.still_desk import MINUTE, StillDesk, tell_story
from tests.incident.making import STREAM
from warroom_incident.board import Window
from warroom_incident.matching import show_matchers


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    tell_story(desk)
    return desk


def windows(desk: StillDesk) -> list[Window]:
    return desk.model.board.windows(desk.clock.now)


async def test_W_hides_alerts_like_the_one_under_the_cursor_until_it_ends(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "W")
        assert "hide: service=orders, source=alertmanager" in console.prompt
        await console.press("enter")
        assert "Hides 1 alert now; for how long" in console.text
        await console.press("h")
        await console.type("we move the replica", "enter")
        assert "Hidden until 23:23Z: 1 alert · u undo" in console.prompt
        (window,) = windows(desk)
        assert (window.kind, window.why, window.by) == ("maintenance", "we move the replica", "ana")
        assert show_matchers(window.matchers) == "service=orders, source=alertmanager"
        assert "Counted, calling nobody (1)" in console.text
        assert "4 open · 2 waiting" in console.text
        desk.clock.now += 30 * MINUTE
        console.screen.tick()
        await console.settle()
        assert "4 open · 3 waiting" in console.text


async def test_undo_ends_a_window(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "W", "enter", "d")
        await console.type("too loud", "enter")
        assert [window.kind for window in windows(desk)] == ["suppression"]
        await console.press("u")
        assert windows(desk) == []


async def test_a_window_is_ended_from_the_list(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press(":")
        await console.type("window service=orders", "enter")
        await console.press("o")
        await console.type("6h", "enter")
        await console.type("upgrade", "enter")
        await console.press(":")
        await console.type("windows", "enter")
        assert "ana: upgrade" in console.text
        await console.press("enter", "y")
        assert windows(desk) == []


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("window everything", "is no matcher"),
        ('window zone=~".*"', "must ask for a value"),
        ('window zone=~"("', "zone=~"),
    ],
)
async def test_what_would_hide_everything_or_nothing_keeps_the_line(
    desk: StillDesk, line: str, part: str
) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press(":")
        await console.type(line, "enter")
        assert part in console.prompt
        assert windows(desk) == []


async def test_a_window_cannot_hold_for_ever(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "W", "enter", "o")
        await console.type("400d", "enter")
        assert "a minute to ninety days" in console.prompt
        assert windows(desk) == []
