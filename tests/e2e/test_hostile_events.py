"""Hostile events in good frames: each is refused by itself, and the good beside it kept."""

from __future__ import annotations

import random
import secrets
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.console_client import Console, leave_all, new_author
from tests.e2e.hostile import BIG, Bystander, spotless
from tests.server.running import ServerProcess, greeting
from warroom_incident.author import new_rep, new_stream
from warroom_incident.clean import clean
from warroom_incident.door import MAX_EVENT_BYTES
from warroom_incident.event import Packet, check_packet
from warroom_incident.sync.wire import MAX_FRAME, Close, Hello, Push, encode, raw_pair
from warroom_incident.vocabulary import NoteAdded


@pytest.fixture
async def process(home: Path) -> AsyncIterator[ServerProcess]:
    """A server that has to be as good as new at the end."""
    async with spotless(home) as running:
        yield running


def head(**changes: Any) -> dict[str, Any]:
    """The fields of a good head, some changed; `by` and `bh` must be given."""
    return {
        "v": 1,
        "stream": new_stream(secrets.token_bytes),
        "rep": new_rep(secrets.token_bytes),
        "n": 1,
        "prev": None,
        "base": [],
        "hlc": [1, 0],
        "wall": 1,
        "type": "note.added",
        **changes,
    }


def packet(by: str, body: bytes = b'{"text":"x"}', **changes: Any) -> Packet:
    """An event made by hand."""
    fields = head(by=by, bh=sha256(body).hexdigest(), **changes)
    return Packet(msgspec.json.encode(fields), body)


def text_of(size: int) -> bytes:
    """A note's body with so long a text."""
    return b'{"text":"' + b"x" * size + b'"}'


BODIES = {
    "an_integer_past_2_63": b'{"text":"x","at":9223372036854775808}',
    "an_integer_of_400_digits": b'{"text":"x","at":' + b"9" * 400 + b"}",
    "an_integer_past_2_53": b'{"text":"x","n":9007199254740993}',
    "a_float_past_2_53": b'{"text":"x","n":1e300}',
    "the_same_key_twice": b'{"text":"x","text":"y"}',
    "the_same_key_twice_inside": b'{"text":"x","more":{"a":1,"a":2}}',
    "nested_too_deep": b'{"text":"x","more":' + b"[" * 40 + b"]" * 40 + b"}",
    "no_text": b"{}",
    "an_empty_text": b'{"text":""}',
    "a_text_too_long": text_of(12_001),
    "an_event_too_large": text_of(MAX_EVENT_BYTES),
    "a_negative_time": b'{"text":"x","at":-1}',
    "a_number": b"1",
    "a_list": b"[]",
    "a_bare_text": b'"text"',
    "nothing": b"null",
    "half_a_pair": b'{"text":"\\ud83d \\ude00"}',
}


async def test_bad_bodies_are_refused_one_by_one_and_the_good_beside_them_kept(
    process: ServerProcess,
) -> None:
    bystander = await Bystander.join(process)
    console = await Console(user="ana").join(process.socket)
    stream = await console.declare()
    await console.follow(stream)
    for name, body in BODIES.items():
        bad = packet(console.you, body, stream=stream)
        good = [console.write(stream, NoteAdded(text=f"{name} {i}")) for i in range(2)]
        one, two = [console.outbox[event.id] for event in good]
        bad_id = sha256(bad.head).hexdigest()
        await console.push(one, bad, two)
        if name == "half_a_pair":
            code, reason = await console.ended()
            assert code == Close.BAD_MESSAGE
            assert reason
            await console.leave()
            await console.join(process.socket, stream)
            await console.flush()
            await console.settled(*[event.id for event in good])
        else:
            await console.settled(bad_id, *[event.id for event in good])
            reason = console.refused[bad_id]
            assert reason == clean(reason)
            assert "\n" not in reason
            assert len(reason) < 400, f"{name}: {reason}"
        assert all(event.id in console.acks for event in good)
    assert len(console.refused) == len(BODIES) - 1
    await leave_all([console])
    await bystander.is_well()


async def test_bad_heads_are_refused_one_by_one(process: ServerProcess) -> None:
    console = await Console(user="ana").join(process.socket)
    you, stream = console.you, await console.declare()
    bad = {
        "another_name": packet("bo (ops)", stream=stream),
        "no_name": packet("", stream=stream),
        "a_stream_outside": packet(you, stream="../../etc"),
        "a_stream_with_a_line": packet(you, stream=stream + "\n"),
        "a_negative_count": packet(you, stream=stream, n=-1),
        "a_count_past_2_63": packet(you, stream=stream, n=BIG),
        "a_type_of_the_board": packet(
            you, b'{"uid":"x"}', stream=stream, type="alert.acknowledged"
        ),
        "a_type_of_the_room": packet(you, b'{"account":"x"}', stream=stream, type="member.granted"),
        "a_note_on_the_board": packet(you, stream="board"),
        "a_base_of_no_ids": packet(you, stream=stream, base=["x"]),
        "too_large_a_base": packet(you, stream=stream, base=["0" * 64] * 201),
        "a_stamp_past_2_63": packet(you, stream=stream, hlc=[BIG, 0]),
        "a_stamp_of_one": packet(you, stream=stream, hlc=[1]),
        "no_type": packet(you, stream=stream, type=""),
        "a_servers_number": packet(
            you, b'{"number":"INC-1"}', stream=stream, type="incident.numbered"
        ),
        "a_servers_word_on_an_alert": packet(
            you,
            b'{"uid":"u","alert":{"uid":"u","key":"k","source":"s","title":"t","severity":"SEV1",'
            b'"state":"firing"}}',
            stream=stream,
            type="alert.changed",
        ),
        "a_servers_key": packet(
            you,
            msgspec.json.encode({"server": "x", "key_hex": "0" * 64}),
            stream="room",
            type="server.listed",
        ),
        "another_body": Packet(packet(you, stream=stream).head, b'{"text":"swapped"}'),
        "no_body": Packet(packet(you, stream=stream).head, None),
        "no_json": Packet(b'"head"', b"{}"),
        "no_object": Packet(b"17", b"{}"),
        "nothing": Packet(b"null", b"{}"),
        "a_key_twice": Packet(
            packet(you, stream=stream).head.replace(b'"v":1', b'"v":1,"v":1'), b'{"text":"x"}'
        ),
    }
    good = console.write(stream, NoteAdded(text="good"))
    await console.push(*bad.values(), console.outbox[good.id])
    ids = {name: sha256(p.head).hexdigest() for name, p in bad.items()}
    await console.settled(good.id, *ids.values())
    for name, id_ in ids.items():
        assert id_ in console.refused, name
        reason = console.refused[id_]
        assert reason == clean(reason), name
        assert len(reason) < 400, name
        assert "\n" not in reason
    assert good.id in console.acks
    await leave_all([console])


async def test_five_hundred_events_in_one_push_are_taken_at_once(process: ServerProcess) -> None:
    console = await Console(user="ana").join(process.socket)
    stream = await console.declare()
    events = [console.write(stream, NoteAdded(text=f"{i}")) for i in range(500)]
    whole = encode(Push([raw_pair(console.outbox[event.id]) for event in events]))
    assert len(whole) < MAX_FRAME
    await console.ws.send(whole, text=True)
    await console.settled(*[event.id for event in events])
    places = [console.acks[event.id][1] for event in events]
    assert places == list(range(places[0], places[0] + 500))
    await leave_all([console])


async def test_five_hundred_bad_events_are_each_answered(process: ServerProcess) -> None:
    bystander = await Bystander.join(process)
    console = await Console(user="ana").join(process.socket)
    stream = bystander.stream
    bad = [packet("mallory", stream=stream, n=i + 1) for i in range(500)]
    await console.push(*bad)
    await console.settled(*[sha256(p.head).hexdigest() for p in bad])
    assert len(console.refused) == 500
    await leave_all([console])
    await bystander.is_well()


async def test_duplicates_and_reordering_change_nothing(process: ServerProcess) -> None:
    ana = await Console(user="ana").join(process.socket)
    stream = await ana.declare()
    await ana.follow(stream)
    events = [ana.write(stream, NoteAdded(text=f"{i}")) for i in range(30)]
    packets = [ana.outbox[event.id] for event in events]
    chance = random.Random(3)
    for _ in range(5):
        chance.shuffle(packets)
        await ana.push(*packets, *packets[:10])
    await ana.settled(*[event.id for event in events])
    late = await ana.note(stream, "the end")
    await ana.has(stream, late.id, *[event.id for event in events])
    told = [id_ for id_ in ana.places[stream].values() if id_ in {e.id for e in events}]
    assert sorted(told) == sorted(event.id for event in events)
    await leave_all([ana])


async def test_a_name_is_not_taken_from_the_event_but_from_the_line(process: ServerProcess) -> None:
    ana = await Console(user="ana").join(process.socket)
    stream = await ana.declare()
    reason = await ana.refusal(stream, NoteAdded(text="not me"), by="root2")
    assert reason == f"this event says it is by root2, but you are {ana.you}"
    await leave_all([ana])


async def test_events_of_a_newer_vocabulary_are_kept_and_passed_on(process: ServerProcess) -> None:
    ana = await Console(user="ana").join(process.socket)
    bo = await Console(user="bo").join(process.socket)
    stream = await ana.declare()
    await bo.follow(stream)
    newer = packet(ana.you, b'{"what":{"is":["this"]}}', stream=stream, type="weather.forecast")
    id_ = sha256(newer.head).hexdigest()
    await ana.push(newer)
    await ana.settled(id_)
    assert id_ in ana.acks
    await bo.has(stream, id_)
    await leave_all([ana, bo])


def test_the_hand_made_event_is_a_good_one() -> None:
    author = new_author()
    assert check_packet(packet(author.rep)).body == NoteAdded(text="x")
    assert isinstance(greeting(author.rep), Hello)
