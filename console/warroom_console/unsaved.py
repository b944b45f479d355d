"""What was typed and neither saved nor sent when a console ended, kept for the next one.

A lost SSH line must not cost a draft. It is one small file that only this user reads, in the slot
of the replica; the next console there offers each text where it was typed.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct, field

from warroom_incident.directory import write_whole

FILE = "unsaved.json"
MOST_BYTES = 1 << 20


class Typed(Struct, frozen=True):
    """The texts of one screen: of editors by their keys, of prompt lines by their labels."""

    editors: dict[str, str] = {}
    lines: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.editors or self.lines)

    @property
    def texts(self) -> list[str]:
        """All of them."""
        return [*self.editors.values(), *self.lines.values()]


class Unsaved(Struct, frozen=True):
    """All that was typed, by stream; the lobby's under an empty name."""

    screens: dict[str, Typed] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """All of it."""
        return [text for typed in self.screens.values() for text in typed.texts]


def read_unsaved(path: Path | None) -> Unsaved:
    """What an earlier console kept; nothing where there is no such file."""
    try:
        if path is None or path.stat().st_size > MOST_BYTES:
            return Unsaved()
        return msgspec.json.decode(path.read_bytes(), type=Unsaved)
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError):
        return Unsaved()


def write_unsaved(path: Path | None, unsaved: Unsaved) -> bool:
    """Keep texts for the next console, or forget what was kept; False where that fails."""
    if path is None:
        return not unsaved.texts
    try:
        if not unsaved.texts:
            path.unlink(missing_ok=True)
            return True
        write_whole(path, msgspec.json.encode(unsaved), durable=False)
    except OSError:
        return False
    return True
