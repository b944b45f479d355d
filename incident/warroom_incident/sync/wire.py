"""The messages of the sync protocol, as JSON text frames tagged by `t`.

`docs/protocol.md` tells their meaning and order. Events travel as raw pairs `[head, body]`, so
that their bytes arrive as they were written; a withheld body is `null` with a reason beside it.
All times are integer milliseconds.
"""

# ruff: noqa: RUF012  (msgspec copies a default list for each message)
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw

from ..alerts import AlertRecord
from ..beats import Beat
from ..changes import Change
from ..event import REP, HexId, Packet, StreamName
from .asking import Answer as Answer, Ask as Ask
from .closing import MAX_REASON as MAX_REASON, Close as Close, ProtocolError as ProtocolError
from .exchanging import (
    Fetch as Fetch,
    Order as Order,
    Relay as Relay,
    Taken as Taken,
    Vouch as Vouch,
)
from .message import Chain, Count, Message as Message, Name
from .settling import Settings as Settings
from .sights import Person as Person, Place as Place, Summary as Summary

PROTOCOL = 1
MAX_FRAME = 256 * 1024
"""The largest frame that either end takes, in bytes."""

FRAME_TARGET = 16 * 1024
"""A frame of several events is closed when it reaches this size, so that pings get through."""

CREDIT = 64 * 1024
"""The most that a server sends ahead of the other end's `seen`, in bytes."""

SEEN_EVERY = 32 * 1024
"""A console says `seen` when it has read so much, in bytes, or once a second."""

MAX_WITHHELD, MAX_VIA = 400, 80
"""How much is told beside an event of why its body is missing, and who handed it on."""

MAX_FOLLOWS = 500
"""How many streams one message may ask for."""

# From a console ----------------------------------------------------------------------------


class Follow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stream to receive, and how far it was read in which log: up to `iseq`, chain there.

    `set_digest` is that of all events held of it; empty where none are. It begins an exchange
    where the cursor is not one of the server's log.
    """

    stream: StreamName
    log: Annotated[str, Meta(max_length=64)] = ""
    iseq: Count = 0
    chain: Chain = ""
    set_digest: Chain = ""


class BoardCursor(msgspec.Struct, frozen=True):
    """How far the board's records were read."""

    board: Annotated[str, Meta(max_length=64)]
    rev: Count


class Hello(Message, frozen=True, tag="hello"):
    """The first message. `user` claims a name on a shared account; `machine` tells hosts apart.

    `lobby` asks for the summaries of all readable incidents, `board` for the alert records. A
    server that follows another one names itself in `server`; it is a `standby` until it takes over.
    `apart` says that it knows the entries of hearsay and of withheld bodies: without it no chains
    are told. `settings` asks for the room's settings. Who `reads` does nothing else, so that a
    standby answers an admin, too.
    """

    v: int
    agent: Name
    rep: Annotated[str, Meta(pattern=REP)]
    machine: Annotated[str, Meta(max_length=64)] = ""
    user: Name = ""
    follow: Annotated[list[Follow], Meta(max_length=MAX_FOLLOWS)] = []
    board: BoardCursor | None = None
    lobby: bool = False
    server: Name = ""
    standby: bool = False
    apart: bool = False
    settings: bool = False
    reads: bool = False


class Subscribe(Message, frozen=True, tag="subscribe"):
    """Changes which streams are received."""

    follow: Annotated[list[Follow], Meta(max_length=MAX_FOLLOWS)] = []
    leave: Annotated[list[StreamName], Meta(max_length=MAX_FOLLOWS)] = []


class Push(Message, frozen=True, tag="push"):
    """New events of this replica, or of its user's outbox."""

    events: Annotated[list[tuple[Raw, Raw]], Meta(max_length=500)]


class Seen(Message, frozen=True, tag="seen"):
    """How many bytes of frames were read since the connection began."""

    bytes: Count


class Here(Message, frozen=True, tag="here"):
    """Where this person is: an incident's stream or none, and what they are typing into."""

    where: Annotated[str, Meta(max_length=64)] = ""
    doing: Annotated[str, Meta(max_length=80)] = ""


class Held(Message, frozen=True, tag="held"):
    """From a console: this machine holds the stream up to `iseq` on disk.

    From a server: some machine other than the server's does.
    """

    stream: StreamName
    iseq: Count


class Promote(Message, frozen=True, tag="promote"):
    """Instead of `hello`, to a standby: asks what it holds or, `confirmed`, that it serves now."""

    v: int
    confirmed: bool = False


# From a server -----------------------------------------------------------------------------


class Welcome(Message, frozen=True, tag="welcome"):
    """The answer to `hello`: where this is, and who the server takes the other end for.

    `you` is the name to write in events, `right` what it may do, `board` names the board whose
    `rev` counts. `answers` lists what may be asked, `alertmanagers` where alerts can be silenced.
    `damaged` names streams that lost events on the server's disk: who holds them, brings them.
    `boards` says that another server may tell of its board with `records`.
    """

    v: int
    room: str
    log: str
    server: str
    machine: str
    now: int
    you: str
    account: str
    right: Literal["viewer", "responder", "commander", "admin"]
    board: str
    answers: list[str] = []
    alertmanagers: list[str] = []
    damaged: list[str] = []
    boards: bool = False


class Ack(Message, frozen=True, tag="ack"):
    """Events that are durable, each as `[id, stream, iseq, admitted]`."""

    receipts: list[tuple[HexId, StreamName, Count, Count]]


class Refused(Message, frozen=True, tag="refused"):
    """An event that the server does not admit, and one sentence on why."""

    id: HexId
    reason: str


Part = Literal["present", "live", "history"]
"""What a frame of events is for: the registers now, the newest and all to come, the past."""


class Events(Message, frozen=True, tag="events"):
    """Events of a stream in the server's order.

    `iseqs` and `admitted` run beside `events`. `chain` is the chain at the last of them, with
    `seal` the server's signature there, made at `sealed`. `top` is the stream's last `iseq`. By
    place in the frame, `withheld` gives the reasons for missing bodies, `via` who handed on what
    nobody vouches for, and `apart` the places in the frame of hearsay and of withheld bodies that
    have their own entry.
    """

    stream: StreamName
    part: Part
    iseqs: list[Count]
    admitted: list[Count]
    events: list[tuple[Raw, Raw]]
    top: Count
    chain: Chain = ""
    seal: Annotated[str, Meta(pattern=r"\A([0-9a-f]{128})?\Z")] = ""
    sealed: Count = 0
    withheld: dict[str, str] = {}
    via: dict[str, str] = {}
    apart: list[Count] = []


class Synced(Message, frozen=True, tag="synced"):
    """A stream was sent to its end; `set_digest` is that of all its events up to `iseq`."""

    stream: StreamName
    iseq: Count
    set_digest: str = ""


class Summaries(Message, frozen=True, tag="summaries"):
    """Incidents that changed; `whole` when it is all of them."""

    summaries: list[Summary]
    whole: bool = False


class Records(Message, frozen=True, tag="records"):
    """What machines said that is new on a board, and the revision that this brings the reader to.

    From a server to whom it reads the board, and from a server that follows another one to that.

    `records` are alert episodes, `beats` the signs of life of alert paths, `changes` what was
    deployed or set; each replaces what was known under its uid or key.
    """

    board: str
    rev: Count
    records: list[AlertRecord]
    beats: list[Beat] = []
    changes: list[Change] = []


class Trouble(Message, frozen=True, tag="trouble"):
    """What is wrong with the server, in one sentence for people; empty when it is over."""

    sentence: Annotated[str, Meta(max_length=300)]


class Presence(Message, frozen=True, tag="presence"):
    """Everybody who is here: replaces what was known."""

    people: list[Person]


class Servers(Message, frozen=True, tag="servers"):
    """Who keeps the room: replaces what was known.

    `machines` is how many machines hold all of it now, this one included.
    """

    servers: Annotated[list[Place], Meta(max_length=64)]
    machines: Count


class Standing(Message, frozen=True, tag="standing"):
    """The answer to `promote`: what a standby holds, and whether it serves now.

    `of` is the server that it follows, `in_step_at` when it last had everything of it
    (milliseconds, 0 for never), `connected` whether it has a line to it now.
    """

    room: str
    server: str
    serves: bool
    incidents: Count
    events: Count
    tokens: Count
    of: str = ""
    in_step_at: Count = 0
    connected: bool = False
    reason: str = ""


FromConsole = (
    Hello | Subscribe | Push | Fetch | Vouch | Relay | Seen | Here | Held | Promote | Ask | Records
)
FromServer = (
    Welcome
    | Ack
    | Refused
    | Taken
    | Events
    | Order
    | Synced
    | Summaries
    | Records
    | Presence
    | Held
    | Servers
    | Standing
    | Trouble
    | Answer
    | Settings
)

_encode = msgspec.json.Encoder().encode
_NULL = Raw(b"null")


@cache
def _from_console() -> Callable[[bytes], FromConsole]:
    """Consoles, of which there are many, do without it."""
    return msgspec.json.Decoder(FromConsole).decode


@cache
def _from_server() -> Callable[[bytes], FromServer]:
    return msgspec.json.Decoder(FromServer).decode


def encode(message: Message) -> bytes:
    """The text frame of a message."""
    return _encode(message)


def read_from_console(frame: bytes) -> FromConsole:
    """Read a frame that a console sent.

    Raises:
        ProtocolError: It is no message of the protocol.
    """
    try:
        frame.decode()  # events travel raw, and are not looked into when a frame is read
        return _from_console()(frame)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolError(Close.BAD_MESSAGE, f"bad message: {str(error)[:80]}") from error


def read_from_server(frame: bytes) -> FromServer:
    """Read a frame that a server sent.

    Raises:
        ProtocolError: It is no message of the protocol.
    """
    try:
        frame.decode()  # as above
        return _from_server()(frame)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolError(Close.BAD_MESSAGE, f"bad message: {str(error)[:80]}") from error


def raw_pair(packet: Packet) -> tuple[Raw, Raw]:
    """An event as it travels."""
    return Raw(packet.head), _NULL if packet.body is None else Raw(packet.body)


def packets(
    pairs: Sequence[tuple[Raw, Raw]],
    withheld: Mapping[str, str] = MappingProxyType({}),
    via: Mapping[str, str] = MappingProxyType({}),
) -> list[Packet]:
    """The events of a frame; `withheld` and `via` tell of them by their places in the frame.

    What they tell is in no hash, so whoever hands an event on could write what they like: it is cut
    to what fits into a frame with all the others.
    """
    found = []
    for place, (head, body) in enumerate(pairs):
        raw = bytes(body)
        name = via.get(str(place), "")[:MAX_VIA] or None if via else None
        if raw == b"null":
            reason = withheld.get(str(place), "withheld")[:MAX_WITHHELD]
            found.append(Packet(bytes(head), None, reason, name))
        else:
            found.append(Packet(bytes(head), raw, None, name))
    return found
