"""Texts under way: what is typed is named, kept, offered again, and shown whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.at_console import at_console
from tests.console.drive import on_wire, settle
from tests.console.still_desk import StillDesk, tell_story
from tests.incident.making import OTHER_STREAM, STREAM
from tests.waiting import wait_for
from warroom_console.app import Console
from warroom_console.unsaved import Typed, Unsaved, read_unsaved, write_unsaved
from warroom_console.verbs.timeline import LONGEST
from warroom_incident.vocabulary import DraftSaved, NoteAdded, RoleAssigned


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    tell_story(desk)
    return desk


@pytest.mark.parametrize("leave", ["ctrl+q", "ctrl+c"])
async def test_a_line_that_is_being_typed_is_named_and_goes_on_after_a_no(
    desk: StillDesk, leave: str
) -> None:
    desk.says("bo", RoleAssigned(role="commander", person="bo"))
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        await console.type("the database fails over", leave)
        if leave == "ctrl+q":
            assert console.prompt.startswith("“the database fails over” is kept unsaved")
            await console.press("n")
        assert console.screen.prompt.text == "the database fails over"
        await console.press("escape")
        assert console.screen.unsaved.texts == ["the database fails over"]
        await console.press("ctrl+c")
        assert console.prompt.startswith("ctrl+c again leaves at once; “the database fails")


async def test_who_commands_hears_of_the_text_too(desk: StillDesk) -> None:
    async with at_console(desk, (120, 40), stream=STREAM) as console:
        await console.press("n")
        await console.type("half a", "escape", "ctrl+q")
        said = "You command INC-42, and “half a” is kept unsaved. Leave? [y/N]"
        assert console.prompt == said


@pytest.mark.parametrize("keys", [("i", "r"), ("i", "m", "u"), ("d",), ("n",), (":",)])
async def test_escape_loses_nothing_that_was_typed(desk: StillDesk, keys: tuple[str, ...]) -> None:
    async with at_console(desk, stream=None if keys == ("d",) else STREAM) as console:
        await console.press(*keys)
        await console.type(" and more", "escape")
        await console.press(*keys)
        found = console.screen.prompt.text
        await console.press("up")
        assert any("and more" in text for text in (found, console.screen.prompt.text))


async def test_a_command_that_was_left_is_nothing_to_be_asked_about(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press(":")
        await console.type("severity", "escape")
        await console.press("/")
        await console.type("orders", "escape")
        assert not console.screen.unsaved
        await console.press(":")
        await console.type("severity SEV")
        assert not console.screen.unsaved


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
async def test_an_editor_shows_every_word_of_a_long_line(
    desk: StillDesk, size: tuple[int, int]
) -> None:
    words = [f"word{n}" for n in range(40)]
    async with at_console(desk, size, stream=STREAM) as console:
        console.screen.seat.edit("long", "Long", " ".join(words), lambda _text: None)
        await console.settle()
        shown = " ".join(console.rows[1:-3]).split()
        assert [word for word in shown if word.startswith("word")] == words
        assert max(len(row.strip()) for row in console.rows[2:-3]) <= 100


async def test_an_editor_paints_every_word_after_the_terminal_has_changed_its_size(
    desk: StillDesk,
) -> None:
    words = [f"word{n}" for n in range(100, 113)]
    app = Console(desk, STREAM)
    async with on_wire(app, (80, 24)) as (pilot, wire):
        assert app.base is not None
        app.base.seat.edit("long", "Long", " ".join(words), lambda _text: None)
        await settle(pilot)
        for size in ((60, 16), (80, 24), (60, 16)):
            wire.clear()
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert [word for word in words if word not in wire.text] == [], size


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--at banana x", "“banana” is no time"),
        ("x" * (LONGEST + 1), "The note is 1 character too long"),
        ("x" * 10 * LONGEST, f"The note is {9 * LONGEST:,} characters too long"),
        ("", "nothing is typed yet: Esc leaves"),
    ],
)
async def test_a_text_that_will_not_do_stays_in_the_editor(
    desk: StillDesk, typed: str, said: str
) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("N")
        console.screen.sheet.area.text = typed  # type: ignore[union-attr]
        await console.press("ctrl+s")
        assert said in console.text
        assert console.screen.sheet is not None
        assert console.screen.sheet.text == typed  # type: ignore[union-attr]


@pytest.mark.parametrize("key", ["n", "N"])
async def test_a_note_that_could_not_be_written_is_kept(desk: StillDesk, key: str) -> None:
    async with at_console(desk, stream=STREAM) as console:
        desk.says_no = "The disk is full."
        await console.press(key)
        await console.type("said once", "enter" if key == "n" else "ctrl+s")
        assert console.prompt == "The disk is full."
        desk.says_no = None
        await console.press(key)
        assert "said once" in console.text
        await console.press("end", "enter" if key == "n" else "ctrl+s")
        assert not console.screen.unsaved
        assert console.text.count("said once") == 1


async def test_an_edit_that_changes_nothing_or_leaves_nothing_says_so(desk: StillDesk) -> None:
    desk.says("ana", NoteAdded(text="pool"))
    async with at_console(desk, stream=STREAM) as console:
        await console.press("k", "E", "ctrl+s")
        assert console.prompt == "Nothing was changed."
        await console.press("E", *["backspace"] * 4, "ctrl+s")
        assert "nothing is left of it: x strikes a note out" in console.text
        console.screen.sheet.area.text = "x" * (LONGEST + 2)  # type: ignore[union-attr]
        await console.press("ctrl+s")
        assert "The note is 2 characters too long" in console.text


async def test_who_edits_a_draft_hears_that_somebody_else_has_saved_it(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("5", "e")
        (draft,) = desk.model.incident(STREAM).drafts()
        desk.says("ana", DraftSaved(draft=draft.id, text="my own, on another screen"))
        await console.settle()
        assert "meanwhile" not in console.text
        desk.says("bo", DraftSaved(draft=draft.id, text="of somebody else"))
        await console.sees("bo saved this draft meanwhile: saving keeps both")
        await console.type("!", "ctrl+s")
        (draft,) = desk.model.incident(STREAM).drafts()
        assert len(draft.versions) == 2


@pytest.mark.parametrize("left", ["signal", "asked"])
async def test_what_was_typed_is_offered_by_the_next_console(
    desk: StillDesk, tmp_path: Path, left: str
) -> None:
    desk.unsaved_file = tmp_path / "unsaved.json"
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        await console.type("half a line", "escape", "N")
        await console.type("half a page")
        if left == "signal":
            console.app._leave(1)
        else:
            await console.press("ctrl+q")
            await console.pilot.press("y")
    assert desk.unsaved_file.stat().st_mode & 0o777 == 0o600
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        assert console.screen.prompt.text == "half a line"
        await console.press("enter", "N")
        assert "half a page" in console.text
        assert "kept text restored" in console.text
        await console.press("ctrl+s")
        console.app._leave(1)
    assert not desk.unsaved_file.exists()


async def test_what_is_being_typed_outlives_a_console_that_is_killed(
    desk: StillDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warroom_console.app.KEEP_EVERY", 1)
    path = desk.unsaved_file = tmp_path / "unsaved.json"
    async with at_console(desk, stream=STREAM) as console:
        await console.press("N")
        await console.type("half a page")
        await wait_for(lambda: read_unsaved(path).texts == ["half a page"], "the text on the disk")
        killed = path.read_bytes()
        await console.press("ctrl+s")
        await wait_for(lambda: not path.exists(), "what was saved to be forgotten")
    path.write_bytes(killed)
    async with at_console(desk, stream=STREAM) as console:
        await console.press("N")
        assert "half a page" in console.text


async def test_texts_of_incidents_that_were_not_opened_stay_kept(
    desk: StillDesk, tmp_path: Path
) -> None:
    path = desk.unsaved_file = tmp_path / "unsaved.json"
    other = Unsaved({OTHER_STREAM: Typed({"note": "elsewhere"})})
    assert write_unsaved(path, other)
    async with at_console(desk) as console:
        console.app._leave(1)
    assert read_unsaved(path) == other
    path.write_bytes(b"garbage")
    assert not read_unsaved(path).texts
    assert not write_unsaved(tmp_path / "no" / "where", other)


async def test_a_kept_draft_is_listed_among_the_drafts(desk: StillDesk, tmp_path: Path) -> None:
    path = desk.unsaved_file = tmp_path / "unsaved.json"
    write_unsaved(path, Unsaved({STREAM: Typed({"draft:new:executives": "half a draft"})}))
    async with at_console(desk, stream=STREAM) as console:
        await console.press("5")
        assert any("Executives" in row for row in console.rows)
        await console.press("t", "e")
        assert "half a draft" in console.text


async def test_tab_goes_round_the_questions_of_a_text_and_typing_answers(desk: StillDesk) -> None:
    saved: list[str] = []
    text = "Since [when].\nFor [whom, and how many]. - [x] See [the page](link)."
    async with at_console(desk, stream=STREAM) as console:
        console.screen.seat.edit("long", "Long", text, saved.append)
        await console.settle()
        assert "Tab Next [question]" in console.text
        await console.press("tab")
        await console.type("noon", "tab")
        await console.type("all", "tab", "ctrl+s")
        assert saved == ["Since noon.\nFor all. - [x] See [the page](link)."]
        console.screen.seat.edit("other", "Other", "Plain.", saved.append)
        await console.settle()
        assert "Next [question]" not in console.text
