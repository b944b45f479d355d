"""A console without a screen: what a test says to a server, and all that the server answered."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket as Socket
from typing import Any, Self, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.server.running import greeting
from tests.waiting import wait_for
from warroom_incident.author import Author, Counters, new_rep, new_stream
from warroom_incident.clock import HybridClock
from warroom_incident.event import Event, Packet
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body
from warroom_incident.sync.client_end import Batch, ClientEnd
from warroom_incident.sync.wire import (
    MAX_FRAME,
    Ack,
    Here,
    Message,
    Person,
    Presence,
    Push,
    Records,
    Refused,
    Summaries,
    Summary,
    Synced,
    encode,
    raw_pair,
)
from warroom_incident.vocabulary import (
    IncidentDeclared,
    NoteAdded,
    SeverityName,
    SeveritySet,
    StatusSet,
)

T = TypeVar("T")

SEEN_EVERY_SECONDS = 0.5

BACK_WITHIN = 30.0
"""How many seconds a server may be gone before a console that comes back gives up."""


def wall() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


def new_author() -> Author:
    """A replica that has written nothing."""
    return Author(Counters(new_rep(secrets.token_bytes)), HybridClock(wall), secrets.token_bytes)


async def dial(
    where: Path | str | Socket, token: str | None = None, tls: ssl.SSLContext | None = None
) -> ClientConnection:
    """Open a websocket: a path is a Unix socket, a text a `ws://` address."""
    options: dict[str, Any] = {"max_size": MAX_FRAME, "close_timeout": 2, "ping_interval": None}
    if token is not None:
        options["additional_headers"] = {"Authorization": f"Bearer {token}"}
    if isinstance(where, str):
        return await connect(where, proxy=None, ssl=tls, **options)
    if isinstance(where, Socket):
        return await unix_connect(sock=where, uri="ws://localhost", compression=None, **options)
    return await unix_connect(str(where), compression=None, **options)


class Console:
    """One replica of one person. It keeps what is not acknowledged, and goes on where it was."""

    def __init__(
        self, *, user: str = "", lobby: bool = True, machine: str = "", reads: bool = False
    ) -> None:
        self.user = user
        self.reads = reads
        self.lobby = lobby
        self.machine = machine
        self.author = new_author()
        self.states: dict[str, IncidentState] = {}
        self.places: dict[str, dict[int, str]] = {}
        self.outbox: dict[str, Packet] = {}
        self.acks: dict[str, tuple[str, int]] = {}
        self.refused: dict[str, str] = {}
        self.heard: list[object] = []
        self.summaries: dict[str, Summary] = {}
        self.people: list[Person] = []
        self.presences = 0
        self.closed: tuple[int, str] | None = None
        self.failed: Exception | None = None
        self.says_seen = True
        self.ws: ClientConnection
        self.end: ClientEnd
        self._tasks: list[asyncio.Task[None]] = []

    # The line ------------------------------------------------------------------------------

    async def join(
        self,
        where: Path | str | Socket,
        *streams: str,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """Connect, say hello, and wait for the welcome."""
        await self.greet(where, *streams, token=token, tls=tls)
        await wait_for(lambda: self.end.welcome or self.closed, "a welcome")
        assert self.end.welcome is not None, self.closed
        return self

    async def greet(
        self,
        where: Path | str | Socket,
        *streams: str,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Connect and say hello; go on from where the last connection had read."""
        self.ws = await dial(where, token, tls)
        self.begin(*streams)
        with contextlib.suppress(ConnectionClosed):  # whoever is turned away hears it by reading
            for frame in (self.end.hello(streams), *self.end.more()):
                await self.ws.send(frame, text=True)

    def begin(self, *streams: str) -> None:
        """Begin to read what comes over a new connection."""
        cursors = self.end.cursors() if hasattr(self, "end") else []
        hello = greeting(self.author.rep, user=self.user, lobby=self.lobby, machine=self.machine)
        hello = msgspec.structs.replace(hello, reads=self.reads)
        self.end = ClientEnd(hello, cursors, None)
        self.closed = None
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._pulse())]

    async def leave(self) -> None:
        """Close the line, if it still stands."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.ws.close()

    async def _read(self) -> None:
        try:
            while True:
                frame = await self.ws.recv(decode=False)
                self._take(self.end.receive(bytes(frame)))
                await self.say_seen(now=False)
        except ConnectionClosed as closed:
            rcvd = closed.rcvd
            self.closed = (rcvd.code, rcvd.reason) if rcvd else (1006, "")
        except Exception as error:
            self.failed = error
            raise

    async def _pulse(self) -> None:
        try:
            while True:
                await asyncio.sleep(SEEN_EVERY_SECONDS)
                await self.say_seen(now=True)
        except ConnectionClosed:
            pass

    async def say_seen(self, *, now: bool) -> None:
        """Give credit back when it is due."""
        if self.says_seen and (frame := self.end.seen(now=now)) is not None:
            await self.ws.send(frame, text=True)

    def _take(self, message: object) -> None:
        self.heard.append(message)
        match message:
            case Batch():
                state = self.states.setdefault(message.stream, IncidentState(message.stream))
                places = self.places.setdefault(message.stream, {})
                for arrival in message.arrivals:
                    known = places.setdefault(arrival.iseq, arrival.event.id)
                    assert known == arrival.event.id, "a place was given twice"
                    state.add(arrival.event)
            case Ack():
                for id_, stream, iseq, _ in message.receipts:
                    known_place = self.acks.setdefault(id_, (stream, iseq))
                    assert known_place == (stream, iseq), "an event moved"
                    self.outbox.pop(id_, None)
            case Refused():
                self.refused[message.id] = message.reason
                self.outbox.pop(message.id, None)
            case Summaries():
                if message.whole:
                    self.summaries.clear()
                self.summaries.update({line.stream: line for line in message.summaries})
            case Presence():
                self.people = message.people
                self.presences += 1
            case _:
                pass

    # Saying --------------------------------------------------------------------------------

    @property
    def you(self) -> str:
        """The name that the server gave."""
        assert self.end.welcome is not None
        return self.end.welcome.you

    async def say(self, message: Message) -> None:
        """Send a message."""
        await self.ws.send(encode(message), text=True)

    async def follow(self, *streams: str) -> None:
        """Receive streams from now on, and wait until they were sent to their end."""
        await self.ws.send(self.end.subscribe(streams), text=True)
        await wait_for(lambda: all(self.is_synced(s) for s in streams) or self.closed, "a sync")
        assert self.closed is None, self.closed

    def is_synced(self, stream: str) -> bool:
        """Whether a stream was sent to its end."""
        reading = self.end.readings.get(stream)
        return reading is not None and reading.synced

    async def here(self, where: str = "", doing: str = "") -> None:
        """Say where this person is."""
        await self.say(Here(where, doing))

    def write(
        self, stream: str, body: Body, base: tuple[str, ...] = (), by: str | None = None
    ) -> Event:
        """Put an event into the outbox."""
        event, packet = self.author.write(stream, by or self.you, body, base)
        self.outbox[event.id] = packet
        return event

    async def flush(self) -> None:
        """Send the whole outbox."""
        for frame in self.end.push(list(self.outbox.values())):
            await self.ws.send(frame, text=True)

    async def push(self, *packets: Packet) -> None:
        """Send events as they are, in one push."""
        await self.say(Push([raw_pair(packet) for packet in packets]))

    async def put(
        self, stream: str, body: Body, base: tuple[str, ...] = (), by: str | None = None
    ) -> Event:
        """Write an event, and wait until it is durable."""
        event = self.write(stream, body, base, by)
        await self.push(self.outbox[event.id])
        await self.settled(event.id)
        assert event.id in self.acks, self.refused.get(event.id)
        return event

    async def refusal(
        self, stream: str, body: Body, base: tuple[str, ...] = (), by: str | None = None
    ) -> str:
        """Write an event, and wait until the server says why it does not take it."""
        event = self.write(stream, body, base, by)
        await self.push(self.outbox[event.id])
        await self.settled(event.id)
        assert event.id in self.refused, "the server took it"
        return self.refused[event.id]

    async def settled(self, *ids: str) -> None:
        """Wait until the server has said yes or no to events."""
        await wait_for(
            lambda: self.closed or all(i in self.acks or i in self.refused for i in ids),
            "an answer",
        )
        assert self.closed is None, self.closed

    async def declare(
        self, title: str = "checkout is down", severity: SeverityName = "SEV2"
    ) -> str:
        """Declare an incident: its stream."""
        stream = new_stream(secrets.token_bytes)
        bodies: Sequence[Body] = (
            IncidentDeclared(title=title),
            SeveritySet(severity=severity),
            StatusSet(status="started"),
        )
        events = [self.write(stream, body) for body in bodies]
        await self.push(*[self.outbox[event.id] for event in events])
        await self.settled(*[event.id for event in events])
        return stream

    async def note(self, stream: str, text: str = "a note") -> Event:
        """Note something, durably."""
        return await self.put(stream, NoteAdded(text=text))

    # Hearing -------------------------------------------------------------------------------

    async def has(self, stream: str, *ids: str) -> None:
        """Wait until events have arrived."""
        await wait_for(
            lambda: stream in self.states and all(i in self.states[stream].events for i in ids),
            "the events",
        )

    async def ended(self, within: float = 15.0) -> tuple[int, str]:
        """Wait for the end of the line: its code and sentence."""
        await wait_for(lambda: self.closed, "the end of the connection", within)
        assert self.closed is not None
        return self.closed

    def of(self, kind: type[T]) -> list[T]:
        """Every message of one kind that arrived."""
        return [message for message in self.heard if isinstance(message, kind)]

    def records(self) -> list[Records]:
        """The frames of the board."""
        return self.of(Records)

    def synced(self) -> list[Synced]:
        """The streams' ends that were told."""
        return self.of(Synced)


@asynccontextmanager
async def consoles(
    where: Path | str, *users: str, lobby: bool = True
) -> AsyncIterator[list[Console]]:
    """Consoles of several people on one socket."""
    joined: list[Console] = []
    try:
        for user in users:
            joined.append(await Console(user=user, lobby=lobby).join(where))
        yield joined
    finally:
        await leave_all(joined)


async def leave_all(joined: Iterable[Console]) -> None:
    """Close every line."""
    for console in joined:
        await console.leave()
        assert console.failed is None, console.failed


async def rejoin(console: Console, socket: Path, stream: str) -> None:
    """Come back to the server as soon as it is there, with what it has not acknowledged."""
    async with asyncio.timeout(BACK_WITHIN):
        while not await joined_again(console, socket, stream):
            pass


async def joined_again(console: Console, socket: Path, stream: str) -> bool:
    """Try once to come back, with what is not acknowledged; the server may die meanwhile."""
    try:
        await console.greet(socket, stream)
        await wait_for(lambda: console.end.welcome or console.closed, "a welcome")
        if console.end.welcome is not None:
            await console.flush()
            return True
    except (OSError, WebSocketException, EOFError):
        await asyncio.sleep(0.02)
    return False
