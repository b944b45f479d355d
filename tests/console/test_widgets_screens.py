"""Widgets on a screen: panels, sheets, editors, looks; and that what is cut and painted fits."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, strategies as st
from textual.geometry import Region, Size

from tests.console.demo_room import DemoApp
from tests.console.drive import on_wire, screen_rows, screen_text, settle
from warroom_console.actions import PANELS
from warroom_console.theme import (
    ANSI,
    ASCII,
    DARK,
    LIGHT,
    MONO,
    Look,
    Palette,
    Surface,
    Tone,
    choose_look,
)
from warroom_console.widgets.detail import Detail, fields, prose
from warroom_console.widgets.header import Heading
from warroom_console.widgets.layout import arrange
from warroom_console.widgets.menu import Choice, Menu
from warroom_console.widgets.spans import column, cut, fit, paint, spread, width_of, wrap

PALETTES = (DARK, LIGHT, ANSI, MONO)


async def test_plain_ascii_draws_nothing_else() -> None:
    app = DemoApp(Look(DARK, ASCII))
    app.room.prompt.set_idle(())
    async with app.run_test(size=(120, 40)) as pilot:
        app.room.header.show(Heading(title="checkout"))
        for number in PANELS:
            panel = app.room.deck.panel(number)
            panel.set_title(msgspec.structs.replace(panel.title, badges=()))
        await pilot.press("question_mark")
        app.room.prompt.set_idle(())
        await settle(pilot)
        assert screen_text(app).isascii(), [line for line in screen_rows(app) if not line.isascii()]


async def test_a_terminal_that_is_too_small_says_what_it_needs() -> None:
    app = DemoApp()
    async with app.run_test(size=(59, 20)) as pilot:
        await settle(pilot)
        assert "needs 60x16" in screen_text(app)
        await pilot.resize_terminal(60, 16)
        await settle(pilot)
        assert "1 Alerts 8" in screen_rows(app)[1]


async def test_changes_behind_a_zoomed_panel_show_when_it_ends() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "z", "1")
        await settle(pilot)
        assert screen_rows(app)[1].startswith("━1 Alerts 8 ▲3 ━━━")
        app.room.alerts["A-1"] = replace(app.room.alerts["A-1"], state="ACKED")
        await pilot.press("2")
        app.room.show_alerts()
        await pilot.press("z", "1")
        await settle(pilot)
        assert screen_rows(app)[2].startswith("▌SEV1 ACKED")


async def test_a_leader_menu_picks_by_key_and_help_filters_and_runs() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", "s")
        assert app.room.log_of_acts == ["severity "]
        assert app.room.sheet is None
        await pilot.press("question_mark", *"acknow")
        await settle(pilot)
        assert "nothing fits" in screen_text(app)
        await pilot.press("ctrl+u", *"looking", "enter")
        assert app.room.log_of_acts[-1] == "ack A-1"


async def test_a_disabled_choice_says_why_and_stays() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", *"undo", "enter")
        await settle(pilot)
        assert "Undo: nothing to undo" in screen_text(app)
        assert app.room.sheet is not None
        await pilot.press("ctrl+u", *"zoo", "enter")
        assert app.room.deck.zoomed


async def test_a_chooser_filters_by_what_is_typed() -> None:
    app = DemoApp()
    chosen: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.room.open_sheet(
            Menu(
                "Person",
                [Choice("u1", "ana", "commander"), Choice("u2", "bo"), Choice("u3", "anaïs")],
                chosen.append,
                hotkeys=False,
            )
        )
        await pilot.press(*"ana", "down", "enter")
        assert chosen == ["u3"]


async def test_no_key_reaches_what_lies_below_a_sheet() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", "3", "a", "n", "tab")
        await settle(pilot)
        assert app.room.deck.active == 1
        assert app.room.log_of_acts == []


async def test_an_editor_saves_with_ctrl_s_and_keeps_the_text_on_escape() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w", *"one", "enter", *"two", "escape")
        assert app.room.log_of_acts == []
        assert app.room.unsaved_texts == {"note": "one\ntwo"}
        await pilot.press("w")
        await settle(pilot)
        assert "kept text restored" in screen_text(app)
        await pilot.press("x", "ctrl+s")
        assert app.room.log_of_acts == ["write one\ntwox"]
        assert not app.room.unsaved_texts
        assert app.focused is app.room.lists[1]


async def test_a_detail_pane_scrolls_and_starts_at_the_top_for_another_subject() -> None:
    pane = Detail()
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.room.mount(pane)
        pane.show("a", lambda width: prose("word " * 500, width))
        pane.focus()
        await pilot.press("pagedown", "j")
        await settle(pilot)
        where = pane.position
        assert where
        await pilot.press("g")
        assert pane.position != where
        await pilot.press("G")
        pane.show("b", lambda width: fields([("service", "checkout")], width))
        await settle(pilot)
        assert pane.position == ""


@given(
    width=st.integers(60, 260),
    height=st.integers(13, 90),
    active=st.integers(1, 5),
    zoomed=st.booleans(),
)
def test_panels_fill_the_deck_without_overlap(
    width: int, height: int, active: int, zoomed: bool
) -> None:
    plan = arrange(Size(width, height), active, zoomed=zoomed)
    regions = [*plan.panels.values(), *plan.dividers]
    deck = Region(0, 0, width, height)
    assert all(deck.contains_region(region) for region in regions)
    assert sum(region.area for region in regions) == deck.area
    assert not any(one.overlaps(other) for one in regions for other in regions if one is not other)
    assert plan.panels[active].height >= 8
    assert zoomed or set(plan.panels) >= set(PANELS)
    for divider in plan.dividers:
        assert plan.joints(divider)[0] == (True, True)


@given(st.integers(0, 59), st.integers(0, 12))
def test_a_deck_too_small_has_no_panels(width: int, height: int) -> None:
    assert not arrange(Size(width, 90), 1).panels
    assert not arrange(Size(260, height), 1).panels


@given(st.text(max_size=60), st.integers(0, 40))
def test_cut_padded_and_painted_text_has_the_width_that_was_asked_for(
    text: str, width: int
) -> None:
    assert width_of(((cut(text, width), Tone.TEXT),)) <= width
    assert width_of(((column(text, width), Tone.TEXT),)) == width
    line = ((text, Tone.TEXT), (text, Tone.DIM))
    assert width_of(fit(line, width)) <= width
    assert width_of(spread(line, line, width)) == width
    for palette in PALETTES:
        assert sum(segment.cell_length for segment in paint(line, width, palette)) == width


@given(st.text(max_size=120), st.integers(2, 30))
def test_wrapping_loses_no_word_and_no_line_is_too_long(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert lines
    assert all(width_of(((line, Tone.TEXT),)) <= width for line in lines)
    words = width_of(((("".join(lines)).replace(" ", ""), Tone.TEXT),))
    whole = wrap(text, 10_000)
    assert words == width_of((("".join(whole).replace(" ", ""), Tone.TEXT),))


@pytest.mark.parametrize(
    ("environ", "palette"),
    [
        ({"TERM": "xterm-256color"}, DARK),
        ({"TERM": "tmux-256color", "NO_COLOR": "1"}, MONO),
        ({"TERM": "xterm"}, ANSI),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, DARK),
        ({"TERM": "linux"}, ANSI),
        ({"TERM": "dumb"}, MONO),
        ({}, MONO),
    ],
)
def test_the_look_follows_the_terminal(environ: dict[str, str], palette: object) -> None:
    assert choose_look(environ).palette is palette


def test_a_light_theme_and_plain_ascii_can_be_asked_for() -> None:
    look = choose_look({"TERM": "xterm-256color"}, theme="light", ascii_only=True)
    assert look == Look(LIGHT, ASCII)
    assert all(getattr(ASCII, name).isascii() for name in ASCII.__struct_fields__)


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_every_tone_is_drawn_on_every_surface_and_the_cursor_shows(palette: Palette) -> None:
    for tone in Tone:
        for surface in Surface:
            assert palette.style(tone, surface) is not None
        cursor = palette.style(tone, Surface.CURSOR)
        assert cursor != palette.style(tone) or tone in {Tone.SEV1, Tone.ALARM, Tone.CARET}


@pytest.mark.parametrize("term", ["xterm", "xterm-256color"])
async def test_no_colour_sends_attributes_alone(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = DemoApp(choose_look({"TERM": term, "NO_COLOR": "1"}))
    async with on_wire(app, (80, 24)) as (pilot, wire):
        await pilot.press("j")
        await settle(pilot)
        for color in ("38;5", "48;5", "38;2", "48;2", "[31m", "[41m"):
            assert color not in wire.text
        assert "\x1b[1" in wire.text
