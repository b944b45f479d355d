"""What an incident is now, read from what people wrote."""

from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st

from tests.incident.making import (
    NOW,
    STEPS,
    STREAM,
    Writer,
    admitted,
    alert,
    incident,
    withheld,
)
from warroom_incident.event import Event
from warroom_incident.incident import IMPACT_FIELDS, IncidentState
from warroom_incident.reducers import Body
from warroom_incident.vocabulary import (
    AlertChanged,
    AlertLinked,
    ChecklistAttached,
    DraftOpened,
    DraftReadied,
    DraftSaved,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    IncidentNumbered,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    StepNoted,
    StepOwned,
    StepSet,
    TitleSet,
)


def ana() -> Writer:
    return Writer("ana", seed=1)


def bo() -> Writer:
    return Writer("bo", seed=2)


def shuffled(count: int) -> st.SearchStrategy[list[int]]:
    return st.permutations(range(count))


def arrange(events: Sequence[Event], order: Sequence[int]) -> IncidentState:
    return incident([events[place] for place in order])


# What nobody stated ------------------------------------------------------------------------


def test_an_incident_of_which_nothing_is_known_says_so() -> None:
    state = incident()
    assert not state.known
    assert (state.title, state.severity, state.status) == ("untitled", "SEV?", "started")
    assert (state.number, state.drill, state.closed) == ("INC-~aaaa", False, False)
    assert (state.started_at, state.ended_at, state.declared) == (None, None, None)
    assert state.roles() == {}
    assert not (state.conflicts() or state.links() or state.checklists() or state.drafts())
    assert [state.impact(field) for field in IMPACT_FIELDS] == [None] * 8
    assert state.holder("commander") is None
    assert not state.is_late(ana().write(NoteAdded(text="x")))


# Declaring ---------------------------------------------------------------------------------


def test_a_declaration_gives_title_start_and_drill() -> None:
    event = admitted(ana().write(IncidentDeclared(title="Checkout is down", drill=True)), NOW - 1)
    state = incident([event])
    assert state.known
    assert (state.title, state.drill, state.started_at) == ("Checkout is down", True, NOW - 1)
    assert state.people() == ["ana"]


def test_a_title_that_is_set_replaces_the_declared_one() -> None:
    writer, state = ana(), incident()
    writer.act(state, IncidentDeclared(title="Something is wrong"))
    writer.act(state, TitleSet(title="Payments fail"))
    assert state.title == "Payments fail"


def test_a_second_declaration_from_a_slow_clock_takes_nothing_over() -> None:
    first = admitted(ana().write(IncidentDeclared(title="real")), NOW)
    second = admitted(Writer("eve", seed=3, now=0).write(IncidentDeclared(title="mine")), NOW + 1)
    for events in ([first, second], [second, first]):
        assert incident(events).title == "real"
        assert incident(events).started_at == NOW


def test_the_number_is_provisional_until_a_server_gives_one() -> None:
    writer, state = ana(), incident()
    writer.act(state, IncidentDeclared(title="x"))
    assert state.number == "INC-~aaaa"
    writer.act(state, IncidentNumbered(number="INC-7"))
    assert state.number == "INC-7"


def test_a_server_that_numbers_an_incident_is_no_participant() -> None:
    state = incident()
    ana().act(state, IncidentDeclared(title="x"))
    Writer("warroom", seed=9).act(state, IncidentNumbered(number="INC-7"))
    assert state.people() == ["ana"]


# Closing -----------------------------------------------------------------------------------


def closed_unseen(body: Body, *before: Body) -> tuple[list[Event], Event]:
    """Events of an incident that bo closed, and one that ana wrote without knowing of it."""
    first, second = ana(), bo()
    state = incident()
    for one in before:
        first.act(state, one)
    offline = incident(list(state.events.values()))
    second.act(state, StatusSet(status="closed"))
    late = first.act(offline, body)
    state.add(late)
    return list(state.events.values()), late


@pytest.mark.parametrize(
    "body",
    [
        StatusSet(status="investigating"),
        StatusSet(status="resolved"),
        SeveritySet(severity="SEV1"),
        RoleAssigned(role="commander", person="eve"),
        RoleAssigned(role="commander"),
        TitleSet(title="late title"),
        NoteAdded(text="what I saw meanwhile"),
        ImpactSet(field="users", text="all of them"),
    ],
)
def test_what_a_closing_had_not_seen_is_late_and_changes_nothing(body: Body) -> None:
    before = (
        IncidentDeclared(title="Checkout"),
        SeveritySet(severity="SEV3"),
        RoleAssigned(role="commander", person="ana"),
        ImpactSet(field="users", text="some"),
    )
    events, late = closed_unseen(body, *before)
    for arrivals in (events, events[::-1]):
        state = incident(arrivals)
        assert state.is_late(late)
        assert [e for e in events if state.is_late(e)] == [late]
        assert (state.status, state.severity, state.title) == ("closed", "SEV3", "Checkout")
        assert state.holder("commander") == "ana"
        assert state.impact("users") == "some"
        assert state.conflicts() == []
        assert late.id in state.ordered, "it stays in the record"


def test_late_even_where_its_clock_says_it_came_long_before() -> None:
    state = incident()
    bo().act(state, StatusSet(status="closed"))
    late = admitted(Writer("cy", seed=3, now=1).write(SeveritySet(severity="SEV1")), NOW - 10**9)
    state.add(late)
    assert state.is_late(late)
    assert state.severity == "SEV?"


def test_what_the_closing_had_seen_is_not_late_wherever_it_arrives() -> None:
    first, second = ana(), bo()
    state = incident()
    note = first.act(state, NoteAdded(text="seen"))
    closing = second.act(state, StatusSet(status="closed"))
    again = incident([closing, note])
    assert not again.is_late(note)
    assert not again.is_late(closing)


def test_who_names_the_closing_is_not_late() -> None:
    state = incident()
    bo().act(state, StatusSet(status="closed"))
    writer = ana()
    note = writer.act(state, NoteAdded(text="for the record"))
    renamed = writer.act(state, TitleSet(title="The real name"))
    assert not state.is_late(note)
    assert not state.is_late(renamed)
    assert (state.status, state.title) == ("closed", "The real name")


def test_who_knows_of_the_closing_may_open_it_again() -> None:
    state = incident()
    bo().act(state, StatusSet(status="closed"))
    offline = Writer("cy", seed=3).write(SeveritySet(severity="SEV1"))
    state.add(offline)
    assert state.is_late(offline)
    ana().act(state, StatusSet(status="investigating"))
    assert (state.status, state.closed, state.closings) == ("investigating", False, [])
    assert not state.is_late(offline), "there is no closing to come late to"
    assert state.severity == "SEV1"


@given(shuffled(3))
def test_a_closing_outranks_a_reopening_that_did_not_know_it(order: list[int]) -> None:
    first, second, third = ana(), bo(), Writer("cy", seed=3)
    closing = first.write(StatusSet(status="closed"))
    reopening = second.write(StatusSet(status="investigating"), closing)
    other = third.write(StatusSet(status="closed"))
    state = arrange([closing, reopening, other], order)
    assert state.status == "closed"
    assert [e.id for e in state.closings] == [other.id]
    assert state.is_late(reopening)


@given(shuffled(4))
def test_of_two_closings_either_may_have_seen_an_event(order: list[int]) -> None:
    first, second, third = ana(), bo(), Writer("cy", seed=3)
    note = third.write(NoteAdded(text="x"))
    unseen = third.write(NoteAdded(text="y"))
    knowing = first.write(StatusSet(status="closed", seen={third.author.rep: 1}))
    blind = second.write(StatusSet(status="closed"))
    state = arrange([note, unseen, knowing, blind], order)
    assert state.closed
    assert len(state.closings) == 2
    assert not state.is_late(note)
    assert state.is_late(unseen)
    assert not state.is_late(knowing)
    assert not state.is_late(blind)
    assert state.conflicts() == [], "both say closed"
    assert state.known_closings() == tuple(sorted((knowing.id, blind.id)))


@given(shuffled(5))
def test_a_late_write_is_looked_through_to_what_it_replaced(order: list[int]) -> None:
    first, second, third = ana(), bo(), Writer("cy", seed=3)
    stood = first.write(SeveritySet(severity="SEV3"))
    closing = second.write(StatusSet(status="closed", seen={first.author.rep: 1}))
    late = first.write(SeveritySet(severity="SEV1"), stood)
    other = third.write(SeveritySet(severity="SEV2"), stood)
    settled = second.write(SeveritySet(severity="SEV4"), late, closing)
    state = arrange([stood, closing, late, other, settled], order)
    assert state.severity == "SEV4"
    assert [e.id for e in state.heads(("severity",))] == [settled.id]
    assert state.conflicts() == []


@given(shuffled(5))
def test_a_withheld_write_is_looked_through_after_a_closing_too(order: list[int]) -> None:
    first, second = ana(), bo()
    stood = first.write(SeveritySet(severity="SEV3"))
    gone = first.write(SeveritySet(severity="SEV2"), stood)
    last = first.write(SeveritySet(severity="SEV4"), gone)
    closing = second.write(StatusSet(status="closed", seen={first.author.rep: 3}))
    late = first.write(SeveritySet(severity="SEV1"), last)
    events = [stood, withheld(first.packets[gone.id]), last, closing, late]
    state = arrange(events, order)
    assert state.severity == "SEV4"
    assert state.conflicts() == []


@given(shuffled(4))
def test_a_conflict_that_stood_at_the_closing_is_not_settled_by_who_came_late(
    order: list[int],
) -> None:
    first, second, third = ana(), bo(), Writer("cy", seed=3)
    one = first.write(SeveritySet(severity="SEV1"))
    two = second.write(SeveritySet(severity="SEV2"))
    seen = {first.author.rep: 1, second.author.rep: 1}
    closing = third.write(StatusSet(status="closed", seen=seen))
    late = first.write(SeveritySet(severity="SEV3"), one, two)
    state = arrange([one, two, closing, late], order)
    (conflict,) = state.conflicts()
    assert {e.id for e in conflict.writes} == {one.id, two.id}


def test_a_joining_console_is_given_what_counts_in_spite_of_a_late_write() -> None:
    events, late = closed_unseen(
        SeveritySet(severity="SEV1"), IncidentDeclared(title="x"), SeveritySet(severity="SEV3")
    )
    state = incident(events)
    assert late.id in state.present()
    part = incident([state.events[id_] for id_ in state.present()])
    assert (part.severity, part.status) == ("SEV3", "closed")


def test_an_incident_ends_when_it_is_resolved_and_goes_on_when_it_is_not() -> None:
    writer, state = ana(), incident()

    def set_status(status: str) -> int | None:
        writer.clock.now += 1000
        writer.act(state, StatusSet(status=status))  # type: ignore[arg-type]
        return state.ended_at

    assert set_status("investigating") is None
    assert set_status("resolved") == NOW + 2000
    assert set_status("closed") == NOW + 2000, "it ended when it was resolved"
    assert set_status("investigating") is None
    assert set_status("resolved") == NOW + 5000, "the first end was none"
    assert set_status("closed") == NOW + 5000


def test_a_late_end_moves_no_end() -> None:
    events, late = closed_unseen(StatusSet(status="resolved"), IncidentDeclared(title="x"))
    state = incident([*events, admitted(late, NOW - 10_000)])
    closing = state.closings[0]
    assert state.ended_at == closing.shown_at


# Roles, impact, conflicts ------------------------------------------------------------------


def test_two_claims_in_two_halves_stand_side_by_side_until_one_act_settles_them() -> None:
    one = admitted(ana().write(RoleAssigned(role="commander", person="ana")), NOW + 5)
    two = admitted(bo().write(RoleAssigned(role="commander", person="bo")), NOW + 4)
    for events in ([one, two], [two, one]):
        state = incident(events)
        assert state.holder("commander") == "bo"
        (conflict,) = state.conflicts()
        assert [e.id for e in conflict.writes] == [two.id, one.id]
        Writer("cy", seed=3).act(state, RoleAssigned(role="commander", person="ana"))
        assert state.conflicts() == []
        assert state.holder("commander") == "ana"


def test_a_released_role_is_held_by_nobody_and_its_history_stays() -> None:
    writer, state = ana(), incident()
    claim = writer.act(state, RoleAssigned(role="scribe", person="ana"))
    assert state.roles()["scribe"].since == claim.shown_at
    writer.act(state, RoleAssigned(role="scribe"))
    assert state.roles() == {}
    assert len(state.history(("role", "scribe"))) == 2


def test_a_fact_of_the_impact_is_stated_and_taken_back() -> None:
    writer, state = ana(), incident()
    writer.act(state, ImpactSet(field="services", text="checkout, cart"))
    assert state.impact("services") == "checkout, cart"
    writer.act(state, ImpactSet(field="services"))
    assert state.impact("services") is None
    assert len(state.history(("impact", "services"))) == 2


# Timeline ----------------------------------------------------------------------------------


def test_a_note_is_edited_struck_and_starred_and_the_original_stays() -> None:
    writer, state = ana(), incident()
    note = writer.act(state, NoteAdded(text="Restarted db-1"))
    assert state.note(note) == note.body
    writer.act(state, NoteEdited(target=note.id, text="Restarted db-2", at=NOW - 60_000))
    standing = state.note(note)
    assert standing is not None
    assert standing.text == "Restarted db-2"
    assert state.happened_at(note) == NOW - 60_000
    assert isinstance(state.events[note.id].body, NoteAdded)
    assert state.events[note.id].body == note.body
    assert not state.is_struck(note.id)
    writer.act(state, NoteStruck(target=note.id))
    assert state.is_struck(note.id)
    writer.act(state, NoteStruck(target=note.id, struck=False))
    assert not state.is_struck(note.id)
    writer.act(state, EntryStarred(target=note.id))
    assert state.is_starred(note.id)
    writer.act(state, EntryStarred(target=note.id, starred=False))
    assert not state.is_starred(note.id)


def test_two_wordings_unseen_of_each_other_are_a_conflict() -> None:
    note = ana().write(NoteAdded(text="x"))
    edits = [w.write(NoteEdited(target=note.id, text=w.by)) for w in (Writer("ana", seed=4), bo())]
    state = incident([note, admitted(edits[0], NOW + 2), admitted(edits[1], NOW + 1)])
    standing = state.note(note)
    assert standing is not None
    assert standing.text == "bo"
    assert [c.key for c in state.conflicts()] == [("text", note.id)]


def test_a_back_dated_note_happened_when_it_says() -> None:
    writer, state = ana(), incident()
    note = writer.act(state, NoteAdded(text="first 500s", at=NOW - 600_000))
    plain = writer.act(state, TitleSet(title="x"))
    assert state.happened_at(note) == NOW - 600_000
    assert state.happened_at(plain) == plain.shown_at
    assert state.note(plain) is None


# Alerts ------------------------------------------------------------------------------------


def test_a_linked_alert_is_shown_as_a_server_last_saw_it() -> None:
    writer, state = ana(), incident()
    writer.act(state, AlertLinked(uid="b", alert=alert("b")))
    writer.clock.now += 1
    writer.act(state, AlertLinked(uid="a", alert=alert("a")))
    assert [link.uid for link in state.links()] == ["b", "a"], "the first linked comes first"
    server = Writer("warroom", seed=9)
    server.act(state, AlertChanged(uid="a", alert=alert("a", state="resolved", last_seen=7)))
    assert [link.alert.state for link in state.links()] == ["firing", "resolved"]
    writer.act(state, AlertLinked(uid="b"))
    assert [link.uid for link in state.links()] == ["a"]


def test_of_two_servers_the_one_that_saw_an_alert_last_is_believed() -> None:
    one, two = Writer("s1", seed=1), Writer("s2", seed=2)
    old = one.write(AlertChanged(uid="a", alert=alert("a", state="firing", last_seen=5)))
    new = two.write(AlertChanged(uid="a", alert=alert("a", state="resolved", last_seen=6)))
    link = one.write(AlertLinked(uid="a", alert=alert("a")))
    for events in ([link, old, new], [new, old, link]):
        state = incident(events)
        assert state.links()[0].alert.state == "resolved"
        assert state.conflicts() == []


# Runbook -----------------------------------------------------------------------------------


def test_a_checklist_is_ticked_owned_and_noted_step_by_step() -> None:
    writer, state = ana(), incident()
    writer.act(state, ChecklistAttached(checklist="c1", title="IC", steps=STEPS))
    (fresh,) = state.checklists()
    assert (fresh.settled, [s.state for s in fresh.steps]) == (0, ["open", "open"])
    assert (fresh.steps[0].by, fresh.steps[0].at) == (None, None)
    done = writer.act(state, StepSet(checklist="c1", step="s1", state="done"))
    writer.act(state, StepOwned(checklist="c1", step="s2", owner="bo"))
    note = writer.act(state, StepNoted(checklist="c1", step="s2", text="waiting for bo"))
    (checklist,) = state.checklists()
    first, second = checklist.steps
    assert (first.state, first.by, first.at) == ("done", "ana", done.shown_at)
    assert (second.owner, second.notes) == ("bo", (note,))
    assert checklist.settled == 1


def test_a_checklist_attached_twice_is_there_once() -> None:
    events = [
        w.write(ChecklistAttached(checklist="c1", title=w.by, steps=STEPS)) for w in (ana(), bo())
    ]
    assert len(incident(events).checklists()) == 1


# Comms -------------------------------------------------------------------------------------


def test_versions_saved_unseen_of_each_other_stand_side_by_side() -> None:
    first, second = ana(), bo()
    state = incident()
    first.act(state, DraftOpened(draft="d", audience="customers", title="First notice"))
    first.act(state, DraftSaved(draft="d", text="v1"))
    base = state.base_for(("draft", "d"))
    one = admitted(first.write(DraftSaved(draft="d", text="ana's"), *base), NOW + 2)
    two = admitted(second.write(DraftSaved(draft="d", text="bo's"), *base), NOW + 1)
    state.extend([one, two])
    (draft,) = state.drafts()
    assert [v.text for v in draft.versions] == ["bo's", "ana's"]
    assert (draft.saved, draft.ready, draft.audience, draft.by) == (3, None, "customers", "ana")
    assert state.conflicts() == [], "versions wait for a person, not for a settlement"
    merged = second.act(state, DraftSaved(draft="d", text="both"))
    assert [v.id for v in state.drafts()[0].versions] == [merged.id]


def test_a_version_is_ready_only_as_long_as_it_stands_alone() -> None:
    writer, state = ana(), incident()
    writer.act(state, DraftOpened(draft="d", audience="staff", title="t"))
    version = writer.act(state, DraftSaved(draft="d", text="v1"))
    writer.act(state, DraftReadied(draft="d", version=version.id))
    assert state.drafts()[0].ready == version.id
    writer.act(state, DraftSaved(draft="d", text="v2"))
    assert state.drafts()[0].ready is None
    writer.act(state, DraftReadied(draft="d"))
    assert state.drafts()[0].ready is None


def test_a_draft_opened_twice_is_there_once() -> None:
    events = [w.write(DraftOpened(draft="d", audience="staff", title=w.by)) for w in (ana(), bo())]
    assert len(incident(events).drafts()) == 1


def test_the_stream_names_the_state() -> None:
    assert incident().stream == STREAM
