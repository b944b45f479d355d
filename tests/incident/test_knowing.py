"""What the author of a decision knew, and what was new to them when it was admitted."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tests.incident.making import (
    NOW,
    Writer,
    admitted,
    alert,
    ana,
    bo,
    bodies,
    histories,
    incident,
    void,
    withheld,
)
from warroom_incident.event import Event, Packet
from warroom_incident.incident import IncidentState
from warroom_incident.knowing import MAX_HOLES, claim, facts_seen, informed, is_fact, new_facts
from warroom_incident.reducers import Body, Decision
from warroom_incident.vocabulary import (
    AlertLinked,
    ImpactSet,
    IncidentDeclared,
    NoteAdded,
    NoteEdited,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    StepSet,
    TitleSet,
)

# What is claimed ----------------------------------------------------------------------------


def test_a_replica_claims_what_it_holds_and_names_the_holes() -> None:
    writer = ana()
    events = [writer.write(NoteAdded(text=f"note {n}")) for n in range(9)]
    rep = writer.author.rep
    assert claim(incident()) == ({}, {})
    assert claim(incident(events)) == ({rep: 9}, {})
    part = [events[n] for n in (2, 3, 7)]
    assert claim(incident(part)) == ({rep: 8}, {rep: ((1, 2), (5, 7))})


def test_a_void_does_not_count_as_read_and_a_redacted_entry_does() -> None:
    writer = ana()
    events = [writer.write(NoteAdded(text=f"note {n}")) for n in range(4)]
    rep = writer.author.rep
    refused = void(writer, events[1]).event
    state = incident([events[0], refused, withheld(writer.packets[events[2].id]), events[3]])
    assert claim(state) == ({rep: 4}, {rep: ((2, 2),)})


def test_of_endless_holes_the_longest_are_named() -> None:
    writer = ana()
    events = [writer.write(NoteAdded(text="x")) for _ in range(2 * MAX_HOLES + 10)]
    _, unseen = claim(incident([*events[4::2], events[-1]]))
    (holes,) = unseen.values()
    assert len(holes) == MAX_HOLES
    assert holes[0] == (1, 4)
    assert list(holes) == sorted(holes)


@given(histories(), st.data())
def test_a_claim_is_true_of_every_event(
    history: list[tuple[Event, Packet]], data: st.DataObject
) -> None:
    events = [event for event, _ in history]
    held = data.draw(st.lists(st.sampled_from(events), unique_by=lambda event: event.id))
    closing = informed(StatusSet(status="closed"), incident(held))
    ids = {event.id for event in held}
    for event in events:
        assert closing.knew(event.head.rep, event.head.n) is (event.id in ids)


def test_a_closing_on_a_console_that_read_only_a_part_sweeps_nothing_away_unread() -> None:
    first, second = ana(), bo()
    whole = incident()
    first.act(whole, IncidentDeclared(title="Checkout is down"))
    unread = [first.act(whole, NoteAdded(text=f"note {n}")) for n in range(3)]
    severity = first.act(whole, SeveritySet(severity="SEV2"))
    after = first.act(whole, NoteAdded(text="the newest"))
    part = incident([severity, after])
    closing = second.act(part, StatusSet(status="closed"))
    whole.add(closing)
    assert [whole.is_late(event) for event in unread] == [True] * 3
    assert not whole.is_late(severity)
    assert not whole.is_late(after)
    assert (whole.status, whole.severity) == ("closed", "SEV2")


def test_a_hole_that_nobody_fills_makes_nothing_late() -> None:
    """An event that was refused without a void leaves a count that nobody ever sees."""
    first, second = ana(), bo()
    state = incident()
    first.write(NoteAdded(text="never admitted"))
    severity = first.act(state, SeveritySet(severity="SEV2"))
    second.act(state, StatusSet(status="closed"))
    assert not state.is_late(severity)
    assert state.severity == "SEV2"


# What is new --------------------------------------------------------------------------------


def told(state: IncidentState, writer: Writer, body: Body, at: int) -> Event:
    """Somebody who shows `state` writes, and a server admits it at `at`."""
    event = admitted(writer.act(state, body), at)
    state.add(event)
    return event


FACTS = [
    SeveritySet(severity="SEV1"),
    StatusSet(status="identified"),
    RoleAssigned(role="commander", person="bo"),
    RoleAssigned(role="scribe", person="bo"),
    ImpactSet(field="users", text="all of them"),
    AlertLinked(uid="a1", alert=alert()),
]
DECISIONS = [
    SeveritySet(severity="SEV3"),
    StatusSet(status="mitigated"),
    StatusSet(status="closed"),
    RoleAssigned(role="commander", person="ana"),
]


def apart(fact: Body, decision: Body) -> tuple[IncidentState, Event, Event]:
    """A fact that bo states, and a decision that ana takes offline; the server has bo's first."""
    first, second = ana(), bo()
    state = incident()
    told(state, first, IncidentDeclared(title="Checkout is down"), NOW)
    told(state, first, SeveritySet(severity="SEV2"), NOW)
    offline = incident(list(state.events.values()))
    stated = told(state, second, fact, NOW + 10)
    taken = admitted(first.act(offline, decision), NOW + 1000)
    state.add(taken)
    return state, stated, taken


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("fact", FACTS)
def test_a_decision_that_did_not_know_of_an_earlier_fact_says_so(
    fact: Body, decision: Body
) -> None:
    state, stated, taken = apart(fact, decision)
    assert is_fact(stated)
    if state.closed:
        # What a closing did not know is late, and that is what is said of it.
        assert state.is_late(stated)
        assert new_facts(state, taken) == []
    else:
        assert new_facts(state, taken) == [state.events[stated.id]]
    assert new_facts(state, stated) == []


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("fact", FACTS)
def test_a_decision_that_knew_everything_says_nothing(fact: Body, decision: Body) -> None:
    first, second = ana(), bo()
    state = incident()
    told(state, first, IncidentDeclared(title="Checkout is down"), NOW)
    told(state, second, fact, NOW + 10)
    taken = told(state, first, decision, NOW + 20)
    assert new_facts(state, taken) == []


def test_an_authors_clock_decides_nothing() -> None:
    state, stated, taken = apart(FACTS[0], DECISIONS[1])
    behind = Writer("cy", seed=3, now=1)
    early = admitted(behind.write(ImpactSet(field="regions", text="EU")), NOW + 5000)
    state.add(early)
    assert new_facts(state, taken) == [state.events[stated.id]], "admitted later, whatever it says"


def test_until_a_server_has_it_a_decision_is_the_latest_of_all() -> None:
    first, second = ana(), bo()
    state = incident()
    told(state, first, SeveritySet(severity="SEV2"), NOW)
    pending = first.act(state, StatusSet(status="mitigated"))
    fact = admitted(second.write(SeveritySet(severity="SEV1")), NOW + 10)
    state.add(fact)
    assert new_facts(state, pending) == [fact]


def test_of_a_decision_that_does_not_tell_what_it_knew_only_its_own_register_counts() -> None:
    state = incident()
    one = admitted(bo().write(SeveritySet(severity="SEV1")), NOW)
    impact = admitted(bo().write(ImpactSet(field="users", text="all")), NOW)
    blind = admitted(ana().write(SeveritySet(severity="SEV3")), NOW + 10)
    state.extend((one, impact, blind))
    assert new_facts(state, blind) == [one]


def test_the_same_said_twice_is_no_news_and_neither_is_what_one_said_oneself() -> None:
    state = incident()
    one = admitted(bo().write(SeveritySet(severity="SEV1")), NOW)
    same = admitted(ana().write(SeveritySet(severity="SEV1")), NOW + 10)
    elsewhere = admitted(Writer("bo", seed=7).write(SeveritySet(severity="SEV2")), NOW + 20)
    state.extend((one, same, elsewhere))
    assert new_facts(state, same) == []
    assert new_facts(state, elsewhere) == [same]


def test_titles_and_steps_are_decided_too_and_wordings_of_notes_are_not() -> None:
    for one, other, is_decided in (
        (TitleSet(title="a"), TitleSet(title="b"), True),
        (
            StepSet(checklist="c", step="s", state="done"),
            StepSet(checklist="c", step="s", state="skipped"),
            True,
        ),
        (NoteEdited(target="n", text="a"), NoteEdited(target="n", text="b"), False),
    ):
        first = admitted(bo().write(one), NOW)
        second = admitted(ana().write(other), NOW + 10)
        assert bool(new_facts(incident([first, second]), second)) is is_decided


def test_what_was_replaced_by_way_of_others_was_known() -> None:
    first, second = ana(), bo()
    one = admitted(second.write(SeveritySet(severity="SEV1")), NOW)
    two = admitted(second.write(SeveritySet(severity="SEV2"), one), NOW + 10)
    last = admitted(first.write(SeveritySet(severity="SEV3"), two), NOW + 20)
    assert new_facts(incident([one, two, last]), last) == []


def test_a_decision_tells_of_those_who_stated_facts_and_of_nobody_else() -> None:
    first, second = ana(), bo()
    state = incident()
    second.act(state, NoteAdded(text="chatter"))
    first.act(state, SeveritySet(severity="SEV1"))
    assert facts_seen(state) == {first.author.rep: 1}


@given(st.lists(bodies, max_size=8))
def test_alone_nobody_misses_anything(written: list[Body]) -> None:
    state, writer = incident(), ana()
    for place, body in enumerate(written):
        told(state, writer, body, NOW + place)
    assert all(new_facts(state, event) == [] for event in state.events.values())


def test_decisions_are_told_apart_from_other_writes() -> None:
    assert issubclass(StatusSet, Decision)
    assert not issubclass(TitleSet, Decision)
