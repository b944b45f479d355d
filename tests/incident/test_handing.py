"""What a console hands on is answered in few words, and is not sent back to it."""

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from tests.incident.making import NOW, OTHER_STREAM, STREAM, Writer
from tests.incident.talking import HELLO, WELCOME, Console, Server, join, rest
from warroom_incident.event import Event, Packet, is_whole, read_packet, void_of
from warroom_incident.seal import void_entry
from warroom_incident.sync.client_end import UNEVEN, Arrival, ClientEnd, Handed
from warroom_incident.sync.handing import RELAY_BYTES, RELAY_EVENTS, Handing
from warroom_incident.sync.server_end import Feed, Read
from warroom_incident.sync.wire import (
    MAX_FRAME,
    Ack,
    Close,
    Events,
    Follow,
    Order,
    ProtocolError,
    Refused as NotTaken,
    Relay,
    Subscribe,
    Taken,
    encode,
    packets,
    raw_pair,
    read_from_console,
)
from warroom_incident.vocabulary import NoteAdded


def handings(writer: Writer, count: int, text: str = "x") -> list[Handing]:
    """Events to hand on."""
    events = [writer.write(NoteAdded(text=f"{text}{n}")) for n in range(count)]
    return [Handing(e.id, NOW, writer.packets[e.id]) for e in events]


# The ends ----------------------------------------------------------------------------------


def test_relays_are_counted_and_cut_to_size() -> None:
    console = Console()
    small, large = handings(Writer(), RELAY_EVENTS + 1), handings(Writer(), 20, "y" * 11_000)
    frames = list(console.end.relaying.frames(STREAM, [*small, *large]))
    relays = [read_relay(frame) for frame in frames]
    assert [relay.number for relay in relays] == list(range(1, len(frames) + 1))
    assert all(len(frame) < MAX_FRAME for frame in frames)
    sizes = [sum(len(p.head) + len(p.body or b"") for p in packets(r.events)) for r in relays]
    assert all(size <= RELAY_BYTES for size in sizes)
    carried = [packet for relay in relays for packet in packets(relay.events)]
    assert carried == [one.packet for one in (*small, *large)]
    again = list(console.end.relaying.frames(STREAM, small[:1]))
    assert read_relay(again[0]).number == len(frames) + 1


def read_relay(frame: bytes) -> Relay:
    """A relay, as a server reads it."""
    message = read_from_console(frame)
    assert isinstance(message, Relay)
    return message


def test_what_was_taken_counts_as_read_and_the_next_events_go_on_behind_it(server: Server) -> None:
    server.fill(2)
    console = Console()
    end = join(server, console)
    writer = Writer("zoe", seed=3)
    given_ = handings(writer, 3)
    (frame,) = console.end.relaying.frames(STREAM, given_)
    number = read_relay(frame).number
    server.log.append(writer.entries([read_packet(one.packet) for one in given_]), NOW)
    end.brought(STREAM, 3, 5)
    server.add("behind it")
    chain = server.log.chain_at(STREAM, 5)
    assert chain is not None
    taken = Taken(STREAM, number, 3, 6, chain.hex())
    found = console.end.receive(end.message(taken))
    assert found == Handed(STREAM, 3, [one.id for one in given_])
    for place, one in enumerate(given_, 3):  # they lie here, and come no more
        console.events[STREAM][place] = Arrival(place, read_packet(one.packet), one.packet, one.id)
    sent = len(console.batches)
    rest(server, console, end)
    assert [a.iseq for b in console.batches[sent:] for a in b.arrivals] == [6]
    cursor = console.end.cursors()[0]
    assert (cursor.iseq, bytes.fromhex(cursor.chain)) == server.log.end(STREAM)[:2]


def test_a_chain_over_what_was_taken_that_is_another_one_ends_the_connection(
    server: Server,
) -> None:
    console = Console()
    end = join(server, console)
    list(console.end.relaying.frames(STREAM, handings(Writer(), 2)))
    with pytest.raises(ProtocolError) as caught:
        console.end.receive(end.message(Taken(STREAM, 1, 1, 2, "ab" * 32)))
    assert caught.value.code is Close.LOG_CHANGED


@pytest.mark.parametrize(
    "taken", [Taken(STREAM, 2, 1, 2), Taken(OTHER_STREAM, 1, 1, 2), Taken(STREAM, 0, 1, 2)]
)
def test_nothing_can_be_taken_that_was_not_handed_on(server: Server, taken: Taken) -> None:
    console = Console()
    join(server, console)
    list(console.end.relaying.frames(STREAM, handings(Writer(), 2)))
    with pytest.raises(ProtocolError, match="not handed on"):
        console.end.receive(encode(taken))


def test_a_relay_is_answered_for_once(server: Server) -> None:
    console = Console()
    join(server, console)
    list(console.end.relaying.frames(STREAM, handings(Writer(), 2)))
    console.end.receive(encode(Taken(STREAM, 1, 1, 2)))
    with pytest.raises(ProtocolError, match="not handed on"):
        console.end.receive(encode(Taken(STREAM, 1, 1, 2)))


@given(
    st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=12),
    st.lists(st.integers(1, 7), max_size=12),
)
def test_everything_but_what_was_brought_is_sent_once_and_in_order(
    stretches: list[tuple[int, bool]], reads: list[int]
) -> None:
    """Stretches come from this console or from others; it is read a few places at a time."""
    feed = Feed(STREAM)
    steps = iter(reads)
    others: list[int] = []
    sent: list[int] = []
    top = 0

    def read(most: int) -> bool:
        found = feed.next(top)
        if found is None:
            return False
        assert isinstance(found, Read)
        last = min(found.upto, found.after + most)
        assert feed.follows(found)
        sent.extend(range(found.after + 1, last + 1))
        feed.sent(found, last)
        return True

    for length, mine in stretches:
        first, top = top + 1, top + length
        if mine:
            feed.brought.append((first, top))
            feed.go_on(feed.live)
        else:
            others.extend(range(first, top + 1))
        if (most := next(steps, 0)) > 0:
            read(most)
    while read(3):
        pass
    assert sent == others


# Bytes -------------------------------------------------------------------------------------


def test_the_bytes_of_an_event_are_whole_or_not() -> None:
    writer = Writer()
    event, other = (writer.write(NoteAdded(text=text)) for text in "xy")
    packet = writer.packets[event.id]
    assert is_whole(packet, event)
    assert not is_whole(packet._replace(head=packet.head + b" "), event)
    assert not is_whole(packet._replace(body=b"{}"), event)
    assert not is_whole(writer.packets[other.id], event)
    assert not is_whole(Packet(packet.head, None, "gone"), event)
    void: Event = read_packet(void_of(packet, "no"))
    assert is_whole(void_of(packet, "no"), void)
    assert not is_whole(packet, void)
    assert bytes.fromhex(void.entry) == void_entry(bytes.fromhex(event.id))


# Being cut off -----------------------------------------------------------------------------


def test_no_cursor_says_that_both_ends_are_even_before_all_was_taken(server: Server) -> None:
    writer = Writer("bo", seed=5)
    some = handings(writer, 3)
    server.log.append(writer.entries([read_packet(some[0].packet)]), NOW)
    console = Console()
    join(server, console)
    end, before = console.end, console.end.cursors()
    assert [cursor.stream for cursor in before] == [STREAM]
    end.relaying.comparing(STREAM)
    assert end.cursors() == [Follow(STREAM, UNEVEN)], "nobody knows yet what is lacking"
    end.relaying.owe(STREAM, [one.id for one in some])
    list(end.relaying.frames(STREAM, some[:1]))
    end.receive(encode(Ack([(some[1].id, STREAM, 2, NOW)])))
    end.receive(encode(NotTaken(some[2].id, "no")))
    assert end.cursors() == [Follow(STREAM, UNEVEN)]
    end.relaying.taken(1)
    assert end.cursors() == before


def test_a_stream_that_is_left_before_all_was_taken_is_compared_again(server: Server) -> None:
    server.add("one")
    console = Console()
    join(server, console)
    console.end.relaying.owe(STREAM, ["f" * 64])
    console.end.subscribe([], [STREAM])
    followed = read_from_console(console.end.subscribe([STREAM]))
    assert isinstance(followed, Subscribe)
    assert (followed.follow[0].log, followed.follow[0].iseq) == (UNEVEN, 0)


def test_events_that_pass_before_the_comparison_move_no_cursor(server: Server) -> None:
    server.add("one")
    console = Console()
    join(server, console)
    other = replace(HELLO, follow=[])
    holding = Holding(console.end.cursors()[0].chain)
    end = ClientEnd(other, [replace(console.end.cursors()[0], log="another")], None, holding)
    end.hello([STREAM])
    end.receive(encode(WELCOME))
    _, packet = Writer("bo", seed=5).author.write(STREAM, "bo", NoteAdded(text="now"))
    live = Events(STREAM, "live", [1], [NOW], [raw_pair(packet)], 1)
    end.receive(encode(live))
    assert end.cursors() == [Follow(STREAM, UNEVEN)]
    end.receive(encode(Order(STREAM, 1, "", 0)))
    assert end.cursors() == [Follow(STREAM, UNEVEN)], "what is held is lacking there"
    end.relaying.owe(STREAM, ())
    assert end.cursors()[0].log == WELCOME.log


class Holding:
    """A stream with one event."""

    def __init__(self, entry: str) -> None:
        self.entry = entry

    def set_digest(self, _stream: str) -> str:
        return self.entry

    def ids(self, _stream: str) -> list[str]:
        return [self.entry]
