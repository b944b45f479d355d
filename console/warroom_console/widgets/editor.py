"""`Editor`: several lines of text, for drafts and long notes.

    screen.open_sheet(Editor("update-3", "Update to customers", draft, save=store))

ctrl+s saves: `check` may say why the text will not do, and the editor stays; else `save` gets the
text, cleaned, after the editor has closed, and says False where it could not be saved. Such a text,
and one that is left with Esc, is kept under the editor's key: the next editor with that key starts
with it and says so. Tab goes to the next `[question]` that the text still asks, and typing answers
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region, Size
from textual.widget import Widget

from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.bar import Bar
from warroom_console.widgets.spans import Line, paint, spread
from warroom_incident.clean import clean
from warroom_incident.practice.template import QUESTION

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult
    from textual.strip import Strip
    from textual.widgets import TextArea

LONGEST = 20_000
"""Characters that an editor saves; the event that carries them has room for no more."""


class _Edge(Bar):
    """The editor's first and last row."""

    SURFACE = Surface.BAR

    def __init__(self, left: Line, right: Line = ()) -> None:
        super().__init__()
        self.left, self.right = left, right

    def draw(self, width: int, look: Look) -> Strip:
        line = spread(self.left, self.right, width)
        return paint(line, width, look.palette, self.SURFACE, look.glyphs.more)


class Editor(Widget):
    """A text area with a title row and a hint row.

    On wide screens its lines end after 100 cells: longer ones are hard to read back.
    """

    DEFAULT_CSS = """
    Editor {
        width: 1fr; height: 1fr; layout: vertical; background: $background;
        align-horizontal: center;
    }
    Editor TextArea {
        height: 1fr; max-width: 102; border: none; padding: 1; background: $background;
        scrollbar-size: 0 0;
        &:focus { border: none; }
    }
    """
    ALLOW_SELECT = False
    closed: Callable[[str | None], None] | None = None
    """Set by the screen that opens the editor: takes it off, with the text to keep if any.

    Once it is off, None forgets what was kept.
    """

    def __init__(
        self,
        key: str,
        title: str,
        text: str = "",
        *,
        save: Callable[[str], object],
        check: Callable[[str], str | None] | None = None,
        left: Callable[[str], object] | None = None,
    ) -> None:
        # Most sessions never open an editor.
        from .paper import Paper

        super().__init__()
        self.key = key
        self._save, self._check, self._left = save, check, left
        self._given = text
        self._title = _Edge(((f" {title}", Tone.STRONG),))
        hints: Line = (
            (" ^S", Tone.ACCENT),
            (" Save ", Tone.DIM),
            (" Esc", Tone.ACCENT),
            (" Leave, keeping the text ", Tone.DIM),
        )
        if QUESTION.search(text):
            hints = (*hints, (" Tab", Tone.ACCENT), (" Next [question]", Tone.DIM))
        self._hint = _Edge(hints)
        self.area: TextArea = Paper(
            clean(text), soft_wrap=True, show_line_numbers=False, tab_behavior="focus"
        )
        self.area.cursor_blink = False

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.area
        yield self._hint

    def place(self, screen: Size) -> Region:
        """Cover the deck."""
        return Region(0, 1, screen.width, screen.height - 3)

    @property
    def text(self) -> str:
        """What has been typed, cleaned."""
        return clean(self.area.text)

    @property
    def changed(self) -> bool:
        """Whether the text differs from the one that the editor was given."""
        return self.text != clean(self._given)

    def resume(self, kept: str) -> None:
        """Go on with text that an earlier Esc kept."""
        self.area.text = kept
        self.tell("kept text restored")

    def tell(self, said: str) -> None:
        """Say something beside the title."""
        self._title.right = ((f"{said} ", Tone.WARN),)
        self._title.redraw()

    def on_mount(self) -> None:
        self.area.move_cursor(self.area.document.end)

    def on_resize(self) -> None:
        self.area.styles.padding = (0 if self.size.height < 12 else 1, 1)

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "ctrl+s":
                self._finish()
            case "escape":
                self._leave()
            case "tab":
                self._next_question()
            case "shift+tab":
                pass
            case _:
                return  # backspace, arrows and the like find the text area by way of the app
        event.stop()
        event.prevent_default()

    def _next_question(self) -> None:
        """Select the next thing that the text asks, from the top again after the last."""
        from textual.widgets.text_area import Document, Selection

        area = self.area
        document = area.document
        assert isinstance(document, Document)
        here = document.get_index_from_location(area.selection.end)
        found = list(QUESTION.finditer(area.text))
        asked = next((one for one in found if one.start() >= here), found[0] if found else None)
        if asked is not None:
            place = document.get_location_from_index
            area.selection = Selection(place(asked.start()), place(asked.end()))

    def _finish(self) -> None:
        text = self.text
        if complaint := self._complaint(text):
            self.tell(complaint)
            return
        self._close(text)
        if self._save(text) is not False:
            self._close(None)

    def _complaint(self, text: str) -> str | None:
        if self._check is not None and (complaint := self._check(text)):
            return complaint
        over = len(text) - LONGEST
        return f"{over} characters too long: shorten it, then save" if over > 0 else None

    def _leave(self) -> None:
        text = self.text
        self._close(text if self.changed else None)
        if self._left is not None:
            self._left(text)

    def _close(self, kept: str | None) -> None:
        if self.closed is not None:
            self.closed(kept)
