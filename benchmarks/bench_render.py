"""What the console's screens cost: bytes for a change, and time against stock widgets.

Bytes are counted at the driver, in 256 colours. Times are
ratios against a floor measured in the same run: a bare line-API widget and a stock `DataTable`.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.coordinate import Coordinate
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import DataTable

from tests.console.drive import on_wire, screen_text, settle
from tests.console.still_desk import StillDesk, alert, tell_story
from tests.incident.making import STREAM
from tests.waiting import wait_for
from warroom_console.app import Console
from warroom_console.theme import Tone
from warroom_console.widgets.row import Row
from warroom_console.widgets.rows import RowsView
from warroom_console.widgets.terminal import TerminalApp

from .measure import Result

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.pilot import Pilot

ROWS, CHANGING, TICKS, WARM = 2000, 20, 200, 20
SIZES = {(80, 24): 8192, (120, 40): 8192, (200, 60): 12288}


def cells(number: int, tick: int) -> tuple[str, ...]:
    """Return what the row says at a tick."""
    return ("SEV2", "FIRING", f"alert-{number}", "checkout", f"{tick}m", "ana", f"x{tick}")


def changing(tick: int) -> list[int]:
    """Return the rows that change at a tick: half of them in sight, half anywhere."""
    half = CHANGING // 2
    return [*range(half), *((tick * 97 + step * 61) % ROWS for step in range(half))]


class BareLines(ScrollView):
    """The floor: a list of strips and nothing else."""

    DEFAULT_CSS = "BareLines { height: 1fr; scrollbar-size: 0 0; }"

    def on_mount(self) -> None:
        self.virtual_size = self.size.with_height(ROWS)
        self.lines = [self.line(number, 0) for number in range(ROWS)]

    def line(self, number: int, tick: int) -> Strip:
        """Return a row as a strip of three colours, as the other lists have."""
        parts = cells(number, tick)
        style = Style.parse("#d0d0d0 on #1c1c1c")
        return Strip(
            [
                Segment(parts[0], Style.parse("bold #ff875f on #1c1c1c")),
                Segment(f" {parts[1]:9}{parts[2]:40}", style),
                Segment(" ".join(parts[3:]), Style.parse("#949494 on #1c1c1c")),
            ]
        ).adjust_cell_length(120, style)

    def render_line(self, y: int) -> Strip:
        return self.lines[y + self.scroll_offset.y]


class BareApp(App[None]):
    """An app with the bare lines."""

    def compose(self) -> ComposeResult:
        yield BareLines()


class TableApp(App[None]):
    """An app with a stock table."""

    def compose(self) -> ComposeResult:
        yield DataTable[str](cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("sev", "state", "name", "service", "age", "owner", "times")
        for number in range(ROWS):
            table.add_row(*cells(number, 0), key=str(number))


class ListApp(TerminalApp[None]):
    """An app with our list."""

    def compose(self) -> ComposeResult:
        yield RowsView()

    def on_mount(self) -> None:
        self.query_one(RowsView).set_rows(our_row(number, 0) for number in range(ROWS))


def our_row(number: int, tick: int) -> Row:
    """Return a row of our list."""

    def draw(width: int) -> list[tuple[tuple[str, Tone], ...]]:
        parts = cells(number, tick)
        return [
            (
                (parts[0], Tone.SEV2),
                (f" {parts[1]:9}{parts[2]:40}", Tone.TEXT),
                (" ".join(parts[3:]), Tone.DIM),
            )
        ]

    return Row(str(number), tick, draw)


def tick_bare(app: BareApp, tick: int) -> None:
    """Change the bare lines."""
    view = app.query_one(BareLines)
    for number in changing(tick):
        view.lines[number] = view.line(number, tick)
        view.refresh_lines(number)


def tick_list(app: ListApp, tick: int) -> None:
    """Give our list all its rows, of which a few differ, as the panels do."""
    view = app.query_one(RowsView)
    rows = list(view.rows)
    for number in changing(tick):
        rows[number] = our_row(number, tick)
    view.set_rows(rows)


def tick_table(app: TableApp, tick: int) -> None:
    """Change the table's cells."""
    table = app.query_one(DataTable)
    for number in changing(tick):
        for column, text in enumerate(cells(number, tick)):
            if column >= 4:
                table.update_cell_at(Coordinate(number, column), text)


async def time_of(app: App[None], tick: Callable[[int], None]) -> tuple[float, float]:
    """Return the median seconds of CPU and the median bytes of a tick."""
    seconds: list[float] = []
    sizes: list[int] = []
    async with on_wire(app, (120, 40)) as (pilot, wire):
        for number in range(1, TICKS + WARM):
            wire.clear()
            begin = time.process_time()
            tick(number)
            await painted(pilot)
            if number >= WARM:
                seconds.append(time.process_time() - begin)
                sizes.append(len(wire))
    return statistics.median(seconds), statistics.median(sizes)


async def painted(pilot: Pilot[None]) -> None:
    """Wait for the paint, and nothing more."""
    screen = pilot.app.screen
    await pilot.pause()
    while screen._dirty_widgets or screen._layout_required:
        await pilot.pause()


async def lists() -> list[Result]:
    """Measure the lists against each other."""
    bare, table, ours = BareApp(), TableApp(), ListApp()
    # What waiting for a paint costs when there is none is nobody's merit or fault.
    idle, _ = await time_of(BareApp(), lambda tick: None)
    floor, floor_bytes = await time_of(bare, lambda tick: tick_bare(bare, tick))
    stock, stock_bytes = await time_of(table, lambda tick: tick_table(table, tick))
    mine, mine_bytes = await time_of(ours, lambda tick: tick_list(ours, tick))
    floor, stock, mine = (seconds - idle for seconds in (floor, stock, mine))
    return [
        Result("2,000 rows, 20 changing (floor: a bare line widget)", *ms(mine, floor), 2.0),
        Result("2,000 rows, 20 changing (floor: a DataTable)", *ms(mine, stock), 0.25),
        Result("bytes of that tick (floor: a bare line widget)", mine_bytes, "bytes", floor_bytes),
        Result("bytes of a DataTable's tick", stock_bytes, "bytes", floor_bytes),
    ]


def ms(ours: float, floor: float) -> tuple[float, str, float]:
    """Seconds of a tick and of its floor as a result's value, unit and floor."""
    return ours * 1000, "ms", floor * 1000


async def screens() -> list[Result]:
    """Count the bytes of what happens most in an incident."""
    return [result for size, budget in SIZES.items() for result in await screen(size, budget)]


async def screen(size: tuple[int, int], budget: int) -> list[Result]:
    """Count them at one size; the budget is that of a switch to another panel."""
    desk = StillDesk()
    tell_story(desk)
    app = Console(desk, STREAM)
    async with on_wire(app, size) as (pilot, wire):

        async def press(key: str) -> int:
            wire.clear()
            await pilot.press(key)
            await settle(pilot)
            return len(wire)

        switch = max([await press(key) for key in "123451"])
        menu = await press("i")
        await press("escape")
        wire.clear()
        desk.fires(alert("a3", "payments: queue is deep", service="payments", count=99))
        await wait_for(lambda: "x99" in screen_text(app), "the alert's new count")
        await settle(pilot)
        row = len(wire)
    name = f"{size[0]}x{size[1]}"
    return [
        Result(f"panel switch at {name}", switch, "bytes", None, budget),
        Result(f"leader menu at {name}", menu, "bytes"),
        Result(f"one row updated at {name}", row, "bytes", None, 4096),
    ]


def main() -> list[Result]:
    """Run the benchmark."""
    return asyncio.run(measure())


async def measure() -> list[Result]:
    """Measure everything."""
    return [*await lists(), *await screens()]
