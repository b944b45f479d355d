"""The list: its cursor, its marks, its place, and how little it repaints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings, strategies as st
from textual.screen import Screen

from tests.console.drive import on_wire, screen_rows, settle
from warroom_console.theme import Tone
from warroom_console.widgets.row import Row
from warroom_console.widgets.rows import RowsView
from warroom_console.widgets.terminal import TerminalApp, TerminalScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult


def row(name: str, version: int = 0, lines: int = 1, *, heading: bool = False) -> Row:
    """Return a row of `lines` lines that shows its name and version."""

    def draw(width: int) -> list[tuple[tuple[str, Tone], ...]]:
        return [((f"{name} v{version} l{line}", Tone.TEXT),) for line in range(lines)]

    return Row(name, version, draw, heading)


def named(*names: str) -> list[Row]:
    """Return one-line rows with these ids."""
    return [row(name) for name in names]


class ListScreen(TerminalScreen):
    """A screen that is one list."""

    def __init__(self, view: RowsView) -> None:
        super().__init__()
        self.view = view

    def compose(self) -> ComposeResult:
        yield self.view


class ListApp(TerminalApp[None]):
    """An app that is one list."""

    def __init__(self, view: RowsView | None = None) -> None:
        super().__init__()
        self.view = view or RowsView(empty="Nothing yet.")
        self.said: list[Any] = []

    def get_default_screen(self) -> Screen[None]:
        return ListScreen(self.view)

    def on_mount(self) -> None:
        self.view.focus()
        self.view.set_active(True)

    def on_rows_view_cursor_moved(self, event: RowsView.CursorMoved) -> None:
        self.said.append(event.row_id)

    def on_rows_view_opened(self, event: RowsView.Opened) -> None:
        self.said.append(f"opened {event.row_id}")


async def test_an_empty_list_says_so() -> None:
    app = ListApp()
    async with app.run_test(size=(30, 5)) as pilot:
        await settle(pilot)
        assert screen_rows(app)[0] == " Nothing yet."
        app.view.set_rows(named("a"))
        await settle(pilot)
        assert screen_rows(app)[0] == "▌a v0 l0"
        assert app.view.position == "1/1"


async def test_new_rows_above_leave_the_cursor_on_its_row() -> None:
    app = ListApp()
    async with app.run_test(size=(30, 5)) as pilot:
        app.view.set_rows(named("a", "b", "c"))
        await pilot.press("j")
        assert app.view.cursor == "b"
        app.view.set_rows(named("x", "y", "a", "b", "c"))
        await settle(pilot)
        assert app.view.cursor == "b"
        assert screen_rows(app)[3] == "▌b v0 l0"
        assert app.view.position == "4/5"


async def test_rows_above_a_scrolled_place_do_not_move_what_is_being_read() -> None:
    app = ListApp()
    names = [f"r{number}" for number in range(20)]
    async with app.run_test(size=(30, 5)) as pilot:
        app.view.set_rows(named(*names))
        app.view.move_to("r12")
        await settle(pilot)
        before = screen_rows(app)
        app.view.set_rows(named("n1", "n2", *names))
        await settle(pilot)
        assert screen_rows(app) == before


async def test_the_cursor_goes_to_the_nearest_neighbour_when_its_row_goes() -> None:
    app = ListApp()
    async with app.run_test(size=(30, 5)) as pilot:
        app.view.set_rows(named("a", "b", "c", "d"))
        app.view.move_to("c")
        app.view.set_rows(named("a", "b", "d"))
        assert app.view.cursor == "d"
        app.view.set_rows(named("a", "b"))
        assert app.view.cursor == "b"
        app.view.set_rows([])
        assert app.view.cursor is None
        await settle(pilot)
        assert app.said == ["a", "c", "d", "b", None]


async def test_headings_are_passed_over() -> None:
    app = ListApp()
    rows = [row("h1", heading=True), row("a"), row("h2", heading=True), row("b")]
    async with app.run_test(size=(30, 5)) as pilot:
        app.view.set_rows(rows)
        assert app.view.cursor == "a"
        await pilot.press("j")
        assert app.view.cursor == "b"
        assert app.view.position == "2/2"
        await pilot.press("g")
        assert app.view.cursor == "a"
        await pilot.press("enter")
        await settle(pilot)
        assert app.said[-1] == "opened a"


async def test_marks_hold_ids_and_decide_what_a_verb_acts_on() -> None:
    app = ListApp()
    async with app.run_test(size=(30, 5)) as pilot:
        app.view.set_rows(named("a", "b", "c"))
        assert list(app.view.targets) == ["a"]
        app.view.mark(["c", "b", "unknown"])
        assert list(app.view.targets) == ["b", "c"]
        app.view.set_rows(named("z", "c", "a"))
        assert list(app.view.targets) == ["c"]
        app.view.move_to("c")
        await settle(pilot)
        assert screen_rows(app)[1] == "◆c v0 l0"
        app.view.toggle_mark()
        assert list(app.view.targets) == ["c"]
        assert app.view.marks == frozenset()


async def test_a_list_that_follows_its_tail_has_no_cursor_until_the_reader_moves_up() -> None:
    app = ListApp(RowsView(tails=True))
    async with app.run_test(size=(30, 3)) as pilot:
        app.view.set_rows(named("a", "b", "c", "d"))
        await settle(pilot)
        assert screen_rows(app) == [" b v0 l0", " c v0 l0", " d v0 l0"]
        assert app.view.targets == ()
        assert app.view.position == "▼ 4"
        app.view.set_rows(named("a", "b", "c", "d", "e"))
        await settle(pilot)
        assert screen_rows(app)[-1] == " e v0 l0"
        await pilot.press("k")
        assert app.view.cursor == "e"
        app.view.set_rows(named("a", "b", "c", "d", "e", "f"))
        await settle(pilot)
        assert screen_rows(app)[-1] == "▌e v0 l0"
        await pilot.press("G")
        assert app.view.following
        assert app.view.cursor is None


async def test_rows_of_several_lines_scroll_line_by_line_and_whole_into_sight() -> None:
    app = ListApp()
    async with app.run_test(size=(30, 4)) as pilot:
        app.view.set_rows([row("a", lines=3), row("b", lines=3), row("c", lines=2)])
        await pilot.press("j")
        await settle(pilot)
        assert screen_rows(app) == [" a v0 l2", "▌b v0 l0", "▌b v0 l1", "▌b v0 l2"]
        await pilot.press("pagedown")
        await settle(pilot)
        assert screen_rows(app)[-1] == "▌c v0 l1"


async def test_only_the_rows_in_sight_are_ever_drawn() -> None:
    drawn: list[int] = []

    def lazy(number: int) -> Row:
        def draw(width: int) -> list[tuple[tuple[str, Tone], ...]]:
            drawn.append(number)
            return [((f"row {number}", Tone.TEXT),)]

        return Row(f"r{number}", 0, draw)

    app = ListApp()
    async with app.run_test(size=(30, 6)) as pilot:
        app.view.set_rows(lazy(number) for number in range(2000))
        await settle(pilot)
    assert len(set(drawn)) < 30


async def test_a_changed_row_repaints_itself_and_nothing_else() -> None:
    app = ListApp()
    async with on_wire(app, (40, 10)) as (pilot, wire):
        app.view.set_rows(named(*"abcdefgh"))
        await settle(pilot)
        wire.clear()
        changed = [row(name, version=7 if name == "c" else 0) for name in "abcdefgh"]
        app.view.set_rows(changed)
        await settle(pilot)
        assert "c v7" in wire.text
        assert "b v0" not in wire.text
        assert "d v0" not in wire.text
        wire.clear()
        app.view.set_rows(list(changed))
        await settle(pilot)
        assert len(wire) == 0


async def test_rows_that_change_out_of_sight_are_right_when_the_list_is_shown_again() -> None:
    app = ListApp()
    async with app.run_test(size=(40, 5)) as pilot:
        app.view.set_rows(named("a", "b"))
        await settle(pilot)
        app.view.display = False
        await settle(pilot)
        app.view.set_rows([row("a", version=3), row("b", version=4)])
        app.view.display = True
        await settle(pilot)
        assert screen_rows(app)[:2] == ["▌a v3 l0", " b v4 l0"]


ids = st.lists(st.sampled_from("abcdefghijkl"), unique=True, max_size=12)


@settings(max_examples=25)
@given(first=ids, second=ids, moves=st.lists(st.sampled_from("jkgG"), max_size=6))
async def test_whatever_arrives_the_cursor_is_on_its_row_or_on_one_that_exists(
    first: list[str], second: list[str], moves: list[str]
) -> None:
    app = ListApp()
    async with app.run_test(size=(20, 4)) as pilot:
        app.view.set_rows(named(*first))
        await pilot.press(*moves)
        before = app.view.cursor
        app.view.set_rows(named(*second))
        await settle(pilot)
        if before in second:
            assert app.view.cursor == before
        else:
            assert (app.view.cursor is None) == (not second)
        if app.view.cursor is not None:
            assert f"▌{app.view.cursor} v0 l0" in screen_rows(app)
