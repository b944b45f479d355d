"""The last door before the terminal: every segment of every widget is cleaned once more.

Views clean what they show. This filter makes a forgotten place harmless: it runs in Textual's own
rendering, behind all widgets, so that text areas, toasts and tracebacks pass through it as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.filter import LineFilter

from warroom_incident.clean import clean

if TYPE_CHECKING:
    from textual.color import Color


class CleanFilter(LineFilter):
    """Clean the text of every segment, keep its width in cells, and drop hyperlinks."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with nothing in them that a terminal would obey."""
        return [segment if _harmless(segment) else _cleaned(segment) for segment in segments]


_ASCII = str.maketrans({"…": "~", "“": '"', "”": '"', "·": "-", "→": ">", "↑": "^", "–": "-"})


class AsciiFilter(LineFilter):
    """Replace what sentences of our own hold beyond ASCII; what data holds stays as it is."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with a character of ASCII for each of ours."""
        return [
            segment
            if segment.text.isascii()
            else Segment(segment.text.translate(_ASCII), segment.style, segment.control)
            for segment in segments
        ]


def _harmless(segment: Segment) -> bool:
    text, style, _ = segment
    return text.isascii() and text.isprintable() and (style is None or not style.link)


def _cleaned(segment: Segment) -> Segment:
    text, style, control = segment
    plain = clean(text, newlines=False)
    if plain != text:
        # A picture of a control is a cell wide where the control took none.
        plain = set_cell_size(plain, cell_len(text))
    elif style is None or not style.link:
        return segment
    if style is not None and style.link:
        style = style.update_link(None)
    return Segment(plain, style, control)
