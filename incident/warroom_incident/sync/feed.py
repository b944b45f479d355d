"""How far one stream was sent to one console, and what is read from the log next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .wire import Part

PRESENT_AT_ONCE = 40
"""How many events of the present state travel in one frame."""

WANTED_AT_ONCE = 64
"""How many events that an exchange found lacking are read at once."""

ORDER_AT_ONCE = 1500
"""How many places of an order travel in one frame."""


Lane = Part | Literal["order"]
"""What is sent next: a part of the events, or in an exchange their order."""


class Read(NamedTuple):
    """What to read from the log next: places of a stream, or a stretch behind `after`."""

    stream: str
    part: Lane
    iseqs: tuple[int, ...] = ()
    after: int = 0
    upto: int = 0
    amended: int = 0
    """How often more had become known of events of the stream when this was asked for."""


@dataclass(slots=True)
class Feed:
    """How far one stream was sent: several lanes, the first that has something goes first.

    In an exchange the order goes out, the console answers with what it lacks (`wanted`), and only
    then can the stream be at its end.
    """

    stream: str
    present: list[int] = field(default_factory=list)
    live: int = 1
    order: int = 1
    order_end: int = 0
    has_order: bool = False
    wanted: list[int] = field(default_factory=list)
    is_asking: bool = False
    past: int = 1
    past_end: int = 0
    synced: bool = False
    amended: int = 0
    brought: list[tuple[int, int]] = field(default_factory=list)
    """Stretches ahead of `live` that the console brought itself, first and last place of each."""

    def next(self, top: int) -> Read | None:
        """What to read next, None when everything up to `top` was sent."""
        if self.present:
            some = tuple(self.present[:PRESENT_AT_ONCE])
            return Read(self.stream, "present", some, amended=self.amended)
        if self.live <= top:
            upto = min(top, self.brought[0][0] - 1) if self.brought else top
            return Read(self.stream, "live", after=self.live - 1, upto=upto)
        if self.has_order:
            return Read(self.stream, "order", after=self.order - 1, upto=self.order_end)
        if self.wanted:
            return Read(self.stream, "history", tuple(self.wanted[:WANTED_AT_ONCE]))
        if self.past <= self.past_end:
            return Read(self.stream, "history", after=self.past - 1, upto=self.past_end)
        return None

    def follows(self, read: Read) -> bool:
        """Whether what was read goes on from what was sent.

        It may not, where the stream was left and followed again while the log was read, or where
        one of these events was damaged then and is whole now.
        """
        match read.part:
            case "present" if read.amended != self.amended:
                return False
            case "present":
                return self.present[: len(read.iseqs)] == list(read.iseqs)
            case "live":
                return read.after < self.live
            case "order":
                return read.after == self.order - 1
            case "history" if read.iseqs:
                return self.wanted[: len(read.iseqs)] == list(read.iseqs)
            case "history":
                return read.after < self.past and read.upto == self.past_end

    def go_on(self, live: int) -> None:
        """The newest are sent from a place on, or from behind what the console brought there."""
        self.live = max(self.live, live)
        while self.brought and self.brought[0][0] <= self.live:
            self.live = max(self.live, self.brought.pop(0)[1] + 1)

    def sent(self, read: Read, last: int) -> None:
        """Note what was sent: everything up to `last`."""
        match read.part:
            case "present":
                self.present = [iseq for iseq in self.present if iseq > last]
            case "live":
                self.go_on(last + 1)
            case "order":
                self.order = last + 1
                self.has_order = last < self.order_end
            case "history" if read.iseqs:
                self.wanted = [iseq for iseq in self.wanted if iseq > last]
            case "history":
                self.past = max(self.past, last + 1)
