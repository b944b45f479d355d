"""Stamps go forward, whatever the wall does and whatever peers stamp."""

from hypothesis import given, strategies as st

from tests.incident.making import NOW, Clock, Writer
from warroom_incident.clock import MAX_COUNTER, MAX_LEAD_MS, HybridClock
from warroom_incident.vocabulary import NoteAdded

_stamps = st.tuples(st.integers(0, 2**53), st.integers(0, 2**53))


@given(st.lists(st.one_of(st.integers(0, 2**43), _stamps), max_size=30))
def test_stamps_never_go_back_and_follow_what_was_observed(
    steps: list[int | tuple[int, int]],
) -> None:
    wall = Clock()
    clock = HybridClock(wall)
    last = clock.tick()
    for step in steps:
        if isinstance(step, int):
            wall.now = step
        else:
            clock.observe(step)
            if step[0] <= wall.now + MAX_LEAD_MS:
                last = max(last, step)
        stamp = clock.tick()
        assert stamp > last
        last = stamp


def test_a_stamp_absurdly_far_ahead_is_not_followed() -> None:
    clock = HybridClock(Clock())
    clock.observe((NOW + MAX_LEAD_MS + 1, 0))
    assert clock.tick() == (NOW, 0)
    clock.observe((NOW + MAX_LEAD_MS, 7))
    assert clock.tick() == (NOW + MAX_LEAD_MS, 8)


def test_a_stamp_from_the_past_changes_nothing() -> None:
    clock = HybridClock(Clock(), (NOW, 5))
    clock.observe((NOW, 4))
    assert clock.tick() == (NOW, 6)


def test_a_peer_with_the_largest_counter_stops_nobody_from_writing() -> None:
    writer = Writer()
    writer.author.clock.observe((NOW, 2**53))
    assert writer.write(NoteAdded(text="still here")).head.hlc == (NOW + 1, 0)
    writer.author.clock.observe((NOW + 1, MAX_COUNTER - 1))
    stamps = [writer.write(NoteAdded(text="and here")).head.hlc for _ in range(3)]
    assert stamps == [(NOW + 1, MAX_COUNTER), (NOW + 2, 0), (NOW + 2, 1)]
