"""What comes of a server's frames: events with their places, and what is to be done about them."""

from __future__ import annotations

from msgspec import Struct

from ..event import Event, Packet
from .wire import FromServer, Part


def arrived(iseq: int, event: Event, packet: Packet, *, apart: bool) -> Arrival:
    """The event at a place, with the name that its place has."""
    # Older logs keep hearsay under the id of the event, every log what it withheld later.
    return Arrival(iseq, event, packet, event.entry if apart or event.refused else event.id)


class Arrival(Struct, frozen=True):
    """An event that arrived, its bytes, its place in the server's log and the name of that."""

    iseq: int
    event: Event
    packet: Packet
    entry: str


class Ordered(Struct, frozen=True):
    """The end of a comparison: send `fetch`, and hand over what the server lacks.

    All name events by their entries: `lacking` what the server lacks, `unvouched` what it holds on
    hearsay, `common` what both hold, by place.
    """

    stream: str
    fetch: bytes
    lacking: list[str]
    unvouched: list[str]
    common: dict[int, str]


class Seal(Struct, frozen=True):
    """A server's signature on the chain at a place; `sealed` in milliseconds."""

    iseq: int
    sealed: int
    signature: str


class Batch(Struct, frozen=True):
    """Events of a stream that arrived together."""

    stream: str
    part: Part
    arrivals: list[Arrival]
    seal: Seal | None = None


class Handed(Struct, frozen=True):
    """The server has taken what this end handed on: its ids are entries from place `first` on."""

    stream: str
    first: int
    ids: list[str]
    seal: Seal | None = None


class Uneven(Struct, frozen=True):
    """A stream that turned out to differ from the server's: send `frame` to compare it."""

    stream: str
    frame: bytes


Heard = FromServer | Batch | Ordered | Handed | Uneven
"""What comes of a frame."""
