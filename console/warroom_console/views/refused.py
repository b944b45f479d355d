"""What is said of own entries that the server did not admit."""

from __future__ import annotations

from collections.abc import Iterator

from warroom_console.context import Room
from warroom_console.model import Refusal
from warroom_incident.clean import clean_line
from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.telling import tell
from warroom_incident.vocabulary import NoteAdded

MOST = 5
"""How many are listed one by one."""

_LONGEST = 40


def wording(event: Event) -> str:
    """What the author had written: a note's text, else what was done."""
    body = event.body
    return body.text if isinstance(body, NoteAdded) else tell(event, IncidentState("")).text


def refusals_of(room: Room) -> list[Refusal]:
    """Those of the open incident, in the lobby all; the newest first."""
    found = reversed(room.model.refusals.values())
    return [one for one in found if room.stream in (None, one.event.head.stream)]


def sentences(room: Room) -> Iterator[tuple[str, str]]:
    """Each refused entry with its event's id; of many, how many there are besides."""
    found = refusals_of(room)
    for one in found[:MOST]:
        said = clean_line(wording(one.event), _LONGEST)
        yield f"the server refused “{said}”: {one.reason}", one.event.id
    if len(found) > MOST:
        yield f"the server refused {len(found) - MOST} more of your entries", found[MOST].event.id
