"""The prompt row: what it says, how it asks, and that nothing typed is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.events import Key, Paste

from tests.console.demo_room import DemoApp
from tests.console.demo_rows import ALERTS
from tests.console.drive import screen_rows, settle
from tests.waiting import wait_for
from warroom_console.theme import Tone
from warroom_console.widgets.lineedit import LONGEST, LineEdit
from warroom_console.widgets.prompt import GUARD, Ask


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def with_clock(app: DemoApp) -> Clock:
    """Give the app's prompt a clock of our own."""
    clock = Clock()
    app.room.prompt.clock = clock
    return clock


def prompt_row(app: DemoApp) -> str:
    """Return what the prompt row shows."""
    return screen_rows(app)[-2].strip()


async def test_a_confirmation_acts_on_the_row_that_was_under_the_cursor_at_the_key_press() -> None:
    app = DemoApp()
    clock = with_clock(app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "x")
        await settle(pilot)
        assert prompt_row(app) == "Silence A-2 for 1 h? [y/N]"
        app.room.alerts = {"A-9": replace(ALERTS[0], key="A-9"), "A-2": ALERTS[1]}
        app.room.show_alerts()
        app.room.lists[1].move_to("A-9")
        clock.now = GUARD
        await pilot.press("y")
        assert app.room.log_of_acts == ["silence A-2"]
        assert app.focused is app.room.lists[1]


async def test_a_held_key_answers_no_question() -> None:
    app = DemoApp()
    clock = with_clock(app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("x", "y", "y", "n", "enter")
        assert app.room.prompt.busy
        clock.now = GUARD
        await pilot.press("y")
        assert app.room.log_of_acts == ["silence A-1"]


@pytest.mark.parametrize("key", ["n", "N", "enter", "escape"])
async def test_anything_but_yes_means_no(key: str) -> None:
    app = DemoApp()
    clock = with_clock(app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("x")
        clock.now = GUARD
        await pilot.press("q", "space")
        assert app.room.prompt.busy
        await pilot.press(key)
        assert not app.room.prompt.busy
        assert app.room.log_of_acts == []


async def test_what_leaves_the_room_wants_its_target_typed() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("exclamation_mark", "u")
        await pilot.press(*"custome", "enter")
        await settle(pilot)
        assert "type customers to go on, Esc to leave" in prompt_row(app)
        assert app.room.log_of_acts == []
        await pilot.press(*"rs", "enter")
        assert app.room.log_of_acts == ["publish customers"]
        await pilot.press("exclamation_mark", "u", *"customers", "escape")
        await pilot.press("exclamation_mark", "u")
        assert app.room.prompt.text == "", "a typed target is never offered again"


async def test_escape_keeps_the_text_and_offers_it_again() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n", *"pool", "space", *"full", "escape")
        assert app.focused is app.room.lists[1]
        await pilot.press("n")
        assert app.room.prompt.text == "pool full"
        await pilot.press("enter")
        assert app.room.log_of_acts == ["note pool full"]
        await pilot.press("n")
        assert app.room.prompt.text == ""


async def test_typing_replaces_the_text_that_is_offered_again_and_up_brings_it_back() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n", *"old", "escape", "n")
        await settle(pilot)
        assert "typing replaces it" in prompt_row(app)
        await pilot.press(*"new")
        assert app.room.prompt.text == "new"
        await pilot.press("up")
        assert app.room.prompt.text == "old"
        await pilot.press("escape", "n", "right", "e", "r")
        assert app.room.prompt.text == "older"


async def test_a_complaint_leaves_the_text_readable() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        text = "a name that is long enough to need most of it"
        app.room.prompt.ask(Ask("label: ", lambda _: None, text=text, check=lambda _: "no " * 40))
        await pilot.press("enter")
        await settle(pilot)
        assert "to need most of it" in prompt_row(app)
        assert "no " * 10 in prompt_row(app)


async def test_who_types_on_takes_none_of_the_candidates() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"sev", "tab", "space", "tab", "s", "e", "v", "9")
        assert app.room.prompt.text == "severity sev9"


async def test_losing_the_keyboard_keeps_the_text_as_well() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n", *"half")
        app.room.deck.activate(2)
        await settle(pilot)
        assert not app.room.prompt.busy
        await pilot.press("n")
        assert app.room.prompt.text == "half"


async def test_tab_completes_and_a_wrong_command_says_what_to_do() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"sev", "tab", "space", "tab", "tab")
        assert app.room.prompt.text == "severity SEV2"
        await pilot.press("enter")
        assert app.room.log_of_acts == ["severity SEV2"]
        await pilot.press("colon", *"zap", "enter")
        await settle(pilot)
        assert "no command zap" in prompt_row(app)
        await pilot.press("escape", "colon")
        assert app.room.prompt.text == "", "a command left behind waits as a ghost"
        await pilot.press("tab")
        assert app.room.prompt.text == "zap"


async def test_the_arrow_up_recalls_earlier_lines() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.room.prompt.past.fill("note: ", ["old"])
        await pilot.press("n", *"new", "enter", "n", "up", "up")
        assert app.room.prompt.text == "old"
        await pilot.press("down")
        assert app.room.prompt.text == "new"
        await pilot.press("down")
        assert app.room.prompt.text == ""
        assert app.room.prompt.past.of("note: ") == ["old", "new"]


async def test_a_live_filter_hears_every_edit_and_the_escape() -> None:
    app = DemoApp()
    heard: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.room.prompt.ask(
            Ask("/", heard.append, changed=heard.append, left=lambda: heard.append("left"))
        )
        await pilot.press("a", "b", "backspace", "escape")
        assert heard == ["a", "ab", "a", "left"]


async def test_keys_that_arrive_in_one_burst_act_where_each_was_meant() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        # All are in the queue before the first is handled, as after a stall of the link. The
        # letters of the command are keys of the list, too.
        for key in ("j", ":", *"severity x a", "enter", "2", "k", "i", "s", "k", "up"):
            character = key if len(key) == 1 else None
            app.post_message(Key("space" if key == " " else key, character))
        await wait_for(lambda: app.room.lists[2].position == "5/7")
        await wait_for(lambda: len(app.room.log_of_acts) == 2 and app.message_queue_size == 0)
        await settle(pilot)
        assert app.room.log_of_acts == ["severity x a", "severity "]
        assert app.room.lists[1].position == "2/8"


async def test_a_flash_while_something_is_typed_is_said_afterwards() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n", "o")
        app.room.prompt.flash("bo acked A-2", Tone.TEXT)
        await settle(pilot)
        assert prompt_row(app) == "note: o"
        await pilot.press("escape")
        await settle(pilot)
        assert prompt_row(app) == "bo acked A-2"


async def test_a_disabled_action_says_why() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("u")
        await settle(pilot)
        assert prompt_row(app) == "Undo: nothing to undo"


async def test_a_pasted_text_becomes_one_clean_line() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        app.room.prompt.post_message(Paste("one\ntwo\x1b]0;x\x07"))
        await settle(pilot)
        assert app.room.prompt.text == "one two␛]0;x␇"


def test_the_line_editor_knows_the_keys_of_a_shell() -> None:
    line = LineEdit()
    line.insert("acknowledge the alert")
    for key, text, at in (
        ("ctrl+w", "acknowledge the ", 16),
        ("home", "acknowledge the ", 0),
        ("ctrl+right", "acknowledge the ", 11),
        ("delete", "acknowledgethe ", 11),
        ("left", "acknowledgethe ", 10),
        ("backspace", "acknowledethe ", 9),
        ("ctrl+k", "acknowled", 9),
        ("ctrl+left", "acknowled", 0),
        ("end", "acknowled", 9),
        ("ctrl+u", "", 0),
        ("backspace", "", 0),
    ):
        assert line.press(key)
        assert (line.text, line.at) == (text, at), key
    assert not line.press("f5")


def test_the_line_editor_keeps_the_cursor_in_sight_and_the_text_within_bounds() -> None:
    line = LineEdit()
    line.insert("漢字" * 20)
    text, at = line.window(11)
    assert text == "字漢字漢字"
    assert at == len(text)
    line.insert("x" * (2 * LONGEST))
    assert len(line.text) == LONGEST
