"""`PasteGate`: what a terminal pastes comes in whole, as plain text, and never as keys.

    PasteDriver            # the terminal's driver, with the gate in front of its parser

Textual looks for keys in a paste as well: of coloured output, some thirty characters behind each
ESC would be pressed. The gate holds a paste until its end, takes out what only a terminal obeys,
and makes every line end a newline. A paste ends where the terminal says so; text that says so too
is typed from there on, as in any program.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers import linux_driver

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.message import Message

LONGEST = 200_000
"""Characters of a paste that are taken; nothing that can be written here is as long."""

_TAIL = len(BRACKETED_PASTE_END) - 1
_LINE_END = re.compile("\r\n?")
_OBEYED = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor moves
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])"  # titles, the clipboard
    "[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x9c|\x1b\\\\)"
    "|\x1b[ -/]*[0-~]?"  # character sets, and an ESC on its own
)


class PasteGate:
    """Stands between a terminal and what reads its keys."""

    def __init__(self) -> None:
        self._held: list[str] | None = None
        self._length = 0
        self._tail = ""

    def let_in(self, data: str) -> str:
        """Return what may be read now of what the terminal sent."""
        read: list[str] = []
        while data:
            data = self._outside(data, read) if self._held is None else self._inside(data, read)
        return "".join(read)

    def _outside(self, data: str, read: list[str]) -> str:
        seen = self._tail + data
        end = seen.find(BRACKETED_PASTE_START) + len(BRACKETED_PASTE_START) - len(self._tail)
        if BRACKETED_PASTE_START not in seen:
            read.append(data)
            self._tail = seen[-_TAIL:]
            return ""
        read.append(data[:end])
        self._held, self._length, self._tail = [], 0, ""
        return data[end:]

    def _inside(self, data: str, read: list[str]) -> str:
        assert self._held is not None
        seen = self._tail + data
        place = seen.find(BRACKETED_PASTE_END)
        if place < 0:
            self._hold(seen[:-_TAIL])
            self._tail = seen[-_TAIL:]
            return ""
        self._hold(seen[:place])
        read += (plain("".join(self._held)), BRACKETED_PASTE_END)
        self._held, self._tail = None, ""
        return seen[place + len(BRACKETED_PASTE_END) :]

    def _hold(self, text: str) -> None:
        assert self._held is not None
        text = text[: LONGEST - self._length]
        self._held.append(text)
        self._length += len(text)


def plain(text: str) -> str:
    """Return pasted text without what only a terminal obeys, each line end a newline."""
    return _LINE_END.sub("\n", _OBEYED.sub("", text))


class PasteParser(XTermParser):
    """Reads keys from what the gate lets in."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._gate = PasteGate()

    def feed(self, data: str) -> Iterable[Message]:
        """Read what the terminal sent; nothing at all is its end."""
        read = self._gate.let_in(data)
        return super().feed(read) if read or not data else ()


class PasteDriver(linux_driver.LinuxDriver):
    """Textual's own driver, reading through the gate."""

    def run_input_thread(self) -> None:
        # The driver makes its parser by this name, and has no other place to give it one.
        linux_driver.XTermParser = PasteParser  # type: ignore[attr-defined]
        super().run_input_thread()
