"""Which streams this console receives from a server, and how far each of them was read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from warroom_incident.event import BOARD, ROOM, Packet
from warroom_incident.sync.client_end import ClientEnd
from warroom_incident.sync.reading import Holdings
from warroom_incident.sync.wire import (
    MAX_FOLLOWS,
    BoardCursor,
    Follow,
    Held,
    Hello,
    Welcome,
    encode,
)

from .link import Link


class Following:
    """Asks for streams, on one connection after the other.

    `wanted` are the streams to receive. `end` is this console's end of the newest connection,
    `welcome` what the server said first; both are None before.

    Args:
        known: How far each stream was read before.
        machine: This machine's id.
        board: Whether to receive the alert board.
    """

    link: Link

    def __init__(self, known: dict[str, Follow], machine: str, *, board: bool) -> None:
        self.wanted: dict[str, None] = {BOARD: None} if board else {}
        self.end: ClientEnd | None = None
        self.welcome: Welcome | None = None
        self._machine = machine
        self._cursors = known
        self._read = set(self.wanted)
        self._told: dict[str, int] = {}
        self._asked: tuple[str, ...] = ()

    # Connections ---------------------------------------------------------------------------

    def begin(
        self, hello: Hello, board: BoardCursor | None, holdings: Holdings
    ) -> tuple[ClientEnd, Sequence[str]]:
        """The machine for a new connection, and the streams to ask for."""
        self._note_cursors()
        self.welcome = None
        self.end = ClientEnd(hello, self._cursors.values(), board, holdings)
        self._asked = tuple(self.wanted)
        return self.end, self._asked

    def welcomed(self, welcome: Welcome) -> None:
        """A server has let this console in: it has been told nothing yet."""
        self.welcome = welcome
        self._told = {}

    def catch_up(self) -> None:
        """Ask for what was opened between hello and welcome."""
        follow = [stream for stream in self.wanted if stream not in self._asked]
        if self.end is not None:
            for start in range(0, len(follow), MAX_FOLLOWS):
                self.link.send(self.end.subscribe(follow[start : start + MAX_FOLLOWS]))

    def log_changed(self) -> None:
        """The server's history is another one: read every stream from its beginning."""
        self._note_cursors()
        for stream in self.wanted:
            self._cursors.pop(stream, None)
        self.end = None

    def push(self, packets: Sequence[Packet]) -> bool:
        """Send events, if a server has said welcome; say whether it has."""
        if self.end is None or self.welcome is None:
            return False
        self.link.send(*self.end.push(packets))
        return True

    # Streams -------------------------------------------------------------------------------

    def follow(self, stream: str) -> None:
        """Receive a stream from now on."""
        if stream not in self.wanted:
            self.wanted[stream] = None
            self.watch(stream)

    def forget(self, stream: str) -> None:
        """Read a stream from its beginning when it is followed next."""
        self._cursors.pop(stream, None)
        if self.end is not None:
            self.end.forget(stream)

    def watch(self, stream: str) -> None:
        """Receive a stream on this connection only, to mend it."""
        self._read.add(stream)
        if self.welcome is not None and self.end is not None:
            self.link.send(self.end.subscribe([stream]))

    def unwatch(self, stream: str) -> None:
        """End that, unless the stream was asked for meanwhile."""
        if stream not in self.wanted and self.welcome is not None and self.end is not None:
            self._note_cursors()
            self.link.send(self.end.subscribe([], [stream]))

    # How far -------------------------------------------------------------------------------

    @property
    def known(self) -> Collection[Follow]:
        """How far every stream was read, as far as that was noted."""
        return self._cursors.values()

    def cursors(self) -> list[Follow]:
        """How far the streams of this session were read, for the replica."""
        self._note_cursors()
        return [
            cursor
            for stream, cursor in self._cursors.items()
            if stream in self._read and stream != ROOM
        ]

    def _note_cursors(self) -> None:
        if self.end is not None:
            self._cursors.update({cursor.stream: cursor for cursor in self.end.cursors()})

    def saved(self, cursors: list[Follow]) -> None:
        """The replica holds streams up to there on disk: tell a server on another machine."""
        welcome = self.welcome
        if welcome is None or welcome.machine == self._machine:
            return
        for cursor in cursors:
            told = self._told.get(cursor.stream, 0)
            if cursor.log == welcome.log and cursor.iseq > told and cursor.stream in self.wanted:
                self._told[cursor.stream] = cursor.iseq
                self.link.send(encode(Held(cursor.stream, cursor.iseq)))
