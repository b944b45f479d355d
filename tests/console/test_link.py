"""The link: connecting, hearing, coming back, and stopping for good."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, unix_serve

from tests.console.ears import Ears
from tests.console.fake_room import fake_room
from tests.waiting import wait_for
from warroom_console import dial, pulse
from warroom_console.dial import DialError, check_owner, why_not
from warroom_console.link import Link
from warroom_console.places import Server, parse_server
from warroom_incident.sync.wire import (
    SEEN_EVERY,
    Close,
    Person,
    Presence,
    Welcome,
    encode,
)


@asynccontextmanager
async def linked(ears: Ears, *urls: str, token: str | None = None) -> AsyncIterator[Link]:
    link = Link([parse_server(url) for url in urls], ears, token=token, jitter=lambda: 1.0)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_it_is_live_after_the_welcome_and_measures_the_round_trip(tmp_path: Path) -> None:
    ears = Ears()
    async with fake_room(tmp_path) as room, linked(ears, room.url) as link:
        await wait_for(lambda: link.state.rtt_ms is not None)
        assert link.live
        assert link.state.server == room.url
        assert link.state.heard_at is not None
        assert isinstance(ears.messages[0], Welcome)


async def test_the_next_server_is_tried_when_the_first_is_dead(tmp_path: Path) -> None:
    dead = f"unix://{tmp_path}/dead"
    async with fake_room(tmp_path) as room, linked(Ears(), dead, room.url) as link:
        await wait_for(lambda: link.live)
        assert link.state.server == room.url


async def test_it_comes_back_by_itself_when_the_server_does(tmp_path: Path) -> None:
    ears = Ears()
    async with fake_room(tmp_path) as room, linked(ears, room.url) as link:
        await wait_for(lambda: link.live)
        await room.stop()
        await wait_for(lambda: link.state.phase == "retrying")
        assert link.state.rtt_ms is None
        await room.start()
        await wait_for(lambda: link.live)
    assert "stopped" not in ears.phases()


@pytest.mark.parametrize("code", [code for code in Close if code.final])
async def test_a_final_code_stops_it_for_good(code: Close, tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        room.farewell = (code, "because\x1b[31m")
        link = Link([parse_server(room.url)], Ears())
        await asyncio.wait_for(link.run(), 10)
        assert link.state.phase == "stopped"
        assert link.state.reason.endswith(".")
        assert "\x1b" not in link.state.reason
        assert room.greeted == 1


@pytest.mark.parametrize("code", [Close.BUSY, Close.STALLED, 3000])
async def test_welcome_and_farewell_in_a_circle_slow_down(code: int, tmp_path: Path) -> None:
    ears = Ears()
    async with fake_room(tmp_path) as room:
        room.farewell = (code, "go away")
        link = Link([parse_server(room.url)], ears, wall=lambda: 0, jitter=lambda: 1.0)
        task = asyncio.create_task(link.run())

        def waits() -> list[int]:
            link.retry_now()
            return [s.next_try_at for s in ears.states if s.next_try_at is not None]

        await wait_for(lambda: len(waits()) >= 7)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    delays = list(dict.fromkeys(waits()))
    assert delays == [200, 400, 800, 1600, 3200, 5000]


async def test_a_changed_log_is_told_and_read_again(tmp_path: Path) -> None:
    ears = Ears()
    async with fake_room(tmp_path) as room, linked(ears, room.url):
        room.farewell = (Close.LOG_CHANGED, "")
        await wait_for(lambda: ears.changed_logs == 2)
        assert room.greeted >= 2


async def test_the_listener_may_stop_it(tmp_path: Path) -> None:
    ears = Ears()
    ears.stop_at_welcome = "This is another room."
    async with fake_room(tmp_path) as room:
        link = Link([parse_server(room.url)], ears)
        await asyncio.wait_for(link.run(), 10)
        assert link.state.phase == "stopped"
        assert link.state.reason == "This is another room."


async def test_the_token_travels_in_a_header_only(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, linked(Ears(), room.url, token="wr_secret") as link:
        await wait_for(lambda: link.live)
        assert room.headers == ["Bearer wr_secret"]
        assert "wr_secret" not in repr(link.state)


async def test_credit_is_given_back_while_a_backlog_arrives(tmp_path: Path) -> None:
    people = Presence([Person(f"person {number}" + "x" * 60) for number in range(300)])
    size = len(encode(people))
    async with fake_room(tmp_path) as room, linked(Ears(), room.url):
        await wait_for(lambda: room.seats)
        for _ in range(SEEN_EVERY // size + 2):
            await room.say_to_all(people)
        await wait_for(lambda: room.seats[0].end.bytes_seen == room.seats[0].end.bytes_sent)


@pytest.mark.parametrize(
    "frame",
    [b"", b"garbage", b"\xff\xfe", b"[" * 10_000, b'{"t":"events"}', b'{"t":"welcome","v":1}'],
)
async def test_garbage_from_a_server_is_a_reason_and_no_crash(frame: bytes, tmp_path: Path) -> None:
    async def speak(ws: ServerConnection) -> None:
        await ws.recv()
        await ws.send(frame)
        await ws.wait_closed()

    path = tmp_path / "socket"
    async with await unix_serve(speak, str(path)), linked(Ears(), f"unix://{path}") as link:
        await wait_for(lambda: link.state.phase == "retrying")
        assert link.state.reason


async def test_what_speaks_no_websocket_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x1b]52;c;aGk=\x07 what?\r\n\r\n")
        writer.close()

    path = tmp_path / "socket"
    server = await asyncio.start_unix_server(speak, str(path))
    async with server, linked(Ears(), f"unix://{path}") as link:
        await wait_for(lambda: link.state.phase == "retrying")
        assert "\x1b" not in link.state.reason


async def test_a_socket_of_a_stranger_is_not_spoken_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "peer_uid", lambda _sock: 4242)
    async with fake_room(tmp_path) as room, linked(Ears(), room.url, token="wr_x") as link:
        await wait_for(lambda: link.state.phase == "retrying")
        assert "4242" in link.state.reason
        assert room.headers == []


def test_root_ourselves_and_the_owner_of_a_socket_may_serve_it(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    path.touch()
    server = Server(f"unix://{path}", "unix", path)
    for uid in (0, path.stat().st_uid):
        check_owner(uid, server)
    with pytest.raises(DialError, match="4242"):
        check_owner(4242, server)


def test_the_owner_of_a_socket_counts_for_nothing_where_anybody_may_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "socket"
    path.touch()
    stranger = os.getuid() or 4242
    if stranger == 4242:
        os.chown(path, stranger, stranger)
    monkeypatch.setattr(os, "getuid", lambda: 4343)
    server = Server(f"unix://{path}", "unix", path)
    monkeypatch.setattr(dial, "is_anybodys", lambda _path: False)
    check_owner(stranger, server)
    monkeypatch.setattr(dial, "is_anybodys", lambda _path: True)
    with pytest.raises(DialError, match="anybody could"):
        check_owner(stranger, server)


async def test_a_copied_replica_takes_a_new_name_and_comes_back(tmp_path: Path) -> None:
    ears = Ears()
    async with fake_room(tmp_path) as room:
        room.farewell = (Close.REPLICA_CLASH, "this replica was copied")
        async with linked(ears, room.url) as link:
            await wait_for(lambda: ears.clashes)
            room.farewell = None
            await wait_for(lambda: link.live)
    assert "stopped" not in ears.phases()


# Moving -------------------------------------------------------------------------------------


def two_rooms(root: Path) -> tuple[Path, Path]:
    """Directories for two servers."""
    paths = (root / "one", root / "two")
    for path in paths:
        path.mkdir()
    return paths


async def test_it_goes_where_it_learned_that_the_room_is_kept_and_stays_there(
    tmp_path: Path,
) -> None:
    one, two = two_rooms(tmp_path)
    async with fake_room(one) as first, fake_room(two) as second, linked(Ears(), first.url) as link:
        await wait_for(lambda: link.live)
        link.learn(["no address", f"unix://{tmp_path}/dead", second.url])
        await first.stop()
        await wait_for(lambda: link.live and link.state.server == second.url)
        await first.start()
        greeted = first.greeted
        for seat in tuple(second.seats):
            await seat.ws.close(Close.RESTART)
        await wait_for(lambda: link.live and second.greeted > 1)
        assert first.greeted == greeted, "nobody moves back by itself"


async def test_it_moves_at_once_when_told_to(tmp_path: Path) -> None:
    one, two = two_rooms(tmp_path)
    async with fake_room(one) as first, fake_room(two) as second, linked(Ears(), first.url) as link:
        await wait_for(lambda: link.live)
        link.move(parse_server(second.url))
        await wait_for(lambda: link.live and link.state.server == second.url)
        await first.stop()
        assert link.live


async def test_a_server_that_was_named_by_hand_stays_among_those_that_are_tried(
    tmp_path: Path,
) -> None:
    one, two = two_rooms(tmp_path)
    async with fake_room(one) as first, linked(Ears(), first.url) as link:
        await wait_for(lambda: link.live)
        link.move(parse_server(f"unix://{two}/socket"))
        await wait_for(lambda: link.live and first.greeted == 2)
        await first.stop()
        async with fake_room(two) as second:
            await wait_for(lambda: link.live and link.state.server == second.url)
        await first.start()


async def test_it_comes_back_from_a_move_to_nowhere(tmp_path: Path) -> None:
    ears = Ears()
    async with fake_room(tmp_path) as room, linked(ears, room.url) as link:
        await wait_for(lambda: link.live)
        link.move(parse_server(f"unix://{tmp_path}/dead"))
        await wait_for(lambda: room.greeted == 2 and link.live)
        assert any("dead" in state.server for state in ears.states)


@pytest.mark.parametrize("code", [Close.UNKNOWN_TOKEN, Close.FORBIDDEN, Close.BUSY])
async def test_a_learned_server_that_lets_nobody_in_is_passed_over(
    code: Close, tmp_path: Path
) -> None:
    one, two = two_rooms(tmp_path)
    async with fake_room(one) as first, fake_room(two) as second, linked(Ears(), first.url) as link:
        await wait_for(lambda: link.live)
        second.farewell = (code, "not you")
        link.learn([second.url])
        await first.stop()
        await wait_for(lambda: second.greeted)
        await first.start()
        await wait_for(lambda: link.live and link.state.server == first.url)


async def test_it_stops_when_the_only_server_that_worked_lets_nobody_in_any_more(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room, linked(Ears(), room.url) as link:
        await wait_for(lambda: link.live)
        link.learn([f"unix://{tmp_path}/dead"])
        room.farewell = (Close.UNKNOWN_TOKEN, "revoked")
        await room.stop()
        await room.start()
        await wait_for(lambda: link.state.phase == "stopped")
        assert "revoked" in link.state.reason


# Silence ------------------------------------------------------------------------------------


@pytest.fixture
def quick_pulse(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("PULSE_EVERY", "QUIET_AFTER", "SEEN_AT_LEAST_EVERY"):
        monkeypatch.setattr(pulse, name, 0.02)
    return monkeypatch


async def test_a_hung_server_is_called_quiet_until_it_answers_again(
    tmp_path: Path, quick_pulse: pytest.MonkeyPatch
) -> None:
    async with fake_room(tmp_path) as room, linked(Ears(), room.url) as link:
        await wait_for(lambda: link.state.rtt_ms is not None)
        room.seats[0].ws.transport.pause_reading()
        quiet = await wait_for(lambda: link.state.quiet_since)
        assert link.live
        assert link.state.rtt_ms is None
        assert quiet == link.state.heard_at
        room.seats[0].ws.transport.resume_reading()
        await wait_for(lambda: link.state.rtt_ms is not None)
        assert link.live


async def test_a_hung_server_is_given_up_and_tried_again(
    tmp_path: Path, quick_pulse: pytest.MonkeyPatch
) -> None:
    ears = Ears()
    async with fake_room(tmp_path) as room, linked(ears, room.url) as link:
        await wait_for(lambda: link.state.rtt_ms is not None)
        quick_pulse.setattr(pulse, "DROP_AFTER", 0.1)
        room.seats[0].ws.transport.pause_reading()
        await wait_for(lambda: "retrying" in ears.phases())
        state = next(state for state in ears.states if state.phase == "retrying")
        assert state.reason == f"{room.url} does not answer any more"
        assert state.quiet_since is None
        await wait_for(lambda: room.greeted >= 2)


async def test_what_arrives_is_a_sign_of_life_while_a_pong_is_owed(
    tmp_path: Path, quick_pulse: pytest.MonkeyPatch
) -> None:
    async with fake_room(tmp_path) as room, linked(Ears(), room.url) as link:
        await wait_for(lambda: link.state.rtt_ms is not None)
        quick_pulse.setattr(pulse, "PULSE_EVERY", 60.0)
        room.seats[0].ws.transport.pause_reading()
        await wait_for(lambda: link.state.quiet_since)
        await room.say_to_all(Presence([]))
        await wait_for(lambda: link.state.quiet_since is None)
        assert link.live


async def test_why_nobody_answers_is_said_in_the_systems_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="onnect") as refused:
            await asyncio.open_connection("127.0.0.1", port)
    assert why_not(refused.value) == "connection refused"
    assert why_not(OSError("Multiple exceptions: [Errno 111] x")) == "none of its addresses answers"
    assert why_not(FileNotFoundError(2, "No such file or directory")) == "no such file or directory"
    assert why_not(DialError("it is served by\x1b[2J nobody")) == "it is served by␛[2J nobody"
