"""An event is its bytes; its stamps only say where it is shown."""

from hashlib import sha256

import pytest
from hypothesis import given, strategies as st

from tests.incident.making import NOW, STREAM, Writer, admitted, withheld
from warroom_incident.event import Packet, make_packet, read_packet
from warroom_incident.vocabulary import NoteAdded, Unknown


def test_the_id_is_the_hash_of_the_head_and_the_head_names_the_body() -> None:
    writer = Writer()
    event = writer.write(NoteAdded(text="x"))
    packet = writer.packets[event.id]
    assert packet.body is not None
    assert event.id == sha256(packet.head).hexdigest()
    assert event.head.bh == sha256(packet.body).hexdigest()
    assert read_packet(packet) == event


def test_equal_words_are_salted_into_different_bodies() -> None:
    writer = Writer()
    one, two = (writer.write(NoteAdded(text="yes")) for _ in range(2))
    assert one.head.bh != two.head.bh


@given(st.integers(0, 2 * NOW), st.one_of(st.none(), st.integers(0, 2 * NOW)))
def test_an_event_is_shown_no_later_than_a_server_admitted_it(wall: int, at: int | None) -> None:
    event = Writer(now=wall).write(NoteAdded(text="x"))
    if at is not None:
        event = admitted(event, at)
    assert event.shown_at == min(value for value in (event.head.hlc[0], at) if value is not None)
    assert event.order == (event.shown_at, event.head.hlc, event.id)


def test_a_withheld_event_keeps_its_head_and_says_why() -> None:
    writer = Writer()
    event = writer.write(NoteAdded(text="hunter2"))
    gone = withheld(writer.packets[event.id], NOW, "a password")
    assert (gone.id, gone.head, gone.withheld) == (event.id, event.head, "a password")
    assert isinstance(gone.body, Unknown)


@given(st.binary(max_size=80), st.one_of(st.none(), st.binary(max_size=80)))
def test_reading_any_bytes_raises_nothing_but_a_door_error(head: bytes, body: bytes | None) -> None:
    with pytest.raises(ValueError, match="head of the event"):
        read_packet(Packet(head, body))


def test_encoding_again_gives_the_same_bytes() -> None:
    writer = Writer()
    event = writer.write(NoteAdded(text="größe \x00 \u2028"))
    assert make_packet(event.head, event.body) == writer.packets[event.id]
    assert event.head.stream == STREAM


def test_heads_share_the_texts_that_they_have_in_common() -> None:
    writer = Writer()
    written = (writer.write(NoteAdded(text="x")) for _ in range(2))
    one, other = (read_packet(writer.packets[event.id]) for event in written)
    for name in ("stream", "rep", "by", "type"):
        assert getattr(one.head, name) is getattr(other.head, name)
