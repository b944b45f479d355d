"""`RowsView`: the one list of the console, drawn line by line.

    view = RowsView(empty="No alerts. Quiet is good.")
    view.set_rows([Row("a-7", version, lambda width: [(("SEV1", Tone.SEV1), (" api", Tone.TEXT))])])
    view.cursor                        # "a-7": a row's id, or None
    view.targets                       # the marked ids, else the cursor's

A `Row` is drawn lazily: only rows on screen are ever asked for their lines, and the strips are kept
by (id, version, width, look). After a change only the lines that differ are painted again.

The cursor, the marks and the place that is being read are held by row id. New rows move none of
them; when the cursor's row goes, the cursor goes to its nearest neighbour. A view that follows its
tail (`tails=True`, the default state until the reader moves up) has no cursor at all, so no key can
act on a row that has just slipped under it.

Messages: `RowsView.CursorMoved(row_id)`, `RowsView.Opened(row_id)` (Enter).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from textual.geometry import NULL_SIZE
from textual.strip import Strip

from warroom_console.theme import Tone, look_of
from warroom_console.widgets.marks import Marks
from warroom_console.widgets.quiet import Quiet
from warroom_console.widgets.row import Flags, Row, RowNews, RowStrips, neighbour, told_position
from warroom_console.widgets.spans import blank, paint

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Size

_Place: TypeAlias = tuple[str, Strip]
"""What one screen line shows: which row, and how it is drawn."""
_Cell: TypeAlias = tuple[str, Hashable, int, Flags]
"""What tells one screen line from another: row id, version, line of the row, flags."""
_PLAIN: Flags = (False, False, False)


class RowsView(Quiet, can_focus=True):
    """A list of rows with a cursor, marks and an optional live tail."""

    DEFAULT_CSS = "RowsView { height: 1fr; background: $background; }"

    class CursorMoved(RowNews):
        """The cursor is on another row; `row_id` is None while there is no cursor."""

    class Opened(RowNews):
        """Enter was pressed on a row."""

    def __init__(self, *, empty: str = "Nothing here.", tails: bool = False) -> None:
        super().__init__()
        self._empty = empty
        self._tails = tails
        self._following = tails
        self._rows: list[Row] = []
        self._given: Iterable[Row] | None = None
        self._index: dict[str, int] = {}
        self._headings: list[int] = []
        self._cursor: str | None = None
        self._marks = Marks()
        self._active = False
        self._top: tuple[int, int] = (0, 0)
        self._frame: list[_Place] = []
        self._framed = NULL_SIZE
        self._shown: list[_Cell | None] = []
        self._strips = RowStrips()

    # What is shown

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, in order."""
        return self._rows

    @property
    def cursor(self) -> str | None:
        """The id of the row under the cursor."""
        return self._cursor

    @property
    def marks(self) -> frozenset[str]:
        """The ids of the marked rows."""
        return self._marks.ids

    @property
    def targets(self) -> tuple[str, ...]:
        """What a verb acts on: the marked rows in order, else the row under the cursor."""
        if self.marks:
            return tuple(row.id for row in self._rows if row.id in self.marks)
        return (self._cursor,) if self._cursor is not None else ()

    @property
    def following(self) -> bool:
        """Whether the view keeps its last row in sight."""
        return self._following

    @property
    def position(self) -> str:
        """Where the reader is, for the panel's title."""
        tail = look_of(self).glyphs.tail if self._following else ""
        place = self._index.get(self._cursor or "")
        return told_position(len(self._rows), self._headings, place, tail)

    def set_rows(self, rows: Iterable[Row]) -> None:
        """Replace all rows; cursor, marks and the place being read stay with their ids.

        A list that was given before must hold what it held then.
        """
        if rows is self._given:
            self._settle()
            return
        before, old_index = self._rows, self._index
        self._given, self._rows = rows, list(rows)
        self._index = {row.id: place for place, row in enumerate(self._rows)}
        self._headings = [place for place, row in enumerate(self._rows) if row.heading]
        self._marks.outlive(self._index)
        anchor = self._anchor()
        cursor = self._cursor
        if cursor is not None and cursor not in self._index:
            cursor = neighbour(before, old_index[cursor], self._rows, self._index)
        if cursor is None and not self._following:
            cursor = next((row.id for row in self._rows if not row.heading), None)
        self._restore(anchor)
        self._place_cursor(cursor)

    def set_empty(self, text: str) -> None:
        """Set what is said when there are no rows."""
        if text != self._empty:
            self._empty = text
            if not self._rows:
                self.refresh()

    # What the reader does

    def move_to(self, row_id: str) -> None:
        """Put the cursor on a row and bring it into sight; an unknown id is passed over."""
        if row_id in self._index:
            self._following = False
            self._place_cursor(row_id, show=True)

    def move(self, delta: int) -> None:
        """Move the cursor by rows, passing over headings; upwards from the tail ends following."""
        if self._following:
            if delta < 0:
                self._following = False
                self._place_cursor(self._last(), show=True)
            return
        if self._cursor is None:
            return
        step = 1 if delta > 0 else -1
        place, left = self._index[self._cursor], abs(delta)
        found = place
        while left and 0 <= place + step < len(self._rows):
            place += step
            if not self._rows[place].heading:
                found, left = place, left - 1
        if found == self._index[self._cursor]:
            self._show_edge(step)
            return
        self._place_cursor(self._rows[found].id, show=True)

    def move_first(self) -> None:
        """Go to the first row."""
        self._following = False
        self._top = (0, 0)
        self._place_cursor(next((row.id for row in self._rows if not row.heading), None), show=True)

    def move_last(self) -> None:
        """Go to the last row, or follow the tail where there is one."""
        if self._tails:
            self.follow(True)
        else:
            self._place_cursor(self._last(), show=True)

    def follow(self, on: bool) -> None:
        """Keep the last row in sight, without a cursor, or stop doing so."""
        self._following = on
        self._marks.end()
        self._place_cursor(None if on else self._last(), show=True)

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor."""
        if self._cursor is not None:
            self._marks.toggle(self._cursor)
            self._settle()

    def toggle_range(self) -> bool:
        """Mark all rows from here to where the cursor goes, or end that; say which it was."""
        if self._marks.start is not None:
            self._marks.end()
        else:
            if self._following:
                self.move(-1)
            if self._cursor is not None:
                self._marks.begin(self._rows[self._index[self._cursor]])
                self._settle()
        return self._marks.start is not None

    def mark(self, ids: Iterable[str]) -> None:
        """Mark exactly these rows; a range ends."""
        self._marks.set(self._index.keys() & set(ids))
        self._settle()

    def set_active(self, active: bool) -> None:
        """Draw the cursor as the one that keys act on, or as a place to come back to."""
        if active != self._active:
            self._active = active
            self._settle()

    def on_key(self, event: events.Key) -> None:
        action = _KEYS.get(event.character if event.is_printable else event.key)
        if action is None:
            return
        action(self)
        event.stop()
        event.prevent_default()

    def open(self) -> None:
        """Post `Opened` for the row under the cursor; at the tail that is put on the last row."""
        if self._following:
            self.move(-1)
        if self._cursor is not None:
            self.post_message(self.Opened(self._cursor))

    def page(self, direction: int) -> None:
        """Move by what fits the screen."""
        seen = len({row_id for row_id, _ in self._frame})
        self.move(direction * max(1, seen - 1))

    # Where things are

    def _last(self) -> str | None:
        return next((row.id for row in reversed(self._rows) if not row.heading), None)

    def _anchor(self) -> tuple[str, int] | None:
        """Return the row that must stay where it is, and the screen line that it starts on.

        That is the cursor's row, else the first one in sight. At the very top there is none: a
        reader there wants to see what comes in above.
        """
        if self._following:
            return None
        first: tuple[str, int] | None = None
        for y, cell in enumerate(self._shown):
            if cell is not None and cell[0] in self._index:
                if cell[0] == self._cursor:
                    return cell[0], y - cell[2]
                first = first or (cell[0], y - cell[2])
        return first

    def _restore(self, anchor: tuple[str, int] | None) -> None:
        at_top = self._top == (0, 0)
        if at_top or anchor is None:
            self._top = (0, 0) if at_top or not self._rows else self._top
            return
        row_id, y = anchor
        self._top = self._climb(self._index[row_id], y)

    def _climb(self, place: int, above: int) -> tuple[int, int]:
        """Return the top that puts the first line of row `place` `above` lines down the screen."""
        if above < 0:
            return place, -above
        width, look = self.size.width, look_of(self)
        while above > 0 and place > 0:
            place -= 1
            above -= len(self._strips.of(self._rows[place], width, _PLAIN, look))
        return place, max(0, -above)

    def _height(self, place: int) -> int:
        return len(self._strips.of(self._rows[place], self.size.width, _PLAIN, look_of(self)))

    def _place_cursor(self, row_id: str | None, *, show: bool = False) -> None:
        moved = row_id != self._cursor
        visible = any(row_id == self._cursor for row_id, _ in self._frame)
        self._cursor = row_id
        if show and row_id is not None:
            # Only who moves the cursor marks: rows that come in between are not meant.
            self._marks.reach(row_id, self._rows, self._index)
        if row_id is not None and self.size.area and (show or visible or self._top == (0, 0)):
            self._show(self._index[row_id])
        self._settle()
        if moved:
            self.post_message(self.CursorMoved(row_id))

    def _show(self, place: int) -> None:
        """Scroll as little as it takes to have the whole row in sight."""
        height, tall = self.size.height, self._height(place)
        first, line = self._top
        if place < first or (place == first and line):
            self._top = (place, 0)
            return
        lowest = self._climb(place, max(0, height - tall))
        if lowest > self._top:
            self._top = lowest

    def _show_edge(self, step: int) -> None:
        """Bring headings above the first row, or the end of a tall last row, into sight."""
        self._top = (0, 0) if step < 0 else self._bottom()
        self._settle()

    def _bottom(self) -> tuple[int, int]:
        """Return the top that puts the last line of the last row on the last screen line."""
        return self._climb(len(self._rows), self.size.height) if self._rows else (0, 0)

    # Drawing

    def _settle(self) -> None:
        """Work out what every screen line shows and repaint those that show something else."""
        size = self.size
        if not size.area:
            # Out of sight: fill the frame when the view is laid out again.
            self._framed = NULL_SIZE
            self.refresh()
            return
        shown, self._shown = self._shown, self._fill(size)
        self.refresh_lines(
            y for y, cell in enumerate(self._shown) if y >= len(shown) or shown[y] != cell
        )

    def _fill(self, size: Size) -> list[_Cell | None]:
        """Fill the frame for the widget's size; return what tells each screen line from others."""
        if self._framed != size:
            self._framed = size
            if self._cursor is not None and not self._following:
                place = self._index[self._cursor]
                self._show(place)
                if self._climb(place, size.height - self._height(place)) == (0, 0):
                    # All above the cursor fits: headings are not to be scrolled away.
                    self._top = (0, 0)
        if self._following:
            self._top = self._bottom()
        cells = self._places(size)
        if len(cells) < size.height and self._top > (0, 0):
            # No blank lines below the last row while there are rows above the first.
            self._top = self._bottom()
            cells = self._places(size)
        return [*cells, *[None] * (size.height - len(cells))]

    def _places(self, size: Size) -> list[_Cell | None]:
        self._frame = []
        cells: list[_Cell | None] = []
        look = look_of(self)
        place, skip = self._top
        while len(cells) < size.height and place < len(self._rows):
            row = self._rows[place]
            here = row.id == self._cursor
            flags = (here, row.id in self._marks.ids, here and self._active)
            strips = self._strips.of(row, size.width, flags, look)
            for line in range(skip, min(len(strips), skip + size.height - len(cells))):
                self._frame.append((row.id, strips[line]))
                cells.append((row.id, row.version, line, flags))
            place, skip = place + 1, 0
        return cells

    def render_line(self, y: int) -> Strip:
        if self._framed != self.size:
            self._shown = self._fill(self.size)
        if y < len(self._frame):
            return self._frame[y][1]
        look = look_of(self)
        if y == 0 and not self._rows and self._empty:
            return paint(((" " + self._empty, Tone.DIM),), self.size.width, look.palette)
        return blank(self.size.width, look.palette)

    def on_resize(self) -> None:
        # The paint that follows a layout may have come first and seen to it.
        if self._framed != self.size:
            self._settle()


_KEYS: dict[str | None, Callable[[RowsView], None]] = {
    "down": lambda view: view.move(1),
    "j": lambda view: view.move(1),
    "up": lambda view: view.move(-1),
    "k": lambda view: view.move(-1),
    "pagedown": lambda view: view.page(1),
    "pageup": lambda view: view.page(-1),
    "home": RowsView.move_first,
    "g": RowsView.move_first,
    "end": RowsView.move_last,
    "G": RowsView.move_last,
    "enter": RowsView.open,
}
