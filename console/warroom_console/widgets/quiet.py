"""`Quiet` and `Frame`: widgets that Textual does not repaint for nothing.

Textual repaints a widget when it gains or loses the focus, and a container when a child comes or
goes. Neither shows here: the active panel says where the keys go, and children cover their frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.geometry import NULL_SIZE, Region
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from textual.color import Color
    from textual.filter import LineFilter
    from textual.geometry import Size


class Quiet(Widget):
    """A widget whose focus and size change without a second paint.

    Subclasses draw whole lines, and have neither border nor padding.
    """

    ALLOW_SELECT = False
    # A layout paints what it resized; without the next lines it is all painted once more.
    virtual_size: Reactive[Size] = Reactive(NULL_SIZE, repaint=False)

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if changed:
            self._repaint_regions.clear()
        return changed

    def refresh_lines(self, lines: Iterable[int]) -> None:
        """Repaint whole lines, given from above; those in a row cost no more than one."""
        regions: list[Region] = []
        for y in lines:
            if regions and regions[-1].bottom == y:
                regions[-1] = regions[-1].grow((0, 0, 1, 0))
            else:
                regions.append(Region(0, y, self.size.width, 1))
        if regions:
            self.refresh(*regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        # Textual would keep a styled and a filtered copy of every line; each takes kilobytes.
        background, filters = self.background_colors[1], self.get_line_filters()
        strips = [self.render_line(y) for y in crop.line_range]
        for one in filters:
            strips = [_filtered(strip, one, background) for strip in strips]
        return [strip.crop(crop.x, crop.right) for strip in strips]

    def _on_focus(self, event: events.Focus) -> None:
        event.prevent_default()
        self.has_focus = True
        if self.parent is not None:
            self.parent.post_message(events.DescendantFocus(self))

    def _on_blur(self, event: events.Blur) -> None:
        event.prevent_default()
        self.has_focus = False
        if self.parent is not None:
            self.parent.post_message(events.DescendantBlur(self))


def _filtered(strip: Strip, one: LineFilter, background: Color) -> Strip:
    """Return a strip behind a filter; most often that is the strip itself."""
    before = list(strip)
    after = one.apply(before, background)
    return strip if after == before else Strip(after, strip.cell_length)


class Frame(Widget):
    """A container that its children cover whole: it never paints itself."""

    BLANK = True
    ALLOW_SELECT = False

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Ask for a layout or for new children; there is nothing to repaint."""
        return super().refresh(repaint=False, layout=layout, recompose=recompose)
