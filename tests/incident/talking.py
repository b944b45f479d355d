"""Both ends of the sync protocol with the simplest shells around them, for tests."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.incident.making import NOW, STREAM, Writer, incident
from warroom_incident.event import read_packet
from warroom_incident.incident import IncidentState
from warroom_incident.log import Log, Stretch
from warroom_incident.seal import ZERO
from warroom_incident.sync.client_end import Arrival, Batch, ClientEnd
from warroom_incident.sync.server_end import Read, ServerEnd
from warroom_incident.sync.wire import (
    CREDIT,
    FRAME_TARGET,
    PROTOCOL,
    BoardCursor,
    Follow,
    Hello,
    Synced,
    Welcome,
)
from warroom_incident.vocabulary import NoteAdded

HELLO = Hello(PROTOCOL, "test", "a" * 16)
WELCOME = Welcome(PROTOCOL, "r", "log-1", "s", "m", NOW, "ana", "ana", "responder", "b")


class Server:
    """A log, and the simplest shell that serves it to one console at a time."""

    def __init__(self, path: Path, log_id: str = "log-1") -> None:
        self.log = Log.create_or_open(path, new_id=log_id)
        self.writer = Writer("server", seed=99)
        self.synced: list[str] = []
        self.largest_debt = 0
        self.largest_frame = 0

    @property
    def tops(self) -> dict[str, int]:
        return self.log.streams()

    def add(self, *texts: str, stream: str = STREAM) -> None:
        events = [self.writer.write(NoteAdded(text=text), stream=stream) for text in texts]
        self.log.append(self.writer.entries(events), NOW)

    def fill(self, count: int, stream: str = STREAM) -> None:
        self.log.append(self.writer.notes(count, stream), NOW)

    def accept(self, frame: bytes) -> tuple[ServerEnd, list[bytes]]:
        """A new connection and what it answers at once."""
        end = ServerEnd()
        self.synced.clear()
        hello = end.receive(frame)
        assert isinstance(hello, Hello)
        frames = [end.message(msgspec.structs.replace(WELCOME, log=self.log.log_id))]
        for follow in hello.follow:
            self.follow(end, follow)
        return end, frames

    def follow(self, end: ServerEnd, follow: Follow, present: Sequence[int] | None = None) -> None:
        known = 0
        if follow.log == self.log.log_id:
            chain = self.log.chain_at(follow.stream, follow.iseq)
            if chain is not None and chain.hex() == (follow.chain or ZERO.hex()):
                known = follow.iseq
        if present is None:
            present = self.present(follow.stream)
        top = self.tops.get(follow.stream, 0)
        end.follow(follow, top=top, known=known, present=present)

    def present(self, stream: str) -> list[int]:
        return list(self.log.place(stream, self.state(stream).present()).values())

    def state(self, stream: str) -> IncidentState:
        return incident([read_packet(row.packet) for row in self.log.read(stream, 0, 10**6)])

    def next_frame(self, end: ServerEnd) -> bytes | None:
        """What the pump sends next, None when there is nothing or no credit."""
        debt = end.bytes_sent - end.bytes_seen
        read = end.next_read(self.tops)
        frame: bytes | None = None
        if read is not None:
            assert debt < CREDIT
            frame = end.events(read, self.read(read), self.tops.get(read.stream, 0))
        elif end.has_credit:
            self.synced.extend(feed.stream for feed in end.newly_synced(self.tops))
            if self.synced:
                stream = self.synced.pop(0)
                digest = self.state(stream).set_digest()
                frame = end.synced(stream, self.tops.get(stream, 0), digest)
        if frame is not None:
            self.largest_frame = max(self.largest_frame, len(frame))
            self.largest_debt = max(self.largest_debt, end.bytes_sent - end.bytes_seen)
        return frame

    def read(self, read: Read) -> Stretch:
        if read.iseqs:
            return Stretch(self.log.read_at(read.stream, read.iseqs))
        return self.log.stretch(read.stream, read.after, read.upto, FRAME_TARGET)


class Console:
    """A replica: what it keeps outlives its connections."""

    def __init__(self, *streams: str) -> None:
        self.streams = streams or (STREAM,)
        self.cursors: dict[str, Follow] = {}
        self.board: BoardCursor | None = None
        self.events: dict[str, dict[int, Arrival]] = {stream: {} for stream in self.streams}
        self.synced: dict[str, Synced] = {}
        self.batches: list[Batch] = []
        self.end = self.connect()

    def connect(self) -> ClientEnd:
        self.end = ClientEnd(HELLO, self.cursors.values(), self.board)
        return self.end

    def receive(self, frame: bytes) -> object:
        found = self.end.receive(frame)
        if isinstance(found, Batch):
            self.batches.append(found)
            for arrival in found.arrivals:
                self.events[found.stream][arrival.iseq] = arrival
        elif isinstance(found, Synced):
            self.synced[found.stream] = found
        for cursor in self.end.cursors():
            self.cursors[cursor.stream] = cursor
            held = self.events[cursor.stream]
            assert all(n in held for n in range(1, cursor.iseq + 1)), "a cursor ahead of events"
        return found

    def parts(self) -> list[str]:
        return [batch.part for batch in self.batches]


def join(server: Server, console: Console) -> ServerEnd:
    """Connect and exchange until both ends rest."""
    end, frames = server.accept(console.connect().hello(console.streams))
    for frame in frames:
        console.receive(frame)
    rest(server, console, end)
    return end


def rest(server: Server, console: Console, end: ServerEnd) -> None:
    while True:
        if (frame := server.next_frame(end)) is not None:
            console.receive(frame)
        if (told := console.end.seen(now=frame is None)) is not None:
            end.receive(told)
        elif frame is None:
            return


def complete(server: Server, console: Console, stream: str = STREAM) -> None:
    rows = server.log.read(stream, 0, 10**6)
    assert [console.events[stream][row.iseq].packet for row in rows] == [r.packet for r in rows]
    cursor = console.cursors[stream]
    assert (cursor.iseq, bytes.fromhex(cursor.chain)) == server.log.end(stream)[:2]
    state = incident([arrival.event for arrival in console.events[stream].values()])
    assert console.synced[stream].set_digest == state.set_digest()
