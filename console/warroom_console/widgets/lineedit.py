"""`LineEdit`: the text and cursor of a one-line input, with the editing keys of a shell."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from rich.cells import cell_len

LONGEST = 4000
"""Characters that one line may hold: a paste beyond that is cut."""


class LineEdit(Struct):
    """A line being typed; `at` is the cursor, in characters from the start."""

    text: str = ""
    at: int = 0

    def set(self, text: str) -> None:
        """Replace the text and put the cursor at its end."""
        self.text = text[:LONGEST]
        self.at = len(self.text)

    def insert(self, text: str) -> None:
        """Put text in at the cursor."""
        room = LONGEST - len(self.text)
        text = text[:room]
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)

    def press(self, key: str) -> bool:
        """Do what an editing key does; say whether it was one."""
        edit = _EDITS.get(key)
        if edit is not None:
            edit(self)
        return edit is not None

    def window(self, width: int) -> tuple[str, int]:
        """Return the part of the text that fits `width` cells around the cursor, and where in it
        the cursor is, in characters."""
        start, left = self.at, width - 1
        while start and (left := left - cell_len(self.text[start - 1])) >= 0:
            start -= 1
        end, right = self.at, width - cell_len(self.text[start : self.at])
        while end < len(self.text) and (right := right - cell_len(self.text[end])) >= 0:
            end += 1
        return self.text[start:end], self.at - start

    def _cut(self, begin: int, end: int) -> None:
        self.text = self.text[:begin] + self.text[end:]
        self.at = begin

    def _word_left(self) -> int:
        head = self.text[: self.at].rstrip()
        return head.rfind(" ") + 1

    def _word_right(self) -> int:
        tail = self.text[self.at :]
        skipped = len(tail) - len(tail.lstrip())
        found = tail.find(" ", skipped)
        return len(self.text) if found < 0 else self.at + found

    def _go(self, at: int) -> None:
        self.at = max(0, min(at, len(self.text)))


_EDITS: dict[str, Callable[[LineEdit], None]] = {
    "left": lambda line: line._go(line.at - 1),
    "right": lambda line: line._go(line.at + 1),
    "home": lambda line: line._go(0),
    "ctrl+a": lambda line: line._go(0),
    "end": lambda line: line._go(len(line.text)),
    "ctrl+e": lambda line: line._go(len(line.text)),
    "ctrl+left": lambda line: line._go(line._word_left()),
    "ctrl+right": lambda line: line._go(line._word_right()),
    "backspace": lambda line: line._cut(max(0, line.at - 1), line.at),
    "delete": lambda line: line._cut(line.at, line.at + 1),
    "ctrl+d": lambda line: line._cut(line.at, line.at + 1),
    "ctrl+w": lambda line: line._cut(line._word_left(), line.at),
    "ctrl+u": lambda line: line._cut(0, line.at),
    "ctrl+k": lambda line: line._cut(line.at, len(line.text)),
}
