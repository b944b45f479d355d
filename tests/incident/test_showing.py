"""An incident as data: exactly what `docs` promise to other programs."""

import json

import pytest

from warroom_incident.author import Author, Counters
from warroom_incident.clock import HybridClock
from warroom_incident.event import Event
from warroom_incident.fields import AlertCopy, StepCopy
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body, Write
from warroom_incident.showing import show, show_summary, stamp, summarize
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
    StepSet,
)

STREAM = "i-" + "a" * 16
START = 1_795_262_400_000


class Writer:
    """One replica whose clock moves a second with every event."""

    def __init__(self, state: IncidentState, rep: str = "a", by: str = "ana") -> None:
        self.state = state
        self.now = START
        self._by = by
        self._author = Author(
            Counters(rep * 16), HybridClock(lambda: self.now), lambda size: bytes(size)
        )

    def write(self, body: Body, base: tuple[str, ...] | None = None) -> Event:
        if base is None:
            base = self.state.base_for(body.key) if isinstance(body, Write) else ()
        event, _ = self._author.write(STREAM, self._by, body, base)
        self.state.add(event)
        self.now += 1000
        return event


def durable(_event: Event) -> str:
    return "durable"


@pytest.fixture
def writer() -> Writer:
    writer = Writer(IncidentState(STREAM))
    writer.write(IncidentDeclared(title="Checkout fails"))
    return writer


def test_a_bare_incident_has_every_field(writer: Writer) -> None:
    shown = show(writer.state, durable)
    (entry,) = shown.pop("timeline")
    assert shown == {
        "id": "INC-~aaaa",
        "uid": STREAM,
        "title": "Checkout fails",
        "drill": False,
        "severity": "SEV?",
        "status": "started",
        "started_at": "2026-11-21T12:00:00.000Z",
        "ended_at": None,
        "conflicts": [],
        "impact": {
            "started_at": None,
            "detected_by": None,
            "services": [],
            "users": None,
            "regions": [],
            "data_loss": None,
            "workaround": None,
            "reports": 0,
        },
        "roles": {"commander": {"holder": None, "since": None, "deputy": None}},
        "alerts": [],
        "checklists": [],
        "drafts": [],
        "updates": [],
        "tasks": [],
        "participants": [{"name": "ana", "roles": []}],
        "state_digest": writer.state.state_digest(),
        "set_digest": writer.state.set_digest(),
    }
    assert entry["kind"] == "incident"
    assert entry["mark"] == "durable"
    assert entry["at"] == entry["recorded_at"] == "2026-11-21T12:00:00.000Z"


def test_the_parts_appear_as_they_stand(writer: Writer) -> None:
    copy = AlertCopy(
        uid="u", key="k", source="am", title="disk", severity="SEV2", state="firing", count=3,
        first_seen=START, last_seen=START,
    )  # fmt: skip
    writer.write(RoleAssigned(role="commander", person="ana"))
    writer.write(RoleAssigned(role="deputy", person="bo"))
    writer.write(ImpactSet(field="services", text="api, web ,"))
    writer.write(ImpactSet(field="reports", text="17"))
    writer.write(AlertLinked(uid="u", alert=copy))
    writer.write(
        ChecklistAttached(checklist="c", title="T", steps=(StepCopy(id="s", text="Do it"),))
    )
    writer.write(StepSet(checklist="c", step="s", state="done"))
    writer.write(DraftOpened(draft="d", audience="customers", title="Down"))
    writer.write(DraftSaved(draft="d", text="We are sorry."))
    shown = show(writer.state, durable)
    assert shown["roles"]["commander"]["holder"] == "ana"
    assert shown["roles"]["commander"]["deputy"] == "bo"
    assert shown["roles"]["deputy"]["since"] == "2026-11-21T12:00:02.000Z"
    assert shown["impact"]["services"] == ["api", "web"]
    assert shown["impact"]["reports"] == 17
    (alert,) = shown["alerts"]
    assert (alert["key"], alert["source"], alert["count"]) == ("k", "am", 3)
    assert alert["first_seen"] == "2026-11-21T12:00:00.000Z"
    (checklist,) = shown["checklists"]
    (step,) = checklist["steps"]
    assert (step["text"], step["state"], step["by"]) == ("Do it", "done", "ana")
    (draft,) = shown["drafts"]
    assert [version["text"] for version in draft["versions"]] == ["We are sorry."]
    assert shown["participants"] == [
        {"name": "ana", "roles": ["commander"]},
        {"name": "bo", "roles": ["deputy"]},
    ]
    json.dumps(shown, allow_nan=False)


def test_a_backdated_note_stands_where_it_happened(writer: Writer) -> None:
    late = writer.write(NoteAdded(text="seen first", at=START - 60_000))
    writer.write(EntryStarred(target=late.id))
    writer.write(NoteStruck(target=late.id))
    first = show(writer.state, durable)["timeline"][0]
    assert first["text"] == "seen first"
    assert first["at"] == "2026-11-21T11:59:00.000Z"
    assert first["recorded_at"] == "2026-11-21T12:00:01.000Z"
    assert first["starred"]
    assert first["struck"]


def test_a_conflict_lists_both_sides(writer: Writer) -> None:
    other = Writer(writer.state, "b", "bo")
    writer.write(SeveritySet(severity="SEV1"))
    other.write(SeveritySet(severity="SEV3"), base=())
    (conflict,) = show(writer.state, durable)["conflicts"]
    assert conflict["what"] == "severity"
    assert {(w["value"], w["by"]) for w in conflict["writes"]} == {("SEV1", "ana"), ("SEV3", "bo")}


def test_what_came_after_a_close_is_marked_late(writer: Writer) -> None:
    writer.write(StatusSet(status="closed", seen=dict(writer.state.vector)))
    Writer(writer.state, "b", "bo").write(NoteAdded(text="late"))
    entry = next(e for e in show(writer.state, durable)["timeline"] if e["text"] == "late")
    assert entry["late"]
    assert show(writer.state, durable)["ended_at"] is not None


@pytest.mark.parametrize("text", ["many", "-1", "1e9", "٣", "9" * 400, "1 000", ""])
def test_reports_that_are_no_number_do_no_harm(writer: Writer, text: str) -> None:
    writer.write(ImpactSet(field="reports", text=text))
    assert isinstance(show(writer.state, durable)["impact"]["reports"], int)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00.000Z"),
        (START + 7, "2026-11-21T12:00:00.007Z"),
        (2**80, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_rfc_3339_however_far_they_lie(ms: int | None, text: str | None) -> None:
    assert stamp(ms) == text


def test_a_summary_says_what_a_list_needs(writer: Writer) -> None:
    writer.write(RoleAssigned(role="commander", person="ana"))
    shown = show_summary(summarize(writer.state))
    assert shown["id"] == "INC-~aaaa"
    assert shown["commander"] == "ana"
    assert shown["events"] == 2
