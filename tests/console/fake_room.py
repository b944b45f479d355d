"""A small server for console tests: the protocol's server end on a Unix socket, a log behind it.

It knows no rights and no rules; tests tell it what to refuse, what to say and when to hang up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from websockets.asyncio.server import Server, ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from warroom_console.link import wall_ms
from warroom_incident.alerts import AlertRecord
from warroom_incident.author import Author, Counters
from warroom_incident.clock import HybridClock
from warroom_incident.event import Event, Packet, check_packet, read_packet
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.log import Entry, Log, Stretch
from warroom_incident.showing import summarize
from warroom_incident.sync.server_end import ServerEnd
from warroom_incident.sync.wire import (
    MAX_FRAME,
    PROTOCOL,
    Ack,
    Close,
    Follow,
    FromConsole,
    Hello,
    Message,
    Push,
    Records,
    Refused,
    Subscribe,
    Summaries,
    Welcome,
    packets,
)
from warroom_incident.vocabulary import IncidentDeclared, IncidentNumbered


class Seat:
    """One connected console, as the fake server sees it."""

    def __init__(self, ws: ServerConnection) -> None:
        self.ws = ws
        self.end = ServerEnd()

    async def say(self, message: Message) -> None:
        """Send a message."""
        with contextlib.suppress(ConnectionClosed):
            await self.ws.send(self.end.message(message), text=True)


class FakeRoom:
    """One server's worth of room, in a directory of its own."""

    def __init__(self, directory: Path, room: str = "fakeroom") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "socket"
        self.url = f"unix://{self.path}"
        self.welcome = Welcome(
            PROTOCOL, room, "", "server", "elsewhere", 0, "ana", "ana", "admin", "board-1"
        )
        self.log = Log.create_or_open(directory / "log.db", new_id=f"log of {room}")
        self.now = wall_ms()
        self.behind = 0
        """How far its clock is behind, in milliseconds."""
        self.records: list[AlertRecord] = []
        self.refuses: Callable[[Event], str | None] = lambda _event: None
        self.farewell: tuple[int, str] | None = None
        """When set, the code and reason to hang up with right after the welcome."""
        self.shut_out: tuple[int, str] | None = None
        """When set, the code and reason to hang up with instead of a welcome."""
        self.board_held_back = False
        """Whether the alerts are not sent."""
        self.silent = False
        """Whether pushes go unanswered."""
        self._author = Author(Counters("w" * 16), HybridClock(lambda: self.now), os.urandom)
        self._declared = 0
        self.seats: list[Seat] = []
        self.heard: list[FromConsole] = []
        self.greeted = 0
        self.headers: list[str | None] = []
        self._server: Server | None = None

    # Running -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take connections."""
        self._server = await unix_serve(
            self._serve, str(self.path), max_size=MAX_FRAME, compression=None, close_timeout=0.2
        )

    async def stop(self) -> None:
        """Hang up and take no more connections."""
        if self._server is not None:
            self._server.close(code=Close.RESTART)
            await self._server.wait_closed()
            self._server = None
            self.path.unlink(missing_ok=True)

    def told(self, kind: type[FromConsole]) -> list[FromConsole]:
        """What consoles said, of one kind."""
        return [message for message in self.heard if isinstance(message, kind)]

    async def _serve(self, ws: ServerConnection) -> None:
        assert ws.request is not None
        self.headers.append(ws.request.headers.get("Authorization"))
        seat = Seat(ws)
        try:
            await self._greet(seat)
            if self.farewell is not None:
                await ws.close(*self.farewell)
                return
            self.seats.append(seat)
            while True:
                await self._send_what_is_due(seat)
                await self._hear(seat, seat.end.receive(await ws.recv(decode=False)))
        except ConnectionClosed:
            pass
        finally:
            if seat in self.seats:
                self.seats.remove(seat)

    async def _greet(self, seat: Seat) -> None:
        hello = seat.end.receive(await seat.ws.recv(decode=False))
        assert isinstance(hello, Hello)
        self.heard.append(hello)
        self.greeted += 1
        if self.shut_out is not None:
            await seat.ws.close(*self.shut_out)
            return
        await seat.say(
            Welcome(
                self.welcome.v,
                self.welcome.room,
                self.log.log_id,
                self.welcome.server,
                self.welcome.machine,
                max(self.now, wall_ms()) - self.behind,
                self.welcome.you,
                self.welcome.account,
                self.welcome.right,
                self.welcome.board,
            )
        )
        if hello.lobby:
            await seat.say(Summaries([summarize(self.state(s)) for s in self._incidents()], True))
        if hello.board is not None:
            await self._show_board(seat)
        for follow in hello.follow:
            self._follow(seat, follow)

    async def _show_board(self, seat: Seat) -> None:
        if self.board_held_back:
            return
        if self.records:
            await seat.say(Records(self.welcome.board, 1, self.records))
        await seat.say(Records(self.welcome.board, int(bool(self.records)), []))

    async def _hear(self, seat: Seat, message: FromConsole) -> None:
        self.heard.append(message)
        match message:
            case Subscribe():
                for follow in message.follow:
                    self._follow(seat, follow)
                for stream in message.leave:
                    seat.end.leave(stream)
            case Push() if not self.silent:
                await self._push(seat, packets(message.events, {}))
            case _:
                pass

    # Events --------------------------------------------------------------------------------

    def state(self, stream: str) -> IncidentState:
        """The state of an incident as the log has it."""
        state = IncidentState(stream)
        state.extend(
            read_packet(row.packet, row.admitted) for row in self.log.read(stream, 0, 9999)
        )
        return state

    def ids(self, stream: str) -> list[str]:
        """The ids of a stream's events in the order of admission."""
        return [read_packet(row.packet).id for row in self.log.read(stream, 0, 9999)]

    def _incidents(self) -> list[str]:
        return [stream for stream in self.log.streams() if stream.startswith("i-")]

    def _tops(self) -> dict[str, int]:
        return {stream: top or 0 for stream, top in self.log.streams().items()}

    def _follow(self, seat: Seat, follow: Follow) -> None:
        known = 0
        if follow.log == self.log.log_id:
            chain = self.log.chain_at(follow.stream, follow.iseq)
            known = follow.iseq if chain is not None and chain.hex() == follow.chain else 0
        fold: Fold = self.state(follow.stream)
        places = sorted(self.log.place(follow.stream, fold.present()).values())
        top = self._tops().get(follow.stream, 0)
        seat.end.follow(follow, top=top, known=known, present=places)

    async def _push(self, seat: Seat, pushed: list[Packet]) -> None:
        entries = []
        for packet in pushed:
            event = check_packet(packet)
            reason = self.refuses(event)
            if reason is None:
                entries.append(Entry(event, packet))
            else:
                await seat.say(Refused(event.id, reason))
        receipts = self.admit(entries)
        await seat.say(Ack(receipts))
        for other in self.seats:
            await self._send_what_is_due(other)

    def admit(self, entries: list[Entry]) -> list[tuple[str, str, int, int]]:
        """Make events durable, and number the incidents that they declare."""
        self.now = max(self.now + 1, wall_ms())
        receipts = self.log.append(entries, self.now)
        for entry in entries:
            if isinstance(entry.event.body, IncidentDeclared):
                self._declared += 1
                number = IncidentNumbered(number=f"INC-{self._declared}")
                written = self._author.write(entry.event.head.stream, "warroom", number)
                self.log.append([Entry(*written)], self.now)
        return [(r.id, r.stream, r.iseq, r.admitted) for r in receipts]

    async def _send_what_is_due(self, seat: Seat) -> None:
        with contextlib.suppress(ConnectionClosed):
            while (read := seat.end.next_read(self._tops())) is not None:
                if read.iseqs:
                    stretch = Stretch(self.log.read_at(read.stream, read.iseqs))
                else:
                    stretch = self.log.stretch(read.stream, read.after, read.upto, 16 * 1024)
                frame = seat.end.events(read, stretch, self._tops()[read.stream])
                if frame is not None:
                    await seat.ws.send(frame, text=True)
            for feed in seat.end.newly_synced(self._tops()):
                top = self._tops().get(feed.stream, 0)
                frame = seat.end.synced(feed.stream, top, self.state(feed.stream).set_digest())
                await seat.ws.send(frame, text=True)

    async def say_to_all(self, message: Message) -> None:
        """Send a message to every console."""
        for seat in self.seats:
            await seat.say(message)


@contextlib.asynccontextmanager
async def fake_room(directory: Path, room: str = "fakeroom") -> AsyncIterator[FakeRoom]:
    """A running fake server."""
    server = FakeRoom(directory, room)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        await asyncio.sleep(0)
        server.log.close()
