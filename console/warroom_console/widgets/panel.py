"""`Panel`: a title line and a body; collapsed to its title, it is a live status line.

    panel = Panel(1, "Alerts", RowsView(...))
    panel.set_title(Title(count="12", badges=((" ▲3", Tone.WARN),), filter="/firing",
                          position="2/12", status=(("api-5xx ana", Tone.DIM),)))

A title update repaints the changed cells of one row and never asks for a layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from warroom_console.theme import Look, Tone
from warroom_console.widgets.bar import Bar
from warroom_console.widgets.quiet import Frame
from warroom_console.widgets.rows import RowsView
from warroom_console.widgets.spans import Line, Span, paint, spread

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.strip import Strip
    from textual.widget import Widget


class Title(Struct, frozen=True):
    """What a panel's title line says beside its number and name.

    `status` is shown when the panel is collapsed, `filter` and `position` when it is open.
    """

    count: str = ""
    badges: Line = ()
    filter: str = ""
    position: str = ""
    status: Line = ()


class PanelTitle(Bar):
    """The title line: a rule with words in it."""

    def __init__(self, number: int | None, name: str) -> None:
        super().__init__()
        self.number, self.name_shown = number, name
        self.title_shown = Title()
        self.active = False
        self.collapsed = False

    def draw(self, width: int, look: Look) -> Strip:
        glyphs = look.glyphs
        rule = glyphs.rule_on if self.active else glyphs.rule
        ink = Tone.ACCENT if self.active else Tone.FAINT
        title = self.title_shown
        left: list[Span] = [(rule, ink)]
        if self.number is not None:
            left.append((f"{self.number} ", Tone.ACCENT if self.active else Tone.DIM))
        left.append((self.name_shown, Tone.STRONG if self.active else Tone.TEXT))
        if title.count:
            left.append((f" {title.count}", Tone.DIM))
        left.extend(title.badges)
        left.append((" ", ink))
        right: Line = ()
        if self.collapsed and title.status:
            left.extend(((f"{rule} ", ink), *title.status, (" ", ink)))
        elif not self.collapsed:
            if title.filter:
                left.extend(((f"{rule} ", ink), (f"{title.filter} ", Tone.WARN)))
            if title.position:
                right = ((f" {title.position} ", Tone.DIM), (rule, ink))
        return paint(spread(tuple(left), right, width, (rule, ink)), width, look.palette)


class Panel(Frame):
    """A numbered panel around a body; `body` may be any widget, most often a `RowsView`."""

    DEFAULT_CSS = "Panel { layout: vertical; overflow: hidden; background: $background; }"

    def __init__(self, number: int | None, name: str, body: Widget) -> None:
        super().__init__()
        self.number = number
        self.body = body
        self._title = PanelTitle(number, name)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.body

    @property
    def active(self) -> bool:
        """Whether keys act on this panel."""
        return self._title.active

    @property
    def title(self) -> Title:
        """What the title line says."""
        return self._title.title_shown

    @property
    def collapsed(self) -> bool:
        """Whether only the title line is on screen."""
        return self._title.collapsed

    def set_title(self, title: Title) -> None:
        """Show another title."""
        if title != self._title.title_shown:
            self._title.title_shown = title
            self._title.redraw()

    def set_name(self, name: str) -> None:
        """Show another name, for a panel whose subject changes."""
        self._title.name_shown = name
        self._title.redraw()

    def set_active(self, active: bool) -> None:
        """Draw the panel as the one that keys act on, or not."""
        self._title.active = active
        self._title.redraw()
        if isinstance(self.body, RowsView):
            self.body.set_active(active)

    def set_collapsed(self, collapsed: bool) -> None:
        """Show the status or the body: the deck says so while it lays the panels out."""
        if collapsed != self._title.collapsed:
            self._title.collapsed = collapsed
            self._title.redraw()
