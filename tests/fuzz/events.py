"""Events at the door, and what states become of those that it lets in."""

from __future__ import annotations

import hashlib

import msgspec

from tests.incident.making import alert_record
from warroom_incident.board import BoardState
from warroom_incident.door import DoorError
from warroom_incident.event import Event, Packet, check_packet, read_packet
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Write
from warroom_incident.room import RoomState
from warroom_incident.windows import Windows

from .promises import NOON, is_sentence

BODY_HASH = b"0" * 64
"""Stands in an event's head for the hash of its body, which no fuzzer would find.

The other digits stand for the ids of the events before it: `"1" * 64` is the first.
"""

_MOST_EVENTS = 12
_OF_ALERTS = (BoardState.acknowledged, BoardState.assigned, BoardState.noise)
_ALERT = alert_record("a1", labels={"alertname": "Disk", "host": "web-1"}, service="shop")


def events(data: bytes) -> None:
    """Heads and bodies of events between zero bytes: what the door lets in, states can hold."""
    pieces = data.split(b"\0")[: 2 * _MOST_EVENTS]
    taken: list[Event] = []
    ids: list[bytes] = []
    for head, body in zip(pieces[::2], pieces[1::2], strict=False):
        digest = hashlib.sha256(body).hexdigest().encode()
        head = head.replace(BODY_HASH, digest)
        for number, known in enumerate(ids[:9], 1):
            head = head.replace(str(number).encode() * 64, known)
        packet = Packet(head, body)
        ids.append(hashlib.sha256(head).hexdigest().encode())
        try:
            event = check_packet(packet)
        except DoorError as reason:
            is_sentence(reason)
            _reads_or_refuses(packet)
            continue
        assert read_packet(packet) == event
        taken.append(msgspec.structs.replace(event, admitted=NOON) if len(body) % 3 else event)
        if event.id[0] in "01":
            taken.append(read_packet(Packet(packet.head, None, "it held a password"), NOON))
    for stream in {event.head.stream for event in taken}:
        _folds(stream, [event for event in taken if event.head.stream == stream])


def _reads_or_refuses(packet: Packet) -> None:
    try:
        read_packet(packet)
    except DoorError as reason:
        is_sentence(reason)


def _folds(stream: str, taken: list[Event]) -> None:
    digests = set()
    for ordered in (taken, taken[::-1]):
        state = _state_of(stream)
        for event in ordered:
            state.add(event)
        _looked_at(state)
        digests.add(state.state_digest())
    assert len(digests) == 1


def _state_of(stream: str) -> Fold:
    match stream:
        case "board":
            return BoardState()
        case "room":
            return RoomState()
        case _:
            return IncidentState(stream)


def _looked_at(state: Fold) -> None:
    if isinstance(state, BoardState):
        windows = Windows(state.windows(NOON), NOON)
        windows.hidden([_ALERT])
        state.silences()
        state.marks()
        for look in _OF_ALERTS:
            look(state, _ALERT.uid)
    elif isinstance(state, RoomState):
        for member in state.members():
            assert state.right(member.account) is member.right
        state.servers()
        for token in state.tokens():
            assert state.token_for(token.name, NOON) is None
    elif isinstance(state, IncidentState):
        _incident_is_shown(state)


def _incident_is_shown(state: IncidentState) -> None:
    assert state.title
    assert state.severity
    assert state.number
    assert (state.ended_at or 0) >= 0
    for look in (state.conflicts, state.links, state.checklists, state.drafts, state.people):
        look()
    for role in state.roles():
        state.holder(role)
    for event in state.events.values():
        state.happened_at(event)
        state.is_late(event)
        state.note(event)
        state.is_starred(event.id)
        state.is_struck(event.id)
        state.last_note(event.head.by)
        if isinstance(event.body, Write):
            state.base_for(event.body.key)
    assert set(state.ordered) <= set(state.events)
    state.known_closings()
