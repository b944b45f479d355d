"""The author of events: one replica's name, counters and clock."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from .clock import HybridClock, Stamp
from .event import REP, VERSION, Event, Head, Packet, check_packet, make_packet
from .reducers import Body

Entropy = Callable[[int], bytes]
"""Returns so many random bytes."""


_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def new_rep(entropy: Entropy) -> str:
    """A fresh name for a replica: 80 random bits."""
    number = int.from_bytes(entropy(10), "big")
    return "".join(_LETTERS[number >> shift & 31] for shift in range(75, -1, -5))


def new_stream(entropy: Entropy) -> str:
    """A fresh name for an incident's stream."""
    return f"i-{new_rep(entropy)}"


def new_id(entropy: Entropy) -> str:
    """A fresh name for a draft or an attached checklist: 60 random bits."""
    return new_rep(entropy)[:12]


class Counters(msgspec.Struct):
    """What a replica must remember to go on: its name, clock, and place in every stream."""

    rep: Annotated[str, Meta(pattern=REP)]
    last: Stamp = (0, 0)
    streams: dict[str, tuple[int, str]] = {}
    """Per stream its own last count and event id."""


class Author:
    """Writes events as one replica."""

    def __init__(self, counters: Counters, clock: HybridClock, entropy: Entropy) -> None:
        self._counters = counters
        self.clock = clock
        self._entropy = entropy
        clock.observe(counters.last)

    @property
    def rep(self) -> str:
        """The name of the replica."""
        return self._counters.rep

    @property
    def counters(self) -> Counters:
        """What to remember for the next time."""
        self._counters.last = self.clock.last
        return self._counters

    def write(
        self, stream: str, by: str, body: Body, base: tuple[str, ...] = ()
    ) -> tuple[Event, Packet]:
        """Make an event and check it at the door.

        Raises:
            DoorError: One sentence on why the event may not be written; nothing was counted.
        """
        n, prev = self._counters.streams.get(stream, (0, ""))
        salted = msgspec.structs.replace(body, salt=urlsafe_b64encode(self._entropy(9)).decode())
        head = Head(
            VERSION,
            stream,
            self._counters.rep,
            n + 1,
            prev or None,
            base,
            self.clock.tick(),
            self.clock.wall(),
            by,
            body.type,
            "",
        )
        packet = make_packet(head, salted)
        event = check_packet(packet)
        self._counters.streams[stream] = (n + 1, event.id)
        return event, packet
