"""Which room each server's address led to: what opens the right replica before anybody answers."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from warroom_incident.directory import make_private, write_whole

if TYPE_CHECKING:
    from .places import Places

_PLAIN = r"[a-z0-9][a-z0-9-]{0,63}"
_MOST = 200
"""More addresses than anybody has; the oldest are forgotten."""


class OtherRoom(Exception):
    """The server holds another room than the replica; the message says what to do."""


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
        write_whole(self.path, msgspec.json.encode(kept), durable=False)


def other_room(places: Places, url: str, room: str) -> str:
    """What to say of an address that leads to another room than it did; it is noted, too.

    Raises:
        OSError: The state directory cannot be written.
    """
    if places.replica is not None:
        return (
            f"{url} is another room than the replica in {places.replica}: "
            "choose another WARROOM_REPLICA."
        )
    Known(places.state).remember(url, room)
    return f"{url} is another room now: leave and join again."


def directory_name(room: str) -> str:
    """The name of a room's directory: what a server calls itself never becomes a path as it is."""
    if re.fullmatch(_PLAIN, room):
        return room
    return sha256(room.encode("utf-8", "surrogatepass")).hexdigest()[:16]
