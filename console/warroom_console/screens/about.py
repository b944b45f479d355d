"""`About`: the detail of one row as a sheet, where the screen has no room for a detail pane."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Region, Size

from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.row import Draw
from warroom_console.widgets.sheet import Sheet
from warroom_console.widgets.spans import Line
from warroom_incident.practice.words import counted

_FAR = 1_000_000


class About(Sheet):
    """Read-only lines, scrolled by keys; Esc, q and Enter close it."""

    def __init__(self, title: str, source: Draw) -> None:
        super().__init__()
        self._title, self._source = title, source
        self._top = 0
        self._below = 0

    def place(self, screen: Size) -> Region:
        width = min(screen.width - 2, 100)
        wanted = len(self._source(width - 4)) + 2
        height = min(max(wanted, 5), screen.height - 4)
        return Region((screen.width - width) // 2, 2, width, height)

    def heading(self) -> str:
        return self._title

    def footing(self) -> Line:
        if not (self._below or self._top):
            return ((" Esc leave ", Tone.DIM),)
        more = f" {counted(self._below, 'more line')} below " if self._below else " the end "
        return ((" j k scroll  Esc leave ", Tone.DIM), (more, Tone.ACCENT))

    def body(self, width: int, height: int, look: Look) -> Sequence[tuple[Line, Surface]]:
        lines = self._source(max(1, width - 2))
        self._top = max(0, min(self._top, len(lines) - height))
        self._below = max(0, len(lines) - height - self._top)
        return [(((" ", Tone.TEXT), *line), self.SURFACE) for line in lines[self._top :][:height]]

    def press(self, key: str, character: str | None) -> None:
        if key in ("escape", "enter", "q"):
            self.close()
            return
        step = _STEPS.get(character or key) or _STEPS.get(key)
        if step is not None:
            self._top += step(max(1, self.size.height - 3))
            self.redraw()


_STEPS: dict[str, Callable[[int], int]] = {
    "down": lambda page: 1,
    "j": lambda page: 1,
    "up": lambda page: -1,
    "k": lambda page: -1,
    "pagedown": lambda page: page,
    "space": lambda page: page,
    "pageup": lambda page: -page,
    "home": lambda page: -_FAR,
    "g": lambda page: -_FAR,
    "end": lambda page: _FAR,
    "G": lambda page: _FAR,
}
