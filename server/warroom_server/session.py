"""One console's connection: a thin shell around the protocol's server end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import assert_never

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.protocol import State

from warroom_incident.event import ROOM
from warroom_incident.log import Receipt
from warroom_incident.reducers import Right
from warroom_incident.sync.server_end import ServerEnd
from warroom_incident.sync.wire import (
    Ack,
    Ask,
    Close,
    Fetch,
    Follow,
    Held,
    Hello,
    Here,
    Message,
    Promote,
    ProtocolError,
    Push,
    Records,
    Refused,
    Relay,
    Seen,
    Subscribe,
    Summaries,
    Trouble,
    Vouch,
    packets,
)

from .asks import Questions
from .board_line import take_in
from .closing import close_reason
from .following import begin
from .hub import Hub
from .identity import Caller, UnknownCaller, Who, name_of
from .keepers import Follower
from .news import News
from .patience import Connection, Patience
from .presence import Seat
from .relays import Relays
from .room import Refused as NotAdmitted, Room, Unavailable
from .summaries import in_frames
from .voids import Voids

HELLO_SECONDS = 10
"""How long a new connection may take to say hello."""

MAX_PUSHES = 16
"""Pushes of one console that may wait for a commit; more are read later."""

MAX_ANSWERS = 1000
"""With more small messages waiting to be sent to a console, nothing more is read from it."""

MAX_BUFFERED = 1 << 20
"""A console is cut when more than this waits for the network, in bytes.

Credit keeps far below; only answers to pings get past it, from somebody who reads none of them.
"""

MAX_FOLLOWED = 1000
"""How many streams one console may follow."""

MAX_KEPT = 100_000
"""How many another server may, which keeps all of the room."""

_log = logging.getLogger(__name__)


class Session:
    """One connected console."""

    hello: Hello
    who: Who
    right: Right | None = None
    """What the console was told that it may do."""

    def __init__(self, ws: ServerConnection, caller: Caller, room: Room, hub: Hub) -> None:
        self.ws = ws
        self.transport = ws.transport
        self._protocol = ws.protocol
        self.is_plain = not ws.protocol.extensions
        self._starved = False
        self.end = ServerEnd()
        self.seat: Seat | None = None
        self.news = News(hub, self.end)
        self._caller = caller
        self._room = room
        self._hub = hub
        self._out: list[bytes] = []
        self._wake = asyncio.Event()
        self._answered: asyncio.Event | None = None
        self._pushes = asyncio.Semaphore(MAX_PUSHES)
        self._follower: Follower | None = None
        self._voids = Voids(room.wall)
        self._relays = Relays(room, self._voids, self.end, self.say, self._acknowledge)
        self._answers = 0
        self._questions = Questions(hub.asks, self.say, caller)
        self._over = False
        self._farewell: asyncio.Task[None] | None = None
        self._patience = Patience()

    # Running -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the connection until it ends."""
        try:
            await self._greet()
            pump = asyncio.create_task(self._pump())
            try:
                while True:
                    frame = await self.ws.recv(decode=False)
                    if self._farewell is None:
                        await self._receive(frame)
            finally:
                self._questions.drop()
                pump.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                    await pump
        except ProtocolError as error:
            await self.ws.close(error.code, close_reason(error.reason))
        except UnknownCaller as error:
            await self.ws.close(Close.FORBIDDEN, close_reason(str(error)))
        except TimeoutError:
            await self.ws.close(Close.BAD_MESSAGE, "no hello came")
        except ConnectionClosed:
            pass
        except Exception:
            _log.exception("a console's line failed")
            await self.ws.close(CloseCode.INTERNAL_ERROR, "the server failed; try again")
        finally:
            self._hub.remove(self)
            if self._follower is not None:
                self._hub.keepers.went(self._follower)

    async def _greet(self) -> None:
        async with asyncio.timeout(HELLO_SECONDS):
            hello = self.end.receive(await self.ws.recv(decode=False))
        if not isinstance(hello, Hello):
            raise ProtocolError(Close.BAD_MESSAGE, "this is no standby: it serves already")
        self.hello = hello
        self.who = name_of(self._caller, hello.user)
        if isinstance(self.ws, Connection):
            self.ws.known()
        room = self._room
        await self._send(self._hub.welcome(self.who))
        self._hub.sessions.add(self)
        self._hub.regrade(self)
        if self._hub.trouble:
            await self._send(Trouble(self._hub.trouble))
        if hello.lobby:
            some, *others = in_frames(self._hub.summaries_for(self.who, self._room.incidents))
            await self._send(Summaries(some, whole=True))
            for more in others:
                await self._send(Summaries(more))
        if hello.board is not None:
            self.news.read_board(hello.board)
        for follow in hello.follow:
            await self._follow(follow)
        self.news.people = self.news.servers = True
        if hello.server and room.may_read(self._caller, ROOM):
            self._follower = Follower(hello.server, hello.machine)
            self._hub.keepers.came(self._follower)
        else:  # whoever else is here is seen, whatever they call themselves
            self.seat = Seat(self.who.name, room.wall())
            self._hub.on_presence()
        self.wake()

    async def _follow(self, follow: Follow) -> None:
        most = MAX_FOLLOWED if self._follower is None else MAX_KEPT
        if follow.stream not in self.end.feeds and len(self.end.feeds) >= most:
            raise ProtocolError(Close.BAD_MESSAGE, f"one console follows {most} streams")
        await begin(self._room, self.end, follow, self._caller)
        self._hub.follow(self, follow.stream)
        if follow.stream in self._hub.held:
            self.news.held.add(follow.stream)
        self.wake()

    # Receiving -----------------------------------------------------------------------------

    async def _receive(self, frame: bytes) -> None:
        message = self.end.receive(frame)
        match message:
            case Push():
                await self._push(message)
            case Fetch():
                self.end.fetch(message)
                self.wake()
            case Vouch():
                self._relays.vouch(message)
            case Relay():
                done, refused = self._relays.take(message, self.who)
                await self._await_commit(done, self._committed, refused)
            case Seen():
                if self._starved:
                    self.wake()
            case Here():
                if self.seat is not None:
                    self.seat.here = message
                self._hub.on_presence()
            case Held():
                if self._room.may_read(self._caller, message.stream):
                    self._hub.on_held(self.hello.machine, message.stream, message.iseq)
            case Subscribe():
                for stream in message.leave:
                    self.end.leave(stream)
                    self._hub.leave(self, stream)
                for follow in message.follow:
                    await self._follow(follow)
            case Records():
                self._take_records(message)
            case Ask():
                self._questions.ask(message)
            case Hello() | Promote():
                raise ProtocolError(Close.BAD_MESSAGE, "a second hello")
            case _:
                assert_never(message)

    def _take_records(self, message: Records) -> None:
        if self._follower is None or not self._room.may_read(self._caller, ROOM):
            raise ProtocolError(Close.FORBIDDEN, "only another server tells of a board")
        take_in(self._hub.records.board, message, self._room.wall())

    async def _push(self, message: Push) -> None:
        done, refused = self._room.submit(self.who, packets(message.events), self._voids)
        await self._await_commit(done, self._pushed, refused)

    async def _await_commit(
        self,
        done: asyncio.Future[list[Receipt]] | None,
        then: Callable[[asyncio.Future[list[Receipt]]], object],
        refused: Sequence[NotAdmitted],
    ) -> None:
        """Answer when the commit is done; read no further while too many wait."""
        await self._pushes.acquire()
        for refusal in refused:
            self.say(Refused(refusal.id, refusal.reason))
        if done is None:
            self._pushes.release()
        else:
            done.add_done_callback(then)
        if len(self._out) > MAX_ANSWERS and not self._over:
            self._answered = asyncio.Event()
            await self._answered.wait()

    def _pushed(self, done: asyncio.Future[list[Receipt]]) -> None:
        if self._committed(done):
            self._acknowledge(done.result())

    def _committed(self, done: asyncio.Future[list[Receipt]]) -> bool:
        """Whether a commit went well; where it could not be written the connection ends."""
        self._pushes.release()
        if done.cancelled():
            return False
        error = done.exception()
        if isinstance(error, Unavailable):
            self.close(Close.BUSY, "the server cannot write now; your events stay with you")
        elif error is not None:
            raise error
        return error is None

    def _acknowledge(self, receipts: Sequence[Receipt]) -> None:
        self.say(Ack([(r.id, r.stream, r.iseq, r.admitted) for r in receipts]))
        if any(receipt.clash == self.hello.rep for receipt in receipts):
            self.close(Close.REPLICA_CLASH, "this replica was copied; take a new name")

    def close(self, code: Close, reason: str) -> None:
        """Begin to end the connection with a sentence; nothing that it says counts any more."""
        if self._farewell is None:
            ending = self.ws.close(code, reason)
            self._farewell = asyncio.get_running_loop().create_task(ending)
            self._farewell.add_done_callback(lambda t: t.cancelled() or t.exception())

    # Sending -------------------------------------------------------------------------------

    def is_idle(self) -> bool:
        """Whether the connection is open and everything that was sent has left for the network."""
        return (
            not self._out
            and not self.transport.get_write_buffer_size()
            and self._protocol.state is State.OPEN
            and not self.transport.is_closing()  # broken, which the protocol hears of later
        )

    def takes_live(self, stream: str, first: int) -> bool:
        """Whether a shared frame of new events from place `first` on may be sent at once."""
        return self.is_idle() and self.end.takes_live(stream, first)

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def say(self, message: Message) -> None:
        """Send a small message at once, or first of all when the line is free again."""
        frame = self.end.message(message)
        if self.is_idle():
            broadcast([self.ws], frame, text=True)
        else:
            self._out.append(frame)
            self.wake()

    async def _send(self, message: Message) -> None:
        await self.ws.send(self.end.message(message), text=True)

    async def _pump(self) -> None:
        try:
            while True:
                self._wake.clear()
                while await self._send_next():
                    pass
                await self._wake.wait()
        except ConnectionClosed:
            pass
        except Exception:
            _log.exception("a console's pump failed")
            self.ws.transport.abort()
        finally:
            self._over = True
            if self._answered is not None:
                self._answered.set()

    async def _send_next(self) -> bool:
        """Send the most urgent thing there is; False when there is none, or no credit."""
        if self._out:
            await self.ws.send(self._out.pop(0), text=True)
            self._answers += 1
            if self._answered is not None and not self._out:
                self._answered.set()
            return True
        self._starved = not self.end.has_credit
        if self._starved:
            return False
        tops = self._room.tops
        read = self.end.next_read(tops)
        if read is None or read.part in ("order", "history"):
            if frames := self.news.next(self.who):
                for frame in frames:
                    await self.ws.send(frame, text=True)
                return True
            if await self._send_synced():
                return True
        if read is None:
            return False
        event_frame: bytes | None
        if read.part == "order":
            event_frame = self.end.order(read, *await self._room.order(read))
        else:
            stretch = await self._room.read(read)
            event_frame = self.end.events(read, stretch, tops.get(read.stream, 0))
        if event_frame is not None:
            await self.ws.send(event_frame, text=True)
            self._hub.delivered += 1
        return True

    async def _send_synced(self) -> bool:
        done = self.end.newly_synced(self._room.tops)
        for feed in done:
            digest = self._room.state(feed.stream).set_digest()
            frame = self.end.synced(feed.stream, self._room.tops.get(feed.stream, 0), digest)
            await self.ws.send(frame, text=True)
        return bool(done)

    # Watching ------------------------------------------------------------------------------

    def stalled(self, seconds: int, mute: int) -> bool:
        """Whether the console is stuck. Called once a second.

        Args:
            seconds: Through how many calls it may owe `seen` and read nothing.
            mute: Through how many somebody's console may say nothing at all, not even a ping.
        """
        end, ws = self.end, self.ws
        received = ws.received if isinstance(ws, Connection) else 0
        owes = end.bytes_seen != end.bytes_sent
        self._patience.look(owes, (end.bytes_seen, self._answers), received)
        is_flooded = self.transport.get_write_buffer_size() > MAX_BUFFERED
        is_mute = self.seat is not None and self._patience.mute >= mute
        return is_flooded or is_mute or self._patience.is_over(seconds)

    def cut(self) -> None:
        """End the line of somebody who does not read; with a word, if the line still takes one."""
        if self.is_idle():
            self.close(Close.STALLED, "nothing was read or said for too long, or no `seen`")
        else:
            self.transport.abort()
