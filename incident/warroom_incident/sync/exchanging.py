"""The messages of an exchange: both ends find out what either lacks and hand it on, proven."""

# ruff: noqa: RUF012  (msgspec copies a default list for each message)
from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Raw

from ..event import StreamName
from .message import Chain, Count, Message


class Order(Message, frozen=True, tag="order"):
    """In an exchange: which events a stream holds, in the server's order from place `first` on.

    `prefixes` are the first 8 bytes of each id, in base64. `top` is the last place of the
    exchange. `via` lists the places of events that nobody vouched for yet.
    """

    stream: StreamName
    first: Count
    prefixes: str
    top: Count
    via: list[Count] = []


class Fetch(Message, frozen=True, tag="fetch"):
    """In an exchange: the places that are lacking, as ranges `[first, last]`."""

    stream: StreamName
    ranges: Annotated[list[tuple[Count, Count]], Meta(max_length=4000)]


class Vouch(Message, frozen=True, tag="vouch"):
    """In an exchange: the proof that a server admitted events, whoever hands them on.

    `ids` are the ids of a stream in the order of `log` from its `first` place on, 32 bytes each in
    base64; the last message carries the `seal` that `server` put on the chain at its end. A proof
    that does not begin at the first place says what the `chain` is before it: only the true one
    leads to the sealed end.
    """

    stream: StreamName
    log: Annotated[str, Meta(max_length=64)]
    server: Annotated[str, Meta(max_length=64)]
    first: Count
    ids: str
    admitted: Count = 0
    seal: str = ""
    chain: Chain = ""


class Relay(Message, frozen=True, tag="relay"):
    """In an exchange: events that the server lacks, whoever wrote them, in displayed order.

    `admitted` gives the first admission stamp that is known of each, 0 for none. By place in the
    frame, `withheld` gives the reasons for missing bodies, `via` who handed on what nobody vouches
    for. Who counts its relays in `number`, from 1 in each connection, understands `taken`.
    """

    events: Annotated[list[tuple[Raw, Raw]], Meta(max_length=500)]
    admitted: Annotated[list[Count], Meta(max_length=500)]
    withheld: dict[str, str] = {}
    via: dict[str, str] = {}
    number: Count = 0


class Taken(Message, frozen=True, tag="taken"):
    """All events of a counted `relay` are durable, just as they came; they are not sent back.

    They have the places from `first` on. `top` is the stream's last `iseq`. `chain`, where it is
    given, is the chain at the last of them, with `seal` the server's signature there, made at
    `sealed`.
    """

    stream: StreamName
    number: Count
    first: Count
    top: Count
    chain: Chain = ""
    seal: Annotated[str, Meta(pattern=r"\A([0-9a-f]{128})?\Z")] = ""
    sealed: Count = 0
