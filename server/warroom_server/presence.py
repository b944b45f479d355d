"""Who is here: a latest-value slot per person, never stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from warroom_incident.sync.wire import MAX_FRAME, Here, Person

MOST_BYTES = MAX_FRAME * 3 // 4
"""What the list of people may take, encoded: it travels whole, in one frame."""


@dataclass
class Seat:
    """One connected console: who sits there, since when (milliseconds), where, doing what."""

    name: str
    since: int
    here: Here = field(default_factory=Here)


def people(seats: Iterable[Seat]) -> list[Person]:
    """Everybody who is here, by name; several consoles of one person are one person.

    The console that does something speaks for its person, else the one that came last. Of more
    people than fit into a frame, those who have been here longest are listed.
    """
    by_name: dict[str, list[Seat]] = {}
    for seat in seats:
        by_name.setdefault(seat.name, []).append(seat)
    found = []
    for name, theirs in by_name.items():
        speaking = max(theirs, key=lambda seat: (bool(seat.here.doing), seat.since))
        since = min(seat.since for seat in theirs)
        found.append(Person(name, speaking.here.where, speaking.here.doing, since, len(theirs)))
    found.sort(key=lambda person: (person.since, person.name))
    return sorted(_fitting(found), key=lambda person: person.name)


def _fitting(found: list[Person]) -> list[Person]:
    size = 0
    for number, person in enumerate(found):
        size += len(msgspec.json.encode(person)) + 1
        if size > MOST_BYTES:
            return found[:number]
    return found
