"""The past: what this person did in this console, so that `u` can take it back."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from warroom_incident.event import Event

MOST = 100
"""How many actions are remembered."""


class Deed(Struct, frozen=True):
    """One action: the events that it wrote, and what the prompt row said about it."""

    stream: str
    events: tuple[Event, ...]
    said: str


class Past:
    """The latest actions, the last one on top."""

    def __init__(self) -> None:
        self._deeds: deque[Deed] = deque(maxlen=MOST)

    def add(self, deed: Deed) -> None:
        """Remember an action."""
        self._deeds.append(deed)

    def take(self) -> Deed | None:
        """Hand over the last action and forget it."""
        return self._deeds.pop() if self._deeds else None

    @property
    def last(self) -> Deed | None:
        """The last action."""
        return self._deeds[-1] if self._deeds else None
