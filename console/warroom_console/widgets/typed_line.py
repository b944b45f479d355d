"""`TypedLine`: a line that is being typed, as it is drawn, with what is said beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from warroom_console.theme import Look, Tone
from warroom_console.widgets.lineedit import LineEdit
from warroom_console.widgets.spans import Line, fit, paint, spread, width_of

if TYPE_CHECKING:
    from textual.strip import Strip

_LEAST = 8
"""Cells that the text has at the least."""


class TypedLine(Struct, frozen=True):
    """One row. `ghost` is the line that Tab would make of the text, `beside` stands at its end."""

    label: Line
    edit: LineEdit
    ghost: str
    beside: Line

    def draw(self, width: int, look: Look, *, offered: bool, wrong: bool) -> Strip:
        """Draw the row: text that is only `offered` is dim, what is `wrong` has more room."""
        whole = width - width_of(self.label) - 2
        # A hint never takes more than the half that the text needs; what is wrong, two thirds.
        least = whole // 3 if wrong else whole - whole // 2
        wanted = min(width_of(((self.edit.text, Tone.TEXT),)) + 1, least)
        beside = fit(self.beside, max(0, whole - wanted), look.glyphs.more)
        text, at = self.edit.window(max(_LEAST, whole - width_of(beside)))
        ghost = self.ghost[len(self.edit.text) :] if at == len(text) else ""
        under = text[at : at + 1] or ghost[:1] or " "
        left: Line = (
            *self.label,
            (text[:at], Tone.DIM if offered else Tone.STRONG),
            (under, Tone.CARET),
            (text[at + 1 :] + ghost[1:], Tone.STRONG if at < len(text) else Tone.FAINT),
        )
        return paint(spread(left, beside, width), width, look.palette, more=look.glyphs.more)
