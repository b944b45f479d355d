"""`Header`: the first row, `INC-42 SEV1 checkout 5xx 00:42:10 IC ana   ● 38ms 14:02Z`.

The right part (link and time) is always whole. When the row is short the title gives way first,
then the tail, then the lead. A banner (a drill, a split room) takes the place before the lead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.bar import Bar
from warroom_console.widgets.spans import Line, cut, fit, paint, spread, width_of

if TYPE_CHECKING:
    from textual.strip import Strip

_LEAST_TITLE = 8


class Heading(Struct, frozen=True):
    """What the header says: `lead` and `tail` around a `title` that is cut to the room left."""

    lead: Line = ()
    title: str = ""
    tail: Line = ()
    right: Line = ()
    banner: str = ""


class Header(Bar):
    """The first row of every screen."""

    SURFACE = Surface.BAR

    def __init__(self) -> None:
        super().__init__()
        self._heading = Heading()

    def show(self, heading: Heading) -> None:
        """Show another heading; only the cells that differ are sent."""
        if heading != self._heading:
            self._heading = heading
            self.redraw()

    def draw(self, width: int, look: Look) -> Strip:
        heading, more = self._heading, look.glyphs.more
        right = (*heading.right, (" ", Tone.TEXT)) if heading.right else ()
        lead: Line = ((" ", Tone.TEXT), *heading.lead)
        if heading.banner:
            lead = ((f" {heading.banner} ", Tone.ALARM), *lead)
        room = width - width_of(right) - width_of(lead) - 2
        tail = heading.tail
        title = cut(heading.title, max(_LEAST_TITLE, room - width_of(tail) - 1), more)
        middle: Line = ((" " + title, Tone.STRONG),) if title else ()
        rest = fit(tail, max(0, room - width_of(middle)), more)
        left = (*lead, *middle, *rest)
        return paint(spread(left, right, width), width, look.palette, self.SURFACE, more)

    def on_resize(self) -> None:
        self.redraw()
