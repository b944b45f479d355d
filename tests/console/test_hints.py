"""What the console says of its keys: where they work, why not, and what the next one does."""

from __future__ import annotations

import pytest
from textual.events import Paste
from textual.strip import Strip

from tests.console.at_console import AtConsole, at_console
from tests.console.still_desk import StillDesk, tell_story
from tests.incident.making import STREAM
from warroom_console.theme import DEFAULT_LOOK
from warroom_incident.reducers import Right
from warroom_incident.vocabulary import NoteAdded, RoleAssigned


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    tell_story(desk)
    return desk


def key_bar(console: AtConsole) -> Strip:
    """The key bar with its colours."""
    return console.screen.keys.draw(80, DEFAULT_LOOK)


async def test_a_key_of_another_place_says_where_it_works(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("2", "a")
        assert console.prompt == "Ack works in 1 Alerts."
        await console.press("3", "x")
        assert "works in" in console.prompt
        await console.press("D")
        assert console.prompt == "Drill works in the lobby: q goes there."
    async with at_console(desk) as console:
        await console.press("n")
        assert console.prompt == "Note works in an incident: Enter opens one."


async def test_a_key_or_a_paste_that_nothing_takes_says_so(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("P")
        assert console.prompt == "P does nothing here: ? shows the keys."
        console.app.post_message(Paste("kubectl get pods"))
        await console.settle()
        assert console.prompt == "Nothing takes text here: n begins a note."
    async with at_console(desk) as console:
        console.app.post_message(Paste("kubectl get pods"))
        await console.settle()
        assert console.prompt == "Nothing takes text here: d declares an incident."


async def test_the_key_bar_says_what_the_next_key_does_whatever_has_the_keyboard(
    desk: StillDesk,
) -> None:
    async with at_console(desk, stream=STREAM) as console:
        own = console.keys
        await console.press("n")
        assert console.keys.split("  ") == [
            " Enter Go on", "Esc Leave, keeping the text", "^E Editor"
        ]  # fmt: skip
        await console.press("escape", ":")
        assert console.keys.split("  ") == [" Enter Go on", "Esc Leave", "Tab Complete"]
        await console.press("escape", "i", "x")
        assert console.keys.split("  ") == [" y Yes", "n No"]
        await console.press("n")
        assert console.keys == own
        bright = key_bar(console)
        for keys in (["i"], ["?"], ["N"]):
            await console.press(*keys)
            dim = key_bar(console)
            assert (dim.text, dim != bright) == (bright.text, True), keys
            await console.press("escape")
            assert key_bar(console) == bright, keys


async def test_help_tells_the_chosen_action_and_why_not_in_whole_sentences(
    desk: StillDesk,
) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("2", "?", "up")
        told = " ".join(row[4:76].strip(" │") for row in console.rows[-6:-4])
        assert told == (
            "Mark the entry, to star several. "
            "Not now: no entry under the cursor: k leaves the tail."
        )


async def test_the_incident_menu_begins_with_what_is_done_most_and_ends_with_closing(
    desk: StillDesk,
) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("i")
        keys = [row[2] for row in console.rows if row.startswith("│ ")]
        assert "".join(keys) == "stchrdmfox"


async def test_a_person_nobody_listed_is_named_by_typing(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("3", "j", "enter")
        await console.type("zoé")
        assert "nothing fits: Enter goes on with it" in console.text
        await console.press("enter")
        assert console.screen.prompt.text == "zoé"
        assert desk.model.incident(STREAM).holder("deputy") is None
        await console.press("enter")
        assert desk.model.incident(STREAM).holder("deputy") == "zoé"


async def test_a_page_says_how_much_lies_below_and_offers_no_key_that_does_nothing(
    desk: StillDesk,
) -> None:
    desk.says("bo", NoteAdded(text="short"))
    desk.says("bo", NoteAdded(text="\n".join(f"line {n}" for n in range(40))))
    async with at_console(desk, stream=STREAM) as console:
        await console.press("2", "k", "enter")
        assert "j k scroll  Esc leave" in console.text
        assert "more lines below" in console.text
        await console.press("G")
        assert "more lines below" not in console.text
        assert "the end" in console.text
        await console.press("escape", "k", "enter")
        assert "short" in console.text
        assert "j k scroll" not in console.text


async def test_lines_pasted_into_a_note_stay_lines(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        await console.type("seen: ")
        console.app.post_message(Paste("NAME   READY\npod-1  0/1\n"))
        await console.settle()
        assert "seen: NAME   READY" in console.text
        await console.press("ctrl+s")
        assert "pod-1  0/1" in console.rows[-6]


async def test_a_viewer_is_told_why_not_in_whole_words_and_offered_no_key_in_vain(
    desk: StillDesk,
) -> None:
    desk.model.right = Right.VIEWER
    desk.says("ana", RoleAssigned(role="commander", person=None))
    async with at_console(desk, stream=STREAM) as console:
        assert "Nobody is in command" in console.prompt
        assert "i c" not in console.prompt
        await console.press("i")
        assert "(you are a viewer here: ask an admin for the right to act)" in console.text


async def test_the_palette_finds_what_another_panel_does_and_goes_there(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("2", "ctrl+p")
        await console.type("ack")
        found = next(row for row in console.rows if "> ack" in row)
        first = console.rows[console.rows.index(found) + 1]
        assert "   Ack  " in first
        assert "Alerts: Take the alert on, or give it back." in first
        await console.press("enter")
        assert console.keys.startswith(" a Ack")
        assert console.prompt.startswith("Gave back “checkout: 5xx")


async def test_a_command_of_a_panel_that_was_never_open_acts_on_its_first_row(
    desk: StillDesk,
) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("2", ":")
        await console.type("ack", "enter")
        assert console.prompt.startswith("Gave back “checkout: 5xx")


async def test_a_key_that_chooses_nothing_in_a_menu_says_so(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("i", "z")
        assert "z chooses nothing here" in console.text
        await console.press("j")
        assert "chooses nothing" not in console.text
        assert "Enter choose  Esc leave" in console.text
