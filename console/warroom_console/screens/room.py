"""An incident's screen: five panels, the detail pane, and what the header says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from warroom_console.actions import PANELS, Registry, Scope
from warroom_console.context import Ctx, View
from warroom_console.model import Changes
from warroom_console.seat import House
from warroom_console.theme import Tone
from warroom_console.unsaved import Typed
from warroom_console.verbs.comms import editor_of
from warroom_console.views.alerts import AlertsView
from warroom_console.views.comms import CommsView
from warroom_console.views.due import Due, due_list
from warroom_console.views.facts import draw_facts
from warroom_console.views.heading import idle_line, room_heading
from warroom_console.views.roles import RolesView
from warroom_console.views.runbook import RunbookView
from warroom_console.views.timeline import TimelineView
from warroom_console.widgets.detail import Detail
from warroom_console.widgets.header import Heading
from warroom_console.widgets.layout import Deck, arrange
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.panel import Panel
from warroom_console.widgets.sheet import Sheet
from warroom_console.widgets.spans import Line
from warroom_incident.clean import clean_line
from warroom_incident.vocabulary import DraftSaved

from .base import Base
from .pane import Pane

if TYPE_CHECKING:
    from textual.widget import Widget

TIMELINE = 2


class RoomScreen(Base):
    """One open incident."""

    def __init__(self, house: House, registry: Registry[Ctx], stream: str) -> None:
        super().__init__(house, registry, stream)
        views: tuple[View, ...] = (
            AlertsView(),
            TimelineView(),
            RolesView(),
            RunbookView(),
            CommsView(),
        )
        self._panes: Mapping[int, Pane] = {
            number: Pane(number, view, tails=number == TIMELINE)
            for number, view in enumerate(views, 1)
        }
        self._detail = Detail(empty="Nothing under the cursor.")
        self._about = Panel(None, "Detail", self._detail)
        self._deck = Deck([pane.panel for pane in self._panes.values()], self._about)

    def deck(self) -> Widget:
        return self._deck

    def take_note(self, changes: Changes) -> None:
        super().take_note(changes)
        sheet = self.sheet
        if sheet is None or isinstance(sheet, Sheet):
            return
        for id_ in changes.events.get(self.seat.stream or "", ()):
            event = self.seat.state.events.get(id_)
            if event is None or not isinstance(event.body, DraftSaved):
                continue
            if sheet.key == editor_of(event.body.draft) and event.head.by != self.seat.model.you:
                who = clean_line(event.head.by, 20)
                sheet.tell(f"{who} saved this draft meanwhile: saving keeps both")

    def on_mount(self) -> None:
        self._deck.activate(TIMELINE)

    @property
    def scope(self) -> Scope:
        return PANELS[self._deck.active]

    @property
    def pane(self) -> Pane:
        return self._panes[self._deck.active]

    def panes(self) -> Iterable[tuple[Pane, bool]]:
        plan = arrange(self._deck.size, self._deck.active, zoomed=self._deck.zoomed).panels
        for number, pane in self._panes.items():
            yield pane, number in plan and plan[number].height > 1

    def heading(self) -> Heading:
        return room_heading(self.seat, self.size.width)

    def restore(self, typed: Typed) -> None:
        super().restore(typed)
        drafts = (key.partition(":") for key in typed.editors)
        for pane in self._panes.values():
            if isinstance(pane.view, CommsView):
                pane.view.unsaved = frozenset(about for kind, _, about in drafts if kind == "draft")

    def window_title(self) -> str:
        state = self.seat.state
        return f"{state.number} {state.severity} {state.title}"

    def idle(self) -> Line:
        return idle_line(self.seat)

    # Panels --------------------------------------------------------------------------------

    def activate(self, number: int) -> None:
        self._deck.activate(number)

    def step(self, delta: int) -> None:
        self._deck.step(delta)

    def zoom(self) -> None:
        self._deck.toggle_zoom()
        self.draw_panes()

    def unzoom(self) -> bool:
        if not self._deck.zoomed:
            return False
        self.zoom()
        return True

    def on_deck_activated(self, _activated: Deck.Activated) -> None:
        self.draw_panes()

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw_panes)

    # The detail pane -----------------------------------------------------------------------

    def draw_rest(self) -> None:
        super().draw_rest()
        if self._deck.shows_detail:
            self._show_detail()

    def _show_detail(self) -> None:
        """Show the row under the cursor, else the facts of the incident."""
        pane, row = self.pane, self.pane.rows.cursor
        source = pane.view.detail(self.seat, row) if row is not None else None
        if source is None:
            self._about.set_name("Facts")
            self._detail.show("facts", draw_facts(self.seat))
        else:
            self._about.set_name("Detail")
            self._detail.show(f"{pane.view.name}:{row}", source)

    def open_row(self) -> None:
        """Do what Enter does in the panel; where it has no meaning of its own, show details."""
        if self.registry.find(self.scope, "enter") is None:
            self.show_detail()
        else:
            super().open_row()

    # What is urgent ------------------------------------------------------------------------

    def urgent(self) -> None:
        """Go round the rows that are due or unseen, the most urgent first."""
        places = [(due.panel, due.row) for due in due_list(self.seat) if due.row]
        for number, pane in self._panes.items():
            places += [(number, row) for row in pane.unseen if (number, row) not in places]
        if not places:
            self.seat.flash("Nothing is urgent, and you have seen everything.", Tone.DIM)
            return
        here = (self._deck.active, self.pane.rows.cursor or "")
        at = places.index(here) + 1 if here in places else 0
        self._go_to(*places[at % len(places)])

    def _go_to(self, panel: int, row: str) -> None:
        self.activate(panel)
        pane = self.pane
        pane.unseen.discard(row)
        pane.draw(self.seat, in_sight=True)
        pane.rows.move_to(row)
        pane.retitle(self.seat)

    def show_due(self) -> None:
        """List all that is due; choosing one goes there or sees to it."""
        found = due_list(self.seat)
        if not found:
            self.seat.flash("Nothing is due.", Tone.DIM)
            return

        def then(place: str) -> None:
            due = found[int(place)]
            if due.row:
                self._go_to(due.panel, due.row)
            if due.act:
                self.run(due.act)

        choices = [
            Choice(str(place) if due.act or due.row else "", _sentence(due), due.key)
            for place, due in enumerate(found)
        ]
        self.seat.choose("Due", choices, then)


def _sentence(due: Due) -> str:
    text = clean_line(due.text, 100)
    return text[:1].upper() + text[1:]
