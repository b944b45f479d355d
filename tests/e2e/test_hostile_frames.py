"""Frames of a hostile or broken console against a real server, beside people who notice nothing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from tests.e2e.console_client import Console, dial, leave_all
from tests.e2e.hostile import BIG, Bystander, closing_of, hello, spotless
from tests.server.running import ServerProcess
from tests.waiting import wait_for
from warroom_incident.clean import clean
from warroom_incident.sync.wire import MAX_FRAME, Close


@pytest.fixture
async def process(home: Path) -> AsyncIterator[ServerProcess]:
    """A server that has to be as good as new at the end."""
    async with spotless(home) as running:
        yield running


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
