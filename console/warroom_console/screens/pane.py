"""A pane: one view, the list that shows it, and the panel around them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from msgspec.structs import replace

from warroom_console.context import Keeping, Room, View
from warroom_console.model import Area, Changes
from warroom_console.theme import Tone
from warroom_console.widgets.panel import Panel
from warroom_console.widgets.rows import RowsView
from warroom_console.widgets.spans import Line
from warroom_incident.vocabulary import EntryStarred, NoteAdded, NoteEdited, NoteStruck


@runtime_checkable
class Noticing(Protocol):
    """A view that knows which of its rows came while nobody looked."""

    unseen: set[str]


@runtime_checkable
class Dated(Protocol):
    """A view whose rows lie on days; which one, a reader in the middle of it cannot see."""

    def day_of(self, room: Room, row_id: str) -> str:
        """The day of a row where it is not today, else nothing."""


_ELSEWHERE = frozenset({Area.TROUBLE, Area.PROGRESS, Area.SUMMARIES, Area.MARKS})
"""What the panels of an incident that keep nothing do not show."""

_NOTES = (NoteAdded, NoteEdited, NoteStruck, EntryStarred)
"""What only the timeline tells."""


def _concern(room: Room, changes: Changes) -> bool:
    """Whether changes may concern a view that keeps nothing: in an incident, all but notes do."""
    if room.stream is None or changes.areas - _ELSEWHERE or changes.records:
        return True
    if changes.events.keys() - {room.stream}:
        return True
    events = room.state.events
    ids = changes.events.get(room.stream, frozenset())
    return any(id_ not in events or not isinstance(events[id_].body, _NOTES) for id_ in ids)


class Pane:
    """Draws a view into its list and title.

    A frozen pane keeps its rows; a pane out of sight only keeps its title true.
    """

    def __init__(self, number: int | None, view: View, *, tails: bool = False) -> None:
        self.view = view
        self.rows = RowsView(empty="", tails=tails)
        self.panel = Panel(number, view.name, self.rows)
        self._changed = view.changed if isinstance(view, Keeping) else _concern
        self.frozen = False
        self._stale = True
        self._tails = tails

    def changed(self, room: Room, changes: Changes) -> None:
        """Take note of what changed; a view that keeps things knows whether it is concerned."""
        if self._changed(room, changes):
            self._stale = True

    def refresh(self, room: Room, *, in_sight: bool) -> None:
        """Draw, if anything may differ."""
        if self._stale:
            self.draw(room, in_sight=in_sight)

    def draw(self, room: Room, *, in_sight: bool) -> None:
        """Bring the rows and the title up to date."""
        self._stale = False
        if in_sight and not self.frozen:
            self.rows.set_rows(self.view.rows(room))
            self.rows.set_empty(self.view.empty(room))
            if self.rows.following or not self._tails:
                self.unseen.clear()
        self.retitle(room)

    def retitle(self, room: Room) -> None:
        """Bring the title up to date."""
        title = self.view.title(room)
        badges: Line = title.badges
        if self.unseen:
            badges = (*badges, (f" {room.glyphs.new}{len(self.unseen)}", Tone.WARN))
        if marks := len(self.rows.marks):
            badges = (*badges, (f" {room.glyphs.mark}{marks}", Tone.ACCENT))
        if self.frozen:
            badges = (*badges, (" frozen: p goes on", Tone.WARN))
        position, cursor = self.rows.position, self.rows.cursor
        if cursor is not None and isinstance(self.view, Dated):
            position = f"{self.view.day_of(room, cursor)} {position}".strip()
        self.panel.set_title(replace(title, badges=badges, position=position))

    @property
    def unseen(self) -> set[str]:
        """The ids of the rows that came while nobody looked."""
        return self.view.unseen if isinstance(self.view, Noticing) else set()
