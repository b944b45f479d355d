"""When a screen is on the terminal: as soon as it is filled, once, and with all that is on it."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

from textual.widgets import Static

from tests.console.drive import on_wire, settle
from tests.console.still_desk import StillDesk, tell_story
from tests.incident.making import STREAM
from warroom_console.app import Console
from warroom_console.start import _settle
from warroom_console.widgets.terminal import TerminalApp, TerminalScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Page(TerminalScreen):
    """A screen with a few words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        yield Static(self._words)


class Book(TerminalApp[None]):
    """An app of two pages."""

    DEFAULT_MODE = "first"

    def __init__(self) -> None:
        super().__init__()
        self.add_mode("first", lambda: Page("a first page"))
        self.add_mode("second", lambda: Page("a second page"))


async def test_a_screen_has_been_painted_once_when_its_showing_has_ended() -> None:
    app = Book()
    async with on_wire(app, (80, 24)) as (pilot, wire):
        for mode in ("second", "first", "second"):
            wire.clear()
            await app.show_mode(mode)
            assert wire.text.count(f"a {mode} page") == 1
            await settle(pilot)
            assert wire.text.count(f"a {mode} page") == 1


async def test_a_screen_that_is_left_for_good_costs_no_second_paint() -> None:
    app = Book()
    async with on_wire(app, (80, 24)) as (pilot, wire):
        wire.clear()
        await app.show_mode("second", leaving="first")
        await settle(pilot)
        assert wire.text.count("a second page") == 1


async def test_the_opening_is_on_the_terminal_and_the_room_is_painted_once_behind_it() -> None:
    desk = StillDesk()
    tell_story(desk)
    found = asyncio.Event()

    async def opened(app: Console) -> None:
        await found.wait()
        await app.enter(desk, STREAM)

    app = Console(called="INC-42", opened=opened)
    async with on_wire(app, (120, 40)) as (pilot, wire):
        assert "INC-42" in wire.text
        assert "Timeline" in wire.text
        wire.clear()
        found.set()
        await app.workers.wait_for_complete()
        assert wire.text.count("Timeline") == 1
        await settle(pilot)
        assert wire.text.count("Timeline") == 1


def test_the_collector_that_rests_during_a_start_works_again_when_it_is_over() -> None:
    gc.disable()
    try:
        _settle()
        assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
