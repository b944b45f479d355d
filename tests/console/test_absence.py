"""The digest of an absence on the screen: seen, put away, asked for; never in the way of a key."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.console.at_console import AtConsole, at_console
from tests.console.still_desk import StillDesk, tell_story
from tests.incident.making import NOW, STREAM
from warroom_console.meanwhile import LOBBY
from warroom_console.model import Area
from warroom_incident.catchup import Digest, News

NEWS = (
    News("command", "bo commands now (you did)", True),
    News("refused", "“the \x1b[31mtext” was refused: you may only read here", True),
    News("entries", "14 entries by bo (9), cy (5)"),
)
AWAY = Digest(NOW, NOW + 42 * 60_000, NEWS)


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    tell_story(desk)
    return desk


def comes(desk: StillDesk, digest: Digest, stream: str = STREAM) -> None:
    """The console is back, and knows what happened."""
    desk.model.digests[stream] = digest
    desk.model.note(Area.DIGEST)


@pytest.fixture(params=[(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def console(request: pytest.FixtureRequest, desk: StillDesk) -> AsyncIterator[AtConsole]:
    async with at_console(desk, request.param, stream=STREAM) as found:
        yield found


async def test_it_opens_by_itself_and_leaves_cursor_focus_and_keys_alone(
    console: AtConsole, desk: StillDesk
) -> None:
    await console.press("2", "k", "k")
    before, focus = console.screen.pane.rows.cursor, console.app.focused
    comes(desk, AWAY)
    await console.sees("While you were away: 42m, since 22:13Z")
    assert "bo commands now (you did)" in console.text
    assert "14 entries by bo (9), cy (5)" in console.text
    assert "\x1b[31m" not in console.text
    assert (console.screen.pane.rows.cursor, console.app.focused) == (before, focus)
    await console.press("k")
    assert console.screen.pane.rows.cursor not in (None, before), "keys go where they went"
    assert "While you were away" in console.text


async def test_esc_puts_it_away_and_m_shows_it_again(console: AtConsole, desk: StillDesk) -> None:
    comes(desk, AWAY)
    await console.sees("While you were away")
    await console.press("escape")
    assert "While you were away" not in console.text
    desk.model.note(Area.DIGEST)
    await console.settle()
    assert "While you were away" not in console.text, "nothing in it is new"
    await console.press("M")
    assert "While you were away" in console.text
    await console.press("M")
    assert "Esc leave" in console.text, "all of it, to be read"
    await console.press("escape")
    assert "While you were away" not in console.text


async def test_what_is_typed_is_not_disturbed(console: AtConsole, desk: StillDesk) -> None:
    await console.press("n")
    await console.type("half a no")
    comes(desk, AWAY)
    await console.sees("While you were away")
    await console.type("te", "enter")
    assert any(
        getattr(event.body, "text", "") == "half a note"
        for event in desk.model.incident(STREAM).events.values()
    )


async def test_something_new_in_it_opens_it_once_more(console: AtConsole, desk: StillDesk) -> None:
    comes(desk, AWAY)
    await console.sees("While you were away")
    await console.press("escape")
    more = News("conflict", "not settled: ana or bo", True)
    comes(desk, Digest(AWAY.since, AWAY.until, (more, *NEWS)))
    await console.sees("not settled: ana or bo")


async def test_a_short_absence_waits_until_it_is_asked_for(
    console: AtConsole, desk: StillDesk
) -> None:
    comes(desk, Digest(NOW, NOW + 3_000, NEWS[2:]))
    await console.settle()
    assert "14 entries" not in console.text
    await console.press("M")
    assert "While you were away: 3s" in console.text


async def test_long_digests_are_cut_and_can_be_read_whole(
    console: AtConsole, desk: StillDesk
) -> None:
    many = tuple(News("decision", f"decision number {n}") for n in range(40))
    comes(desk, Digest(NOW, NOW + 42 * 60_000, many))
    await console.sees("more lines")
    assert "i Incident" in console.keys, "the key bar stays"
    await console.press("M", "M", "G")
    assert "decision number 39" in console.text


async def test_without_an_absence_it_says_so(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press("M")
        assert "Nothing has happened in your absence." in console.prompt
        comes(desk, AWAY, LOBBY)
        await console.sees("While you were away")
        await console.app.run_action("redraw")
        assert "While you were away" in console.text


async def test_it_keeps_its_place_when_the_screen_is_resized(desk: StillDesk) -> None:
    async with at_console(desk, (120, 40), stream=STREAM) as console:
        comes(desk, AWAY)
        await console.sees("While you were away")
        await console.pilot.resize_terminal(80, 24)
        await console.settle()
        row = next(row for row in console.rows if "While you were away" in row)
        assert row.endswith("┐")
        assert len(row) == 80
