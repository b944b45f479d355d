"""`Past`: the lines that were typed at each label, and the way through them with ↑ and ↓."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HISTORY = 200
"""Lines remembered for each label."""


class Past:
    """What was typed before, by label, the oldest line first."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}
        self._at: int | None = None

    def of(self, label: str) -> Sequence[str]:
        """Return the lines of a label."""
        return self._lines.get(label, ())

    def fill(self, label: str, lines: Sequence[str]) -> None:
        """Set the lines of a label."""
        self._lines[label] = list(lines)[-HISTORY:]

    def add(self, label: str, text: str) -> None:
        """Remember a line; one that says nothing, or the same again, is not."""
        lines = self._lines.setdefault(label, [])
        if text.strip() and text not in lines[-1:]:
            lines.append(text)
            del lines[:-HISTORY]

    def leave(self) -> None:
        """Begin at the newest line next time."""
        self._at = None

    def step(self, label: str, step: int, newest: str | None) -> str | None:
        """Return the line that lies `step` further, empty behind the last; None where none is.

        `newest` stands behind the lines: one that was typed and left.
        """
        lines = [*self.of(label), *([newest] if newest else ())]
        if not lines:
            return None
        place = (len(lines) if self._at is None else self._at) + step
        self._at = max(0, place) if place < len(lines) else None
        return "" if self._at is None else lines[self._at]
