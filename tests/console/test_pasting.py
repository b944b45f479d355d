"""Pastes: text that comes in whole, and never presses a key."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st
from textual.events import Key, Paste

from tests.console.demo_room import DemoApp
from tests.console.drive import Pty, screen_rows, settle
from warroom_console.widgets.lineedit import LONGEST as LONGEST_LINE
from warroom_console.widgets.pasting import LONGEST, PasteGate, PasteParser, plain
from warroom_console.widgets.prompt import Ask

BEGIN, END = "\x1b[200~", "\x1b[201~"
COLOURED = "\x1b[31mred\x1b[0m \x1b]0;owned\x07\x1bOAx\rnext \x1b]52;c;eA==\x1b\\line\r\n"

CHILD = """
import os
from tests.console.demo_room import DemoApp
from warroom_console.theme import choose_look
from warroom_console.widgets.prompt import Ask

heard = []


class Room(DemoApp):
    def on_ready(self):
        self.room.prompt.ask(Ask("note: ", self.heard))
        self.room.prompt.flash("ready to be pasted into")

    def heard(self, text):
        heard.append(text)
        self.exit()


room = Room(choose_look(os.environ))
room.run(mouse=False)
print("heard", heard, "did", room.room.log_of_acts)
"""


def read(chunks: list[str]) -> list[Key | Paste]:
    """Return what the parser makes of what a terminal sent in some chunks."""
    parser = PasteParser()
    found = [message for chunk in chunks for message in parser.feed(chunk)]
    assert all(isinstance(message, Key | Paste) for message in found), found
    return [message for message in found if isinstance(message, Key | Paste)]


def test_a_coloured_paste_is_its_text_and_presses_no_key() -> None:
    found = read([f"n{BEGIN}{COLOURED}{END}q"])
    assert [message.key for message in found if isinstance(message, Key)] == ["n", "q"]
    assert [message.text for message in found if isinstance(message, Paste)] == [
        "red Ax\nnext line\n"
    ]


@given(text=st.text(max_size=40), cuts=st.sets(st.integers(1, 60), max_size=6))
def test_a_paste_is_the_same_however_its_bytes_arrive(text: str, cuts: set[int]) -> None:
    sent = f"ab{BEGIN}{COLOURED}{text}{END}c"
    places = [0, *sorted(cut for cut in cuts if cut < len(sent)), len(sent)]
    gate = PasteGate()
    chunks = [sent[begin:end] for begin, end in pairwise(places)]
    assert "".join(map(gate.let_in, chunks)) == f"ab{BEGIN}{plain(COLOURED + text)}{END}c"


@given(st.text(st.characters(exclude_categories=()), max_size=80))
def test_no_pasted_text_keeps_an_escape(text: str) -> None:
    assert "\x1b" not in plain(text)
    assert "\r" not in plain(text)


def test_keys_and_their_sequences_pass_at_once() -> None:
    gate = PasteGate()
    for sent in ("a", "\x1b", "[", "A", "\x1b[200", "\x1b[20", "0x"):
        assert gate.let_in(sent) == sent


def test_a_paste_without_bounds_is_cut() -> None:
    gate = PasteGate()
    gate.let_in(BEGIN)
    for _ in range(3):
        gate.let_in("x" * LONGEST)
    assert gate.let_in(END) == "x" * LONGEST + END


def test_a_terminal_pastes_into_the_prompt_without_a_key_being_pressed() -> None:
    terminal = Pty([sys.executable, "-c", CHILD], (80, 24))
    try:
        terminal.read_until(b"note:")
        terminal.type(f"{BEGIN}one \x1b[31mtwo\x1b\rx three{END}\r")
        output = terminal.read_all()
        assert terminal.process.wait(30) == 0, output[-2000:]
        assert b"heard ['one two x three'] did []" in output
    finally:
        terminal.close()


async def test_several_pasted_lines_go_on_where_lines_are_kept() -> None:
    app = DemoApp()
    longer: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.room.prompt.ask(Ask("note: ", lambda _: None, longer=longer.append))
        await pilot.press("a", "b", "left")
        app.room.prompt.post_message(Paste("one\ntwo\n"))
        await settle(pilot)
        assert longer == ["aone\ntwob"]
        assert not app.room.prompt.busy


async def test_a_paste_that_a_line_cannot_hold_says_that_it_was_cut() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.room.prompt.ask(Ask("title: ", lambda _: None))
        app.room.prompt.post_message(Paste("x" * (LONGEST_LINE + 1)))
        await settle(pilot)
        assert len(app.room.prompt.text) == LONGEST_LINE
        assert "cut off: a line holds 4000 characters" in screen_rows(app)[-2]


@pytest.mark.parametrize("end", ["", "\n"])
async def test_a_pasted_line_stays_in_the_row(end: str) -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.room.prompt.ask(Ask("note: ", lambda _: None, longer=lambda _: None))
        app.room.prompt.post_message(Paste(f"one line{end}"))
        await settle(pilot)
        assert app.room.prompt.text == "one line"
