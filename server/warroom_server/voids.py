"""What is left of a refused event: a void in its stream, so that everybody sees the refusal."""

from __future__ import annotations

from warroom_incident.clock import Wall
from warroom_incident.event import Packet, read_packet, void_of
from warroom_incident.log import Entry

VOIDS_AT_ONCE = 50
"""How many voids one connection may leave in a row."""

VOID_EVERY_MS = 2000
"""After those it may leave one in so many milliseconds."""


class Voids:
    """How many voids one connection may still leave: a stream is no place to scribble."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._left = float(VOIDS_AT_ONCE)
        self._at = wall()

    def take(self) -> bool:
        """Whether one more may be left; it counts."""
        now = self._wall()
        self._left = min(VOIDS_AT_ONCE, self._left + max(0, now - self._at) / VOID_EVERY_MS)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def void_for(packet: Packet, reason: str) -> Entry:
    """The void of an event that passed the door, ready for the log."""
    void = void_of(packet, reason)
    return Entry(read_packet(void), void)
