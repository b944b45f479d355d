"""The line to one peer: another server of the room that this one keeps in step with.

This server is a client of it with the same protocol as a console, and comes back by itself. It is
enough that one of the two names the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import Callable, Sequence

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from warroom_incident.author import Author, Counters, new_rep
from warroom_incident.clean import clean_line
from warroom_incident.clock import HybridClock
from warroom_incident.sync.uplink import Uplink
from warroom_incident.sync.wire import (
    PROTOCOL,
    BoardCursor,
    Close,
    Hello,
    ProtocolError,
    Summary,
    Welcome,
)

from .board import Board
from .board_line import BoardLine
from .exchange import Exchange, Progress, Us
from .peer_line import Address, DialError, dial
from .room import Commit, Room

FIRST_DELAY, LONGEST_DELAY = 0.5, 10.0
"""Seconds between attempts, with jitter."""

LASTING = 5.0
"""A connection that lasted so long was a good one: the next delay is the first again."""

WELCOME_WITHIN = 10.0
PULSE_EVERY = 0.25
"""How often credit is given back and it is told what is held, in seconds."""

UNWRITTEN = 8
"""How many batches may wait for the disk before no more is read."""

_log = logging.getLogger(__name__)


class Mismatch(Exception):
    """The other end is no peer of ours; the message is one sentence."""


class Peer:
    """A peer, whether there is a line to it, and what is wrong if there is none.

    Args:
        address: Where it is.
        room: This server's streams.
        board: This server's alerts.
        us: Who we are.
        standby: Whether this server only follows.
        changed: Called when the line comes or goes.
        holds: Told which machine holds a stream up to which place of our log.
        heard: Told the lines of the peer's lobby.
    """

    def __init__(
        self,
        address: Address,
        room: Room,
        board: Board,
        us: Us,
        *,
        standby: bool = False,
        changed: Callable[[], None] = lambda: None,
        holds: Callable[[str, str, int], None] = lambda _machine, _stream, _iseq: None,
        heard: Callable[[Sequence[Summary]], None] = lambda _summaries: None,
    ) -> None:
        self.address = address
        self.standby = standby
        self.trouble = "no line yet"
        """Why there is no line; empty while there is one."""
        self.welcome: Welcome | None = None
        """What the peer said first, None while there is no line."""
        self.progress = Progress()
        self._room = room
        self._board = board
        self._board_line = BoardLine(board)
        self._us = us
        self._changed = changed
        self._holds = holds
        self._heard = heard
        entropy = secrets.token_bytes
        self._author = Author(Counters(new_rep(entropy)), HybridClock(room.wall), entropy)
        self._hurry = asyncio.Event()
        self._ws: ClientConnection | None = None
        self._exchange: Exchange | None = None
        room.listeners.append(self._on_commit)
        room.amendments.append(self._on_amendment)

    def again(self) -> None:
        """Begin anew at once."""
        self._hurry.set()
        if self._ws is not None:
            self._ws.transport.abort()

    async def run(self) -> None:
        """Keep the line until cancelled."""
        delay, loop = FIRST_DELAY, asyncio.get_running_loop()
        while True:
            self._hurry.clear()
            began = loop.time()
            self._lost(await self._visit())
            if loop.time() - began > LASTING:
                delay = FIRST_DELAY
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay * (0.5 + random.random() / 2)):
                    await self._hurry.wait()
            delay = min(delay * 2, LONGEST_DELAY)

    async def _visit(self) -> str:
        """Connect and stay as long as it lasts; returns what ended it."""
        try:
            self._ws = await dial(self.address)
            await self._talk(self._ws)
        except ProtocolError as error:
            if error.code is Close.LOG_CHANGED:
                self.progress.cursors.clear()
            await self._say_goodbye(error)
            return error.reason
        except Mismatch as error:
            return str(error)
        except ConnectionClosed as closed:
            return (closed.rcvd.reason if closed.rcvd else "") or "the line broke"
        except InvalidStatus as error:
            return f"it answers with HTTP {error.response.status_code}, not as a warroom"
        except TimeoutError:
            return "it does not answer"
        except (OSError, DialError, WebSocketException) as error:
            said = error.strerror if isinstance(error, OSError) else None
            return (said or str(error) or type(error).__name__).lower()
        finally:
            await self._hang_up()
        return "the line broke"

    async def _say_goodbye(self, error: ProtocolError) -> None:
        if self._ws is not None:
            with contextlib.suppress(WebSocketException, OSError):  # it may be gone already
                await self._ws.close(error.code, error.reason[:100])

    async def _hang_up(self) -> None:
        was_live = self.welcome is not None
        self.welcome = None
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.ended()
        ws, self._ws = self._ws, None
        if ws is not None:
            with contextlib.suppress(WebSocketException, OSError):
                await ws.close()
        if was_live:
            self._changed()

    def _lost(self, reason: str) -> None:
        reason = clean_line(reason, 200)
        if reason != self.trouble:
            _log.warning("no line to the peer %s: %s", self.address.url, reason)
        self.trouble = reason

    async def _talk(self, ws: ClientConnection) -> None:
        exchange = self._new_exchange(ws)
        end = exchange.end
        await ws.send(exchange.hello(), text=True)
        async with asyncio.timeout(WELCOME_WITHIN):
            while end.welcome is None:
                end.receive(await _frame(ws))
        self._check(end.welcome)
        self._exchange = exchange
        self.welcome, self.trouble = end.welcome, ""
        exchange.welcomed()
        self._changed()
        uplink = Uplink(ws)
        works = [
            uplink.run(),
            _carry(uplink, exchange),
            _pulse(exchange),
            _hand_on(uplink, exchange),
        ]
        if end.welcome.boards and not self.standby:
            works.append(self._board_line.tell(uplink))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            while True:
                exchange.heard(end.receive(await _frame(ws)))
                if (seen := end.seen()) is not None:
                    exchange.say(seen)
                # What failed stays among them, and has broken the line: it is not waited for.
                while len(waiting := exchange.on_the_way()) >= UNWRITTEN:
                    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _new_exchange(self, ws: ClientConnection) -> Exchange:
        hello = Hello(
            PROTOCOL,
            "warroom server",
            self._author.rep,
            self._us.machine,
            board=BoardCursor("", 0),
            lobby=True,
            server=self._us.server,
            standby=self.standby,
        )
        return Exchange(
            hello,
            self._room,
            self._board,
            self._us,
            self.progress,
            self._author,
            holds=self._holds,
            heard=self._heard,
            broken=ws.transport.abort,
        )

    def _check(self, welcome: Welcome) -> None:
        if welcome.room != self._us.room:
            raise Mismatch(f"it serves another room ({clean_line(welcome.room, 40)})")
        if welcome.server == self._us.server:
            raise Mismatch("it is this server itself, or has a copy of its key")
        if welcome.right != "admin":
            raise Mismatch(
                f"we are {clean_line(welcome.you, 40)} there, who is {welcome.right}: "
                "only an admin may follow all of a room"
            )

    def _on_commit(self, commit: Commit) -> None:
        if self._exchange is not None:
            self._exchange.on_commit(commit)

    def _on_amendment(self, stream: str, iseq: int) -> None:
        if self._exchange is not None:
            self._exchange.on_amendment(stream, iseq)


async def _frame(ws: ClientConnection) -> bytes:
    return bytes(await ws.recv(decode=False))


async def _carry(uplink: Uplink, exchange: Exchange) -> None:
    """Send credit and questions before all that is handed on."""
    while True:
        uplink.put_first(await exchange.out.get())


async def _hand_on(uplink: Uplink, exchange: Exchange) -> None:
    """Send what the peer lacks, once it knows whose seals prove it."""
    await exchange.introduced.wait()
    async for frame in exchange.owing.frames():
        uplink.put(frame)
        await uplink.drained()


async def _pulse(exchange: Exchange) -> None:
    while True:
        await asyncio.sleep(PULSE_EVERY)
        if (seen := exchange.end.seen(now=True)) is not None:
            exchange.say(seen)
        exchange.report()
