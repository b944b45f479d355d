"""One event: two byte strings, their hash, and what they say.

`head` holds who, when and where; `body` holds what. `id = sha256(head)` and `head.bh =
sha256(body)`, so a body can be withheld later while the head keeps its place in every chain.
Bytes are stored, forwarded and hashed as received and never written again.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from .clock import Stamp
from .door import MAX_EVENT_BYTES, DoorError, check_json
from .reducers import Body
from .seal import void_entry
from .vocabulary import Unknown, decode_body, types_of

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

HexId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
StreamName = Annotated[str, Meta(pattern=r"\A(board|room|i-[a-z2-7]{16})\Z")]


class Head(msgspec.Struct, frozen=True, gc=False):
    """Who wrote an event, when, where, and what it builds on.

    `rep` is the replica that wrote it, `n` its own count in this stream (from 1) and `prev` its
    own last id there, for audit. `base` names the events that this one replaces or has seen.
    `hlc` is the hybrid stamp, `wall` the author's clock in milliseconds.
    """

    v: int
    stream: StreamName
    rep: Annotated[str, Meta(pattern=REP)]
    n: Annotated[int, Meta(ge=1)]
    prev: HexId | None
    base: Annotated[tuple[HexId, ...], Meta(max_length=MAX_BASE)]
    hlc: tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]]
    wall: Annotated[int, Meta(ge=0)]
    by: Annotated[str, Meta(min_length=1, max_length=80)]
    type: Annotated[str, Meta(min_length=1, max_length=64)]
    bh: HexId


class Packet(NamedTuple):
    """An event as it travels and rests: its bytes, and why its body is withheld, if it is.

    `via` names who handed it on where neither its author nor a server's seal vouches for it.
    """

    head: bytes
    body: bytes | None
    reason: str | None = None
    via: str | None = None


class Event(msgspec.Struct, frozen=True):
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
        """The name under which it has its place in a log: the id, or that of the void.

        An event and its void may both be in a log; the event then counts.
        """
        return void_entry(bytes.fromhex(self.id)).hex() if self.refused else self.id

    @property
    def shown_at(self) -> int:
        """When it happened as far as anybody can tell, in milliseconds.

        A stamp from a clock that runs ahead is capped by the server's admission.
        """
        ms = self.head.hlc[0]
        return ms if self.admitted is None else min(ms, self.admitted)

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
    if raw_head != raw_head.strip() or raw_body != raw_body.strip():
        raise DoorError("An event has no white space around its head and body.")  # frames trim it
    check_json(raw_head)
    if not isinstance(check_json(raw_body), dict):
        raise DoorError("The body of an event must be a JSON object.")
    event = read_packet(packet)
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
