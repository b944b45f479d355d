"""The Timeline panel: everything that happened, one readable line each, oldest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import itemgetter

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.model import Area, Changes
from warroom_console.theme import Glyphs, Tone
from warroom_console.times import DAY, clock, day
from warroom_console.views.alert_row import heading
from warroom_console.views.entry import Entry, draw_entry, entry_of, markdown, refused_entry
from warroom_console.views.runs import LEAST, Place, gather, told
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

_happened = itemgetter(0)


class _Manner(Struct, frozen=True):
    """How all entries are drawn: who tells them, the columns of an author, the characters."""

    tell: Callable[[str], Entry]
    author: int
    glyphs: Glyphs


class _Drawn(Struct, eq=False):
    """An entry as it is drawn, told when it comes into sight: there may be many thousands.

    It is the row's version too: equal where the drawing is.
    """

    id: str
    manner: _Manner
    told: Entry | None = None

    @property
    def entry(self) -> Entry:
        """What is drawn."""
        if self.told is None:
            self.told = self.manner.tell(self.id)
        return self.told

    def __call__(self, width: int) -> Sequence[Line]:
        return draw_entry(self.entry, self.manner.author, self.manner.glyphs, width)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, _Drawn) or self.manner.author != other.manner.author:
            return False
        return self.manner.glyphs == other.manner.glyphs and self.entry == other.entry

    def __hash__(self) -> int:
        return hash(self.id)


class TimelineView:
    """What the Timeline panel shows. `depth` is 0 for all, 1 without machinery, 2 notes only."""

    name = "Timeline"

    def __init__(self) -> None:
        self.filter = ""
        self.depth = 0
        self.unseen: set[str] = set()
        self._whole = False
        self._noticed: set[str] = set()
        self._entries: dict[str, Entry] = {}
        self._touched: set[str] = set()
        self._listed: list[Place] | None = None
        self._listed_of: tuple[Sequence[str], tuple[str, ...]] = ((), ())
        self._runs: dict[str, Sequence[str]] = {}
        self._rows: dict[str, Row] = {}
        self._drawn: list[Row] | None = None
        self._drawn_of: list[Place] = []
        self._drawn_with: tuple[str, int, Glyphs] | None = None
        self._rows_with: tuple[int, Glyphs] | None = None

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
            if event is not None and id_ not in self._noticed:
                self._notice(room, event)
        self._forget_decisions(room, ids)
        self._forget(ids)
        if Area.MARKS in changes.areas:
            marks = ((id_, entry.mark) for id_, entry in self._entries.items())
            rising = [
                (events[id_], mark) for id_, mark in marks if mark != "held" and id_ in events
            ]
            self._forget(event.id for event, mark in rising if room.model.mark(event) != mark)
        is_concerned = bool(ids or changes.areas & _SHOWN)
        self._touched |= ids
        return is_concerned

    def _forget_decisions(self, room: Room, ids: frozenset[str]) -> None:
        """What changed may have been unknown to those who decided."""
        state = room.state
        changed = [event for id_ in ids if (event := state.events.get(id_)) is not None]
        if any(is_fact(event) for event in changed):
            known = (state.events[id_] for id_ in self._entries if id_ in state.events)
            self._forget([event.id for event in known if isinstance(event.body, Decision)])
        for event in changed:
            register = (
                state.registers.get(event.body.key) if isinstance(event.body, Write) else None
            )
            self._forget(register.writes if register is not None else ())

    def _forget(self, ids: Iterable[str]) -> None:
        for id_ in tuple(ids):
            self._entries.pop(id_, None)
            if self._rows.pop(id_, None) is not None:
                self._drawn = None

    def _forget_all(self) -> None:
        self._entries.clear()
        self._rows.clear()
        self._drawn = self._listed = None

    def _notice(self, room: Room, event: Event) -> None:
        """Remember what others have written since this console was opened."""
        fresh = event.shown_at >= room.model.joined_at and event.head.by != room.model.you
        if fresh:
            self._noticed.add(event.id)
            if not tell(event, room.state).system:
                self.unseen.add(event.id)

    # Rows ----------------------------------------------------------------------------------

    def _order(self, room: Room) -> list[Place]:
        """When every entry happened, and its id, in that order."""
        # What I wrote and was refused is shown with its text, not as the void that others see.
        mine, order = room.model.refusals, room.state.ordered
        known_order, known_mine = self._listed_of
        found = self._listed if known_mine == tuple(mine) else None
        if found is None or order is not known_order or self._touched:
            found = self._extended(room, found) or self._gathered(room)
            self._listed, self._listed_of = found, (order, tuple(mine))
            self._touched.clear()
        return found

    def _extended(self, room: Room, found: list[Place] | None) -> list[Place] | None:
        """The listing with what came behind it; None where anything else has changed."""
        events, order, known = room.state.events, room.state.ordered, self._listed_of[0]
        new = order[len(known) :]
        if not found or not new or not self._touched.issubset(new) or order[: len(known)] != known:
            return None
        if room.model.refusals or any(isinstance(events[id_].body, AlertLinked) for id_ in new):
            return None
        places = sorted([(room.state.happened_at(events[id_]), id_) for id_ in new], key=_happened)
        return None if places[0][0] < found[-1][0] else [*found, *places]

    def _gathered(self, room: Room) -> list[Place]:
        state, mine = room.state, room.model.refusals
        events, happened_at = state.events, state.happened_at
        found = [(happened_at(events[id_]), id_) for id_ in state.ordered if id_ not in mine]
        for refusal in mine.values():
            if refusal.event.head.stream == room.stream:
                self._forget([refusal.event.id])
                found.append((refusal.event.shown_at, refusal.event.id))
        found.sort(key=_happened)
        registers = state.registers.items()
        links = sum(len(register.writes) for key, register in registers if key[0] == "alert")
        self._runs = {}
        if links >= LEAST:
            found, self._runs = gather(found, state.events)
        return found

    def _entry(self, room: Room, id_: str) -> Entry:
        entry = self._entries.get(id_)
        if entry is None:
            refusal = room.model.refusals.get(id_)
            if refusal is not None:
                entry = refused_entry(room, refusal.event, refusal.reason)
            else:
                entry = entry_of(room, room.state.events[id_])
            if id_ in self._runs:
                entry = told(entry, self._runs[id_], room.state.events)
            self._entries[id_] = entry
        return entry

    def _shown(self, room: Room, first: int = 0) -> list[Place]:
        order = self._order(room)[first:]
        if not self.filter and not self.depth:
            return order
        return [place for place in order if self._wanted(self._entry(room, place[1]))]

    def rows(self, room: Room) -> list[Row]:
        """A row an entry, with a heading where another day begins."""
        order, shown_with = self._order(room), (self.filter, self.depth, room.glyphs)
        rows, before = self._drawn, self._drawn_of
        if rows is not None and shown_with == self._drawn_with and order == before:
            return rows
        goes_on = shown_with == self._drawn_with == ("", 0, room.glyphs)
        if rows is None or not goes_on or order[: len(before)] != before:
            rows, before = [], []
        self._drawn = self._draw(room, rows, before)
        self._drawn_of, self._drawn_with = order, shown_with
        return self._drawn

    def _draw(self, room: Room, rows: list[Row], before: list[Place]) -> list[Row]:
        """The rows that there were, and those of what came behind them."""
        names = {event.head.by for event in room.state.events.values()}
        author = min(_AUTHOR_MOST, max((cells(clean_line(name)) for name in names), default=0))
        glyphs = room.glyphs
        if self._rows_with != (author, glyphs):
            self._rows_with = (author, glyphs)
            self._rows.clear()
            rows, before = [], []
        rows = list(rows)
        manner = _Manner(partial(self._entry, room), author, glyphs)
        today = before[-1][0] // DAY if before else -1
        for at, id_ in self._shown(room, len(before)):
            if at // DAY != today:
                today = at // DAY
                rows.append(heading(day(at)))
            row = self._rows.get(id_)
            if row is None:
                drawn = _Drawn(id_, manner)
                row = self._rows[id_] = Row(id_, drawn, drawn)
            rows.append(row)
        return rows

    def _wanted(self, entry: Entry) -> bool:
        if self.depth and entry.system and not entry.starred:
            return False
        if self.depth == 2 and entry.kind != "note" and not entry.starred:
            return False
        return fits(self.filter, entry.text, entry.by, entry.kind, *entry.remarks)

    def day_of(self, room: Room, row_id: str) -> str:
        """The day on which an entry happened, where that is not today."""
        entry = self._entries.get(row_id)
        return "" if entry is None or entry.at // DAY == room.now() // DAY else day(entry.at)

    def title(self, room: Room) -> Title:
        """How many entries; collapsed, the last that a person wrote."""
        order = self._order(room)
        words = (shown(self.filter), ("", "without machinery", "notes only")[self.depth])
        entries = (self._entry(room, id_) for _, id_ in reversed(order))
        last = next((entry for entry in entries if not entry.system), None)
        status: Line = ()
        if last is not None:
            status = (
                (f"{clock(last.at)} ", Tone.DIM),
                (f"{last.by}: ", Tone.DIM),
                (last.text.partition("\n")[0], Tone.TEXT),
            )
        count = str(len(order)) if order else ""
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
        from .entry_detail import draw_detail

        refusal = room.model.refusals.get(row_id)
        event = refusal.event if refusal is not None else room.state.events.get(row_id)
        return None if event is None else draw_detail(room, event)

    def text(self, room: Room, row_id: str | None) -> str:
        """One entry, or all that are shown, as Markdown."""
        ids = (id_ for _, id_ in (self._shown(room) if row_id is None else self._order(room)))
        chosen = (self._entry(room, id_) for id_ in ids if row_id in (None, id_))
        return clean("\n".join(markdown(entry) for entry in chosen))
