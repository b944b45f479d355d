"""Connections that have shown nothing yet: when too many come, the oldest makes room.

Each takes a file of the process, which has only so many: strangers must not use up those of the
people in the room.
"""

from __future__ import annotations

import asyncio


class Crowd:
    """At most so many connections, in the order in which they came or last did something."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._here: dict[asyncio.Transport, None] = {}

    def come(self, transport: asyncio.Transport) -> None:
        """One came, or did something; if they are too many now, the first is cut."""
        self._here.pop(transport, None)
        self._here[transport] = None
        if len(self._here) > self._most:
            first = next(iter(self._here))
            del self._here[first]
            first.abort()

    def leave(self, transport: asyncio.Transport) -> None:
        """One is gone, or no stranger any more."""
        self._here.pop(transport, None)
