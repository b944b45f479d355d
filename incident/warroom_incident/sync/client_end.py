"""The console's end of a connection, as a state machine.

It asks for streams, reads what the server sends, checks every hash and chain, and knows how far
each stream was read without a gap. Whoever runs it brings the bytes, the clock and the disk.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from ..door import DoorError
from ..event import Packet, read_packet
from ..seal import ZERO
from .arriving import (
    Arrival as Arrival,
    Batch as Batch,
    Handed as Handed,
    Heard as Heard,
    Ordered as Ordered,
    Seal as Seal,
    Uneven as Uneven,
    arrived,
)
from .handing import Relaying
from .reading import Comparison, Holdings, Nothing, Reading
from .wire import (
    MAX_FOLLOWS,
    PROTOCOL,
    SEEN_EVERY,
    Ack,
    BoardCursor,
    Close,
    Events,
    Fetch,
    Follow,
    Hello,
    Order,
    ProtocolError,
    Push,
    Records,
    Refused,
    Seen,
    Subscribe,
    Synced,
    Taken,
    Welcome,
    encode,
    packets,
    raw_pair,
    read_from_server,
)

UNEVEN = "?"
"""Stands in a cursor for the log of a stream that is not even with any server's: no log's name."""

PUSH_BYTES = 32 * 1024
"""One push carries about this much."""


class ClientEnd:
    """One server as a console sees it.

    Args:
        hello: What to say first; `follow` and `board` are filled in from what was read before.
        cursors: How far each stream was read in which log.
        board: How far the board was read.
        holdings: What is held already; it is compared where a cursor does not fit.
    """

    def __init__(
        self,
        hello: Hello,
        cursors: Iterable[Follow],
        board: BoardCursor | None,
        holdings: Holdings | None = None,
    ) -> None:
        self._hello = hello
        self._holdings = holdings or Nothing()
        self._comparisons: dict[str, Comparison] = {}
        self.welcome: Welcome | None = None
        self.board = board
        self.readings: dict[str, Reading] = {}
        self._cursors = {cursor.stream: cursor for cursor in cursors}
        self._wanted: dict[str, None] = {}
        self.relaying = Relaying()
        self._compared: set[str] = set()
        """The streams that a server compares where it does not know the cursor."""
        self._checked: set[str] = set()
        """The streams of which it is known whether both ends hold the same."""
        self.bytes_read = 0
        self._bytes_told = 0

    # Sending -------------------------------------------------------------------------------

    def hello(self, streams: Iterable[str]) -> bytes:
        """The first frame; `streams` are to be received from the start.

        It names as many as one message may; `more` has the others.
        """
        self._wanted = dict.fromkeys(streams)
        follow = [self._cursor(stream) for stream in islice(self._wanted, MAX_FOLLOWS)]
        board = self.board or self._hello.board
        hello = msgspec.structs.replace(
            self._hello, v=PROTOCOL, follow=follow, board=board, apart=True
        )
        return encode(hello)

    def more(self) -> list[bytes]:
        """The frames to send right behind the first: the streams that it had no room for."""
        rest = [self._cursor(stream) for stream in islice(self._wanted, MAX_FOLLOWS, None)]
        return [
            encode(Subscribe(rest[start : start + MAX_FOLLOWS]))
            for start in range(0, len(rest), MAX_FOLLOWS)
        ]

    def subscribe(self, follow: Sequence[str], leave: Sequence[str] = ()) -> bytes:
        """The frame that changes which streams are received."""
        for stream in leave:
            self._wanted.pop(stream, None)
            reading = self.readings.pop(stream, None)
            if reading is not None and self.welcome is not None:
                self._cursors[stream] = self._follow(reading, self.welcome.log)
        self._wanted.update(dict.fromkeys(follow))
        cursors = [self._cursor(stream) for stream in follow]
        if self.welcome is not None:
            for cursor in cursors:
                self._begin(cursor, self.welcome.log)
        return encode(Subscribe(cursors, list(leave)))

    def _cursor(self, stream: str) -> Follow:
        cursor = self._cursors.get(stream, Follow(stream))
        digest = self._holdings.set_digest(stream)
        (self._compared.add if digest else self._compared.discard)(stream)
        return msgspec.structs.replace(cursor, set_digest=digest)

    def forget(self, stream: str) -> None:
        """Read a stream from its beginning when it is followed next: not all of it is held."""
        self._cursors.pop(stream, None)

    def push(self, events: Sequence[Packet]) -> list[bytes]:
        """The frames that carry new events."""
        frames: list[bytes] = []
        some: list[Packet] = []
        size = 0
        for packet in events:
            length = len(packet.head) + len(packet.body or b"")
            if some and (size + length > PUSH_BYTES or len(some) == 500):
                frames.append(encode(Push([raw_pair(p) for p in some])))
                some, size = [], 0
            some.append(packet)
            size += length
        if some:
            frames.append(encode(Push([raw_pair(p) for p in some])))
        return frames

    def seen(self, *, now: bool = False) -> bytes | None:
        """The frame that gives the server credit back, when it is due or `now` if any is owed."""
        owed = self.bytes_read - self._bytes_told
        if owed >= SEEN_EVERY or (now and owed):
            self._bytes_told = self.bytes_read
            return encode(Seen(self.bytes_read))
        return None

    # Receiving -----------------------------------------------------------------------------

    def receive(self, frame: bytes) -> Heard:
        """Read a message; events come out checked, as a `Batch`, a compared order as `Ordered`.

        What the server says that it has taken comes out as `Handed`.

        Raises:
            ProtocolError: The frame is no message, an event is damaged, or the server's history
                is not the one that was read before (`LOG_CHANGED`).
        """
        self.bytes_read += len(frame)
        message = read_from_server(frame)
        if (self.welcome is None) is not isinstance(message, Welcome):
            raise ProtocolError(Close.BAD_MESSAGE, "welcome comes first, and once")
        match message:
            case Welcome():
                if message.v != PROTOCOL:
                    raise ProtocolError(
                        Close.OLD_PROTOCOL,
                        f"this console speaks protocol {PROTOCOL}, the server {message.v}",
                    )
                self.welcome = message
                for stream in self._wanted:
                    self._begin(self._cursors.get(stream, Follow(stream)), message.log)
            case Events():
                return self._events(message)
            case Order():
                return self._compare(message) or message
            case Taken():
                return self._taken(message)
            case Synced():
                reading = self.readings.get(message.stream)
                if reading is not None:
                    if message.iseq < reading.iseq:
                        raise ProtocolError(
                            Close.LOG_CHANGED, f"the server lost events of {reading.stream}"
                        )
                    reading.synced = True
                    return self._check(message) or message
            case Ack():
                for event_id, stream, *_ in message.receipts:
                    self.relaying.answered(stream, (event_id,))
            case Refused():
                self.relaying.refused(message.id)
            case Records():
                self.board = BoardCursor(message.board, message.rev)
            case _:
                pass
        return message

    def _check(self, message: Synced) -> Uneven | None:
        """Whether both ends hold the same of a stream that was not compared on this connection.

        A server that went back to an old copy may know the cursor, and not what came behind it.
        """
        stream = message.stream
        if stream in self._checked:
            return None
        self._checked.add(stream)
        held = self._holdings.set_digest(stream)
        if not held or held == message.set_digest:
            return None
        self._cursors[stream] = Follow(stream, UNEVEN)
        return Uneven(stream, self.subscribe([stream]))

    def _begin(self, cursor: Follow, log: str) -> None:
        same = cursor.log == log
        if cursor.stream in self._compared and not same:
            self.relaying.comparing(cursor.stream)
        iseq = cursor.iseq if same else 0
        chain = bytes.fromhex(cursor.chain) if same and cursor.chain else ZERO
        self.readings[cursor.stream] = Reading(cursor.stream, iseq, chain, begun_at=iseq)

    def _events(self, message: Events) -> Batch:
        found = packets(message.events, message.withheld, message.via)
        if not len(found) == len(message.iseqs) == len(message.admitted):
            raise ProtocolError(Close.BAD_MESSAGE, "events and their places do not match")
        try:
            apart = set(message.apart)
            arrivals = [
                arrived(iseq, read_packet(packet, admitted), packet, apart=number in apart)
                for number, (iseq, admitted, packet) in enumerate(
                    zip(message.iseqs, message.admitted, found, strict=True)
                )
            ]
        except DoorError as error:
            raise ProtocolError(Close.BAD_MESSAGE, f"damaged event: {error}") from error
        if any(arrival.event.head.stream != message.stream for arrival in arrivals):
            raise ProtocolError(Close.BAD_MESSAGE, "an event of another stream")
        reading = self.readings.get(message.stream)
        if reading is not None:
            self._advance(reading, message, arrivals)
        seal = (
            Seal(arrivals[-1].iseq, message.sealed, message.seal)
            if message.seal and arrivals
            else None
        )
        return Batch(message.stream, message.part, arrivals, seal)

    def _advance(self, reading: Reading, message: Events, arrivals: list[Arrival]) -> None:
        reading.top = max(reading.top, message.top)
        if message.part == "present" or not arrivals:
            return
        reading.claim(arrivals[-1].iseq, message.chain)
        for arrival in arrivals:
            reading.take(arrival.iseq, bytes.fromhex(arrival.entry))

    def _taken(self, message: Taken) -> Handed:
        """Take note of the places of what this end handed on, as if it had come back."""
        carried = self.relaying.taken(message.number)
        if carried is None or carried.stream != message.stream:
            raise ProtocolError(Close.BAD_MESSAGE, "taken was what was not handed on")
        first, last = message.first, message.first + len(carried.ids) - 1
        reading = self.readings.get(message.stream)
        if reading is not None:
            reading.top = max(reading.top, message.top)
            reading.claim(last, message.chain)
            for iseq, event_id in enumerate(carried.ids, first):
                reading.take(iseq, bytes.fromhex(event_id))
        seal = Seal(last, message.sealed, message.seal) if message.seal else None
        return Handed(message.stream, first, carried.ids, seal)

    def _compare(self, message: Order) -> Ordered | None:
        """Take in a part of the server's order; at its end say what either side lacks."""
        reading = self.readings.get(message.stream)
        if reading is None:
            return None
        if message.first == 1:
            reading.restart()
            self.relaying.comparing(message.stream)
            self._checked.add(message.stream)
            held = {bytes.fromhex(i[:16]): i for i in self._holdings.ids(message.stream)}
            self._comparisons[message.stream] = Comparison(held)
        comparison = self._comparisons.get(message.stream)
        try:
            prefixes = b64decode(message.prefixes, validate=True)
        except ValueError as error:
            raise ProtocolError(Close.BAD_MESSAGE, "an order that is no base64") from error
        if comparison is None or len(prefixes) % 8:
            raise ProtocolError(Close.BAD_MESSAGE, "an order without its beginning")
        via = set(message.via)
        reading.top = max(reading.top, message.top)
        for place in range(len(prefixes) // 8):
            iseq = message.first + place
            prefix = prefixes[place * 8 : place * 8 + 8]
            known = comparison.place(iseq, prefix, is_via=iseq in via)
            if known is not None:
                reading.take(iseq, bytes.fromhex(known))
        if message.first + len(prefixes) // 8 <= message.top:
            return None
        del self._comparisons[message.stream]
        fetch = encode(Fetch(message.stream, comparison.missing))
        lacking = comparison.lacking()
        if not (lacking or comparison.unvouched):
            self.relaying.owe(message.stream, ())
        return Ordered(
            message.stream,
            fetch,
            lacking,
            comparison.unvouched,
            comparison.common,
        )

    def cursors(self) -> list[Follow]:
        """How far every followed stream was read without a gap.

        One of which something is still to be compared or handed on is `UNEVEN`, so that the next
        connection compares it, whichever server that is to.
        """
        if self.welcome is None:
            return []
        return [self._follow(reading, self.welcome.log) for reading in self.readings.values()]

    def _follow(self, reading: Reading, log: str) -> Follow:
        if not self.relaying.is_even(reading.stream):
            return Follow(reading.stream, UNEVEN)
        return Follow(reading.stream, log, reading.iseq, reading.chain.hex())
