"""The Timeline panel: everything that happened, one readable line each, oldest first."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.model import Area, Changes
from warroom_console.theme import Glyphs, Tone
from warroom_console.times import DAY, clock, day
from warroom_console.views.alert_row import heading
from warroom_console.views.entry import Entry, draw_entry, entry_of, markdown, refused_entry
from warroom_console.views.entry_detail import draw_detail
from warroom_console.views.sifting import fits, shown
from warroom_console.widgets.panel import Title
from warroom_console.widgets.row import Draw, Row
from warroom_console.widgets.spans import Line
from warroom_incident.clean import cells, clean, clean_line
from warroom_incident.event import Event
from warroom_incident.knowing import is_fact
from warroom_incident.reducers import Decision, Write
from warroom_incident.telling import tell
from warroom_incident.vocabulary import (
    AlertLinked,
    ChecklistAttached,
    DraftOpened,
    StatusSet,
)

_FOUNDATIONS = (StatusSet, ChecklistAttached, DraftOpened, AlertLinked)
"""Other entries are told in the words of these."""

_SHOWN = frozenset({Area.MARKS, Area.REFUSALS, Area.PROGRESS})

_AUTHOR_MOST = 10


class _Drawn(Struct, frozen=True):
    """An entry as it is drawn: one object a row, as there may be many thousands."""

    entry: Entry
    author: int
    glyphs: Glyphs

    def __call__(self, width: int) -> Sequence[Line]:
        return draw_entry(self.entry, self.author, self.glyphs, width)


class TimelineView:
    """What the Timeline panel shows. `depth` is 0 for all, 1 without machinery, 2 notes only."""

    name = "Timeline"

    def __init__(self) -> None:
        self.filter = ""
        self.depth = 0
        self.unseen: set[str] = set()
        self._whole = False
        self._entries: dict[str, Entry] = {}
        self._listed: list[Entry] | None = None
        self._listed_of: tuple[Sequence[str], tuple[str, ...]] = ((), ())
        self._rows: dict[str, Row] = {}
        self._drawn_with: tuple[int, Glyphs] | None = None

    # What changed --------------------------------------------------------------------------

    def changed(self, room: Room, changes: Changes) -> bool:
        """Forget the entries that changed, or that are told in words of what changed."""
        ids = changes.events.get(room.stream or "", frozenset())
        events = room.state.events
        was_whole, self._whole = self._whole, room.stream in room.model.synced
        if Area.REFUSALS in changes.areas or (self._whole and not was_whole):
            self._forget_all()
        for id_ in ids:
            event = events.get(id_)
            if event is not None and isinstance(event.body, _FOUNDATIONS):
                self._forget_all()
            if event is not None and id_ not in self._entries:
                self._notice(room, event)
        self._forget_decisions(room, ids)
        for id_ in ids:
            self._entries.pop(id_, None)
        if Area.MARKS in changes.areas:
            for id_, entry in list(self._entries.items()):
                if entry.mark != "held" and room.model.mark(events[id_]) != entry.mark:
                    del self._entries[id_]
        is_concerned = bool(ids or changes.areas & _SHOWN)
        if is_concerned:
            self._listed = None
        return is_concerned

    def _forget_decisions(self, room: Room, ids: frozenset[str]) -> None:
        """What changed may have been unknown to those who decided."""
        state = room.state
        changed = [event for id_ in ids if (event := state.events.get(id_)) is not None]
        if any(is_fact(event) for event in changed):
            for id_ in list(self._entries):
                if id_ in state.events and isinstance(state.events[id_].body, Decision):
                    del self._entries[id_]
        for event in changed:
            register = (
                state.registers.get(event.body.key) if isinstance(event.body, Write) else None
            )
            for id_ in register.writes if register is not None else ():
                self._entries.pop(id_, None)

    def _forget_all(self) -> None:
        self._entries.clear()
        self._listed = None

    def _notice(self, room: Room, event: Event) -> None:
        """Remember what others have written since this console was opened."""
        fresh = event.shown_at >= room.model.joined_at and event.head.by != room.model.you
        if fresh and not tell(event, room.state).system:
            self.unseen.add(event.id)

    # Rows ----------------------------------------------------------------------------------

    def entries(self, room: Room) -> list[Entry]:
        """Every entry, by the time at which it happened."""
        state, known = room.state, self._entries
        # What I wrote and was refused is shown with its text, not as the void that others see.
        mine, order = room.model.refusals, state.ordered
        known_order, known_mine = self._listed_of
        if self._listed is not None and order is known_order and known_mine == tuple(mine):
            return self._listed
        found: list[Entry] = []
        for id_ in order:
            if id_ in mine:
                continue
            entry = known.get(id_)
            if entry is None:
                entry = known[id_] = entry_of(room, state.events[id_])
                self._rows.pop(id_, None)
            found.append(entry)
        for refusal in mine.values():
            if refusal.event.head.stream == room.stream:
                self._rows.pop(refusal.event.id, None)
                found.append(refused_entry(room, refusal.event, refusal.reason))
        found.sort(key=_happened)
        self._listed, self._listed_of = found, (order, tuple(mine))
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
        for entry in filter(self._wanted, entries) if self.filter or self.depth else entries:
            if entry.at // DAY != today:
                today = entry.at // DAY
                rows.append(heading(day(entry.at)))
            row = self._rows.get(entry.id)
            if row is None:
                drawn = _Drawn(entry, author, room.glyphs)
                row = self._rows[entry.id] = Row(entry.id, drawn, drawn)
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
        return clean("\n".join(markdown(entry) for entry in chosen))


def _happened(entry: Entry) -> int:
    return entry.at
