"""A closed incident stays as it was closed; what came late is kept and changes nothing."""

import pytest
from hypothesis import given, strategies as st

from tests.incident.making import (
    NOW,
    Writer,
    admitted,
    ana,
    arrange,
    bo,
    incident,
    withheld,
)
from warroom_incident.event import Event
from warroom_incident.reducers import Body
from warroom_incident.vocabulary import (
    ImpactSet,
    IncidentDeclared,
    IncidentNumbered,
    NoteAdded,
    RoleAssigned,
    SeveritySet,
    StatusName,
    StatusSet,
    TitleSet,
)

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


@given(st.permutations(range(3)))
def test_a_closing_outranks_a_reopening_that_did_not_know_it(order: list[int]) -> None:
    first, second, third = ana(), bo(), Writer("cy", seed=3)
    closing = first.write(StatusSet(status="closed"))
    reopening = second.write(StatusSet(status="investigating"), closing)
    other = third.write(StatusSet(status="closed"))
    state = arrange([closing, reopening, other], order)
    assert state.status == "closed"
    assert [e.id for e in state.closings] == [other.id]
    assert state.is_late(reopening)


@given(st.permutations(range(4)))
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


@given(st.permutations(range(5)))
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


@given(st.permutations(range(5)))
def test_a_withheld_write_is_looked_through_after_a_closing_too(order: list[int]) -> None:
    first, second = ana(), bo()
    stood = first.write(SeveritySet(severity="SEV3"))
    gone = first.write(SeveritySet(severity="SEV2"), stood)
    last = first.write(SeveritySet(severity="SEV4"), gone)
    closing = second.write(StatusSet(status="closed", seen={first.author.rep: 3}))
    late = first.write(SeveritySet(severity="SEV1"), last)
    events = [stood, withheld(first.packets[gone.id]), last, closing, late]
    state = arrange(events, order)
    assert [e.id for e in state.heads(("severity",))] == [last.id]
    assert state.conflicts() == []


@given(st.permutations(range(4)))
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

    def set_status(status: StatusName) -> int | None:
        writer.clock.now += 1000
        writer.act(state, StatusSet(status=status))
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


def test_an_incident_that_was_closed_before_it_had_a_number_still_gets_one() -> None:
    late, before = closed_unseen(IncidentNumbered(number="INC-7"), IncidentDeclared(title="t"))
    state = incident([*late, before])
    assert (state.number, state.status) == ("INC-7", "closed")
    assert not state.is_late(before)
