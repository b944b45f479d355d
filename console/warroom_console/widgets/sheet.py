"""`Sheet`: an opaque box above the screen's widgets, on the same screen.

A Textual `ModalScreen` repaints everything below it; a sheet costs its own cells and gives them
back when it closes. It holds the keyboard while it is open: no key reaches what lies below.

    screen.open_sheet(Menu(...))       # one at a time; closing gives the focus back
    sheet.close()
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual.geometry import Region, Size
from textual.strip import Strip

from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.canvas import Canvas
from warroom_console.widgets.quiet import Frame
from warroom_console.widgets.spans import Line, cut, paint, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events


class Host(Frame):
    """Where sheets are mounted. It is always there, so that opening one repaints nothing else."""

    DEFAULT_CSS = "Host { layer: above; position: absolute; width: 0; height: 0; }"

    def put(self, region: Region) -> None:
        """Go to a region of the screen."""
        self.styles.width, self.styles.height = region.width, region.height
        self.styles.offset = (region.x, region.y)


class Sheet(Canvas, can_focus=True):
    """A box with a title in its top edge and a hint in its bottom edge."""

    DEFAULT_CSS = "Sheet { width: 1fr; height: 1fr; }"
    SURFACE = Surface.SHEET

    @abstractmethod
    def place(self, screen: Size) -> Region:
        """Return where the sheet goes on a screen of this size."""

    @abstractmethod
    def heading(self) -> str:
        """Return the title in the top edge."""

    @abstractmethod
    def footing(self) -> Line:
        """Return the hint in the bottom edge."""

    @abstractmethod
    def body(self, width: int, height: int, look: Look) -> Sequence[tuple[Line, Surface]]:
        """Return the lines inside the box, each with what it lies on."""

    @abstractmethod
    def press(self, key: str, character: str | None) -> None:
        """Do what a key does; every key comes here while the sheet is open."""

    closed: Callable[[], None] | None = None
    """Set by the screen that opens the sheet: takes it off and gives the keyboard back."""

    def close(self) -> None:
        """Leave the screen and give the keyboard back."""
        if self.closed is not None:
            self.closed()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.press(event.key, event.character if event.is_printable else None)

    def draw(self, size: Size, look: Look) -> Sequence[Strip]:
        glyphs, inner = look.glyphs, max(0, size.width - 2)
        edge = Tone.FAINT
        title = f" {cut(self.heading(), max(0, inner - 4), glyphs.more)} "
        top = spread(
            ((glyphs.top_left + glyphs.rule, edge), (title, Tone.STRONG)),
            ((glyphs.top_right, edge),),
            size.width,
            (glyphs.rule, edge),
        )
        lines = list(self.body(inner, max(0, size.height - 2), look))
        bottom = spread(
            ((glyphs.bottom_left + glyphs.rule, edge), *self.footing()),
            ((glyphs.bottom_right, edge),),
            size.width,
            (glyphs.rule, edge),
        )
        rows = [paint(top, size.width, look.palette, self.SURFACE)]
        for y in range(size.height - 2):
            line, surface = lines[y] if y < len(lines) else ((), self.SURFACE)
            rows.append(self._framed(line, surface, size.width, look))
        rows.append(paint(bottom, size.width, look.palette, self.SURFACE))
        return rows

    def _framed(self, line: Line, surface: Surface, width: int, look: Look) -> Strip:
        side = paint(((look.glyphs.bar, Tone.FAINT),), 1, look.palette, self.SURFACE)
        return Strip.join(
            [side, paint(line, width - 2, look.palette, surface, look.glyphs.more), side]
        )
