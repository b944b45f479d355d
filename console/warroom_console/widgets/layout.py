"""Where the five panels go: the same numbers, order and keys at every size.

`arrange` is pure: size, active panel and zoom in, regions out. `Deck` is the container that
follows it. Below 60x16 cells (the whole terminal's, of which the deck gets all but three rows) only
a notice is shown.

    deck = Deck([Panel(1, ...), ..., Panel(5, ...)], detail=Panel(None, "Detail", ...))
    deck.activate(2); deck.toggle_zoom(); deck.active

Message: `Deck.Activated(number)`.

    accordion        two columns (≥ 100x30)        three columns (≥ 160x45)
    ━1 Alerts ━━     ━1 Alerts ━━┬─2 Timeline─     ━1 Alerts ━┬─2 Timeline─┬─3 Roles ─
      rows                       │                            │            ├─Detail ──
    ─2 Timeline ─    ─4 Runbook ─┤                 ─4 Runbook ┤            ├─5 Comms ─
    ─3 Roles ────    ─5 Comms ───┼─3 Roles ───                │            │
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import Layout, WidgetPlacement
from textual.message import Message
from textual.widget import Widget

from warroom_console.theme import Glyphs, Tone, look_of
from warroom_console.widgets.quiet import Frame, Quiet
from warroom_console.widgets.spans import blank, paint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.strip import Strip

    from warroom_console.widgets.panel import Panel

SMALLEST = Size(60, 16)
"""The smallest terminal, in cells, that the room fits."""
TWO_COLUMNS = Size(100, 30)
THREE_COLUMNS = Size(160, 45)
"""Terminals from which on the panels stand in columns."""

_FIXED_ROWS = 3
_DETAIL = 0
_COLUMNS_TWO = ((3, ((1, 14), (4, 12), (5, 11))), (2, ((2, 24), (3, 13))))
_COLUMNS_THREE = (
    (75, ((1, 34), (4, 23))),
    (65, ((2, 1),)),
    (58, ((3, 12), (_DETAIL, 20), (5, 25))),
)


class Arrangement(Struct, frozen=True):
    """Regions by panel number (0 is the detail pane) and the columns between them.

    An open panel of height 1 shows its title only. `dividers` are one cell wide.
    """

    panels: Mapping[int, Region]
    dividers: tuple[Region, ...] = ()

    def joints(self, divider: Region) -> tuple[tuple[bool, bool], ...]:
        """Say for each row of a divider whether a title meets it from the left and the right."""
        left = {region.y for region in self.panels.values() if region.right == divider.x}
        right = {region.y for region in self.panels.values() if region.x == divider.right}
        return tuple((y in left, y in right) for y in range(divider.y, divider.bottom))


def arrange(size: Size, active: int, *, zoomed: bool = False) -> Arrangement:
    """Place the panels on a deck of `size`; an empty arrangement says that it is too small."""
    width, height = size
    if width < SMALLEST.width or height < SMALLEST.height - _FIXED_ROWS:
        return Arrangement({})
    if zoomed:
        return Arrangement({active: Region(0, 0, width, height)})
    if width >= THREE_COLUMNS.width and height >= THREE_COLUMNS.height - _FIXED_ROWS:
        return _in_columns(size, _COLUMNS_THREE)
    if width >= TWO_COLUMNS.width and height >= TWO_COLUMNS.height - _FIXED_ROWS:
        return _in_columns(size, _COLUMNS_TWO)
    return _accordion(size, active or 1)


def _accordion(size: Size, active: int) -> Arrangement:
    """Open the active panel; the others keep their title lines, or a few rows on tall screens."""
    width, height = size
    # A tall narrow screen has room to keep an eye on the others.
    others = 1 + max(0, (height - 30) // 8)
    regions: dict[int, Region] = {}
    y = 0
    for number in range(1, 6):
        tall = height - 4 * others if number == active else others
        regions[number] = Region(0, y, width, tall)
        y += tall
    return Arrangement(regions)


def _in_columns(
    size: Size, columns: Sequence[tuple[int, Sequence[tuple[int, int]]]]
) -> Arrangement:
    width, height = size
    regions: dict[int, Region] = {}
    dividers: list[Region] = []
    x = 0
    widths = _shares(width - len(columns) + 1, [weight for weight, _ in columns])
    for wide, (_, stack) in zip(widths, columns, strict=True):
        if x:
            dividers.append(Region(x, 0, 1, height))
            x += 1
        y = 0
        heights = _shares(height, [weight for _, weight in stack])
        for tall, (number, _) in zip(heights, stack, strict=True):
            regions[number] = Region(x, y, wide, tall)
            y += tall
        x += wide
    return Arrangement(regions, tuple(dividers))


def _shares(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to the weights, without losing a cell."""
    ends = [total * sum(weights[: place + 1]) // sum(weights) for place in range(len(weights))]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


class Divider(Quiet):
    """A column of one cell that joins the title lines at its sides."""

    DEFAULT_CSS = "Divider { background: $background; }"

    def __init__(self) -> None:
        super().__init__()
        self._joints: tuple[tuple[bool, bool], ...] = ()

    def set_joints(self, joints: tuple[tuple[bool, bool], ...]) -> None:
        """Say where titles meet this divider."""
        if joints != self._joints:
            self._joints = joints
            self.refresh()

    def render_line(self, y: int) -> Strip:
        look = look_of(self)
        sides = self._joints[y] if y < len(self._joints) else (False, False)
        shape = joint(look.glyphs, y, sides)
        return paint(((shape, Tone.FAINT),), self.size.width, look.palette)


def joint(glyphs: Glyphs, y: int, sides: tuple[bool, bool]) -> str:
    """Return row `y` of a divider, which titles meet from the left and the right, or not."""
    match sides:
        case (True, True):
            return glyphs.cross if y else glyphs.join_down
        case (True, False):
            return glyphs.join_left
        case (False, True):
            return glyphs.join_right
        case _:
            return glyphs.bar


class TooSmall(Quiet):
    """The notice in place of the panels when the terminal is too small for them."""

    def render_line(self, y: int) -> Strip:
        look = look_of(self)
        if y != self.size.height // 2:
            return blank(self.size.width, look.palette)
        text = f"needs {SMALLEST.width}x{SMALLEST.height}".center(self.size.width)
        return paint(((text, Tone.WARN),), self.size.width, look.palette)


class _DeckLayout(Layout):
    """Textual's side of `arrange`."""

    name = "deck"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> list[WidgetPlacement]:
        assert isinstance(parent, Deck)
        return [
            WidgetPlacement(region, NULL_OFFSET, NULL_SPACING, widget)
            for widget, region in parent.places(size)
            if widget in children
        ]


class Deck(Frame):
    """The five panels and the detail pane, laid out by `arrange`."""

    DEFAULT_CSS = "Deck { height: 1fr; width: 1fr; overflow: hidden; background: $background; }"

    class Activated(Message):
        """Keys now act on the panel with this number."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, panels: Sequence[Panel], detail: Panel | None = None) -> None:
        super().__init__()
        self._panels = {panel.number or _DETAIL: panel for panel in panels}
        if detail is not None:
            self._panels[_DETAIL] = detail
        self._dividers = (Divider(), Divider())
        self._notice = TooSmall()
        self._deck_layout = _DeckLayout()
        self._active = 1
        self._zoomed = False

    def compose(self) -> ComposeResult:
        yield from (panel for number, panel in self._panels.items() if number != _DETAIL)
        terminal = self.app.size
        yield from self._beside(Size(terminal.width, max(0, terminal.height - _FIXED_ROWS)))

    def _beside(self, size: Size) -> list[Widget]:
        """What a deck of this size has besides the panels; what it never shows is not made."""
        plan = arrange(size, self._active)
        if not plan.panels:
            return [self._notice]
        dividers = self._dividers[: len(plan.dividers)]
        if _DETAIL in plan.panels and _DETAIL in self._panels:
            return [self._panels[_DETAIL], *dividers]
        return [*dividers]

    def on_resize(self) -> None:
        missing = [widget for widget in self._beside(self.size) if not widget.is_attached]
        if missing:
            self.mount_all(missing)

    def on_mount(self) -> None:
        self.panel(self._active).set_active(True)

    @property
    def layout(self) -> Layout:
        return self._deck_layout

    @property
    def active(self) -> int:
        """The number of the panel that keys act on."""
        return self._active

    @property
    def zoomed(self) -> bool:
        """Whether the active panel has the whole deck."""
        return self._zoomed

    @property
    def shows_detail(self) -> bool:
        """Whether this size has room for the detail pane beside the panels."""
        return _DETAIL in arrange(self.size, self._active).panels

    def panel(self, number: int) -> Panel:
        """Return a panel by its number; 0 is the detail pane."""
        return self._panels[number]

    def activate(self, number: int) -> None:
        """Let keys act on another panel, and open it where only one can be open."""
        if number not in self._panels:
            return
        if number != self._active:
            before = arrange(self.size, self._active, zoomed=self._zoomed)
            self.panel(self._active).set_active(False)
            self._active = number
            self.panel(number).set_active(True)
            if arrange(self.size, number, zoomed=self._zoomed) != before:
                self._lay_out()
            self.post_message(self.Activated(number))
        body = self.panel(number).body
        if body.can_focus:
            self.screen.set_focus(body, scroll_visible=False)

    def step(self, delta: int) -> None:
        """Activate the next or previous of the five panels."""
        self.activate((self._active - 1 + delta) % 5 + 1)

    def toggle_zoom(self) -> None:
        """Give the active panel the whole deck, or end that."""
        self._zoomed = not self._zoomed
        self._lay_out()

    def _lay_out(self) -> None:
        # Textual forgets the arrangement of a container when a child asks for another size.
        self.panel(self._active).refresh(repaint=False, layout=True)

    def places(self, size: Size) -> list[tuple[Widget, Region]]:
        """Return what goes where on a deck of `size`, and tell panels and dividers about it."""
        plan = arrange(size, self._active, zoomed=self._zoomed)
        if not plan.panels:
            return [(self._notice, Region(0, 0, size.width, size.height))]
        placed: list[tuple[Widget, Region]] = []
        for number, region in plan.panels.items():
            if number in self._panels:
                panel = self._panels[number]
                panel.set_collapsed(region.height == 1)
                placed.append((panel, region))
        for divider, region in zip(self._dividers, plan.dividers, strict=False):
            divider.set_joints(plan.joints(region))
            placed.append((divider, region))
        return placed
