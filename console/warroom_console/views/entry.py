"""One entry of the timeline: what is drawn of it, and how."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.model import Mark
from warroom_console.theme import Glyphs, Tone
from warroom_console.times import MINUTE, clock, short, stamp
from warroom_console.widgets.spans import Line, column, wrap
from warroom_incident.clean import cells, clean_line
from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.knowing import new_facts
from warroom_incident.telling import tell
from warroom_incident.vocabulary import NoteAdded, NoteEdited

LATE_ARRIVAL = 2 * MINUTE
"""An entry that a server admitted so much after it was written says so."""

MOST_LINES = 9
"""Lines of a text that are drawn: a pasted log must not push all else off the screen."""

_KEY_KINDS = ("incident", "severity", "status", "title", "role")

MARK_TONES: dict[Mark, Tone] = {
    "pending": Tone.WARN,
    "durable": Tone.FAINT,
    "held": Tone.GOOD,
    "refused": Tone.BAD,
}


class Entry(Struct, frozen=True):
    """One entry as it is drawn. Times in milliseconds.

    `remarks` are what must be said beside its text: late, edited, noted later, heard of.
    """

    id: str
    at: int
    by: str
    text: str
    kind: str
    system: bool
    mark: Mark
    starred: bool = False
    struck: bool = False
    remarks: tuple[str, ...] = ()


def entry_of(room: Room, event: Event) -> Entry:
    """What is drawn of an event."""
    state = room.state
    told = tell(event, state)
    by = event.head.by
    is_note = isinstance(event.body, NoteAdded)
    note = state.note(event)
    return Entry(
        event.id,
        event.shown_at if note is None or note.at is None else note.at,
        by,
        told.text if is_note else told.text.removeprefix(f"{by} "),
        told.kind,
        told.system,
        room.model.mark(event),
        state.is_starred(event.id),
        state.is_struck(event.id),
        tuple(_remarks(state, event, note)),
    )


def _remarks(state: IncidentState, event: Event, note: NoteAdded | NoteEdited | None) -> list[str]:
    remarks = []
    if note is not None and note is not event.body:
        remarks.append("edited")
    written = event.shown_at
    if note is not None and note.at is not None and abs(written - note.at) >= MINUTE:
        remarks.append(f"noted at {clock(written)}")
    if event.admitted is not None and event.admitted - event.head.wall >= LATE_ARRIVAL:
        remarks.append(f"arrived +{short(event.admitted - event.head.wall)}")
    if state.is_late(event):
        remarks.append("late, after close")
    if new_facts(state, event):
        remarks.append("new facts since")
    if event.via is not None:
        remarks.append(f"via {event.via}")
    return remarks


def refused_entry(room: Room, event: Event, reason: str) -> Entry:
    """What is drawn of an own event that the server did not admit."""
    told = tell(event, room.state)
    text = told.text if isinstance(event.body, NoteAdded) else told.text.removeprefix(
        f"{event.head.by} "
    )  # fmt: skip
    return Entry(
        event.id,
        event.shown_at,
        event.head.by,
        text,
        told.kind,
        False,
        "refused",
        remarks=(f"not admitted: {reason}",),
    )


# One row -----------------------------------------------------------------------------------


def mark_glyph(mark: Mark, glyphs: Glyphs) -> str:
    """How far an entry got, as one character."""
    shapes: dict[Mark, str] = {
        "pending": glyphs.pending,
        "durable": glyphs.durable,
        "held": glyphs.held,
        "refused": glyphs.lost,
    }
    return shapes[mark]


def draw_entry(entry: Entry, author: int, glyphs: Glyphs, width: int) -> Sequence[Line]:
    """Time, mark, author and text; wrapped lines stand under the text."""
    note = entry.kind == "note"
    ink = _ink(entry)
    name = column(clean_line(entry.by), author, glyphs.more)
    lead: Line = (
        (f"{clock(entry.at)} ", Tone.DIM),
        (mark_glyph(entry.mark, glyphs), MARK_TONES[entry.mark]),
        (f" {name} ", Tone.ACCENT if note and not entry.struck else Tone.DIM),
    )
    indent = 9 + author
    star = f"{glyphs.star} " if entry.starred else ""
    struck = "(struck out) " if entry.struck else ""
    texts = wrap(star + struck + entry.text, max(20, width - indent))
    hidden = len(texts) - MOST_LINES
    if hidden > 1:  # one more line costs as much as to say that there is one
        texts = texts[:MOST_LINES]
    lines: list[Line] = []
    for number, text in enumerate(texts):
        head: Line = lead if number == 0 else ((" " * indent, Tone.TEXT),)
        if number == 0 and star and text.startswith(star):
            lines.append((*head, (star, Tone.WARN), (text[len(star) :], ink)))
        else:
            lines.append((*head, (text, ink)))
    if hidden > 1:
        texts.append(f"{glyphs.more} {hidden} more lines: Enter shows them")
        lines.append(((" " * indent, Tone.TEXT), (texts[-1], Tone.DIM)))
    return _with_remarks(lines, texts[-1], entry, indent, width)


def _ink(entry: Entry) -> Tone:
    if entry.struck:
        return Tone.FAINT
    if entry.kind == "note" or entry.starred:
        return Tone.TEXT
    return Tone.FAINT if entry.system else Tone.TEXT if entry.kind in _KEY_KINDS else Tone.DIM


def _with_remarks(
    lines: list[Line], last: str, entry: Entry, indent: int, width: int
) -> list[Line]:
    if not entry.remarks:
        return lines
    said = f"({', '.join(entry.remarks)})"
    tone = Tone.BAD if entry.mark == "refused" else Tone.DIM
    if indent + cells(last) + 1 + cells(clean_line(said)) <= width:
        lines[-1] = (*lines[-1], (f" {said}", tone))
        return lines
    for text in wrap(said, max(20, width - indent)):
        lines.append(((" " * indent, Tone.TEXT), (text, tone)))
    return lines


def markdown(entry: Entry) -> str:
    """An entry as a line of a Markdown list."""
    star = "**key** " if entry.starred else ""
    text = entry.text.replace("\n", "\n  ")
    text = f"~~{text}~~" if entry.struck else text
    said = f" ({', '.join(entry.remarks)})" if entry.remarks else ""
    return f"- {stamp(entry.at)} {entry.by}: {star}{text}{said}"
