"""`Canvas`: a widget of several rows that repaints only the rows that changed."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual.geometry import NULL_SIZE

from warroom_console.theme import Look, Surface, look_of
from warroom_console.widgets.quiet import Quiet
from warroom_console.widgets.spans import blank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.geometry import Size
    from textual.strip import Strip


class Canvas(Quiet):
    """Subclasses say in `draw` what is on every row and call `redraw` when that may differ."""

    DEFAULT_CSS = "Canvas { background: $background; }"
    SURFACE = Surface.BASE

    def __init__(self) -> None:
        super().__init__()
        self._drawn: Sequence[Strip] | None = None
        self._look: Look | None = None
        self._drawn_size = NULL_SIZE

    @abstractmethod
    def draw(self, size: Size, look: Look) -> Sequence[Strip]:
        """Return the rows as strips of the widget's width; missing ones are blank."""

    def redraw(self) -> None:
        """Repaint the rows that differ from what is on screen."""
        if not (self.size.area and self.is_mounted):
            self._drawn = None
            self.refresh()
            return
        if self._drawn_size != self.size:
            self._drawn = None
        old, new = self._drawn or (), self.draw(self.size, look_of(self))
        self._drawn, self._drawn_size = new, self.size
        lines = range(self.size.height)
        self.refresh_lines(y for y in lines if old[y : y + 1] != new[y : y + 1])

    def render_line(self, y: int) -> Strip:
        look = look_of(self)
        if self._drawn is None or self._look is not look or self._drawn_size != self.size:
            self._drawn, self._look = self.draw(self.size, look), look
            self._drawn_size = self.size
        if y < len(self._drawn):
            return self._drawn[y]
        return blank(self.size.width, look.palette, self.SURFACE)

    def on_resize(self) -> None:
        if self._drawn_size != self.size:
            self.redraw()
