"""Frames of a hostile or broken console against a real server, beside people who notice nothing."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from tests.e2e.console_client import Console, dial, leave_all, new_author
from tests.server.running import ServerProcess, greeting, server_process
from tests.waiting import wait_for
from warroom_incident.author import new_rep, new_stream
from warroom_incident.clean import clean
from warroom_incident.door import MAX_EVENT_BYTES
from warroom_incident.event import Packet, check_packet
from warroom_incident.log import LogReader
from warroom_incident.sync.wire import MAX_FRAME, Close, Hello, Push, encode, raw_pair
from warroom_incident.vocabulary import NoteAdded

BIG = 2**63


@pytest.fixture
async def process(home: Path) -> AsyncIterator[ServerProcess]:
    """A server whose log must be whole at the end, and that must never have said a traceback."""
    async with server_process(home) as running:
        yield running
        assert await running.terminate() == 0
    assert b"Traceback" not in running.output, running.output.decode()
    reader = LogReader.open(running.log)
    assert list(reader.damages()) == []
    reader.close()


class Bystander:
    """Somebody else in the room, who must notice nothing."""

    def __init__(self, console: Console, stream: str) -> None:
        self.console = console
        self.stream = stream

    @classmethod
    async def join(cls, process: ServerProcess) -> Bystander:
        """Come in and declare an incident."""
        console = await Console(user="bystander").join(process.socket)
        stream = await console.declare()
        await console.follow(stream)
        return cls(console, stream)

    async def is_well(self) -> None:
        """See that a note still goes through, and leave."""
        note = await self.console.note(self.stream, "still here")
        await self.console.has(self.stream, note.id)
        await leave_all([self.console])


def hello(**changes: Any) -> bytes:
    """A good hello, with some fields changed."""
    fields = msgspec.json.decode(encode(greeting(new_rep(secrets.token_bytes))))
    return msgspec.json.encode({**fields, **changes})


async def closing_of(process: ServerProcess, *frames: bytes, text: bool = True) -> tuple[int, str]:
    """Send frames on a line of their own; how the server ends it."""
    ws = await dial(process.socket)
    for frame in frames:
        await ws.send(frame, text=text)
    async with asyncio.timeout(10):
        await ws.wait_closed()
    assert ws.close_code is not None
    assert ws.close_code != 1006, "the server cut the line without a word"
    return ws.close_code, ws.close_reason or ""


BAD_FRAMES = {
    "nothing": b"",
    "garbage": b"\x00\x01\x02 not json",
    "no_utf8": b'{"t":"here","where":"\xff\xfe"}',
    "truncated": hello()[:-7],
    "an_array": b"[1,2,3]",
    "no_tag": b"{}",
    "an_unknown_message": b'{"t":"shutdown"}',
    "a_servers_message": b'{"t":"ack","receipts":[]}',
    "a_tag_in_a_wide_script": ('{"t":"' + "漢" * 200 + '"}').encode(),
    "a_tag_with_escape_codes": b'{"t":"\\u001b]52;c;ZWNobw==\\u0007\\u001b[2J"}',
    "deep_arrays": b"[" * 100_000,
    "a_deep_event": b'{"t":"push","events":[[' + b"[" * 10_000 + b"]" * 10_000 + b",{}]]}",
    "not_a_number": b'{"t":"push","events":[[{"v":NaN},{}]]}',
    "half_a_character": b'{"t":"push","events":[[{"v":"\\ud800"},{}]]}',
    "too_many_events": b'{"t":"push","events":[' + b",".join([b"[{},{}]"] * 501) + b"]}",
    "a_triple": b'{"t":"push","events":[[{},{},{}]]}',
    "no_list": b'{"t":"push","events":{}}',
    "seen_of_the_future": b'{"t":"seen","bytes":9007199254740992}',
    "seen_backwards": b'{"t":"seen","bytes":-1}',
    "seen_past_any_number": b'{"t":"seen","bytes":' + b"9" * 400 + b"}",
    "a_stream_of_another_kind": b'{"t":"subscribe","follow":[{"stream":"../room"}]}',
    "too_many_streams": b'{"t":"subscribe","leave":[' + b",".join([b'"board"'] * 501) + b"]}",
    "a_long_place": b'{"t":"here","where":"' + b"x" * 65 + b'"}',
    "a_second_hello": hello(),
}


async def test_a_bad_frame_ends_its_own_line_with_a_sentence(process: ServerProcess) -> None:
    bystander = await Bystander.join(process)
    for name, frame in BAD_FRAMES.items():
        for text in (True, False):
            code, reason = await closing_of(process, hello(), frame, text=text)
            assert code == Close.BAD_MESSAGE, name
            assert reason, name
            assert reason == clean(reason), name
    await bystander.is_well()


async def test_the_first_frame_may_be_bad_too(process: ServerProcess) -> None:
    bystander = await Bystander.join(process)
    for name, frame in BAD_FRAMES.items():
        if name != "a_second_hello":
            code, reason = await closing_of(process, frame)
            assert code == Close.BAD_MESSAGE, name
            assert reason, name
    await bystander.is_well()


async def test_every_message_before_hello_is_turned_away(process: ServerProcess) -> None:
    for message in (b'{"t":"seen","bytes":0}', b'{"t":"here"}', b'{"t":"push","events":[]}'):
        code, reason = await closing_of(process, message)
        assert (code, reason) == (Close.BAD_MESSAGE, "the first message must be hello")


async def test_another_protocol_is_told_so(process: ServerProcess) -> None:
    for version in ("0", "2", "-1", str(BIG), "9" * 300):
        frame = hello(v=0).replace(b'"v":0', b'"v":' + version.encode())
        code, reason = await closing_of(process, frame)
        assert code == Close.OLD_PROTOCOL
        assert reason.startswith("this server speaks protocol 1")


async def test_a_replica_has_a_proper_name(process: ServerProcess) -> None:
    for rep in ("", "short", "A" * 16, "a" * 17, "../../../../../x"):
        code, _ = await closing_of(process, hello(rep=rep))
        assert code == Close.BAD_MESSAGE, rep


async def test_a_frame_past_the_limit_is_refused_as_too_big(process: ServerProcess) -> None:
    bystander = await Bystander.join(process)
    code, reason = await closing_of(process, hello(), b'{"t":"here","where":"' + b"x" * MAX_FRAME)
    assert code == Close.TOO_BIG
    assert reason
    await bystander.is_well()


async def test_a_line_cut_in_the_middle_of_a_frame_is_forgotten(process: ServerProcess) -> None:
    bystander = await Bystander.join(process)
    ws = await dial(process.socket)
    await ws.send(hello(), text=True)
    await ws.recv()
    ws.transport.write(b"\x81\xfe\xff\xff1234half a frame")
    ws.transport.abort()
    await wait_for(lambda: len(bystander.console.people) == 1, "one person left")
    await bystander.is_well()


async def test_random_bytes_never_bring_the_server_down(process: ServerProcess) -> None:
    bystander = await Bystander.join(process)
    chance = random.Random(7)
    good = hello()
    for _ in range(60):
        frame = bytearray(good)
        for _ in range(chance.randint(1, 12)):
            match chance.randint(0, 2):
                case 0:
                    frame[chance.randrange(len(frame))] = chance.randrange(256)
                case 1:
                    del frame[chance.randrange(len(frame)) :]
                    frame += b"}"
                case _:
                    frame[:0] = bytes(chance.choices(b'{}[]":,', k=3))
        ws = await dial(process.socket)
        await ws.send(bytes(frame), text=chance.random() < 0.5)
        try:
            while True:
                await ws.recv()
                await ws.close()
        except ConnectionClosed:
            pass
    await bystander.is_well()


# Events ------------------------------------------------------------------------------------


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


async def test_a_stranger_who_says_nothing_holds_nobody_up(process: ServerProcess) -> None:
    silent = [await dial(process.socket) for _ in range(20)]
    bystander = await Bystander.join(process)
    assert [person.name for person in bystander.console.people or []] in (
        [],
        [bystander.console.you],
    )
    await bystander.is_well()
    for ws in silent:
        await ws.close()


async def test_a_claimed_name_that_is_none_is_turned_away_with_a_sentence(
    process: ServerProcess,
) -> None:
    for claim in ("warroom", "ana (root)", "ana\nbo", "\x1b[31mred", " ana", "-", "a" * 41, "a/b"):
        code, reason = await closing_of(process, hello(user=claim))
        assert code == Close.FORBIDDEN, claim
        assert reason


async def test_hello_may_follow_the_same_stream_twice(process: ServerProcess) -> None:
    ana = await Console(user="ana").join(process.socket)
    stream = await ana.declare()
    follow = [{"stream": stream}] * 5 + [{"stream": "board"}]
    ws = await dial(process.socket)
    await ws.send(hello(follow=follow), text=True)
    await ws.recv()
    note = await ana.note(stream)
    async for frame in ws:
        if note.id[:8] in str(frame) or '"live"' in str(frame):
            break
    await ws.close()
    await leave_all([ana])


async def test_a_cursor_from_nowhere_starts_again_from_the_beginning(
    process: ServerProcess,
) -> None:
    ana = await Console(user="ana").join(process.socket)
    stream = await ana.declare()
    for cursor in (
        {"log": "another", "iseq": 2, "chain": "0" * 64},
        {"log": process.ready.log, "iseq": 2, "chain": "f" * 64},
        {"log": process.ready.log, "iseq": 99, "chain": "f" * 64},
        {"log": process.ready.log, "iseq": 2**53},
    ):
        ws = await dial(process.socket)
        await ws.send(hello(follow=[{"stream": stream, **cursor}]), text=True)
        while True:
            message = msgspec.json.decode(await ws.recv())
            if message["t"] == "events":
                break
        assert message["iseqs"][0] == 1
        await ws.close()
    await leave_all([ana])


def test_the_hand_made_event_is_a_good_one() -> None:
    author = new_author()
    assert check_packet(packet(author.rep)).body == NoteAdded(text="x")
    assert isinstance(greeting(author.rep), Hello)
