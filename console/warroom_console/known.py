"""Which room each server's address led to: what opens the right replica before anybody answers."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path

from warroom_incident.directory import make_private

_PLAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MOST = 200
"""More addresses than anybody has; the oldest are forgotten."""


class Known:
    """`known.json` in the state directory: server address → room."""

    def __init__(self, state: Path) -> None:
        self.path = state / "known.json"

    def rooms(self) -> dict[str, str]:
        """Every address with its room, the longest known first; a damaged file knows none."""
        import msgspec

        try:
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}

    def remember(self, url: str, room: str) -> None:
        """Note that an address leads to a room.

        Raises:
            OSError: The state directory cannot be written.
        """
        import msgspec

        rooms = self.rooms()
        if rooms.get(url) == room:
            return
        rooms.pop(url, None)
        rooms[url] = room
        kept = dict(list(rooms.items())[-_MOST:])
        make_private(self.path.parent)
        partial = self.path.with_suffix(f".{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_bytes(msgspec.json.encode(kept))
        partial.rename(self.path)


def directory_name(room: str) -> str:
    """The name of a room's directory: what a server calls itself never becomes a path as it is."""
    if _PLAIN.fullmatch(room):
        return room
    return sha256(room.encode("utf-8", "surrogatepass")).hexdigest()[:16]
