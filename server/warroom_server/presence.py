"""Who is here: a latest-value slot per person, never stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from warroom_incident.sync.wire import Here, Person


@dataclass
class Seat:
    """One connected console: who sits there, since when (milliseconds), where, doing what."""

    name: str
    since: int
    here: Here = field(default_factory=Here)


def people(seats: Iterable[Seat]) -> list[Person]:
    """Everybody who is here, by name; several consoles of one person are one person.

    The console that does something speaks for its person, else the one that came last.
    """
    by_name: dict[str, list[Seat]] = {}
    for seat in seats:
        by_name.setdefault(seat.name, []).append(seat)
    found = []
    for name in sorted(by_name):
        theirs = by_name[name]
        speaking = max(theirs, key=lambda seat: (bool(seat.here.doing), seat.since))
        since = min(seat.since for seat in theirs)
        found.append(Person(name, speaking.here.where, speaking.here.doing, since, len(theirs)))
    return found
