"""`Bare`: text with nothing around it, over the whole screen, for the terminal's own selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.geometry import Region, Size

from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.sheet import Sheet
from warroom_console.widgets.spans import Line, paint, wrap

if TYPE_CHECKING:
    from textual.strip import Strip

_FAR = 1_000_000


class Bare(Sheet):
    """No frame and no colour, so that what is selected is the text alone."""

    SURFACE = Surface.BASE

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text
        self._top = 0
        self._most = 0

    def place(self, screen: Size) -> Region:
        return Region(0, 0, screen.width, screen.height)

    def heading(self) -> str:
        return self._title

    def footing(self) -> Line:
        return ()

    def body(self, width: int, height: int, look: Look) -> Sequence[tuple[Line, Surface]]:
        return [(((line, Tone.TEXT),), self.SURFACE) for line in wrap(self._text, width)]

    def press(self, key: str, character: str | None) -> None:
        step = _STEPS.get(character or key) or _STEPS.get(key)
        if step is None:
            self.close()
            return
        self._top = max(0, min(self._top + step(self.size.height), self._most))
        self.redraw()

    def draw(self, size: Size, look: Look) -> Sequence[Strip]:
        lines = [line for line, _ in self.body(size.width, size.height, look)]
        room = size.height - 1
        self._most = max(0, len(lines) - room)
        self._top = min(self._top, self._most)
        rows = [paint(line, size.width, look.palette) for line in lines[self._top :][:room]]
        rows.extend(paint((), size.width, look.palette) for _ in range(room - len(rows)))
        more = f" {self._most - self._top} more lines: j" if self._top < self._most else ""
        hint: Line = ((f"{self._title}: any other key goes back{more}", Tone.FAINT),)
        return [*rows, paint(hint, size.width, look.palette, more=look.glyphs.more)]


_STEPS: dict[str, Callable[[int], int]] = {
    "down": lambda height: 1,
    "j": lambda height: 1,
    "up": lambda height: -1,
    "k": lambda height: -1,
    "pagedown": lambda height: max(1, height - 2),
    "space": lambda height: max(1, height - 2),
    "pageup": lambda height: -max(1, height - 2),
    "home": lambda height: -_FAR,
    "g": lambda height: -_FAR,
    "end": lambda height: _FAR,
    "G": lambda height: _FAR,
}
"""Scrolling; every other key goes back."""
