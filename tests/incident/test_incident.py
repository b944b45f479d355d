"""What an incident is now, read from what people wrote."""

from tests.incident.making import (
    NOW,
    STEPS,
    STREAM,
    Writer,
    admitted,
    alert,
    ana,
    bo,
    incident,
)
from warroom_incident.incident import IMPACT_FIELDS
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
    StepNoted,
    StepOwned,
    StepSet,
    TitleSet,
)

# What nobody stated ------------------------------------------------------------------------


def test_an_incident_of_which_nothing_is_known_says_so() -> None:
    state = incident()
    assert not state.known
    assert (state.title, state.severity, state.status) == ("untitled", "SEV?", "started")
    assert (state.number, state.drill, state.closed) == ("INC-~aaaa", False, False)
    assert (state.started_at, state.ended_at, state.declared) == (None, None, None)
    assert state.roles() == {}
    assert [state.conflicts(), state.links(), state.checklists(), state.drafts()] == [[]] * 4
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
