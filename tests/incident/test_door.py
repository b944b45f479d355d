"""The door lets in what every replica can read, and nothing else."""

import json
from collections.abc import Iterator
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec import inspect as types

from tests.incident.making import NOW, STREAM, Writer
from warroom_incident.door import MAX_EVENT_BYTES, MAX_INTEGER, DoorError, check_json
from warroom_incident.event import BOARD, ROOM, Packet, check_packet, make_packet, read_packet
from warroom_incident.reducers import Body
from warroom_incident.sync.wire import Push, encode, packets, raw_pair, read_from_console
from warroom_incident.vocabulary import (
    TYPES,
    AlertAcknowledged,
    MemberGranted,
    NoteAdded,
    TitleSet,
    Unknown,
    types_of,
)

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.text(st.characters(categories=["Cs", "Lu", "Cc"])),
)
_anything = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=12,
)


def _spell(value: object, ascii_only: bool, gaps: bool) -> bytes:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1 if gaps else None)
    return text.encode("utf-8", "surrogatepass")


@given(st.dictionaries(st.text(max_size=8), _anything, max_size=4), st.booleans(), st.booleans())
def test_whatever_passes_the_door_arrives_at_the_other_end(
    extra: dict[str, object], ascii_only: bool, gaps: bool
) -> None:
    packet = _with_body(_spell({**extra, "text": "hello"}, ascii_only, gaps))
    try:
        event = check_packet(packet)
    except DoorError:
        return
    frame = encode(Push([raw_pair(packet)]))
    message = read_from_console(frame)
    assert isinstance(message, Push)
    (arrived,) = packets(message.events, {})
    assert arrived == packet
    assert check_packet(arrived) == event
    assert packet.body is not None
    assert json.loads(packet.body) == check_json(packet.body)


def _with_body(raw: bytes, type_name: str = "note.added", stream: str = STREAM) -> Packet:
    """An event with any bytes for a body, and a head that fits them."""
    event = Writer().write(NoteAdded(text="x"))
    head = msgspec.structs.replace(event.head, type=type_name, stream=stream)
    packet = make_packet(head, event.body)
    assert packet.body is not None
    was = sha(packet.body)
    return Packet(packet.head.replace(was, sha(raw)), raw)


def sha(raw: bytes) -> bytes:
    return sha256(raw).hexdigest().encode()


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"text"', b"7", b"true"])
def test_a_body_that_is_no_object_stays_out(raw: bytes) -> None:
    with pytest.raises(DoorError, match="JSON object"):
        check_packet(_with_body(raw))


@pytest.mark.parametrize("raw", [b' {"text":"x"}', b'{"text":"x"}\n', b'\t{"text":"x"} '])
def test_white_space_that_a_frame_would_trim_stays_out(raw: bytes) -> None:
    with pytest.raises(DoorError, match="white space"):
        check_packet(_with_body(raw))


def test_white_space_around_the_head_stays_out() -> None:
    packet = _with_body(b'{"text":"x"}')
    with pytest.raises(DoorError, match="white space"):
        check_packet(Packet(packet.head + b" ", packet.body))


def test_an_event_without_its_body_stays_out() -> None:
    packet = _with_body(b'{"text":"x"}')
    with pytest.raises(DoorError, match="needs its body"):
        check_packet(Packet(packet.head, None, "gone"))


def test_an_event_past_its_size_stays_out_and_one_byte_less_comes_in() -> None:
    plain = _with_body(b'{"text":"x","more":""}')
    room = MAX_EVENT_BYTES - len(plain.head) - len(plain.body or b"")
    check_packet(_with_body(b'{"text":"x","more":"' + b"m" * room + b'"}'))
    with pytest.raises(DoorError, match="48 KiB"):
        check_packet(_with_body(b'{"text":"x","more":"' + b"m" * (room + 1) + b'"}'))


@pytest.mark.parametrize(
    "head", [b"", b"null", b"[]", b"{}", b'{"v":1}', b"\xff", b'{"v":"\xff"}', b"[" * 40]
)
def test_a_head_that_says_too_little_stays_out(head: bytes) -> None:
    with pytest.raises(DoorError):
        check_packet(Packet(head, b"{}"))
    with pytest.raises(DoorError, match="head"):
        read_packet(Packet(head, b"{}"))


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (STREAM, "i-short"),
        (STREAM, f"{STREAM}\n"),
        ('"rep":"', '"rep":"?'),
        ('"prev":null', '"prev":"6f"'),
        ('"prev":null', f'"prev":"{"6F" * 32}"'),
        ('"base":[]', f'"base":["{"6f" * 31}6"]'),
        ('"base":[]', f'"base":["{"6f" * 32}","x"]'),
        ('"bh":"', '"bh":"x'),
    ],
)
def test_a_head_with_a_name_of_another_form_is_no_head(was: str, becomes: str) -> None:
    packet = _with_body(b'{"text":"x"}')
    head = packet.head.replace(was.encode(), json.dumps(becomes)[1:-1].replace('\\"', '"').encode())
    assert head != packet.head
    for body in (packet.body, None):
        with pytest.raises(DoorError):
            read_packet(Packet(head, body))
    with pytest.raises(DoorError):
        check_packet(Packet(head, packet.body))


@pytest.mark.parametrize("field", [b'"n":1', b'"wall":%d' % NOW, b'"hlc":[%d' % NOW])
def test_a_head_with_a_number_past_two_to_the_53_stays_out(field: bytes) -> None:
    packet = _with_body(b'{"text":"x"}')
    name, sign, digits = field.partition(b"[") if b"[" in field else field.partition(b":")
    large = packet.head.replace(field, name + sign + b"9007199254740993")
    assert large != packet.head, digits
    with pytest.raises(DoorError, match=r"2\^53"):
        check_packet(Packet(large, packet.body))


def test_a_head_that_names_a_key_twice_stays_out() -> None:
    packet = _with_body(b'{"text":"x"}')
    twice = packet.head.replace(b'{"v":1', b'{"v":1,"v":1')
    with pytest.raises(DoorError, match="twice"):
        check_packet(Packet(twice, packet.body))


def numbers(of: types.Type) -> Iterator[types.Type]:
    """The numbers in a type, and whatever may hold any value."""
    match of:
        case types.StructType():
            yield from (found for field in of.fields for found in numbers(field.type))
        case types.ListType() | types.VarTupleType():
            yield from numbers(of.item_type)
        case types.TupleType():
            yield from (found for item in of.item_types for found in numbers(item))
        case types.DictType():
            yield from (*numbers(of.key_type), *numbers(of.value_type))
        case types.UnionType():
            yield from (found for each in of.types for found in numbers(each))
        case types.Metadata():
            yield from numbers(of.type)
        case types.StrType() | types.BoolType() | types.NoneType() | types.LiteralType():
            pass
        case _:
            yield of


@pytest.mark.parametrize("body", TYPES.values())
def test_the_fields_of_an_event_let_no_number_in_that_a_reader_would_round(
    body: type[Body],
) -> None:
    for number in numbers(types.type_info(body)):
        assert isinstance(number, types.IntType), number
        assert number.le is not None
        assert number.le <= MAX_INTEGER
        assert number.ge is not None
        assert number.ge >= -MAX_INTEGER


@pytest.mark.parametrize(
    "raw",
    [
        b'{"text":"x","salt":"s"}',
        b'{"salt":"s", "text":"x"}',
        b'{"salt":"s","\\u0074ext":"x"}',
        b'{"salt":"s","text":"x","more":[[[1]]]}',
        b'{"salt":"s","text":"x","at":null}',
    ],
)
def test_an_event_in_another_spelling_says_the_same(raw: bytes) -> None:
    own = check_packet(_with_body(b'{"salt":"s","text":"x"}'))
    assert check_packet(_with_body(raw)).body == own.body


def test_a_body_that_the_head_does_not_name_stays_out() -> None:
    packet = _with_body(b'{"text":"x"}')
    with pytest.raises(DoorError, match="not the one"):
        check_packet(Packet(packet.head, b'{"text":"y"}'))


@pytest.mark.parametrize(
    ("body", "stream"),
    [
        (NoteAdded(text="x"), BOARD),
        (NoteAdded(text="x"), ROOM),
        (AlertAcknowledged(uid="a"), STREAM),
        (AlertAcknowledged(uid="a"), ROOM),
        (MemberGranted(account="ana"), STREAM),
        (MemberGranted(account="ana"), BOARD),
    ],
)
def test_a_type_stays_out_of_the_streams_of_others(body: Body, stream: str) -> None:
    with pytest.raises(DoorError, match="does not belong"):
        Writer().write(body, stream=stream)


@pytest.mark.parametrize("stream", [STREAM, BOARD, ROOM])
def test_every_type_belongs_to_one_stream_only(stream: str) -> None:
    others = {STREAM, BOARD, ROOM} - {stream}
    assert all(not set(types_of(stream)) & set(types_of(other)) for other in others)


@pytest.mark.parametrize("stream", ["", "lobby", "i-", "i-" + "a" * 15, "i-" + "A" * 16, "i-../.."])
def test_a_stream_of_no_such_name_stays_out(stream: str) -> None:
    with pytest.raises(DoorError):
        Writer().write(NoteAdded(text="x"), stream=stream)


def test_a_body_that_does_not_fit_its_type_stays_out_and_is_shown_as_unknown() -> None:
    packet = _with_body(b'{"text":7}')
    with pytest.raises(DoorError, match=r"note\.added does not fit"):
        check_packet(packet)
    assert isinstance(read_packet(packet).body, Unknown)


def test_a_body_in_no_encoding_is_shown_as_unknown_where_a_log_holds_it() -> None:
    assert isinstance(read_packet(_with_body(b'{"text":"\xff"}')).body, Unknown)


@pytest.mark.parametrize("stream", [STREAM, BOARD, ROOM])
def test_a_type_that_nobody_knows_yet_comes_in(stream: str) -> None:
    event = check_packet(_with_body(b'{"mood":"calm"}', "mood.noted", stream))
    assert isinstance(event.body, Unknown)
    assert event.head.type == "mood.noted"


def test_a_field_that_nobody_knows_yet_comes_in() -> None:
    event = check_packet(_with_body(b'{"text":"x","mood":{"calm":[1]}}'))
    assert event.body == NoteAdded(text="x")


def test_an_event_of_a_newer_format_comes_in_unread() -> None:
    packet = _with_body(b'{"text":7}')
    head = packet.head.replace(b'"v":1', b'"v":2')
    event = check_packet(Packet(head, packet.body))
    assert isinstance(event.body, Unknown)


@pytest.mark.parametrize("text", ["half \ud83d", "\udcff from a byte of an argument"])
def test_an_author_cannot_write_half_a_character(text: str) -> None:
    writer = Writer()
    with pytest.raises(DoorError, match="UTF-8"):
        writer.write(NoteAdded(text=text))
    writer.by = text
    with pytest.raises(DoorError, match="UTF-8"):
        writer.write(NoteAdded(text="x"))


@pytest.mark.parametrize("title", ["", "t" * 241])
def test_an_author_cannot_write_what_the_vocabulary_forbids(title: str) -> None:
    writer = Writer()
    with pytest.raises(DoorError, match=r"title\.set does not fit"):
        writer.write(TitleSet(title=title))
    assert writer.write(TitleSet(title="t")).head.n == 1, "a refused event counts for nothing"


def test_a_missing_body_is_withheld_even_where_the_reason_is_lost() -> None:
    packet = _with_body(b'{"text":"x"}')
    assert read_packet(Packet(packet.head, None)).withheld == "withheld"
    assert (
        read_packet(Packet(packet.head, packet.body, "a reason that fits nothing")).withheld is None
    )
