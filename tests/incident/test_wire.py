"""Frames are read whole or refused with a code; what travels arrives."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.incident.making import NOW, STREAM, Writer, alert_record
from warroom_incident.alerts import AlertRecord
from warroom_incident.beats import Beat
from warroom_incident.changes import Change
from warroom_incident.door import MAX_EVENT_BYTES
from warroom_incident.episodes import Episode, RuleNoise
from warroom_incident.event import Packet
from warroom_incident.fields import Matcher
from warroom_incident.sync.wire import (
    MAX_FRAME,
    Ack,
    Answer,
    Ask,
    BoardCursor,
    Close,
    Events,
    Follow,
    Held,
    Hello,
    Here,
    Message,
    Person,
    Presence,
    ProtocolError,
    Push,
    Records,
    Refused,
    Seen,
    Subscribe,
    Summaries,
    Summary,
    Synced,
    Trouble,
    Welcome,
    encode,
    packets,
    raw_pair,
    read_from_console,
    read_from_server,
)
from warroom_incident.vocabulary import NoteAdded

REP = "a" * 16
HASH = "ab" * 32
FOLLOW = Follow(STREAM, "log-1", 7, HASH)

BEAT = Beat(source="am", name="Watchdog", last_seen=NOW, every=90_000, trouble="late")
CHANGE = Change(uid="c", service="web", kind="deploy", title="v7", at=NOW, by="ci")

FROM_CONSOLE: list[Message] = [
    Hello(1, "warroom 0.1", REP, "m1", "ana", [FOLLOW], BoardCursor("b", 3), True),
    Hello(1, "warroom 0.1", REP),
    Subscribe([FOLLOW], [STREAM]),
    Push([]),
    Seen(32_768),
    Here(STREAM, "n"),
    Held(STREAM, 7),
    Ask(3, "silence_preview", alertmanager="am1", matchers=[Matcher("team", "shop")]),
    Ask(4, "noise", days=7),
]

FROM_SERVER: list[Message] = [
    Welcome(1, "r", "log-1", "s", "m", NOW, "ana", "ana", "responder", "b"),
    Ack([(HASH, STREAM, 7, NOW)]),
    Refused(HASH, "you may only read"),
    Events(STREAM, "live", [], [], [], 0),
    Synced(STREAM, 7, HASH),
    Summaries([Summary(STREAM, "INC-1", "t", "SEV1", "started", linked=["a"])], True),
    Records("b", 4, [alert_record("a")]),
    Presence([Person("ana", STREAM, "n", NOW, 2)]),
    Trouble("The disk is full."),
    Held(STREAM, 7),
    Records("b", 5, [], [BEAT], [CHANGE]),
    Answer(3, "", 12, [Episode("a", "t", "SEV2", NOW, NOW + 5)], ["t"], [RuleNoise("s", "r", 3)]),
    Answer(4, "no such place"),
]


@pytest.mark.parametrize("message", FROM_CONSOLE, ids=lambda m: type(m).__name__)
def test_what_a_console_says_arrives(message: Message) -> None:
    assert read_from_console(encode(message)) == message


@pytest.mark.parametrize("message", FROM_SERVER, ids=lambda m: type(m).__name__)
def test_what_a_server_says_arrives(message: Message) -> None:
    assert read_from_server(encode(message)) == message


@pytest.mark.parametrize("message", FROM_CONSOLE, ids=lambda m: type(m).__name__)
def test_a_console_message_is_none_of_a_servers(message: Message) -> None:
    if not isinstance(message, Held):
        with pytest.raises(ProtocolError):
            read_from_server(encode(message))


@pytest.mark.parametrize("message", FROM_SERVER, ids=lambda m: type(m).__name__)
def test_a_server_message_is_none_of_a_consoles(message: Message) -> None:
    if not isinstance(message, Held | Records):
        with pytest.raises(ProtocolError):
            read_from_console(encode(message))


def test_a_field_of_a_newer_protocol_is_passed_over() -> None:
    assert read_from_console(b'{"t":"seen","bytes":5,"mood":"calm"}') == Seen(5)


GARBAGE = [
    b"",
    b"hello",
    b"null",
    b"[]",
    b"{}",
    b'{"t":"nonsense"}',
    b'{"t":7}',
    b'{"t":"seen"}',
    b'{"t":"seen","bytes":-1}',
    b'{"t":"seen","bytes":1' + b"0" * 30 + b"}",
    b'{"t":"seen","bytes":9007199254740993}',
    b'{"t":"seen","bytes":NaN}',
    b'{"t":"seen","bytes":1}x',
    b'{"t":"seen","bytes":1',
    b'{"t":"here","where":"\xff"}',
    b'{"t":"here","where":"' + b"x" * 65 + b'"}',
    b'{"t":"push","events":[[{"a":"\xff"},{}]]}',
    b'{"t":"push","events":[[{"a":NaN},{}]]}',
    b'{"t":"push","events":[[' + b"[" * 100_000 + b"]" * 100_000 + b",1]]}",
    b'{"t":"push","events":[[1]]}',
    b'{"t":"hello","v":1,"agent":"a","rep":"../../etc"}',
    b'{"t":"subscribe","follow":[{"stream":"passwd"}]}',
    b'{"t":"subscribe","follow":[{"stream":"board","iseq":9223372036854775808}]}',
    b'{"t":"subscribe","follow":[{"stream":"board","chain":"xyz"}]}',
    b'{"t":"subscribe","leave":["x"]}',
    b'{"t":"refused","id":"../../secret","reason":"x"}',
    b'{"t":"ack","receipts":[["../../secret","board",1,1]]}',
    b'{"t":"ack","receipts":[["' + HASH.encode() + b'","board",1,9223372036854775808]]}',
    b'{"t":"events","stream":"board","part":"now","iseqs":[],"admitted":[],"events":[],"top":0}',
    b'{"t":"synced","stream":"board","iseq":-1}',
]


@pytest.mark.parametrize("frame", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused_with_a_code(frame: bytes) -> None:
    for read in (read_from_console, read_from_server):
        with pytest.raises(ProtocolError) as caught:
            read(frame)
        assert caught.value.code is Close.BAD_MESSAGE
        assert caught.value.reason.startswith("bad message")


def test_more_events_in_a_push_than_allowed_are_refused() -> None:
    frame = b'{"t":"push","events":[' + b",".join([b"[{},{}]"] * 501) + b"]}"
    with pytest.raises(ProtocolError, match="bad message"):
        read_from_console(frame)


@given(st.one_of(st.binary(max_size=200), st.text().map(str.encode)))
def test_any_bytes_are_a_message_or_a_protocol_error(frame: bytes) -> None:
    for read in (read_from_console, read_from_server):
        with pytest.raises(ProtocolError):
            read(frame)


def _read_or_refused(read: Callable[[bytes], object], frame: bytes) -> object:
    try:
        return read(frame)
    except ProtocolError as error:
        return error


@given(st.sampled_from(FROM_CONSOLE + FROM_SERVER), st.data())
def test_a_spoiled_frame_is_a_message_or_a_protocol_error(
    message: Message, data: st.DataObject
) -> None:
    frame = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(frame[: data.draw(st.integers(0, len(frame)))])
    for read in (read_from_console, read_from_server):
        for spoiled in (bytes(frame), cut):
            found = _read_or_refused(read, spoiled)
            if isinstance(found, ProtocolError):
                assert len(found.reason.encode()) <= 120
            else:
                assert isinstance(found, Message)


@given(st.text(max_size=300))
def test_a_reason_fits_a_close_frame(reason: str) -> None:
    error = ProtocolError(Close.BAD_MESSAGE, reason)
    assert len(error.reason.encode()) <= 123
    assert reason.startswith(error.reason)


def test_a_hostile_word_in_a_message_leaves_a_reason_that_fits() -> None:
    with pytest.raises(ProtocolError) as caught:
        read_from_console(msgspec.json.encode({"t": "🔥" * 200}))
    assert len(caught.value.reason.encode()) <= 123


def test_events_travel_as_their_bytes_and_withheld_ones_with_their_reason() -> None:
    writer = Writer("größe")
    some = [writer.packets[writer.write(NoteAdded(text=t)).id] for t in ("a \x00", "b", "c")]
    gone = Packet(some[1].head, None, "a password")
    pairs = [raw_pair(packet) for packet in (some[0], gone, some[2])]
    frame = encode(Events(STREAM, "live", [1, 2, 3], [NOW] * 3, pairs, 3, withheld={"1": "why"}))
    message = read_from_server(frame)
    assert isinstance(message, Events)
    assert packets(message.events, message.withheld) == [
        some[0],
        Packet(gone.head, None, "why"),
        some[2],
    ]
    assert packets(message.events, {})[1].reason == "withheld"


def test_the_largest_event_fits_a_frame() -> None:
    assert MAX_EVENT_BYTES * 2 < MAX_FRAME


def test_the_codes_that_trying_again_cannot_help_are_final() -> None:
    assert {code.name for code in Close if code.final} == {
        "UNKNOWN_TOKEN",
        "FORBIDDEN",
        "OLD_PROTOCOL",
    }


def test_a_console_that_knows_no_changes_reads_the_records_beside_them() -> None:
    class Older(msgspec.Struct, tag_field="t", tag="records"):
        board: str
        rev: int
        records: list[AlertRecord]

    frame = encode(Records("b", 5, [alert_record("a")], [BEAT], [CHANGE]))
    assert msgspec.json.decode(frame, type=Older).records == [alert_record("a")]


def test_what_is_told_beside_an_event_is_cut_to_what_fits_beside_the_others() -> None:
    head, body = msgspec.Raw(b"{}"), msgspec.Raw(b"null")
    told = {"0": "refused: " + "x" * 200_000, "1": "a password"}
    first, second, third = packets([(head, body)] * 3, told, {"0": "m" * 200_000, "1": "mo"})
    assert first.reason is not None
    assert (first.reason[:10], len(first.reason), first.via) == ("refused: x", 400, "m" * 80)
    assert (second.reason, second.via) == ("a password", "mo")
    assert (third.reason, third.via) == ("withheld", None)
