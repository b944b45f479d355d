"""The Timeline panel: everything that happened, one readable line each, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from warroom_console.context import Room
from warroom_console.model import Area, Changes, Mark
from warroom_console.theme import Glyphs, Tone
from warroom_console.times import DAY, MINUTE, clock, day, short, stamp
from warroom_console.views.alerts import heading
from warroom_console.views.entry import draw_detail
from warroom_console.views.sifting import fits, shown
from warroom_console.widgets.panel import Title
from warroom_console.widgets.row import Draw, Row
from warroom_console.widgets.spans import Line, column, wrap
from warroom_incident.clean import cells, clean, clean_line
from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.telling import tell
from warroom_incident.vocabulary import (
    AlertLinked,
    ChecklistAttached,
    DraftOpened,
    NoteAdded,
    StatusSet,
)

LATE_ARRIVAL = 2 * MINUTE
"""An entry that a server admitted so much after it was written says so."""

_FOUNDATIONS = (StatusSet, ChecklistAttached, DraftOpened, AlertLinked)
"""Other entries are told in the words of these."""

_SHOWN = frozenset({Area.MARKS, Area.REFUSALS, Area.PROGRESS})

_KEY_KINDS = ("incident", "severity", "status", "title", "role")
_AUTHOR_MOST = 10

MARK_TONES: dict[Mark, Tone] = {
    "pending": Tone.WARN,
    "durable": Tone.FAINT,
    "held": Tone.GOOD,
    "refused": Tone.BAD,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is drawn. Times in milliseconds.

    `remarks` are what must be said beside its text: late, edited, noted later.
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


class TimelineView:
    """What the Timeline panel shows. `depth` is 0 for all, 1 without machinery, 2 notes only."""

    name = "Timeline"

    def __init__(self) -> None:
        self.filter = ""
        self.depth = 0
        self.unseen: set[str] = set()
        self._entries: dict[str, Entry] = {}
        self._rows: dict[str, Row] = {}
        self._drawn_with: tuple[int, Glyphs] | None = None

    # What changed --------------------------------------------------------------------------

    def changed(self, room: Room, changes: Changes) -> bool:
        """Forget the entries that changed, or that are told in words of what changed."""
        ids = changes.events.get(room.stream or "", frozenset())
        events = room.state.events
        if Area.REFUSALS in changes.areas or (
            Area.PROGRESS in changes.areas and room.stream in room.model.synced
        ):
            self._forget_all()
        for id_ in ids:
            event = events.get(id_)
            if event is not None and isinstance(event.body, _FOUNDATIONS):
                self._forget_all()
            if event is not None and id_ not in self._entries:
                self._notice(room, event)
        for id_ in ids:
            self._entries.pop(id_, None)
        if Area.MARKS in changes.areas:
            for id_, entry in list(self._entries.items()):
                if entry.mark != "held" and room.model.mark(events[id_]) != entry.mark:
                    del self._entries[id_]
        return bool(ids or changes.areas & _SHOWN)

    def _forget_all(self) -> None:
        self._entries.clear()

    def _notice(self, room: Room, event: Event) -> None:
        """Remember what others have written since this console was opened."""
        fresh = event.shown_at >= room.model.joined_at and event.head.by != room.model.you
        if fresh and not tell(event, room.state).system:
            self.unseen.add(event.id)

    # Rows ----------------------------------------------------------------------------------

    def entries(self, room: Room) -> list[Entry]:
        """Every entry, by the time at which it happened."""
        state, known = room.state, self._entries
        found: list[Entry] = []
        for id_ in state.ordered:
            entry = known.get(id_)
            if entry is None:
                entry = known[id_] = _entry(room, state.events[id_])
                self._rows.pop(id_, None)
            found.append(entry)
        for refusal in room.model.refusals.values():
            if refusal.event.head.stream == room.stream:
                self._rows.pop(refusal.event.id, None)
                found.append(_refused(room, refusal.event, refusal.reason))
        found.sort(key=_happened)
        return found

    def rows(self, room: Room) -> list[Row]:
        """A row an entry, with a heading where another day begins."""
        entries = self.entries(room)
        names = {entry.by for entry in entries}
        author = min(_AUTHOR_MOST, max((cells(clean_line(name)) for name in names), default=0))
        if self._drawn_with != (author, room.glyphs):
            self._drawn_with = (author, room.glyphs)
            self._rows.clear()
        rows: list[Row] = []
        today = -1
        for entry in entries:
            if not self._wanted(entry):
                continue
            if entry.at // DAY != today:
                today = entry.at // DAY
                rows.append(heading(day(entry.at)))
            row = self._rows.get(entry.id)
            if row is None:
                version = (entry, author, room.glyphs)
                draw = partial(_draw, entry, author, room.glyphs)
                row = self._rows[entry.id] = Row(entry.id, version, draw)
            rows.append(row)
        return rows

    def _wanted(self, entry: Entry) -> bool:
        if self.depth and entry.system and not entry.starred:
            return False
        if self.depth == 2 and entry.kind != "note" and not entry.starred:
            return False
        return fits(self.filter, entry.text, entry.by, entry.kind, *entry.remarks)

    def title(self, room: Room) -> Title:
        """How many entries; collapsed, the last that a person wrote."""
        entries = self.entries(room)
        words = (shown(self.filter), ("", "without machinery", "notes only")[self.depth])
        last = next((entry for entry in reversed(entries) if not entry.system), None)
        status: Line = ()
        if last is not None:
            status = (
                (f"{clock(last.at)} ", Tone.DIM),
                (f"{last.by}: ", Tone.DIM),
                (last.text.partition("\n")[0], Tone.TEXT),
            )
        count = str(len(entries)) if entries else ""
        return Title(count, (), " ".join(word for word in words if word), "", status)

    def empty(self, room: Room) -> str:
        """What to say when nothing is listed."""
        if self.filter or self.depth:
            return "No entry fits. Esc clears the filter, s shows the machinery."
        if room.model.live or room.stream is None:
            return "Nothing has been read yet."
        return "Nothing of this incident is kept here: it appears when a server answers."

    def detail(self, room: Room, row_id: str) -> Draw | None:
        """All times, the wordings that were, and who stands behind it."""
        refusal = room.model.refusals.get(row_id)
        event = refusal.event if refusal is not None else room.state.events.get(row_id)
        return None if event is None else draw_detail(room, event)

    def text(self, room: Room, row_id: str | None) -> str:
        """One entry, or all that are shown, as Markdown."""
        chosen = [e for e in self.entries(room) if row_id == e.id or row_id is None]
        if row_id is None:
            chosen = [entry for entry in chosen if self._wanted(entry)]
        return clean("\n".join(_markdown(entry) for entry in chosen))


def _happened(entry: Entry) -> int:
    return entry.at


def _entry(room: Room, event: Event) -> Entry:
    state = room.state
    told = tell(event, state)
    by = event.head.by
    is_note = isinstance(event.body, NoteAdded)
    return Entry(
        event.id,
        state.happened_at(event),
        by,
        told.text if is_note else told.text.removeprefix(f"{by} "),
        told.kind,
        told.system,
        room.model.mark(event),
        state.is_starred(event.id),
        state.is_struck(event.id),
        tuple(_remarks(state, event)),
    )


def _remarks(state: IncidentState, event: Event) -> list[str]:
    remarks = []
    note = state.note(event)
    if note is not None and note is not event.body:
        remarks.append("edited")
    written = event.shown_at
    if note is not None and note.at is not None and abs(written - note.at) >= MINUTE:
        remarks.append(f"noted at {clock(written)}")
    if event.admitted is not None and event.admitted - event.head.wall >= LATE_ARRIVAL:
        remarks.append(f"arrived +{short(event.admitted - event.head.wall)}")
    if state.is_late(event):
        remarks.append("late, after close")
    return remarks


def _refused(room: Room, event: Event, reason: str) -> Entry:
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


def _draw(entry: Entry, author: int, glyphs: Glyphs, width: int) -> Sequence[Line]:
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
    lines: list[Line] = []
    for number, text in enumerate(texts):
        head: Line = lead if number == 0 else ((" " * indent, Tone.TEXT),)
        if number == 0 and star and text.startswith(star):
            lines.append((*head, (star, Tone.WARN), (text[len(star) :], ink)))
        else:
            lines.append((*head, (text, ink)))
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


def _markdown(entry: Entry) -> str:
    star = "**key** " if entry.starred else ""
    text = entry.text.replace("\n", "\n  ")
    text = f"~~{text}~~" if entry.struck else text
    said = f" ({', '.join(entry.remarks)})" if entry.remarks else ""
    return f"- {stamp(entry.at)} {entry.by}: {star}{text}{said}"
