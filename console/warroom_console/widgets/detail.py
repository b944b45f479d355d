"""`Detail`: read-only text and fields, scrolled by keys.

    detail.show("a-7", lambda width: fields([("service", "checkout"), ("since", "13:20Z")], width))

The place being read is kept while the subject stays the same and starts at the top for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from warroom_console.theme import Look, Tone
from warroom_console.widgets.canvas import Canvas
from warroom_console.widgets.row import Draw
from warroom_console.widgets.spans import Line, column, paint, wrap

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Size
    from textual.strip import Strip


def fields(pairs: Iterable[tuple[str, str]], width: int, label: int = 12) -> list[Line]:
    """Return `name  value` lines, the values wrapped beside their names."""
    lines: list[Line] = []
    for name, value in pairs:
        for number, text in enumerate(wrap(value, max(10, width - label - 1))):
            head = column(name if number == 0 else "", label) + " "
            lines.append(((head, Tone.DIM), (text, Tone.TEXT)))
    return lines


def prose(text: str, width: int, tone: Tone = Tone.TEXT) -> list[Line]:
    """Return text as lines of `width` cells."""
    return [((line, tone),) for line in wrap(text, width)]


class Detail(Canvas, can_focus=True):
    """A pane of lines."""

    DEFAULT_CSS = "Detail { height: 1fr; }"

    def __init__(self, *, empty: str = "Nothing selected.") -> None:
        super().__init__()
        self._empty = empty
        self._subject: str | None = None
        self._source: Draw | None = None
        self._top = 0

    def show(self, subject: str | None, source: Draw | None) -> None:
        """Show what `source(width)` gives; `subject` names what it is about."""
        if subject != self._subject:
            self._subject, self._top = subject, 0
        self._source = source
        self.redraw()

    @property
    def position(self) -> str:
        """How far down the reader is, for the panel's title; empty when all is in sight."""
        total, height = len(self._lines(self.size.width)), self.size.height
        if total <= height:
            return ""
        return f"{min(total, self._top + height)}/{total}"

    def on_key(self, event: events.Key) -> None:
        step = _STEPS.get(event.character if event.is_printable else event.key)
        if step is None:
            return
        event.stop()
        event.prevent_default()
        self._top += step(self.size.height)
        self.redraw()

    def _lines(self, width: int) -> Sequence[Line]:
        if self._source is None:
            return [((self._empty, Tone.DIM),)]
        return self._source(max(1, width - 2))

    def draw(self, size: Size, look: Look) -> Sequence[Strip]:
        lines = self._lines(size.width)
        self._top = max(0, min(self._top, len(lines) - size.height))
        return [
            paint(
                ((" ", Tone.TEXT), *line), size.width, look.palette, self.SURFACE, look.glyphs.more
            )
            for line in lines[self._top : self._top + size.height]
        ]


_FAR = 1_000_000
_STEPS: dict[str | None, Callable[[int], int]] = {
    "down": lambda height: 1,
    "j": lambda height: 1,
    "up": lambda height: -1,
    "k": lambda height: -1,
    "pagedown": lambda height: max(1, height - 1),
    "pageup": lambda height: -max(1, height - 1),
    "home": lambda height: -_FAR,
    "g": lambda height: -_FAR,
    "end": lambda height: _FAR,
    "G": lambda height: _FAR,
}
