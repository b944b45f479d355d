"""Everything about one entry of the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from warroom_console.context import Room
from warroom_console.model import Mark
from warroom_console.theme import Tone
from warroom_console.times import clock, short, stamp
from warroom_console.widgets.detail import fields, prose
from warroom_console.widgets.row import Draw
from warroom_console.widgets.spans import Line
from warroom_incident.event import Event
from warroom_incident.knowing import new_facts
from warroom_incident.telling import tell
from warroom_incident.vocabulary import NoteAdded, NoteEdited

_MOST = 5
"""How many new facts are told."""

_MARKS: dict[Mark, str] = {
    "pending": "kept on this machine, not on a server yet",
    "durable": "on the server's disk",
    "held": "on another machine's disk too",
    "refused": "not admitted by the server",
}


def draw_detail(room: Room, event: Event) -> Draw:
    """All times, the wordings that were, and who stands behind an entry."""
    told = tell(event, room.state)
    facts = [
        ("by", event.head.by),
        ("via", f"{event.via}, on whose word alone it stands" if event.via else ""),
        ("happened", stamp(room.state.happened_at(event))),
        ("written", stamp(event.head.wall)),
        ("admitted", _admitted(event)),
        ("mark", _MARKS[room.model.mark(event)]),
        ("refused", _reason(room, event)),
        ("late", "after close: it changes nothing else" if room.state.is_late(event) else ""),
        ("new facts", _new_facts(room, event)),
        ("starred", "a key event" if room.state.is_starred(event.id) else ""),
        ("struck out", "yes; it stays in the record" if room.state.is_struck(event.id) else ""),
        ("id", event.id[:16]),
    ]
    kept = [(name, value) for name, value in facts if value]
    return partial(_draw, told.kind, told.text, kept, _wordings(room, event))


def _admitted(event: Event) -> str:
    if event.admitted is None:
        return ""
    late = event.admitted - event.head.wall
    said = f", {short(late)} after it was written" if late >= 60_000 else ""
    return stamp(event.admitted) + said


def _new_facts(room: Room, event: Event) -> str:
    """What a decision did not know of although a server had it before."""
    found = new_facts(room.state, event)
    told = [f"{tell(fact, room.state).text} at {clock(fact.shown_at)}" for fact in found[-_MOST:]]
    more = f"; and {len(found) - _MOST} more before" if len(found) > _MOST else ""
    return "; ".join(told) + more


def _reason(room: Room, event: Event) -> str:
    refusal = room.model.refusals.get(event.id)
    return "" if refusal is None else refusal.reason


def _wordings(room: Room, event: Event) -> list[tuple[str, str]]:
    """The first wording of a note and those that followed, when there is more than one."""
    if not isinstance(event.body, NoteAdded):
        return []
    edits = [
        (stamp(edit.shown_at), edit.body.text)
        for edit in room.state.history(("text", event.id))
        if isinstance(edit.body, NoteEdited)
    ]
    return [(stamp(event.shown_at), event.body.text), *edits] if edits else []


def _draw(
    kind: str,
    text: str,
    facts: Sequence[tuple[str, str]],
    wordings: Sequence[tuple[str, str]],
    width: int,
) -> Sequence[Line]:
    lines: list[Line] = [((kind.capitalize(), Tone.ACCENT),), *prose(text, width), ()]
    lines += fields(facts, width)
    if wordings:
        lines += [(), (("Wordings, oldest first", Tone.ACCENT),)]
        for at, wording in wordings:
            lines += [((at, Tone.DIM),), *prose(wording, width)]
    return lines
