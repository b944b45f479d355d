"""Who takes more than is theirs: lurkers, scribblers, hoarders, floods, holders of dead tokens."""

from __future__ import annotations

import secrets
from base64 import b64encode
from pathlib import Path

import msgspec
import pytest

from tests.e2e.console_client import Console, dial, leave_all
from tests.server.running import greeting, server_in_process
from tests.waiting import wait_for
from warroom_incident.author import new_rep, new_stream
from warroom_incident.event import ROOM, Packet
from warroom_incident.room import hash_token
from warroom_incident.sync.wire import Close, Push, Vouch, encode, raw_pair
from warroom_incident.vocabulary import NoteAdded, RightName, TokenCreated, TokenRevoked
from warroom_server import relays
from warroom_server.patience import Connection
from warroom_server.room import Room

LISTEN = ("127.0.0.1", 0)


async def token(room: Room, name: str, right: RightName) -> tuple[str, str]:
    """A new token, and the id under which it stands."""
    secret = secrets.token_hex(16)
    made = TokenCreated(name=name, hash=hash_token(secret), right=right)
    return secret, (await room.write(ROOM, made)).id


async def test_whoever_passes_for_a_server_without_the_right_is_seen_like_anybody(
    home: Path,
) -> None:
    async with server_in_process(home, listen=LISTEN) as house:
        secret, _ = await token(house.server.room, "eve", "viewer")
        ana = await Console(user="ana").join(house.socket)
        hello = msgspec.structs.replace(greeting(new_rep(secrets.token_bytes)), server="war2")
        line = await dial(f"ws://{house.ready.listen}", secret)
        await line.send(encode(hello), text=True)
        await wait_for(lambda: "eve" in {person.name for person in ana.people}, "eve to be seen")
        await line.close()
        await leave_all([ana])


async def test_a_viewer_leaves_no_text_of_their_own_choice_by_being_refused(home: Path) -> None:
    async with server_in_process(home, listen=LISTEN) as house:
        secret, _ = await token(house.server.room, "eve", "viewer")
        ana = await Console(user="ana").join(house.socket)
        stream = await ana.declare()
        eve = await Console().join(f"ws://{house.ready.listen}", token=secret)
        event, packet = eve.author.write(stream, eve.you, NoteAdded(text="x"), ())
        head = {**msgspec.json.decode(packet.head), "type": "restart db1 now"}
        scribble = Packet(msgspec.json.encode(head), packet.body)
        await eve.push(scribble, packet)
        await eve.settled(event.id)
        assert len(eve.refused) == 2
        await ana.note(stream, "behind both")
        events = house.server.room.incidents[stream].events.values()
        assert [e.head.type for e in events if e.refused] == ["note.added"]
        await leave_all([ana, eve])


async def test_proofs_that_never_end_are_cut_before_they_fill_the_memory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "MAX_VOUCHED", 100)
    async with server_in_process(home) as house:
        for size in (0, 20):
            console = await Console(user="eve").join(house.socket)
            ids = b64encode(bytes(32 * size)).decode()
            for _ in range(100 if size == 0 else 4):
                await console.say(Vouch(new_stream(secrets.token_bytes), "log", "server", 1, ids))
            await console.note(new_stream(secrets.token_bytes), "still taken")
            await console.say(Vouch(new_stream(secrets.token_bytes), "log", "server", 1, ids))
            assert await console.ended() == (Close.BAD_MESSAGE, "a proof out of order")
            await console.leave()


async def test_nothing_counts_that_is_said_behind_the_revocation_of_a_token(home: Path) -> None:
    async with server_in_process(home, listen=LISTEN) as house:
        room = house.server.room
        secret, id_ = await token(room, "eve", "responder")
        eve = await Console().join(f"ws://{house.ready.listen}", token=secret)
        stream = await eve.declare()
        written = [eve.author.write(stream, eve.you, NoteAdded(text=f"{n}"), ()) for n in range(50)]
        await room.write(ROOM, TokenRevoked(name="eve"), (id_,))
        for _, packet in written:
            # Past the library, which would not send once it has read the goodbye.
            frame = encode(Push([raw_pair(packet)]))
            eve.ws.protocol.send_text(frame)
            eve.ws.transport.write(b"".join(eve.ws.protocol.data_to_send()))
        code, _ = await eve.ended()
        assert code == Close.UNKNOWN_TOKEN
        events = room.incidents[stream].events.values()
        assert not any(isinstance(event.body, NoteAdded) for event in events)
        await eve.leave()


async def test_a_line_of_nothing_but_pings_is_cut_and_pings_between_words_are_answered(
    home: Path,
) -> None:
    ping, pong = b"\x89\x80\0\0\0\0", b"\x8a\x80\0\0\0\0"
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        ana.ws.transport.write(ping * 300 + pong * 300)
        await ana.note(new_stream(secrets.token_bytes), "behind them")
        assert ana.closed is None
        eve = await Console(user="eve").join(house.socket)
        session = next(s for s in house.server.hub.sessions if s.who.name.startswith("eve"))
        assert isinstance(session.ws, Connection)
        before = session.ws.received
        eve.ws.transport.write(pong * 100_000)
        assert (await eve.ended())[0] == 1006
        assert session.ws.received - before < 6 * 100_000, "it was not even read to its end"
        await leave_all([ana, eve])


async def test_nothing_more_is_written_to_a_line_that_broke(home: Path) -> None:
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        (session,) = house.server.hub.sessions
        await wait_for(session.is_idle, "all to be sent")
        session.transport.abort()
        assert not session.is_idle(), "the protocol has not heard of it yet"
        await ana.leave()
