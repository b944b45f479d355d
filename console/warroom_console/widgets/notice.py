"""`Notice`: a few lines above the panels that take neither the keyboard nor the cursor.

    notice.show("While you were away: 42m", lines, screen.size)
    notice.hide()

It is always there, so that opening it repaints nothing but its own cells.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region, Size

from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.sheet import Sheet
from warroom_console.widgets.spans import Line, Span, wrap

WIDEST = 90
_NOWHERE = Region(0, 0, 0, 0)


class Notice(Sheet, can_focus=False):
    """Lines to be read, in the upper right corner; those that find no place are counted."""

    DEFAULT_CSS = "Notice { layer: above; position: absolute; width: 0; height: 0; }"

    def __init__(self) -> None:
        super().__init__()
        self._title = ""
        self._spans: Sequence[Span] = ()

    @property
    def is_open(self) -> bool:
        """Whether anything is shown."""
        return bool(self._spans)

    def show(self, title: str, spans: Sequence[Span], screen: Size) -> None:
        """Show sentences, each in its tone."""
        self._title, self._spans = title, spans
        self._put(self.place(screen))

    def hide(self) -> None:
        """Show nothing."""
        self._spans = ()
        self._put(_NOWHERE)

    def fit(self, screen: Size) -> None:
        """Take the place that a screen of another size has."""
        if self.is_open:
            self._put(self.place(screen))

    def _put(self, region: Region) -> None:
        self.styles.width, self.styles.height = region.width, region.height
        self.styles.offset = (region.x, region.y)
        self.redraw()

    # The box -------------------------------------------------------------------------------

    def place(self, screen: Size) -> Region:
        width = min(screen.width, WIDEST)
        most = max(3, screen.height // 2 - 3)
        height = min(len(self._lines(width - 2)), most) + 2
        return Region(screen.width - width, 1, width, height)

    def heading(self) -> str:
        return self._title

    def footing(self) -> Line:
        return ((" Esc ", Tone.ACCENT), ("puts it away  ", Tone.DIM), ("M ", Tone.ACCENT),
                ("shows all of it ", Tone.DIM))  # fmt: skip

    def body(self, width: int, height: int, look: Look) -> Sequence[tuple[Line, Surface]]:
        lines = self._lines(width)
        if len(lines) > height:
            rest = len(lines) - height + 1
            lines = [*lines[: height - 1], ((f"   and {rest} more lines", Tone.DIM),)]
        return [(line, self.SURFACE) for line in lines]

    def _lines(self, width: int) -> list[Line]:
        return sentences_as_lines(self._spans, width)

    def press(self, key: str, character: str | None) -> None:
        """It has no keyboard: the screen's keys see to it."""


def sentences_as_lines(spans: Sequence[Span], width: int) -> list[Line]:
    """Sentences as lines of a width, each behind a dash and wrapped under itself."""
    lines: list[Line] = []
    for text, tone in spans:
        for number, piece in enumerate(wrap(text, max(10, width - 4))):
            lead = " - " if number == 0 else "   "
            lines.append(((lead, Tone.DIM), (piece, tone)))
    return lines
