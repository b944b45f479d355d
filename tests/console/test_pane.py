"""When a pane whose view keeps nothing is drawn again."""

from __future__ import annotations

import pytest

from tests.console.still_desk import Reader, StillDesk
from tests.incident.making import STREAM
from warroom_console.context import Room
from warroom_console.link import LinkState
from warroom_console.screens.pane import Pane
from warroom_console.views.roles import RolesView
from warroom_console.widgets.panel import Title
from warroom_incident.event import BOARD
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    EntryStarred,
    IncidentDeclared,
    NoteAdded,
    NoteEdited,
    RoleAssigned,
)


class Counted(RolesView):
    """Counts how often it is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = 0

    def title(self, room: Room) -> Title:
        self.drawn += 1
        return super().title(room)


class Shown:
    """One pane that hears of every change, as on a screen."""

    def __init__(self) -> None:
        self.desk = StillDesk()
        self.desk.says("ana", IncidentDeclared(title="Checkout is down"))
        self.view = Counted()
        self.pane = Pane(3, self.view)
        self.draws()

    def draws(self) -> bool:
        """Whether what changed since the last call drew the pane."""
        before, room = self.view.drawn, Reader(self.desk)
        self.pane.changed(room, self.desk.model.take())
        self.pane.refresh(room, in_sight=True)
        return self.view.drawn > before


@pytest.fixture
def shown() -> Shown:
    return Shown()


def test_notes_leave_the_other_panels_alone(shown: Shown) -> None:
    note = shown.desk.says("bo", NoteAdded(text="looking"))
    shown.desk.says("bo", NoteEdited(target=note.id, text="looking at the pool"))
    shown.desk.says("ana", EntryStarred(target=note.id))
    shown.desk.write(STREAM, NoteAdded(text="mine"))
    shown.desk.acknowledge_all()
    assert not shown.draws()


def test_whatever_is_no_note_draws_every_panel(shown: Shown) -> None:
    shown.desk.says("bo", NoteAdded(text="I take it"))
    shown.desk.says("bo", RoleAssigned(role="commander", person="bo"))
    assert shown.draws()
    assert not shown.draws()
    shown.desk.says("ana", AlertAcknowledged(uid="a-1"), stream=BOARD)
    assert shown.draws()


def test_a_refused_note_draws_every_panel(shown: Shown) -> None:
    note = shown.desk.write(STREAM, NoteAdded(text="mine"))
    assert not shown.draws()
    shown.desk.refuse(note, "No.")
    assert shown.draws()


def test_the_link_and_the_people_draw_the_roles_for_who_is_away(shown: Shown) -> None:
    shown.desk.link_is(LinkState("retrying", "unix:///run/warroom/socket"))
    assert shown.draws()
    shown.desk.link_is(LinkState("live", "unix:///run/warroom/socket"))
    assert shown.draws()
