"""A console joins, follows and leaves."""

import pytest

from tests.incident.making import NOW, OTHER_STREAM, STREAM, Writer, incident
from tests.incident.talking import HELLO, WELCOME, Console, Server, complete, join, rest
from warroom_incident.log import Stretch
from warroom_incident.sync.client_end import PUSH_BYTES, Batch, ClientEnd
from warroom_incident.sync.server_end import PRESENT_AT_ONCE, RECENT, Read, ServerEnd, events_frame
from warroom_incident.sync.wire import (
    FRAME_TARGET,
    MAX_FOLLOWS,
    MAX_FRAME,
    Ack,
    BoardCursor,
    Follow,
    Hello,
    Push,
    Records,
    Subscribe,
    Synced,
    encode,
)
from warroom_incident.vocabulary import DraftSaved, NoteAdded, SeveritySet, TitleSet

# Joining -----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, RECENT - 1, RECENT, RECENT + 1, 3 * RECENT])
def test_a_console_that_joins_receives_everything_once(server: Server, count: int) -> None:
    server.fill(count)
    console = Console()
    join(server, console)
    complete(server, console)
    reading = console.end.readings[STREAM]
    assert (reading.behind, reading.synced, reading.ahead, reading.claims) == (0, True, {}, {})


def test_the_present_comes_first_then_the_newest_then_the_past(server: Server) -> None:
    server.log.append(
        server.writer.entries(
            [
                server.writer.write(TitleSet(title="x")),
                server.writer.write(SeveritySet(severity="SEV1")),
            ]
        ),
        NOW,
    )
    server.fill(2 * RECENT)
    console = Console()
    join(server, console)
    parts = console.parts()
    assert parts == sorted(parts, key=("present", "live", "history").index)
    assert [a.iseq for a in console.batches[0].arrivals] == [1, 2]
    live = [a.iseq for b in console.batches if b.part == "live" for a in b.arrivals]
    assert live == list(range(RECENT + 3, 2 * RECENT + 3))
    complete(server, console)


def test_after_the_first_frame_the_registers_are_right(server: Server) -> None:
    writer, state = server.writer, incident()
    events = [writer.act(state, SeveritySet(severity="SEV3")) for _ in range(3)]
    events.append(writer.act(state, SeveritySet(severity="SEV1")))
    server.log.append(writer.entries(events), NOW)
    server.fill(RECENT)
    console = Console()
    end, (welcome,) = server.accept(console.connect().hello([STREAM]))
    console.receive(welcome)
    frame = server.next_frame(end)
    assert frame is not None
    console.receive(frame)
    part = incident([a.event for a in console.events[STREAM].values()])
    assert part.severity == "SEV1"
    assert console.end.readings[STREAM].behind == RECENT + 4


def test_a_present_state_of_large_drafts_comes_in_frames_that_fit(server: Server) -> None:
    writer = server.writer
    drafts = [writer.write(DraftSaved(draft=f"d{n}", text="x" * 20_000)) for n in range(30)]
    server.log.append(writer.entries(drafts), NOW)
    server.fill(RECENT)
    console = Console()
    join(server, console)
    assert server.largest_frame < MAX_FRAME / 4
    present = [a.iseq for b in console.batches if b.part == "present" for a in b.arrivals]
    assert present == list(range(1, 31))
    complete(server, console)


def test_a_present_state_of_many_small_events_comes_in_few_frames(server: Server) -> None:
    writer = server.writer
    many = [writer.write(DraftSaved(draft=f"d{n}", text="")) for n in range(3 * PRESENT_AT_ONCE)]
    server.log.append(writer.entries(many), NOW)
    server.fill(RECENT)
    console = Console()
    join(server, console)
    assert console.parts().count("present") <= 6
    complete(server, console)


def test_an_event_of_the_present_that_the_log_lost_holds_nothing_up(server: Server) -> None:
    server.fill(RECENT + 3)
    end, _ = server.accept(Console().connect().hello([]))
    server.follow(end, Follow(STREAM), present=[1, 2])
    read = end.next_read(server.tops)
    assert read is not None
    assert read.part == "present"
    assert end.events(read, Stretch([]), 0) is not None
    read = end.next_read(server.tops)
    assert read is not None
    assert read.part == "live"


def test_several_streams_are_received_beside_each_other(server: Server) -> None:
    server.fill(RECENT + 50)
    server.fill(RECENT + 70, OTHER_STREAM)
    console = Console(STREAM, OTHER_STREAM)
    join(server, console)
    complete(server, console)
    complete(server, console, OTHER_STREAM)
    order = [(b.part, b.stream) for b in console.batches]
    assert order.index(("live", OTHER_STREAM)) < order.index(("history", STREAM))


def test_a_stream_of_nothing_is_synced_at_once(server: Server) -> None:
    console = Console()
    join(server, console)
    assert console.synced == {STREAM: Synced(STREAM, 0, "0" * 64)}


# Live --------------------------------------------------------------------------------------


def test_live_events_pass_while_the_past_is_sent(server: Server) -> None:
    server.fill(4 * RECENT)
    console = Console()
    end, (welcome,) = server.accept(console.connect().hello([STREAM]))
    console.receive(welcome)
    shared = 0
    while True:
        frame = server.next_frame(end)
        if frame is None:
            if (told := console.end.seen(now=True)) is None:
                break
            end.receive(told)
            continue
        batch = console.receive(frame)
        if isinstance(batch, Batch) and batch.part == "history" and shared < 5:
            first = server.tops[STREAM] + 1
            server.add(f"live {shared}")
            stretch = server.log.stretch(STREAM, first - 1, first, FRAME_TARGET)
            live = events_frame(STREAM, "live", stretch, first)
            if end.pass_live(STREAM, first, first, len(live)):
                console.receive(live)
                shared += 1
    assert shared == 5
    parts = console.parts()
    assert parts.index("live", parts.index("history")) < len(parts) - 1
    complete(server, console)


def test_a_shared_frame_is_only_for_who_is_at_its_beginning(server: Server) -> None:
    server.fill(3)
    console = Console()
    end = join(server, console)
    sent = end.bytes_sent
    assert not end.pass_live(STREAM, 3, 3, 10)
    assert not end.pass_live(STREAM, 5, 5, 10)
    assert not end.pass_live(OTHER_STREAM, 1, 1, 10)
    assert end.bytes_sent == sent
    assert end.pass_live(STREAM, 4, 6, 10)
    assert end.bytes_sent == sent + 10
    assert end.pass_live(STREAM, 7, 7, 10)
    server.fill(RECENT)
    server.follow(end, Follow(STREAM), present=[1])
    place = end.feeds[STREAM].live
    assert not end.pass_live(STREAM, place, place, 10), "the present goes before"


def test_leaving_ends_a_stream_and_following_again_goes_on(server: Server) -> None:
    server.fill(5)
    server.fill(5, OTHER_STREAM)
    console = Console(STREAM, OTHER_STREAM)
    end = join(server, console)
    message = end.receive(console.end.subscribe([], [OTHER_STREAM]))
    assert isinstance(message, Subscribe)
    end.leave(OTHER_STREAM)
    server.fill(3, OTHER_STREAM)
    before = len(console.batches)
    rest(server, console, end)
    assert len(console.batches) == before
    message = end.receive(console.end.subscribe([OTHER_STREAM]))
    assert isinstance(message, Subscribe)
    assert message.follow == [console.cursors[OTHER_STREAM]]
    server.follow(end, message.follow[0])
    rest(server, console, end)
    assert [a.iseq for b in console.batches[before:] for a in b.arrivals] == [6, 7, 8]
    complete(server, console, OTHER_STREAM)


def test_a_hello_has_room_for_some_streams_and_the_others_follow_at_once() -> None:
    letters = str.maketrans("01", "ab")
    streams = [f"i-{n:016o}".translate(letters) for n in range(2 * MAX_FOLLOWS + 7)]
    end, server_end = ClientEnd(HELLO, [], None), ServerEnd()
    asked: list[str] = []
    for frame in (end.hello(streams), *end.more()):
        message = server_end.receive(frame)
        assert isinstance(message, Hello | Subscribe)
        assert len(message.follow) <= MAX_FOLLOWS
        asked += [follow.stream for follow in message.follow]
    assert asked == streams
    end.receive(encode(WELCOME))
    assert list(end.readings) == streams
    assert ClientEnd(HELLO, [], None).more() == []


def test_a_console_may_subscribe_before_it_is_welcome_and_leave_what_it_never_had() -> None:
    end = ClientEnd(HELLO, [], None)
    assert end.cursors() == []
    end.subscribe([STREAM], [OTHER_STREAM])
    assert end.readings == {}
    end.receive(encode(WELCOME))
    assert list(end.readings) == [STREAM]


def test_what_was_read_for_a_stream_left_meanwhile_is_not_sent(server: Server) -> None:
    server.fill(3 * RECENT)
    console = Console()
    end, _ = server.accept(console.connect().hello([STREAM]))
    for part in ("present", "live", "history"):
        server.follow(end, Follow(STREAM), present=[1, 2])
        reads = []
        while (read := end.next_read(server.tops)) is not None and read.part != part:
            end.events(read, server.read(read), 0)
            end.bytes_seen = end.bytes_sent
        assert read is not None
        reads.append((read, server.read(read)))
        end.leave(STREAM)
        assert end.events(*reads[0], 0) is None


def test_what_was_damaged_when_it_was_read_and_is_whole_now_is_read_again(server: Server) -> None:
    server.fill(3 * RECENT)
    console = Console()
    end, _ = server.accept(console.connect().hello([STREAM]))
    server.follow(end, Follow(STREAM), present=[1, 2])
    read = end.next_read(server.tops)
    assert read is not None
    assert read.iseqs == (1, 2)
    without = Stretch([row for row in server.read(read).rows if row.iseq != 1])
    end.again(STREAM, 1)
    assert end.events(read, without, 0) is None, "it was read without what is there now"
    read = end.next_read(server.tops)
    assert read is not None
    assert read.iseqs == (1, 2)
    assert end.events(read, server.read(read), 0) is not None
    after = end.next_read(server.tops)
    assert after is not None
    assert after.part == "live"


@pytest.mark.parametrize("part", ["present", "live", "history"])
def test_what_was_read_before_a_stream_was_followed_anew_skips_nothing(
    server: Server, part: str
) -> None:
    server.fill(3 * RECENT)
    console = Console()
    end, (welcome,) = server.accept(console.connect().hello([]))
    console.receive(welcome)
    console.end.subscribe([STREAM])
    server.follow(end, Follow(STREAM), present=[1, 2])
    stale: tuple[Read, Stretch] | None = None
    for _ in range(100):
        read = end.next_read(server.tops)
        assert read is not None
        stale = (read, server.read(read))
        if read.part == part and (part == "present" or read.after > 40):
            break
        frame = end.events(*stale, 0)
        assert frame is not None
        console.receive(frame)
        if (told := console.end.seen(now=True)) is not None:
            end.receive(told)
    assert stale is not None
    assert stale[0].part == part
    server.follow(end, Follow(STREAM), present=[2, 3])
    if (frame := end.events(*stale, server.tops[STREAM])) is not None:
        console.receive(frame)
    rest(server, console, end)
    complete(server, console)


# The rest ----------------------------------------------------------------------------------


def test_a_push_is_cut_into_frames_that_fit() -> None:
    writer = Writer()
    small = [writer.packets[writer.write(NoteAdded(text="x")).id] for _ in range(1100)]
    large = [writer.packets[writer.write(NoteAdded(text="x" * 12_000)).id] for _ in range(30)]
    end = ClientEnd(HELLO, [], None)
    assert end.push([]) == []
    frames = end.push(small + large)
    assert all(len(frame) < MAX_FRAME for frame in frames)
    assert len(frames) <= 2 * sum(map(len, frames)) / PUSH_BYTES, "they travel together"
    server = ServerEnd()
    server.receive(encode(HELLO))
    arrived: list[bytes] = []
    for frame in frames:
        message = server.receive(frame)
        assert isinstance(message, Push)
        assert 1 <= len(message.events) <= 500
        arrived.extend(bytes(head) for head, _ in message.events)
    assert arrived == [packet.head for packet in small + large]


def test_the_boards_cursor_follows_its_records_and_is_told_at_the_next_hello() -> None:
    console = Console()
    console.board = BoardCursor("b", 3)
    end = console.connect()
    hello = ServerEnd().receive(end.hello([STREAM]))
    assert isinstance(hello, Hello)
    assert hello.board == BoardCursor("b", 3)
    end.receive(encode(WELCOME))
    end.receive(encode(Records("b2", 9, [])))
    assert end.board == BoardCursor("b2", 9)


def test_what_needs_no_reading_is_handed_on() -> None:
    end = ClientEnd(HELLO, [], None)
    end.receive(encode(WELCOME))
    ack = Ack([("ab" * 32, STREAM, 1, NOW)])
    assert end.receive(encode(ack)) == ack
