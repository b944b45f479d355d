"""One event: two byte strings, their hash, and what they say.

`head` holds who, when and where; `body` holds what. `id = sha256(head)` and `head.bh =
sha256(body)`, so a body can be withheld later while the head keeps its place in every chain.
Bytes are stored, forwarded and hashed as received and never written again.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from .clock import Stamp
from .door import MAX_EVENT_BYTES, MAX_INTEGER, DoorError, check_json
from .reducers import Body, Removal
from .seal import heard_entry, void_entry, withheld_entry
from .vocabulary import TYPES, Unknown, decode_body, types_of

VERSION = 1
BOARD = "board"
ROOM = "room"
"""The two streams that are not incidents."""

REP = r"\A[a-z2-7]{16}\Z"
"""What the name of a replica looks like."""

REFUSED = "refused: "
"""How the reason begins of a body that is withheld because the event was not admitted."""

MAX_BASE = 200
"""The most events that one event may name as its base."""

HEX_ID = r"\A[0-9a-f]{64}\Z"
STREAM_NAME = r"\A(board|room|i-[a-z2-7]{16})\Z"

HexId = Annotated[str, Meta(pattern=HEX_ID)]
StreamName = Annotated[str, Meta(pattern=STREAM_NAME)]

_set = msgspec.structs.force_setattr
_stream_name = re.compile(STREAM_NAME).match
_rep = re.compile(REP).match

# Heads are read by the ten thousand, and a pattern costs as much as all else of one. They are held
# to these in `__post_init__`; here the patterns tell how the fields look.
_Hex = Annotated[str, Meta(extra={"pattern": HEX_ID})]
_Stream = Annotated[str, Meta(extra={"pattern": STREAM_NAME})]
_Rep = Annotated[str, Meta(extra={"pattern": REP})]


class Head(msgspec.Struct, frozen=True, gc=False):
    """Who wrote an event, when, where, and what it builds on.

    `rep` is the replica that wrote it, `n` its own count in this stream (from 1) and `prev` its
    own last id there, for audit. `base` names the events that this one replaces or has seen.
    `hlc` is the hybrid stamp, `wall` the author's clock in milliseconds.
    """

    v: int
    stream: _Stream
    rep: _Rep
    n: Annotated[int, Meta(ge=1)]
    prev: _Hex | None
    base: Annotated[tuple[_Hex, ...], Meta(max_length=MAX_BASE)]
    hlc: tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]]
    wall: Annotated[int, Meta(ge=0)]
    by: Annotated[str, Meta(min_length=1, max_length=80)]
    type: Annotated[str, Meta(min_length=1, max_length=64)]
    bh: _Hex

    def __post_init__(self) -> None:
        """Hold the names to their form; `bh` is held to the body, or to it without one.

        What many heads say alike is one text for all of them.

        Raises:
            DoorError: One of them has another.
        """
        shared = _shared(self.stream, self.rep, self.by, self.type)
        if shared is None:
            raise DoorError("`stream` or `rep` is no name of one")
        stream, rep, by, kind = shared
        _set(self, "stream", stream)
        _set(self, "rep", rep)
        _set(self, "by", by)
        _set(self, "type", kind)
        if self.prev is not None and not _is_hex_id(self.prev):
            raise DoorError("`prev` is no id of an event")
        if self.base and not all(map(_is_hex_id, self.base)):
            raise DoorError("`base` names what is no id of an event")


def _is_hex_id(text: str) -> bool:
    try:
        return len(text) == 64 and bytes.fromhex(text).hex() == text
    except ValueError:
        return False


@lru_cache(4096)
def _shared(stream: str, rep: str, by: str, kind: str) -> tuple[str, str, str, str] | None:
    is_named = _stream_name(stream) is not None and _rep(rep) is not None
    return (stream, rep, by, kind) if is_named else None


class Packet(NamedTuple):
    """An event as it travels and rests: its bytes, and why its body is withheld, if it is.

    `via` names who handed it on where neither its author nor a server's seal vouches for it.
    """

    head: bytes
    body: bytes | None
    reason: str | None = None
    via: str | None = None


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event that was read: what its bytes say, and when a server first admitted it.

    `admitted` is in milliseconds, None while no server has it. `withheld` is the reason why the
    body is missing; `body` is then `Unknown`. `via` names who handed on what nobody vouches for.
    """

    id: str
    head: Head
    body: Body
    admitted: int | None = None
    withheld: str | None = None
    via: str | None = None

    @property
    def refused(self) -> bool:
        """Whether this is a void: what everybody sees of an event that a server did not admit."""
        return self.withheld is not None and self.withheld.startswith(REFUSED)

    @property
    def entry(self) -> str:
        """The name under which it has its place in a log: the id, or that of its form.

        A log may hold several forms of an event; the strongest then counts.
        """
        if self.withheld is None and self.via is None:
            return self.id
        if self.refused:
            return void_entry(bytes.fromhex(self.id)).hex()
        if self.via is not None:
            return heard_entry(bytes.fromhex(self.id)).hex()
        return withheld_entry(bytes.fromhex(self.id)).hex()

    def fits(self, entry: str) -> bool:
        """Whether its place in a log may have this name.

        Old logs keep hearsay under its id, and so does any log an event that it withheld later.
        """
        return entry == self.entry or (entry == self.id and not self.refused)

    @property
    def may_be_withheld(self) -> bool:
        """Whether a body like this may be withheld for good.

        What says who may do what, or takes something away, has no secret in it, and without it
        something older would hold again.
        """
        kind = TYPES.get(self.head.type)
        return self.head.stream != ROOM and not (kind and issubclass(kind, Removal))

    @property
    def shown_at(self) -> int:
        """When it happened as far as anybody can tell, in milliseconds.

        A stamp from a clock that runs ahead is capped by the server's admission.
        """
        ms, admitted = self.head.hlc[0], self.admitted
        return ms if admitted is None or ms < admitted else admitted

    @property
    def order(self) -> tuple[int, Stamp, str]:
        """The place in the displayed order."""
        return (self.shown_at, self.head.hlc, self.id)


_decode_head = msgspec.json.Decoder(Head).decode
_encode = msgspec.json.Encoder().encode
_nothing = Unknown()
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def make_packet(head: Head, body: Body) -> Packet:
    """Encode an event; `head.bh` is filled in here.

    Raises:
        DoorError: A text holds half a character, or a number is beyond encoding.
    """
    try:
        raw = _encode(body)
        return Packet(_encode(msgspec.structs.replace(head, bh=sha256(raw).hexdigest())), raw)
    except (UnicodeEncodeError, OverflowError, msgspec.MsgspecError) as error:
        raise DoorError(f"This cannot be written as UTF-8 JSON: {error}.") from error


def read_packet(packet: Packet, admitted: int | None = None) -> Event:
    """Read an event that passed a door before, checking its hashes.

    A body that does not fit its type is read as `Unknown`: a replica shows what it cannot read
    and never fails on it. A missing body is a withheld one, whether or not the reason is known.

    Raises:
        DoorError: The head cannot be read or the body is not the one the head names.
    """
    raw_head, raw_body, reason, via = packet
    try:
        head = _decode_head(raw_head)
    except _UNREADABLE as error:
        raise DoorError(f"The head of the event cannot be read: {error}.") from error
    withheld = None
    if raw_body is None:
        if not _is_hex_id(head.bh):
            raise DoorError("The head of the event cannot be read: `bh` is no hash.")
        body: Body = _nothing
        withheld = reason or "withheld"
    else:
        if sha256(raw_body).hexdigest() != head.bh:
            raise DoorError("The body of the event is not the one that its head names.")
        try:
            body = decode_body(head.type, raw_body) if head.v == VERSION else _nothing
        except _UNREADABLE:
            body = _nothing
    return Event(sha256(raw_head).hexdigest(), head, body, admitted, withheld, via)


def is_whole(packet: Packet, event: Event) -> bool:
    """Whether these are the bytes of an event that was read, and the body is missing from both."""
    head, body, *_ = packet
    return sha256(head).hexdigest() == event.id and (
        event.withheld is not None
        if body is None
        else event.withheld is None and sha256(body).hexdigest() == event.head.bh
    )


def void_of(packet: Packet, reason: str) -> Packet:
    """What everybody sees of a refused event: its head, and why the body is withheld."""
    return Packet(packet.head, None, f"{REFUSED}{reason}")


def check_packet(packet: Packet) -> Event:
    """Read an event from outside, or one's own before it is written anywhere: the door check.

    Raises:
        DoorError: One sentence on why no replica may store it.
    """
    raw_head, raw_body, _, _ = packet
    if raw_body is None:
        raise DoorError("A new event needs its body.")
    if len(raw_head) + len(raw_body) > MAX_EVENT_BYTES:
        raise DoorError(f"An event may take {MAX_EVENT_BYTES // 1024} KiB at the most; shorten it.")
    event = _read_own_spelling(raw_head, raw_body, packet.via)
    if event is None:
        event = _read_any_spelling(packet)
    if event.head.v != VERSION:
        return event
    if isinstance(event.body, Unknown):
        try:
            decode_body(event.head.type, raw_body)
        except msgspec.MsgspecError as error:
            raise DoorError(f"{event.head.type} does not fit: {error}.") from error
    elif type(event.body) not in types_of(event.head.stream):
        raise DoorError(f"{event.head.type} does not belong in the stream {event.head.stream}.")
    return event


def _read_own_spelling(raw_head: bytes, raw_body: bytes, via: str | None) -> Event | None:
    """Read an event that is spelled as this program spells it, None if it is not.

    What its structs write again byte for byte is strict JSON that names every key once, no deeper
    than they are, with numbers that their fields let in: so the strict look can be spared. That is
    how nearly all events come.
    """
    try:
        head = _decode_head(raw_head)
        body = decode_body(head.type, raw_body)
        if _encode(head) != raw_head or _encode(body) != raw_body:
            return None
    except (*_UNREADABLE, OverflowError):
        return None
    if (
        head.v != VERSION
        or max(head.n, head.wall, *head.hlc) > MAX_INTEGER
        or sha256(raw_body).hexdigest() != head.bh
    ):
        return None
    return Event(sha256(raw_head).hexdigest(), head, body, None, None, via)


def _read_any_spelling(packet: Packet) -> Event:
    """Read an event that whoever wrote it spelled in its own way."""
    raw_head, raw_body, _, _ = packet
    assert raw_body is not None
    if raw_head != raw_head.strip() or raw_body != raw_body.strip():
        raise DoorError("An event has no white space around its head and body.")  # frames trim it
    check_json(raw_head)
    if not isinstance(check_json(raw_body), dict):
        raise DoorError("The body of an event must be a JSON object.")
    return read_packet(packet)
