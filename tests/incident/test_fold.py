"""The same events make the same state, in whatever order and however often they arrive."""

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.incident.making import (
    NOW,
    SKEW,
    STREAM,
    Writer,
    admitted,
    bodies,
    deliveries,
    histories,
    incident,
    picture,
    withheld,
)
from warroom_incident.author import Author
from warroom_incident.clock import HybridClock
from warroom_incident.event import Event, Packet, read_packet
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body, Write
from warroom_incident.vocabulary import NoteAdded, SeveritySet, StatusSet, StepSet, TitleSet

randoms = st.randoms(use_true_random=False)


@given(deliveries(), randoms)
def test_neither_order_nor_repetition_of_arrival_changes_the_state(
    events: list[Event], random: Random
) -> None:
    expected = picture(incident(events))
    again = events + random.choices(events, k=len(events))
    random.shuffle(again)
    assert picture(incident(again)) == expected


@given(deliveries(), randoms)
def test_looking_in_between_changes_nothing(events: list[Event], random: Random) -> None:
    expected = picture(incident(events))
    random.shuffle(events)
    state = incident()
    for event in events:
        state.add(event)
        picture(state)
    assert picture(state) == expected


@given(deliveries(), randoms, st.booleans())
def test_it_changed_when_its_last_event_was_shown(
    events: list[Event], random: Random, is_listed: bool
) -> None:
    random.shuffle(events)
    state = incident()
    assert state.changed_at == 0
    for event in events:
        state.add(event)
        assert state.changed_at == max(known.shown_at for known in state.events.values())
        if is_listed and random.random() < 0.3:
            assert state.events[state.ordered[-1]].shown_at == state.changed_at


@given(deliveries())
def test_an_event_that_brings_nothing_new_says_so(events: list[Event]) -> None:
    state = incident(events)
    before = picture(state)
    assert not any(state.add(event) for event in list(state.events.values()))
    assert picture(state) == before


@given(deliveries())
def test_the_heads_are_the_writes_that_nothing_replaces(events: list[Event]) -> None:
    state = incident(events)
    for key, heads in _heads_by_definition(state).items():
        assert {e.id for e in Fold.heads(state, key)} == heads


def _heads_by_definition(state: IncidentState) -> dict[tuple[str, ...], set[str]]:
    """The heads as the rule says them, looked up slowly: through withheld events to their base."""
    writes: dict[tuple[str, ...], dict[str, Event]] = {}
    for event in state.events.values():
        if event.withheld is None and isinstance(event.body, Write):
            writes.setdefault(event.body.key, {})[event.id] = event
    found = {}
    for key, events in writes.items():
        replaced: set[str] = set()
        todo = [id_ for event in events.values() for id_ in event.head.base]
        while todo:
            id_ = todo.pop()
            if id_ not in replaced:
                replaced.add(id_)
                if id_ in state.withheld:
                    todo.extend(state.withheld[id_].head.base)
        found[key] = set(events) - replaced
    return found


@given(histories(), randoms)
def test_withholding_after_the_fact_equals_never_having_had_the_body(
    history: list[tuple[Event, Packet]], random: Random
) -> None:
    gone = {event.id for event, _ in history if random.random() < 0.4}
    without = [withheld(p) if e.id in gone else e for e, p in history]
    late = [e for e, _ in history] + [withheld(p) for e, p in history if e.id in gone]
    never = incident(without)
    assert picture(incident(late)) == picture(never)
    assert set(never.withheld) == gone


@given(st.permutations(range(4)))
def test_the_base_of_a_withheld_write_is_inherited_in_any_order(order: Sequence[int]) -> None:
    writer = Writer()
    first = writer.write(SeveritySet(severity="SEV3"))
    second = writer.write(SeveritySet(severity="SEV2"), first)
    third = writer.write(SeveritySet(severity="SEV4"), second)
    last = writer.write(SeveritySet(severity="SEV1"), third)
    events = [first, withheld(writer.packets[second.id]), withheld(writer.packets[third.id]), last]
    state = incident([events[place] for place in order])
    assert [e.id for e in state.heads(("severity",))] == [last.id]
    assert state.base_for(("severity",)) == (last.id,)


def test_a_withheld_write_that_nothing_followed_leaves_what_stood_before() -> None:
    writer = Writer()
    first = writer.write(SeveritySet(severity="SEV3"))
    second = writer.write(SeveritySet(severity="SEV1"), first)
    state = incident([first, second])
    assert state.severity == "SEV1"
    state.add(withheld(writer.packets[second.id]))
    assert state.severity == "SEV3"
    assert not state.add(second), "a body that was withheld does not come back"
    assert state.severity == "SEV3"


def test_a_withheld_event_keeps_the_earliest_admission() -> None:
    writer = Writer()
    event = writer.write(NoteAdded(text="x"))
    gone = withheld(writer.packets[event.id], NOW + 9)
    for arrivals in ([admitted(event, NOW - 9), gone], [gone, admitted(event, NOW - 9)]):
        state = incident(arrivals)
        assert state.events[event.id].admitted == NOW - 9
        assert state.withheld[event.id].admitted == NOW - 9
        assert state.events[event.id].withheld == "it held a password"


@given(st.permutations([7, 3, 5, None]))
def test_admission_stamps_merge_by_minimum(stamps: Sequence[int | None]) -> None:
    writer = Writer(now=100)
    event = writer.write(SeveritySet(severity="SEV1"))
    state = incident([read_packet(writer.packets[event.id], at) for at in stamps])
    (head,) = state.heads(("severity",))
    assert head.admitted == state.events[event.id].admitted == 3
    assert state.history(("severity",)) == [head]
    assert head.shown_at == 3


@given(st.integers(-SKEW, SKEW), st.permutations(range(3)))
def test_the_first_admitted_is_shown_whatever_its_author_stamped(
    skew: int, order: Sequence[int]
) -> None:
    early = Writer("ana", seed=1, now=NOW + skew).write(SeveritySet(severity="SEV2"))
    late = Writer("bo", seed=2).write(SeveritySet(severity="SEV1"))
    unsent = Writer("cy", seed=3, now=NOW - 2 * SKEW).write(SeveritySet(severity="SEV5"))
    events = [admitted(early, NOW + 1), admitted(late, NOW + 2), unsent]
    state = incident([events[place] for place in order])
    assert [e.id for e in state.heads(("severity",))] == [early.id, late.id, unsent.id]
    assert state.severity == "SEV2"
    (conflict,) = state.conflicts()
    assert conflict.key == ("severity",)
    assert len(conflict.writes) == 3


def test_a_new_stamp_moves_an_event_that_ran_ahead_to_its_place() -> None:
    ahead = Writer("ana", seed=1, now=NOW + SKEW).write(NoteAdded(text="from a fast clock"))
    plain = Writer("bo", seed=2).write(NoteAdded(text="after it"))
    state = incident([ahead, plain])
    assert state.ordered == [plain.id, ahead.id]
    assert state.add(admitted(ahead, NOW - 1))
    assert state.ordered == [ahead.id, plain.id]


def test_the_order_is_the_same_object_until_it_changes() -> None:
    writer = Writer()
    first, second = writer.write(NoteAdded(text="a")), writer.write(NoteAdded(text="b"))
    state = incident([first])
    before = state.ordered
    state.add(first)
    assert state.ordered is before
    state.add(second)
    assert state.ordered is not before
    assert (before, state.ordered) == ([first.id], [first.id, second.id])


def test_a_write_to_one_register_leaves_the_others() -> None:
    writer = Writer()
    title = writer.write(TitleSet(title="a"))
    severity = writer.write(SeveritySet(severity="SEV1"), title)
    state = incident([title, severity])
    assert state.title == "a"
    assert state.keys("title") == [("title",)]
    assert state.heads(("role", "scribe")) == state.history(("role", "scribe")) == []


@given(st.permutations(range(3)))
def test_a_base_that_was_never_seen_counts_as_replaced(order: Sequence[int]) -> None:
    writer = Writer()
    lost = writer.write(TitleSet(title="lost on the way"))
    kept = writer.write(TitleSet(title="kept"), lost)
    events = [kept, kept, lost]
    state = incident([events[place] for place in order])
    assert state.title == "kept"
    assert state.conflicts() == []


def test_equal_writes_unseen_of_each_other_are_no_conflict() -> None:
    state = incident([Writer(str(n), seed=n).write(SeveritySet(severity="SEV1")) for n in range(3)])
    assert len(state.heads(("severity",))) == 3
    assert state.conflicts() == []


def test_contested_are_writes_that_two_made_unseen_of_each_other_until_one_settles_it() -> None:
    alone = Writer("cy", seed=3).write(TitleSet(title="Checkout"))
    ana, bo = Writer("ana", seed=1), Writer("bo", seed=2)
    one, two = (writer.write(SeveritySet(severity="SEV1")) for writer in (ana, bo))
    state = incident([alone, one, two])
    assert sorted(state.contested()) == sorted([one.entry, two.entry])
    state.add(ana.write(SeveritySet(severity="SEV2"), one, two))
    assert state.contested() == []


def test_the_digests_tell_sets_and_states_apart() -> None:
    writer = Writer()
    one, two = writer.write(NoteAdded(text="1")), writer.write(TitleSet(title="2"))
    states = [incident(), incident([one]), incident([two]), incident([one, two])]
    assert len({state.set_digest() for state in states}) == 4
    assert len({state.state_digest() for state in states}) == 4
    gone = incident([withheld(writer.packets[one.id]), two])
    assert gone.set_digest() != states[3].set_digest(), "that a body is withheld is news"
    assert gone.state_digest() != states[3].state_digest()
    stamped = incident([admitted(one, NOW), admitted(two, NOW)])
    assert stamped.state_digest() == states[3].state_digest(), "a stamp is no state"


def test_a_write_never_names_more_than_an_event_may_hold() -> None:
    state = incident()
    for seed in range(230):
        state.add(Writer(seed=seed).write(SeveritySet(severity="SEV1")))
    writer = Writer(seed=999)
    writer.act(state, SeveritySet(severity="SEV2"))
    assert len(state.heads(("severity",))) == 31
    last = writer.act(state, SeveritySet(severity="SEV2"))
    assert state.heads(("severity",)) == [last]


@given(deliveries())
def test_the_present_alone_shows_what_everything_shows(events: list[Event]) -> None:
    whole = incident(events)
    part = incident([whole.events[id_] for id_ in whole.present()])
    assert part.status == whole.status
    assert part.severity == whole.severity
    assert part.title == whole.title
    assert part.roles() == whole.roles()
    assert part.links() == whole.links()


class Replicas(RuleBasedStateMachine):
    """Three replicas write, exchange what they please, restart, and withhold."""

    def __init__(self) -> None:
        super().__init__()
        self.writers = [Writer(name, seed=n) for n, name in enumerate(("ana", "bo", "cy"))]
        self.states = [incident() for _ in self.writers]
        self.steps = 0

    @initialize(skews=st.lists(st.integers(-SKEW, SKEW), min_size=3, max_size=3))
    def set_clocks(self, skews: list[int]) -> None:
        for writer, skew in zip(self.writers, skews, strict=True):
            writer.clock.now += skew

    @rule(place=st.integers(0, 2), body=bodies)
    def write(self, place: int, body: Body) -> None:
        state = self.states[place]
        event = self.writers[place].act(state, body)
        assert not state.is_late(event), "who has seen a closing is not late"
        if isinstance(body, Write):
            assert state.heads(body.key) == [event], "what was seen is overwritten"

    @rule(place=st.integers(0, 2), skew=st.integers(-SKEW, SKEW))
    def step_clock(self, place: int, skew: int) -> None:
        self.writers[place].clock.now += skew

    @rule(giver=st.integers(0, 2), taker=st.integers(0, 2), random=randoms)
    def exchange_some(self, giver: int, taker: int, random: Random) -> None:
        events = list(self.states[giver].events.values())
        for event in random.sample(events, random.randint(0, len(events))):
            self.states[taker].add(event)
            self.writers[taker].author.clock.observe(event.head.hlc)

    @rule(place=st.integers(0, 2), random=randoms)
    def admit_some(self, place: int, random: Random) -> None:
        self.steps += 1
        for event in list(self.states[place].events.values()):
            if random.random() < 0.5:
                self.states[place].add(admitted(event, NOW + self.steps))

    @precondition(lambda self: any(state.events for state in self.states))
    @rule(random=randoms)
    def withhold_one(self, random: Random) -> None:
        place = random.choice([n for n, state in enumerate(self.states) if state.events])
        id_ = random.choice(list(self.states[place].events))
        packet = next(w.packets[id_] for w in self.writers if id_ in w.packets)
        self.states[place].add(withheld(packet))

    @rule(place=st.integers(0, 2), random=randoms)
    def restart(self, place: int, random: Random) -> None:
        writer, state = self.writers[place], self.states[place]
        events = list(state.events.values())
        random.shuffle(events)
        again = incident(events)
        assert picture(again) == picture(state)
        self.states[place] = again
        clock = HybridClock(writer.clock)
        writer.author = Author(writer.author.counters, clock, random.randbytes)

    @invariant()
    def counts_have_no_gap(self) -> None:
        for writer in self.writers:
            own = sorted(read_packet(p).head.n for p in writer.packets.values())
            assert own == list(range(1, len(own) + 1))

    def teardown(self) -> None:
        random = Random(1)
        for taker in self.states:
            events = [event for giver in self.states for event in giver.events.values()]
            random.shuffle(events)
            taker.extend(events)
        pictures = [picture(state) for state in self.states]
        assert pictures[0] == pictures[1] == pictures[2]


TestReplicas = Replicas.TestCase
TestReplicas.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(-SKEW, SKEW)), min_size=2, max_size=8),
    randoms,
)
def test_who_overwrites_what_they_saw_wins_whatever_the_clocks(
    hands: list[tuple[int, int]], random: Random
) -> None:
    writers = [Writer(str(n), seed=n) for n in range(3)]
    state = incident()
    events = []
    for number, (place, skew) in enumerate(hands):
        writers[place].clock.now = NOW + skew
        event = writers[place].write(TitleSet(title=f"title {number}"), *state.base_for(("title",)))
        state.add(event)
        events.append(admitted(event, NOW + random.randint(-SKEW, SKEW)))
    random.shuffle(events)
    merged = incident(events)
    assert merged.title == f"title {len(hands) - 1}"
    assert merged.conflicts() == []


@given(st.permutations(range(3)))
def test_done_is_sticky_until_somebody_who_saw_it_undoes_it(order: Sequence[int]) -> None:
    ana, bo = Writer("ana", seed=1), Writer("bo", seed=2)
    doing = ana.write(StepSet(checklist="c", step="s", state="doing"))
    done = ana.write(StepSet(checklist="c", step="s", state="done"), doing)
    skipped = bo.write(StepSet(checklist="c", step="s", state="skipped"), doing)
    events = [admitted(e, at) for e, at in ((doing, 1), (done, 3), (skipped, 2))]
    state = incident([events[place] for place in order])
    key = ("step", "c", "s")
    assert [e.id for e in state.heads(key)] == [done.id, skipped.id]
    assert state.conflicts() == [], "a rank settles it by itself"
    undone = bo.act(state, StepSet(checklist="c", step="s", state="open"))
    assert state.heads(key) == [undone]


def test_a_closing_says_how_far_its_author_had_read() -> None:
    ana, bo = Writer("ana", seed=1), Writer("bo", seed=2)
    state = incident()
    for _ in range(3):
        ana.act(state, NoteAdded(text="x"))
    closing = bo.act(state, StatusSet(status="closed"))
    assert isinstance(closing.body, StatusSet)
    assert closing.body.seen == {ana.author.rep: 3}
    assert state.vector == {ana.author.rep: 3, bo.author.rep: 1}
    assert state.stream == STREAM
