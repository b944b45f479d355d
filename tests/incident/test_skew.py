"""Clocks that are a day off, step, or say the largest number: they sort, and decide nothing."""

from itertools import permutations
from random import Random

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.incident.making import NOW, STREAM, Writer, admitted, bodies, incident, new_log, picture
from warroom_incident.author import Author, Counters
from warroom_incident.clock import MAX_COUNTER, MAX_LEAD_MS, HybridClock
from warroom_incident.door import MAX_INTEGER
from warroom_incident.event import Event, Packet, check_packet, make_packet, read_packet
from warroom_incident.incident import IncidentState
from warroom_incident.log import Entry
from warroom_incident.reducers import Body
from warroom_incident.vocabulary import NoteAdded, RoleAssigned, SeveritySet, StatusSet

DAY = 86_400_000
LARGEST = (MAX_INTEGER, MAX_INTEGER)

skews = st.sampled_from([-DAY, -1, 0, 1, DAY])


class Person:
    """Somebody whose clock may be off, and who sees what they are told."""

    def __init__(self, name: str, seed: int) -> None:
        self.writer = Writer(name, seed=seed)
        self.state = incident()

    def hear(self, events: list[Event]) -> None:
        """Take in what others did."""
        for event in events:
            self.writer.author.clock.observe(event.head.hlc)
        self.state.extend(events)


def largest(writer: Writer, body: Body, *base: Event) -> tuple[Event, Packet]:
    """The event as a peer writes it whose clock says the largest number that there is."""
    event = writer.write(body, *base)
    head = msgspec.structs.replace(event.head, hlc=LARGEST, wall=MAX_INTEGER)
    packet = make_packet(head, event.body)
    return check_packet(packet), packet


# A day ahead, a day behind, and steps ------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 2), skews, bodies), min_size=1, max_size=12), st.randoms())
def test_who_saw_the_last_word_has_the_next_whatever_the_clocks_say(
    acts: list[tuple[int, int, Body]], random: Random
) -> None:
    """One after the other, each seeing all before, with clocks that are set again at every turn."""
    people = [Person(name, seed) for seed, name in enumerate(("ana", "bo", "cy"))]
    done: list[Event] = []
    for step, (who, skew, body) in enumerate(acts):
        person = people[who]
        person.writer.clock.now = NOW + step + skew
        person.hear(done)
        event = person.writer.act(person.state, body)
        assert check_packet(person.writer.packets[event.id]).id == event.id, "refused by no door"
        done.append(event)
        last = person.state.heads(event.body.key) if hasattr(event.body, "key") else [event]
        assert [head.id for head in last] == [event.id] or person.state.closed
    whole = [admitted(event, NOW + 1000 + n) for n, event in enumerate(done)]
    expected = picture(incident(whole))
    random.shuffle(whole)
    assert picture(incident(whole)) == expected


@given(st.lists(st.tuples(skews, st.integers(0, 3)), min_size=2, max_size=12))
def test_a_replicas_stamps_rise_through_every_step_of_its_clock(
    steps: list[tuple[int, int]],
) -> None:
    writer = Writer()
    stamps = []
    for skew, count in steps:
        writer.clock.now = NOW + skew
        stamps += [writer.write(NoteAdded(text="x")).head.hlc for _ in range(count)]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize("skew", [-DAY, DAY])
def test_two_who_have_not_seen_each_other_are_judged_by_the_server_and_not_by_their_clocks(
    skew: int,
) -> None:
    right, off = Writer("ana", seed=1), Writer("bo", seed=2, now=NOW + skew)
    first = admitted(right.write(RoleAssigned(role="commander", person="ana")), NOW + 1)
    second = admitted(off.write(RoleAssigned(role="commander", person="bo")), NOW + 2)
    for events in permutations([first, second]):
        state = incident(events)
        assert state.holder("commander") == "ana"
        assert len(state.conflicts()) == 1
    settled = right.write(RoleAssigned(role="commander", person="bo"), first, second)
    for events in permutations([first, second, admitted(settled, NOW + 3)]):
        assert incident(events).holder("commander") == "bo"
        assert not incident(events).conflicts()


def test_what_a_clock_ahead_wrote_is_shown_where_the_server_admitted_it() -> None:
    ahead, right = Writer("bo", seed=2, now=NOW + DAY), Writer("ana", seed=1)
    early = admitted(ahead.write(NoteAdded(text="one")), NOW + 1)
    right.clock.now = NOW + 2
    late = admitted(right.write(NoteAdded(text="two")), NOW + 3)
    for events in permutations([early, late]):
        assert incident(events).ordered == [early.id, late.id]
    assert early.shown_at == NOW + 1


@pytest.mark.parametrize("skew", [-DAY, 0, DAY])
def test_a_clock_neither_reopens_what_is_closed_nor_closes_what_was_seen(skew: int) -> None:
    ana, bo = Person("ana", 1), Person("bo", 2)
    bo.writer.clock.now = NOW + skew
    opened = ana.writer.act(ana.state, StatusSet(status="started"))
    bo.hear([opened])
    closed = ana.writer.act(ana.state, StatusSet(status="closed"))
    unaware = bo.writer.act(bo.state, SeveritySet(severity="SEV1"))
    for events in permutations([opened, closed, unaware]):
        state = incident(events)
        assert (state.status, state.severity) == ("closed", "SEV?")
        assert state.is_late(unaware)
    bo.hear([closed])
    again = bo.writer.act(bo.state, StatusSet(status="investigating"))
    for events in permutations([opened, closed, unaware, again]):
        assert incident(events).status == "investigating"


# The largest number ------------------------------------------------------------------------


def test_a_stamp_of_the_largest_number_is_refused_by_no_door_and_sealed_like_any(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    event, packet = largest(Writer("eve", seed=6), NoteAdded(text="from the end of time"))
    log = new_log(tmp_path_factory.mktemp("log") / "warroom.db")
    (receipt,) = log.append([Entry(event, packet)], NOW)
    assert (receipt.iseq, receipt.admitted) == (1, NOW)
    (row,) = log.read(STREAM, 0, 10)
    assert read_packet(row.packet, row.admitted).shown_at == NOW
    assert list(log.damages()) == []
    log.close()


@given(st.permutations(range(4)))
def test_a_peer_with_the_largest_stamp_moves_nobodys_clock_and_everybody_can_write(
    order: list[int],
) -> None:
    eve, ana = Writer("eve", seed=6), Person("ana", 1)
    events = [largest(eve, SeveritySet(severity="SEV1"))[0]]
    events += [largest(eve, NoteAdded(text=f"{n}"))[0] for n in range(3)]
    ana.hear([events[place] for place in order])
    for _ in range(3):
        event = ana.writer.act(ana.state, SeveritySet(severity="SEV3"))
        check_packet(ana.writer.packets[event.id])
        assert event.head.hlc[0] <= NOW + MAX_LEAD_MS
        assert ana.state.severity == "SEV3", "it saw the other, and is the last word"
        assert not ana.state.conflicts()


def test_the_largest_stamp_wins_no_conflict_and_sorts_where_it_was_admitted() -> None:
    eve, ana = Writer("eve", seed=6), Writer("ana", seed=1)
    first = admitted(ana.write(RoleAssigned(role="commander", person="ana")), NOW + 1)
    claim, _ = largest(eve, RoleAssigned(role="commander", person="eve"))
    ana.clock.now = NOW + 3
    after = admitted(ana.write(NoteAdded(text="after")), NOW + 4)
    for events in permutations([first, admitted(claim, NOW + 2), after]):
        state: IncidentState = incident(events)
        assert state.holder("commander") == "ana"
        assert [c.key for c in state.conflicts()] == [("role", "commander")]
        assert state.ordered[1] == claim.id


def test_whoever_once_had_the_largest_stamp_is_well_after_a_restart() -> None:
    random = Random(5)
    counters = Counters("a" * 16, last=LARGEST, streams={STREAM: (3, "f" * 64)})
    author = Author(counters, HybridClock(lambda: NOW), random.randbytes)
    event, _ = author.write(STREAM, "ana", NoteAdded(text="well again"))
    assert event.head.hlc == (NOW, 0)
    assert (event.head.n, event.head.prev) == (4, "f" * 64)


def test_a_counter_near_its_end_goes_on_in_the_next_millisecond_and_never_back() -> None:
    writer = Writer()
    writer.author.clock.observe((NOW + MAX_LEAD_MS, MAX_COUNTER))
    stamps = [writer.write(NoteAdded(text="x")).head.hlc for _ in range(3)]
    assert stamps == sorted(set(stamps))
    assert stamps[0][0] == NOW + MAX_LEAD_MS + 1
