"""Hostile text in every widget, looked for in the bytes that reach a real terminal."""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tests.console.drive import Pty
from warroom_console.linefilter import CleanFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

CHILD = """
import json, os, sys
from tests.console.demo_room import DemoApp
from tests.console.demo_rows import Alert
from warroom_console.theme import Tone, choose_look
from warroom_console.widgets.editor import Editor
from warroom_console.widgets.header import Heading
from warroom_console.widgets.keybar import Hint
from warroom_console.widgets.menu import Choice, Menu
from warroom_console.widgets.panel import Title
from warroom_console.widgets.prompt import Ask

texts = json.loads(sys.argv[1])


class Hostile(DemoApp):
    def on_ready(self):
        self.stages = [self.show_rows, self.show_bars, self.show_ask, self.show_confirm,
                       self.show_menu, self.show_editor, self.leave]
        self.next_stage()

    def next_stage(self):
        self.stages.pop(0)()
        if self.stages:
            self.call_after_refresh(self.next_stage)

    def show_rows(self):
        self.room.alerts = {str(n): Alert(str(n), t[:9], "FIRING", t, t, t, t)
                            for n, t in enumerate(texts)}
        self.room.show_alerts()

    def show_bars(self):
        line = tuple((t, Tone.TEXT) for t in texts[:3])
        for number in range(1, 6):
            text = texts[number % len(texts)]
            self.room.deck.panel(number).set_title(Title(text, line, text, text, line))
        self.room.header.show(Heading(line, texts[0], line, line, texts[-1]))
        self.room.keys.show([Hint(t, t) for t in texts[:3]])
        self.room.prompt.flash(texts[-1])

    def show_ask(self):
        self.room.prompt.ask(Ask(texts[0], print, text=texts[1], hint=texts[2]))

    def show_confirm(self):
        self.room.prompt.confirm(texts[0], self.exit)

    def show_menu(self):
        choices = [Choice(str(n), t, t, t, t, t) for n, t in enumerate(texts)]
        self.room.open_sheet(Menu(texts[0], choices, print, hotkeys=False))

    def show_editor(self):
        self.room.open_sheet(Editor("key", texts[0], "\\n".join(texts), save=print))
        self.room.sheet.area.text = "\\n".join(texts)
        self.notify(texts[0], title=texts[1], markup=False)

    def leave(self):
        self.exit()


Hostile(choose_look(os.environ)).run(mouse=False)
"""
FOREIGN = (
    "\x1b[31337m",
    "\x1b]0;31337\x07",
    "\x1b]52;c;MzEzMzc=\x1b\\",
    "\x9b31337m",
    "\x9d0;31337\x9c",
    "[bold]31337[/b]",
    "\x1bP31337\x1b\\",
    "\u202e31337",
    "\r31337\x08\x08",
)
hostile = st.builds(
    lambda before, payload, after: before + payload + after,
    st.text(max_size=20),
    st.sampled_from(FOREIGN),
    st.text(st.characters(exclude_categories=()), max_size=20),
)
# What Textual itself sends: colours, cursor moves, modes, queries, keyboard, pointer shape.
_OURS = re.compile(r"\x1b\[[0-9;?<>]*(?:[mHhlJu]|\$p)|\x1b\]22;(?:default|text)\x07")
_CONTROL = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def foreign_in(output: bytes) -> list[str]:
    """Return what a terminal would obey and the app did not mean to send."""
    text = output.decode("utf-8")
    rest = _OURS.sub(lambda found: found.group() if "31337" in found.group() else "", text)
    return [
        rest[max(0, found.start() - 20) : found.end() + 20] for found in _CONTROL.finditer(rest)
    ]


def shown_on_pty(texts: Sequence[str]) -> bytes:
    """Show the texts in every widget, in a real terminal, and return its traffic."""
    terminal = Pty([sys.executable, "-c", CHILD, json.dumps(list(texts))], (120, 40))
    try:
        output = terminal.read_all()
        assert terminal.process.wait(30) == 0, output[-3000:]
        return output
    finally:
        terminal.close()


@settings(max_examples=5)
@given(texts=st.lists(hostile, min_size=12, max_size=20))
def test_no_text_reaches_a_real_terminal_as_anything_but_text(texts: list[str]) -> None:
    output = shown_on_pty(texts)
    assert b"31337" in output
    assert foreign_in(output) == []


def test_the_search_for_foreign_bytes_finds_them() -> None:
    for payload in FOREIGN:
        if not payload.startswith(("[", "\r")):
            assert foreign_in(b"\x1b[0m" + payload.encode()), payload


@pytest.mark.parametrize("payload", FOREIGN)
def test_the_last_door_keeps_the_width_of_what_it_cleans(payload: str) -> None:
    segments = [Segment(payload), Segment("plain", Style(link="https://example.org"))]
    cleaned = CleanFilter().apply(segments, Color(0, 0, 0))
    assert [segment.cell_length for segment in cleaned] == [
        segment.cell_length for segment in segments
    ]
    assert not any(_CONTROL.search(segment.text) for segment in cleaned)
    assert not any(segment.style and segment.style.link for segment in cleaned)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_in_good_order_and_gives_the_terminal_back(number: int) -> None:
    terminal = Pty([sys.executable, "-m", "tests.console.demo_room"])
    try:
        terminal.read_until(b"checkout 5xx")
        terminal.read_until(b"Help")
        terminal.process.send_signal(number)
        output = terminal.read_all()
        assert terminal.process.wait(30) == 128 + number
        assert output.rstrip().endswith(b"\x1b[?1004l")
        assert b"\x1b[?1049l" in output
        assert b"\x1b[?1003h" not in output, "the mouse stays off"
    finally:
        terminal.close()


def test_a_terminal_that_is_closed_takes_the_console_with_it() -> None:
    terminal = Pty([sys.executable, "-m", "tests.console.demo_room"])
    try:
        terminal.read_until(b"Help")
        terminal.hang_up()
        # Without a controlling terminal the kernel sends no SIGHUP: sshd's does.
        terminal.process.send_signal(signal.SIGHUP)
        assert terminal.process.wait(30) == 128 + signal.SIGHUP
    finally:
        terminal.close()


TITLED = """
from tests.console.demo_room import DemoApp
class Titled(DemoApp):
    def on_ready(self):
        self.entitle("INC-7 SEV1 \\x1b]52;c;aGk=\\x07 down\\u202e")
        self.entitle("INC-7 SEV1 down")
        self.call_after_refresh(self.exit)
Titled().run(mouse=False)
"""


@pytest.mark.parametrize("terminal", ["xterm-256color", "screen.xterm-256color", "tmux-256color"])
def test_the_window_is_called_after_the_incident_and_gets_its_title_back(terminal: str) -> None:
    output = titled(terminal)
    saved, first = output.index(b"\x1b[22;0t"), output.index(b"\x1b]0;INC-7 SEV1")
    second, restored = output.index(b"\x1b]0;INC-7 SEV1 down\x07"), output.index(b"\x1b[23;0t")
    assert saved < first < second < restored
    assert b"\x1b]52" not in output
    assert output.count(b"\x1b[22;0t") == 1


@pytest.mark.parametrize("terminal", ["linux", "vt100", "unknown"])
def test_a_terminal_that_may_print_a_title_is_told_none(terminal: str) -> None:
    assert b"\x1b]0;" not in titled(terminal)


def titled(terminal: str) -> bytes:
    child = Pty(["env", f"TERM={terminal}", sys.executable, "-c", TITLED])
    try:
        return child.read_all()
    finally:
        child.close()
