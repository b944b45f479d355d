"""What an incident's screen sends to its terminal for a change: a slow line carries it too."""

from __future__ import annotations

import pytest

from tests.console.drive import on_wire, screen_rows, screen_text, settle
from tests.console.still_desk import SECOND, StillDesk, alert, tell_story
from tests.incident.making import STREAM
from tests.waiting import wait_for
from warroom_console.app import Console

SWITCH_BYTES = {(80, 24): 8192, (120, 40): 8192, (200, 60): 12288}
ROW_BYTES = 4096
MENU_BYTES = 4096
KEY_BYTES = 512
PROMPT_BYTES = 1024


def room() -> tuple[StillDesk, Console]:
    """A console in an incident, and the desk that it shows."""
    desk = StillDesk()
    tell_story(desk)
    return desk, Console(desk, STREAM)


@pytest.mark.parametrize("size", list(SWITCH_BYTES), ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_panel_switch_a_changed_row_and_a_typed_key_stay_within_their_bytes(
    size: tuple[int, int],
) -> None:
    desk, app = room()
    async with on_wire(app, size) as (pilot, wire):
        for key in ("1", "2", "3", "4", "5", "1", "tab", "shift+tab"):
            wire.clear()
            await pilot.press(key)
            await settle(pilot)
            assert 0 < len(wire) <= SWITCH_BYTES[size], key
        wire.clear()
        desk.fires(alert("a3", "payments: queue is deep", service="payments", count=99))
        await wait_for(lambda: "99" in screen_text(app), "the alert's new count")
        await settle(pilot)
        assert 0 < len(wire) <= ROW_BYTES
        wire.clear()
        await pilot.press("colon")
        await settle(pilot)
        assert 0 < len(wire) <= PROMPT_BYTES
        wire.clear()
        await pilot.press("a")
        await settle(pilot)
        assert 0 < len(wire) <= KEY_BYTES


async def test_a_second_that_passes_sends_the_header_alone() -> None:
    desk, app = room()
    async with on_wire(app, (120, 40)) as (pilot, wire):
        before = screen_rows(app)
        wire.clear()
        desk.clock.now += SECOND
        await wait_for(lambda: screen_rows(app)[0] != before[0], "the clock to go on")
        await settle(pilot)
        assert 0 < len(wire) <= KEY_BYTES
        assert screen_rows(app)[1:] == before[1:]


async def test_a_menu_costs_its_own_cells_and_gives_them_back() -> None:
    _, app = room()
    async with on_wire(app, (120, 40)) as (pilot, wire):
        before, focused = screen_rows(app), app.focused
        wire.clear()
        await pilot.press("i")
        await settle(pilot)
        assert 0 < len(wire) <= MENU_BYTES
        assert "Set how bad it is." in screen_text(app)
        wire.clear()
        await pilot.press("escape")
        await settle(pilot)
        assert 0 < len(wire) <= MENU_BYTES
        assert screen_rows(app)[1:] == before[1:]
        assert app.focused is focused


async def test_ctrl_l_clears_the_terminal_and_paints_everything() -> None:
    _, app = room()
    async with on_wire(app, (80, 24)) as (pilot, wire):
        wire.clear()
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert wire.text.startswith("\x1b[2J")
        for text in ("INC-42", "Alerts", "connection pool", "Roles", "Help"):
            assert text in wire.text
