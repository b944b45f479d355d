"""Undo: the inverse of an event, as long as nobody else has changed the same thing."""

import msgspec
import pytest
from hypothesis import given, strategies as st

from warroom_console.undo import CannotUndo, undo
from warroom_incident.author import Author, Counters
from warroom_incident.board import BoardState
from warroom_incident.clock import HybridClock
from warroom_incident.event import BOARD, Event
from warroom_incident.fields import AlertCopy
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Append, Body, Write
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    AlertAssigned,
    AlertEnded,
    AlertLinked,
    AlertMarked,
    ChecklistAttached,
    DraftReadied,
    DraftSaved,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    RoleAssigned,
    SeverityName,
    SeveritySet,
    StatusSet,
    StepOwned,
    StepSet,
    TitleSet,
)

STREAM = "i-" + "a" * 16
COPY = AlertCopy(uid="u", key="k", source="s", title="t", severity="SEV1", state="firing")


class Writer:
    """One replica that writes into one state."""

    def __init__(self, stream: str = STREAM) -> None:
        self._author = Author(Counters("a" * 16), HybridClock(lambda: 1000), lambda n: bytes(n))
        self._stream = stream
        self.state: Fold = BoardState() if stream == BOARD else IncidentState(stream)

    def write(self, body: Body, base: tuple[str, ...] | None = None) -> Event:
        if base is None:
            base = self.state.base_for(body.key) if isinstance(body, Write) else ()
        event, _ = self._author.write(self._stream, "ana", body, base)
        self.state.add(event)
        return event

    def undone(self, event: Event) -> None:
        self.write(undo(event, self.state))

    def value(self, body: Write) -> object:
        heads = self.state.heads(body.key)
        return heads[0].body.value if heads and isinstance(heads[0].body, Write) else None


def incident() -> tuple[Writer, str]:
    writer = Writer()
    writer.write(IncidentDeclared(title="first title"))
    return writer, writer.write(NoteAdded(text="original", at=5)).id


def pairs(note: str) -> list[tuple[Write, Write, object]]:
    """Two writes to each register, and the value before the first of them."""
    return [
        (TitleSet(title="a"), TitleSet(title="b"), "first title"),
        (SeveritySet(severity="SEV1"), SeveritySet(severity="SEV2"), "SEV?"),
        (StatusSet(status="identified"), StatusSet(status="closed"), "started"),
        (ImpactSet(field="users", text="a"), ImpactSet(field="users", text="b"), None),
        (RoleAssigned(role="scribe", person="a"), RoleAssigned(role="scribe", person="b"), None),
        (
            NoteEdited(target=note, text="a"),
            NoteEdited(target=note, text="b", at=9),
            ("original", 5),
        ),
        (NoteStruck(target=note), NoteStruck(target=note, struck=False), False),
        (EntryStarred(target=note), EntryStarred(target=note, starred=False), False),
        (AlertLinked(uid="u", alert=COPY), AlertLinked(uid="u"), False),
        (
            StepSet(checklist="c", step="s", state="done"),
            StepSet(checklist="c", step="s", state="skipped"),
            "open",
        ),
        (
            StepOwned(checklist="c", step="s", owner="a"),
            StepOwned(checklist="c", step="s", owner="b"),
            None,
        ),
        (DraftSaved(draft="d", text="a"), DraftSaved(draft="d", text="b"), ""),
        (DraftReadied(draft="d", version="v"), DraftReadied(draft="d", version="w"), None),
    ]


@pytest.mark.parametrize("number", range(13))
def test_undoing_brings_back_the_value_before(number: int) -> None:
    writer, note = incident()
    first, second, initial = pairs(note)[number]
    earlier = writer.write(first)
    later = writer.write(second)
    writer.undone(later)
    assert writer.value(first) == first.value
    writer, note = incident()
    first, _, initial = pairs(note)[number]
    earlier = writer.write(first)
    writer.undone(earlier)
    assert writer.value(first) == initial


def test_undoing_a_note_strikes_it_and_nothing_is_lost() -> None:
    writer, note = incident()
    writer.undone(writer.state.events[note])
    assert isinstance(writer.state, IncidentState)
    assert writer.state.is_struck(note)
    assert note in writer.state.events


@pytest.mark.parametrize(
    ("body", "before"),
    [
        (AlertAcknowledged(uid="u"), False),
        (AlertAssigned(uid="u", person="bo"), None),
        (AlertMarked(uid="u", noise="not_actionable"), ""),
        (AlertEnded(uid="u"), False),
    ],
)
def test_what_was_done_to_an_alert_is_taken_back(body: Write, before: object) -> None:
    writer = Writer(BOARD)
    writer.undone(writer.write(body))
    (head,) = writer.state.heads(body.key)
    assert isinstance(head.body, Write)
    assert getattr(head.body, head.body.says) == before


def test_undoing_what_settled_a_conflict_brings_back_what_was_admitted_first() -> None:
    writer, _ = incident()
    late = writer.write(SeveritySet(severity="SEV1"), base=())
    first = writer.write(SeveritySet(severity="SEV2"), base=())
    unsent = writer.write(SeveritySet(severity="SEV3"), base=())
    for event, at in ((late, 2000), (first, 1000)):
        writer.state.add(msgspec.structs.replace(event, admitted=at))
    settled = writer.write(SeveritySet(severity="SEV4"), base=(unsent.id, late.id, first.id))
    assert undo(settled, writer.state) == SeveritySet(severity="SEV2")


def test_what_somebody_changed_since_cannot_be_undone() -> None:
    writer, _ = incident()
    old = writer.write(SeveritySet(severity="SEV1"))
    writer.write(SeveritySet(severity="SEV2"))
    with pytest.raises(CannotUndo, match="since"):
        undo(old, writer.state)


@pytest.mark.parametrize(
    "body", [IncidentDeclared(title="x"), ChecklistAttached(checklist="c", title="x", steps=())]
)
def test_what_stands_for_itself_cannot_be_undone(body: Append) -> None:
    writer, _ = incident()
    with pytest.raises(CannotUndo, match="cannot be undone"):
        undo(writer.write(body), writer.state)


@given(st.lists(st.sampled_from(["SEV1", "SEV2", "SEV3", "SEV?"]), min_size=1, max_size=8))
def test_undoing_every_write_backwards_leads_to_the_beginning(values: list[SeverityName]) -> None:
    writer, _ = incident()
    for value in values:
        before = writer.value(SeveritySet(severity="SEV?"))
        event = writer.write(SeveritySet(severity=value))
        writer.undone(event)
        assert writer.value(SeveritySet(severity="SEV?")) == (before or "SEV?")
        writer.write(SeveritySet(severity=value))
