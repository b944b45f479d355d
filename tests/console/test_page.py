"""An incident as plain lines: everything is there, one line each."""

import pytest

from warroom_console.model import Mark
from warroom_console.page import entry_line, page
from warroom_incident.author import Author, Counters
from warroom_incident.clock import HybridClock
from warroom_incident.event import Event
from warroom_incident.fields import AlertCopy, StepCopy
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body, Write
from warroom_incident.vocabulary import (
    AlertLinked,
    ChecklistAttached,
    DraftOpened,
    DraftSaved,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    NoteAdded,
    NoteStruck,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    StepOwned,
)

STREAM = "i-" + "a" * 16
NOW = 1_795_262_400_000


class Writer:
    """One replica that writes into a state."""

    def __init__(self, state: IncidentState, rep: str, by: str) -> None:
        self.state = state
        self._by = by
        self._author = Author(Counters(rep * 16), HybridClock(lambda: NOW), lambda n: bytes(n))

    def write(self, body: Body, base: tuple[str, ...] | None = None) -> Event:
        if base is None:
            base = self.state.base_for(body.key) if isinstance(body, Write) else ()
        event, _ = self._author.write(STREAM, self._by, body, base)
        self.state.add(event)
        return event


def test_a_page_holds_every_part() -> None:
    state = IncidentState(STREAM)
    ana, bo = Writer(state, "a", "ana"), Writer(state, "b", "bo")
    ana.write(IncidentDeclared(title="Checkout fails", drill=True))
    ana.write(SeveritySet(severity="SEV1"))
    bo.write(SeveritySet(severity="SEV3"), base=())
    ana.write(RoleAssigned(role="scribe", person="cy"))
    ana.write(ImpactSet(field="data_loss", text="none"))
    copy = AlertCopy(uid="u", key="k", source="am", title="disk", severity="SEV2", state="firing")
    ana.write(AlertLinked(uid="u", alert=copy))
    ana.write(ChecklistAttached(checklist="c", title="T", steps=(StepCopy(id="s", text="Do\nit"),)))
    ana.write(StepOwned(checklist="c", step="s", owner="cy"))
    ana.write(DraftOpened(draft="d", audience="customers", title="Down"))
    ana.write(DraftSaved(draft="d", text="Sorry."))
    lines = list(page(state, lambda _event: "held", NOW + 61_000))
    assert lines[0].startswith("INC-~aaaa DRILL SEV")
    assert lines[1] == "started 12:00:00Z, for 1m"
    text = "\n".join(lines)
    for part in (
        "not settled, severity: ",
        " or ",
        "  Incident commander: nobody",
        "  Scribe: cy, since 12:00:00Z",
        "  data loss: none",
        "  SEV2 firing disk (am, last seen",
        "T (0/1)",
        "  open    Do (cy)",
        "  Customers: Down (v1, draft)",
        "  12:00:00Z ◉ ana saved the draft “Down”",
    ):
        assert part in text
    ana.write(StatusSet(status="resolved"))
    assert "lasted 0s" in list(page(state, lambda _event: "held", NOW))[1]


def test_an_entry_says_what_is_special_about_it_on_one_line() -> None:
    state = IncidentState(STREAM)
    ana, bo = Writer(state, "a", "ana"), Writer(state, "b", "bo")
    note = ana.write(NoteAdded(text="one\ntwo \x1b[31m", at=NOW - 60_000))
    ana.write(NoteStruck(target=note.id))
    ana.write(EntryStarred(target=note.id))
    ana.write(StatusSet(status="closed", seen=dict(state.vector)))
    line = entry_line(note, state, lambda _event: "pending", NOW)
    assert line == (
        "11:59:00Z ○ ana: one two ␛[31m (recorded 12:00:00Z, struck out, starred)"
    )  # fmt: skip
    late = bo.write(NoteAdded(text="late"))
    assert entry_line(late, state, lambda _event: "durable", NOW).endswith("(late, after close)")


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("pending", "one (not sent yet)"),
        ("refused", "one (refused)"),
        ("durable", "one"),
        ("held", "one"),
    ],
)
def test_for_a_screen_reader_an_entry_has_words_instead_of_marks(
    mark: Mark, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = IncidentState(STREAM)
    note = Writer(state, "a", "ana").write(NoteAdded(text="one"))
    monkeypatch.setenv("WARROOM_ASCII", "1")
    assert entry_line(note, state, lambda _event: mark, NOW) == f"12:00:00Z ana: {said}"
