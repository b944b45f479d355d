"""Lines are cut, histories differ, ends lie: nothing is lost and nothing goes unnoticed."""

from collections import deque
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.incident.making import OTHER_STREAM, STREAM, Writer
from tests.incident.talking import HELLO, WELCOME, Console, Server, complete, join
from warroom_incident.event import Packet
from warroom_incident.log import Stretch
from warroom_incident.log_copy import copy_log
from warroom_incident.sync.client_end import Batch, ClientEnd
from warroom_incident.sync.server_end import RECENT, ServerEnd, events_frame
from warroom_incident.sync.wire import (
    CREDIT,
    FRAME_TARGET,
    PROTOCOL,
    Close,
    Events,
    Here,
    Presence,
    ProtocolError,
    Push,
    Seen,
    Subscribe,
    Summaries,
    Synced,
    encode,
    raw_pair,
    read_from_server,
)

# Cuts --------------------------------------------------------------------------------------


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=st.integers(0, 500),
    cuts=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 300)), max_size=6),
    random=st.randoms(use_true_random=False),
)
def test_a_line_cut_at_any_frame_resumes_with_no_gap_and_no_loss(
    tmp_path_factory: pytest.TempPathFactory,
    first: int,
    cuts: list[tuple[int, int]],
    random: Random,
) -> None:
    server = Server(tmp_path_factory.mktemp("sync") / "warroom.db")
    server.fill(first)
    console = Console()
    for frames, more in cuts:
        _connect_for(server, console, frames, random)
        server.fill(more)
    join(server, console)
    complete(server, console)
    assert server.largest_debt < CREDIT + server.largest_frame
    server.log.close()


def _connect_for(server: Server, console: Console, frames: int, random: Random) -> None:
    """Exchange over a line on which frames wait at random, and cut it after so many."""
    end, answer = server.accept(console.connect().hello(console.streams))
    line = deque(answer)
    back: deque[bytes] = deque()
    while frames > 0:
        frames -= 1
        match random.choice(["send", "send", "read", "read", "tell", "new"]):
            case "send":
                if (frame := server.next_frame(end)) is not None:
                    line.append(frame)
            case "read":
                if line:
                    console.receive(line.popleft())
                    if (told := console.end.seen(now=random.random() < 0.3)) is not None:
                        back.append(told)
            case "tell":
                if back:
                    end.receive(back.popleft())
            case _:
                server.fill(random.randint(1, 3))


def test_a_console_that_comes_back_is_sent_only_what_it_lacks(server: Server) -> None:
    server.fill(50)
    console = Console()
    join(server, console)
    server.fill(7)
    console.batches.clear()
    join(server, console)
    assert [a.iseq for b in console.batches for a in b.arrivals] == list(range(51, 58))
    assert console.parts() == ["live"]
    complete(server, console)


def test_a_console_far_behind_gets_the_newest_before_the_rest(server: Server) -> None:
    server.fill(50)
    console = Console()
    join(server, console)
    server.fill(RECENT + 100)
    console.batches.clear()
    join(server, console)
    arrived = [a.iseq for b in console.batches if b.part != "present" for a in b.arrivals]
    assert arrived[0] == 151
    assert sorted(arrived) == list(range(51, 51 + RECENT + 100))
    present = [a.iseq for b in console.batches if b.part == "present" for a in b.arrivals]
    assert all(iseq > 50 for iseq in present), "what it has it is not sent again"
    complete(server, console)


def test_frames_that_arrive_twice_change_nothing(server: Server) -> None:
    server.fill(RECENT + 20)
    console = Console()
    end, (welcome,) = server.accept(console.connect().hello([STREAM]))
    console.receive(welcome)
    while (frame := server.next_frame(end)) is not None:
        console.receive(frame)
        if not isinstance(read_from_server(frame), Synced):
            console.end.receive(frame)
            console.end.bytes_read -= len(frame)
        if (told := console.end.seen(now=True)) is not None:
            end.receive(told)
    complete(server, console)


# Other histories ---------------------------------------------------------------------------


def test_another_log_is_read_from_its_beginning(server: Server, home: Path) -> None:
    server.fill(10)
    console = Console()
    join(server, console)
    other = Server(home / "other.db", "log-2")
    other.fill(4)
    console.events[STREAM].clear()
    console.cursors[STREAM] = msgspec.structs.replace(console.cursors[STREAM], log="log-1")
    join(other, console)
    assert console.cursors[STREAM].log == "log-2"
    complete(other, console)
    other.log.close()


@pytest.mark.parametrize("more", [0, 3, 10, 40, RECENT + 60])
def test_a_server_that_was_rewound_is_noticed(server: Server, home: Path, more: int) -> None:
    server.fill(7)
    copy = home / "yesterday.db"
    copy_log(home / "warroom.db", copy)
    server.fill(8)
    console = Console()
    join(server, console)
    kept = dict(console.cursors)
    rewound = Server(copy)
    rewound.writer = Writer("other", seed=5)
    rewound.fill(more)
    with pytest.raises(ProtocolError) as caught:
        join(rewound, console)
    assert caught.value.code is Close.LOG_CHANGED
    assert not caught.value.code.final
    assert console.cursors == kept
    rewound.log.close()


@pytest.mark.parametrize("chains", [True, False])
def test_a_rewritten_past_is_noticed_though_the_newest_came_first(
    server: Server, chains: bool
) -> None:
    server.fill(RECENT + 30)
    console = Console()
    end, (welcome,) = server.accept(console.connect().hello([STREAM]))
    console.receive(welcome)
    frames = []
    while (frame := server.next_frame(end)) is not None:
        end.bytes_seen = end.bytes_sent
        message = read_from_server(frame)
        if isinstance(message, Events) and message.part == "history":
            frames.append(_forged(message, chains=chains))
        else:
            console.end.receive(frame)
    assert frames
    with pytest.raises(ProtocolError, match="another one") as caught:
        list(map(console.end.receive, frames))
    assert caught.value.code is Close.LOG_CHANGED


def _forged(message: Events, *, chains: bool) -> bytes:
    """The frame with another first event; without its chain it must be caught by the next one."""
    packet = Writer("eve", seed=8).notes(1)[0].packet
    changed = msgspec.structs.replace(message, events=[raw_pair(packet), *message.events[1:]])
    return encode(changed if chains else msgspec.structs.replace(changed, chain=""))


# Broken protocol ---------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [b"", b"garbage", b"{}", b'{"t":"seen"}', b"[" * 9999])
def test_garbage_ends_a_connection_with_a_code(frame: bytes) -> None:
    console = ClientEnd(HELLO, [], None)
    for receive in (ServerEnd().receive, console.receive):
        with pytest.raises(ProtocolError) as caught:
            receive(frame)
        assert caught.value.code is Close.BAD_MESSAGE


@pytest.mark.parametrize("message", [Push([]), Seen(0), Here(), Subscribe()])
def test_a_message_before_hello_is_refused(message: object) -> None:
    with pytest.raises(ProtocolError, match="first message must be hello"):
        ServerEnd().receive(msgspec.json.encode(message))


def test_a_second_hello_and_an_old_protocol_are_refused() -> None:
    end = ServerEnd()
    end.receive(encode(HELLO))
    with pytest.raises(ProtocolError, match="second hello"):
        end.receive(encode(HELLO))
    with pytest.raises(ProtocolError, match="speaks protocol") as caught:
        ServerEnd().receive(encode(msgspec.structs.replace(HELLO, v=PROTOCOL + 1)))
    assert caught.value.code is Close.OLD_PROTOCOL


def test_a_server_that_does_not_begin_with_welcome_is_refused() -> None:
    for message in (Presence([]), Summaries([]), Events(STREAM, "live", [], [], [], 0)):
        with pytest.raises(ProtocolError, match="welcome"):
            ClientEnd(HELLO, [], None).receive(encode(message))
    end = ClientEnd(HELLO, [], None)
    end.receive(encode(WELCOME))
    with pytest.raises(ProtocolError, match="welcome"):
        end.receive(encode(WELCOME))


def test_a_server_of_another_protocol_is_refused() -> None:
    with pytest.raises(ProtocolError, match="speaks protocol") as caught:
        ClientEnd(HELLO, [], None).receive(encode(msgspec.structs.replace(WELCOME, v=9)))
    assert caught.value.code is Close.OLD_PROTOCOL


def _live(server: Server) -> Events:
    server.fill(2)
    frame = events_frame(STREAM, "live", server.log.stretch(STREAM, 0, 2, FRAME_TARGET), 2)
    message = read_from_server(frame)
    assert isinstance(message, Events)
    return message


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"iseqs": [1]}, "do not match"),
        ({"admitted": [1, 2, 3]}, "do not match"),
        ({"events": [(msgspec.Raw(b"{}"), msgspec.Raw(b"{}"))] * 2}, "damaged event"),
        ({"stream": OTHER_STREAM}, "another stream"),
        ({"chain": "00" * 32}, "another one"),
    ],
)
def test_events_that_do_not_add_up_are_refused(
    server: Server, change: dict[str, object], sentence: str
) -> None:
    console = Console()
    console.end.hello([STREAM])
    console.end.receive(encode(WELCOME))
    frame = encode(msgspec.structs.replace(_live(server), **change))
    with pytest.raises(ProtocolError, match=sentence):
        console.end.receive(frame)
    assert console.end.readings[STREAM].iseq in (0, 2)


def test_events_of_a_stream_that_was_left_are_handed_on_and_counted_nowhere(
    server: Server,
) -> None:
    end = ClientEnd(HELLO, [], None)
    end.receive(encode(WELCOME))
    batch = end.receive(encode(_live(server)))
    assert isinstance(batch, Batch)
    assert len(batch.arrivals) == 2
    end.receive(encode(Synced(STREAM, 2)))
    assert end.readings == {}
    assert end.cursors() == []


def test_a_withheld_event_keeps_its_place_in_the_chain(server: Server) -> None:
    message = _live(server)
    pair = (message.events[0][0], msgspec.Raw(b"null"))
    changed = msgspec.structs.replace(
        message, events=[pair, message.events[1]], withheld={"0": "a password"}
    )
    console = Console()
    console.end.hello([STREAM])
    console.end.receive(encode(WELCOME))
    console.receive(encode(changed))
    assert console.events[STREAM][1].event.withheld == "a password"
    assert console.cursors[STREAM].iseq == 2


def test_a_withheld_row_is_sent_as_null_with_its_reason(server: Server) -> None:
    server.fill(2)
    stretch = server.log.stretch(STREAM, 0, 2, FRAME_TARGET)
    row = stretch.rows[1]
    for reason in ("a password", None):
        gone = row._replace(packet=Packet(row.packet.head, None, reason))
        frame = events_frame(STREAM, "live", Stretch([stretch.rows[0], gone]), 2)
        message = read_from_server(frame)
        assert isinstance(message, Events)
        assert message.withheld == {"1": reason or "withheld"}
