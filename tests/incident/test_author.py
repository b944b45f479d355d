"""An author counts its events, chains them, and remembers where it was."""

import re
from random import Random

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.incident.making import NOW, OTHER_STREAM, STREAM, Clock, Writer
from warroom_incident.author import Author, Counters, new_id, new_rep, new_stream
from warroom_incident.clock import HybridClock
from warroom_incident.door import DoorError
from warroom_incident.event import BOARD, check_packet
from warroom_incident.vocabulary import AlertAcknowledged, NoteAdded


def test_events_are_counted_and_chained_in_each_stream_apart() -> None:
    writer = Writer()
    first = writer.write(NoteAdded(text="1"))
    other = writer.write(NoteAdded(text="1"), stream=OTHER_STREAM)
    second = writer.write(NoteAdded(text="2"))
    board = writer.write(AlertAcknowledged(uid="a"), stream=BOARD)
    assert [(e.head.n, e.head.prev) for e in (first, other, second, board)] == [
        (1, None),
        (1, None),
        (2, first.id),
        (1, None),
    ]


def test_a_refused_event_uses_no_count() -> None:
    writer = Writer()
    first = writer.write(NoteAdded(text="1"))
    for bad in ("", "x" * 12_001):
        with pytest.raises(DoorError):
            writer.write(NoteAdded(text=bad))
    with pytest.raises(DoorError):
        writer.write(NoteAdded(text="x"), "no id")
    second = writer.write(NoteAdded(text="2"))
    assert (second.head.n, second.head.prev) == (2, first.id)


def test_a_remembered_author_goes_on_where_it_was_though_its_wall_went_back() -> None:
    writer = Writer()
    first = writer.write(NoteAdded(text="1"))
    kept = msgspec.json.decode(msgspec.json.encode(writer.author.counters), type=Counters)
    clock = HybridClock(Clock(NOW - 5000))
    again = Author(kept, clock, Random(5).randbytes)
    second, packet = again.write(STREAM, "ana", NoteAdded(text="2"))
    assert again.rep == first.head.rep
    assert (second.head.n, second.head.prev) == (2, first.id)
    assert second.head.hlc > first.head.hlc
    assert second.head.wall == NOW - 5000
    assert check_packet(packet) == second


@given(st.randoms(use_true_random=False))
def test_names_are_what_the_door_wants(random: Random) -> None:
    assert re.fullmatch(r"[a-z2-7]{16}", new_rep(random.randbytes))
    assert re.fullmatch(r"i-[a-z2-7]{16}", new_stream(random.randbytes))
    assert re.fullmatch(r"[a-z2-7]{12}", new_id(random.randbytes))


@pytest.mark.parametrize("rep", ["", "short", "A" * 16, "../../../../etc/"])
def test_what_is_no_name_of_a_replica_is_not_remembered(rep: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({"rep": rep}), type=Counters)
