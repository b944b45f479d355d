"""`Bar`: a widget of one row that repaints only the cells that changed.

The header's clock ticks every second on a link that may carry a few hundred bytes a second; a bar
compares the strip on screen with the new one and sends the difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region

from warroom_console.theme import Look, Surface, look_of
from warroom_console.widgets.quiet import Quiet
from warroom_console.widgets.spans import blank, cell_len

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.segment import Segment
    from rich.style import Style
    from textual.strip import Strip


class Bar(Quiet):
    """One row; subclasses say in `draw` what is on it and call `redraw` when that may differ."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; background: $background; }"
    SURFACE = Surface.BASE

    def __init__(self) -> None:
        super().__init__()
        self._drawn: Strip | None = None
        self._look: Look | None = None

    def draw(self, width: int, look: Look) -> Strip:
        """Return the row as a strip of `width` cells."""
        return blank(width, look.palette, self.SURFACE)

    def redraw(self) -> None:
        """Repaint the cells that differ from what is on screen."""
        width = self.size.width
        if not (width and self.is_mounted):
            self._drawn = None
            self.refresh()
            return
        old, new = self._drawn, self.draw(width, look_of(self))
        self._drawn = new
        span = (0, width) if old is None else _difference(old, new)
        if span is not None:
            self.refresh(Region(span[0], 0, span[1] - span[0], 1))

    def render_line(self, y: int) -> Strip:
        look, width = look_of(self), self.size.width
        if self._drawn is None or self._drawn.cell_length != width or self._look is not look:
            self._drawn, self._look = self.draw(width, look), look
        return self._drawn


def _difference(old: Strip, new: Strip) -> tuple[int, int] | None:
    """Return the first and the end cell that differ, None when none does."""
    if old.cell_length != new.cell_length:
        return 0, new.cell_length
    before, after = list(old), list(new)
    first = _strip_same(before, after, 0)
    end = new.cell_length - _strip_same(before, after, -1)
    one, other = _cells(before), _cells(after)
    if len(one) != end - first or len(other) != end - first:
        # Wide characters or marks: cells and characters do not line up.
        return (first, end) if one != other else None
    differing = [x for x, (was, is_) in enumerate(zip(one, other, strict=True)) if was != is_]
    return (first + differing[0], first + differing[-1] + 1) if differing else None


def _strip_same(before: list[Segment], after: list[Segment], at: int) -> int:
    """Drop what both begin with (`at` 0) or end with (-1); return how many cells it took."""
    cells = 0
    while before and after and before[at] == after[at]:
        cells += cell_len(before.pop(at).text)
        after.pop(at)
    return cells


def _cells(segments: Iterable[Segment]) -> list[tuple[str, Style | None]]:
    return [(character, segment.style) for segment in segments for character in segment.text]
