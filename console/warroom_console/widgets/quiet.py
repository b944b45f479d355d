"""`Quiet` and `Frame`: widgets that Textual does not repaint for nothing.

Textual repaints a widget when it gains or loses the focus, and a container when a child comes or
goes. Neither shows here: the active panel says where the keys go, and children cover their frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.geometry import NULL_SIZE
from textual.reactive import Reactive
from textual.widget import Widget

if TYPE_CHECKING:
    from typing import Self

    from textual.geometry import Region, Size


class Quiet(Widget):
    """A widget whose focus and size change without a second paint."""

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


class Frame(Widget):
    """A container that its children cover whole: it never paints itself."""

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
