"""The server's end of one connection, as a state machine.

It reads the console's messages and knows what the console lacks: per stream the events of the
present state, then the newest, then the past, while new ones pass as they come. It keeps at most
`CREDIT` bytes on their way. Whoever runs it brings the bytes, the log and the clock.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence

from ..log import Row, Stretch
from .feed import (
    ORDER_AT_ONCE as ORDER_AT_ONCE,
    PRESENT_AT_ONCE as PRESENT_AT_ONCE,
    Feed as Feed,
    Read as Read,
)
from .wire import (
    CREDIT,
    FRAME_TARGET,
    PROTOCOL,
    Close,
    Events,
    Fetch,
    Follow,
    FromConsole,
    Hello,
    Message,
    Order,
    Part,
    Promote,
    ProtocolError,
    Seen,
    Synced,
    encode,
    raw_pair,
    read_from_console,
)

RECENT = 200
"""How many of a stream's newest events are sent before its past."""


class ServerEnd:
    """One console as the server sees it."""

    # Two hundred of them are walked through for every event: what lies close together is fast.
    __slots__ = ("_knows_chains", "bytes_seen", "bytes_sent", "feeds", "hello")

    def __init__(self) -> None:
        self.hello: Hello | None = None
        self.feeds: dict[str, Feed] = {}
        self.bytes_sent = 0
        self.bytes_seen = 0
        # Whether the console can follow a chain over entries that are no ids: older ones would
        # take it for broken.
        self._knows_chains = False

    # Receiving -----------------------------------------------------------------------------

    def receive(self, frame: bytes) -> FromConsole:
        """Read a message.

        Raises:
            ProtocolError: The frame is no message, or comes out of order.
        """
        message = read_from_console(frame)
        if isinstance(message, Hello):
            if self.hello is not None:
                raise ProtocolError(Close.BAD_MESSAGE, "a second hello")
            if message.v != PROTOCOL:
                raise ProtocolError(
                    Close.OLD_PROTOCOL,
                    f"this server speaks protocol {PROTOCOL}, the console {message.v}",
                )
            self.hello = message
            self._knows_chains = message.apart
        elif self.hello is None and not isinstance(message, Promote):
            raise ProtocolError(Close.BAD_MESSAGE, "the first message must be hello")
        elif isinstance(message, Seen):
            if not self.bytes_seen <= message.bytes <= self.bytes_sent:
                raise ProtocolError(Close.BAD_MESSAGE, "seen more than was sent")
            self.bytes_seen = message.bytes
        return message

    # Feeds ---------------------------------------------------------------------------------

    def follow(
        self,
        follow: Follow,
        *,
        top: int,
        known: int,
        present: Sequence[int],
        contested: Sequence[int] = (),
    ) -> None:
        """Begin to send a stream.

        Args:
            follow: What the console asked for.
            top: The last place of the stream now.
            known: Up to where the console's copy is known to be this log's, 0 for not at all.
            present: The places of the events of the present state.
            contested: The places of those whose earliest admission decides what is shown first: it
                may have become known since, so they are sent even where they were before.
        """
        feed = Feed(follow.stream, live=known + 1)
        feed.present = sorted(i for i in contested if i <= known)
        if top - known > RECENT:
            feed.live = top - RECENT + 1
            feed.past, feed.past_end = known + 1, top - RECENT
            # All of it, also what is among the newest: the state must not wait for the entries.
            feed.present += sorted(i for i in present if known < i <= top)
        self.feeds[follow.stream] = feed

    def exchange(self, follow: Follow, *, top: int, present: Sequence[int]) -> None:
        """Begin to send a stream to a console that holds events of it from elsewhere.

        It gets the present state, the order of all events up to `top`, then what it asks for.
        """
        self.feeds[follow.stream] = Feed(
            follow.stream,
            sorted(i for i in present if i <= top),
            live=top + 1,
            order_end=top,
            has_order=True,
            is_asking=True,
        )

    def fetch(self, message: Fetch) -> None:
        """Note which events a console lacks.

        Raises:
            ProtocolError: It asks for places that its exchange has not.
        """
        feed = self.feeds.get(message.stream)
        if feed is None or not feed.is_asking:
            return
        last = 0
        for begin, end in message.ranges:
            if not last < begin <= end <= feed.order_end:
                raise ProtocolError(Close.BAD_MESSAGE, "fetch wants rising ranges of the order")
            feed.wanted.extend(range(begin, end + 1))
            last = end
        feed.is_asking = False

    def again(self, stream: str, iseq: int) -> None:
        """Send an event once more, as a part of the present state: more is known of it now."""
        feed = self.feeds.get(stream)
        # Also what lies ahead: it may be in a stretch that is being read without it just now.
        if feed is not None:
            feed.present = sorted({*feed.present, iseq})
            feed.amended += 1

    def brought(self, stream: str, first: int, last: int) -> None:
        """The console itself brought the events at these places: they are not sent back to it.

        Said when they get their places, before they may be sent to anybody.
        """
        feed = self.feeds.get(stream)
        if feed is not None:
            feed.brought.append((first, last))
            feed.go_on(feed.live)

    def leave(self, stream: str) -> None:
        """Send no more of a stream."""
        self.feeds.pop(stream, None)

    @property
    def has_credit(self) -> bool:
        """Whether more may be sent before the console says `seen`."""
        return self.bytes_sent - self.bytes_seen < CREDIT

    def next_read(self, tops: Mapping[str, int]) -> Read | None:
        """What to read from the log and send next; None when there is nothing, or no credit.

        The present state of every stream goes before anything else, the past of any after all.
        """
        if not self.has_credit:
            return None
        reads = [
            read for feed in self.feeds.values() if (read := feed.next(tops.get(feed.stream, 0)))
        ]
        return min(reads, key=_urgency, default=None)

    def takes_live(self, stream: str, first: int) -> bool:
        """Whether a shared frame of new events from place `first` on may be passed on as it is."""
        feed = self.feeds.get(stream)
        return (
            feed is not None
            and feed.live == first
            and not feed.present
            and self._knows_chains
            and self.bytes_sent - self.bytes_seen < CREDIT
        )

    def pass_live(self, stream: str, first: int, last: int, size: int) -> bool:
        """As `takes_live` of a frame up to `last`; if so, it is counted as sent.

        If not, the events will be read from the log.
        """
        # The same again, not called: this is done for every console and every event.
        feed = self.feeds.get(stream)
        if (
            feed is None
            or feed.live != first
            or feed.present
            or not self._knows_chains
            or self.bytes_sent - self.bytes_seen >= CREDIT
        ):
            return False
        feed.live = last + 1
        if feed.brought:
            feed.go_on(feed.live)
        self.bytes_sent += size
        return True

    # Sending -------------------------------------------------------------------------------

    def sent(self, frame: bytes) -> bytes:
        """Count a frame against the credit and return it."""
        self.bytes_sent += len(frame)
        return frame

    def message(self, message: Message) -> bytes:
        """The frame of a message that needs no log."""
        return self.sent(encode(message))

    def events(self, read: Read, stretch: Stretch, top: int) -> bytes | None:
        """The frame for what was read, or None if the stream is no longer followed from there."""
        feed = self.feeds.get(read.stream)
        if feed is None or not feed.follows(read):
            return None
        part = read.part
        assert part != "order"
        if read.iseqs:
            stretch = Stretch(_fitting(stretch.rows))
        if stretch.rows:
            last = stretch.rows[-1].iseq
        else:  # nothing is left of what was asked for
            last = read.iseqs[-1] if read.iseqs else read.upto
        feed.sent(read, last)
        if not self._knows_chains:
            stretch = Stretch(stretch.rows)
        return self.sent(events_frame(read.stream, part, stretch, top))

    def order(self, read: Read, prefixes: bytes, via: Sequence[int]) -> bytes | None:
        """The frame for the order of some places, or None if it is no longer asked for.

        Args:
            read: What was asked for.
            prefixes: The first 8 bytes of the id at each place.
            via: Which of the places nobody vouched for.
        """
        feed = self.feeds.get(read.stream)
        if feed is None or not feed.follows(read):
            return None
        last = read.after + len(prefixes) // 8
        feed.sent(read, last)
        text = b64encode(prefixes).decode()
        return self.message(Order(read.stream, read.after + 1, text, feed.order_end, list(via)))

    def newly_synced(self, tops: Mapping[str, int]) -> list[Feed]:
        """The feeds that have just been sent to their end for the first time."""
        done = [
            f
            for f in self.feeds.values()
            if not (f.synced or f.is_asking or f.next(tops.get(f.stream, 0)))
        ]
        for feed in done:
            feed.synced = True
        return done

    def synced(self, stream: str, iseq: int, set_digest: str) -> bytes:
        """The frame that says a stream was sent to its end."""
        return self.message(Synced(stream, iseq, set_digest))


def _urgency(read: Read) -> int:
    return ("present", "live", "order", "history").index(read.part)


def _fitting(rows: list[Row]) -> list[Row]:
    """As many rows as make one frame, one at the least."""
    size = 0
    for number, row in enumerate(rows):
        size += len(row.packet.head) + len(row.packet.body or b"")
        if number and size > FRAME_TARGET:
            return rows[:number]
    return rows


def events_frame(stream: str, part: Part, stretch: Stretch, top: int) -> bytes:
    """Encode events of a stream; one frame serves every console that is ready for it."""
    rows: list[Row] = stretch.rows
    return encode(
        Events(
            stream,
            part,
            [row.iseq for row in rows],
            [row.admitted for row in rows],
            [raw_pair(row.packet) for row in rows],
            top,
            stretch.chain.hex() if stretch.chain and part != "present" else "",
            stretch.signature.hex() if stretch.signature and part != "present" else "",
            stretch.sealed if stretch.signature and part != "present" else 0,
            {
                str(place): row.packet.reason or "withheld"
                for place, row in enumerate(rows)
                if row.packet.body is None
            },
            {str(place): row.packet.via for place, row in enumerate(rows) if row.packet.via},
            [place for place, row in enumerate(rows) if row.apart],
        )
    )
