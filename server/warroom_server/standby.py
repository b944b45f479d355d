"""A standby: a server that follows another one, keeps everything, and waits to be promoted."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed, WebSocketException

from warroom_incident.author import Entropy, new_rep
from warroom_incident.clean import clean_line
from warroom_incident.directory import sync
from warroom_incident.machine import machine_name
from warroom_incident.reducers import Right
from warroom_incident.sync.client_end import ClientEnd
from warroom_incident.sync.server_end import ServerEnd
from warroom_incident.sync.wire import (
    PROTOCOL,
    Close,
    Hello,
    Promote,
    ProtocolError,
    Standing,
    Welcome,
    encode,
    read_from_console,
)

from .config import ConfigError
from .exchange import Us
from .identity import Caller, Who, account_name, name_of
from .in_step import InStep
from .keys import ServerKey, load_or_create
from .peer import Peer
from .peer_line import Address, DialError, dial
from .reading_out import read_out
from .room import Room

MARK = "promoted"
"""The file in the data directory that says: this standby has taken over."""

QUESTION_WITHIN = 10.0
REFUSAL = "this is a standby until `warroom promote`"


def is_promoted(data: Path) -> bool:
    """Whether the standby with this data has taken over."""
    return (data / MARK).exists()


def mark_promoted(data: Path) -> None:
    """Note that, so that it stays so when power fails.

    Raises:
        OSError: The disk does not take it.
    """
    handle = os.open(data / MARK, os.O_CREAT | os.O_WRONLY, 0o600)
    os.fsync(handle)
    os.close(handle)
    sync(data)


class Unanswered(Exception):
    """The server to follow does not say where it is; the message is one sentence."""


def standby_key(first: Address, path: Path, entropy: Entropy) -> ServerKey:
    """A standby's own key for the room of the server that it follows, made when it is missing.

    Raises:
        Unanswered: There is no key yet, and the server cannot be asked which room it serves.
        ConfigError: The key is another room's, or the server's own.
    """
    has_key = path.exists()
    try:
        welcome = asyncio.run(ask(first))
    except (OSError, TimeoutError, WebSocketException, DialError, ProtocolError) as error:
        if has_key:
            return load_or_create(path, entropy)
        said = clean_line(getattr(error, "strerror", None) or str(error), 120) or "no answer"
        raise Unanswered(
            f"This standby has no key for the room yet, and {first.url} cannot be asked ({said}): "
            "start it once while that server runs."
        ) from None
    key = load_or_create(path, entropy, welcome.room)
    if key.room != welcome.room:
        raise ConfigError(
            f"{path} is the key of another room than that of {first.url}: give this standby a "
            "configuration directory of its own with WARROOM_CONFIG."
        )
    if key.name == welcome.server:
        raise ConfigError(
            f"{path} is the key of {first.url} itself: give this standby a configuration "
            "directory of its own with WARROOM_CONFIG."
        )
    return key


async def ask(address: Address) -> Welcome:
    """Ask a server where it is.

    Raises:
        OSError, WebSocketException, DialError, TimeoutError, ProtocolError: It does not say.
    """
    hello = Hello(PROTOCOL, "warroom server", new_rep(secrets.token_bytes), machine_name())
    end = ClientEnd(hello, (), None)
    connection = await dial(address)
    try:
        async with asyncio.timeout(QUESTION_WITHIN):
            await connection.send(end.hello(()), text=True)
            while end.welcome is None:
                end.receive(bytes(await connection.recv(decode=False)))
        return end.welcome
    finally:
        await connection.close()


class Standby:
    """Turns everybody away until somebody promotes it.

    Args:
        room: What it holds.
        us: Who it is.
        peer: The line to the server that it follows.
        welcome: What is said first to somebody who may read here.
        promote: Makes it the server; is told who wants that, and of when its copy is.
        in_step: When it held everything, as far as an earlier run of it knew.
    """

    def __init__(
        self,
        room: Room,
        us: Us,
        peer: Peer,
        welcome: Callable[[Who], Welcome],
        promote: Callable[[str, int], Awaitable[None]],
        in_step: InStep,
    ) -> None:
        self._room = room
        self._us = us
        self._peer = peer
        self._welcome = welcome
        self._promote = promote
        self._in_step = in_step
        self._serves = False

    async def answer(self, ws: ServerConnection, who: Caller | None) -> None:
        """Answer one connection: only whoever may promote it hears more than a sentence."""
        try:
            async with asyncio.timeout(QUESTION_WITHIN):
                frame = bytes(await ws.recv(decode=False))
            message = read_from_console(frame)
            if isinstance(message, Hello) and message.reads and who and self._may_promote(who):
                await self._read_out(ws, frame, who)
            elif not isinstance(message, Promote):
                await ws.close(Close.BUSY, REFUSAL)
            elif who is None or not self._may_promote(who):
                await ws.close(Close.FORBIDDEN, "only an admin of the room promotes a standby")
            else:
                await ws.send(encode(await self._answer(message, who)), text=True)
                await ws.close()
        except TimeoutError:
            await ws.close(Close.BUSY, REFUSAL)
        except ProtocolError as error:
            await ws.close(error.code, error.reason)
        except ConnectionClosed:
            pass

    async def _read_out(self, ws: ServerConnection, hello: bytes, who: Caller) -> None:
        end = ServerEnd()
        end.receive(hello)
        await read_out(ws, end, self._room, who, self._welcome(name_of(who, "")))

    def _may_promote(self, who: Caller) -> bool:
        is_ours = who.token is None and who.account == account_name(os.getuid())
        return is_ours or self._room.right_of(who).covers(Right.ADMIN)

    async def _answer(self, message: Promote, who: Caller) -> Standing:
        if not message.confirmed or self._serves:
            return self._standing()
        if not self._room.room.events:
            return self._standing(
                f"it never had a line to {self._peer.address.url}, so it holds nothing to serve"
            )
        self._serves = True
        try:
            await self._promote(who.account, self._in_step_at)
        except BaseException:
            self._serves = False
            raise
        return self._standing()

    @property
    def _in_step_at(self) -> int:
        return self._peer.progress.in_step_at or self._in_step.at or _newest(self._room)

    def look(self) -> None:
        """Remember when everything was here. Called once a second."""
        self._in_step.note(self._peer.progress.in_step_at, sum(self._room.tops.values()))

    def _standing(self, reason: str = "") -> Standing:
        room, peer = self._room, self._peer
        return Standing(
            self._us.room,
            self._us.server,
            self._serves,
            len(room.incidents),
            sum(room.tops.values()),
            len(room.room.tokens()),
            peer.address.url,
            self._in_step_at,
            peer.welcome is not None,
            reason,
        )


def _newest(room: Room) -> int:
    """When the newest event was admitted that is held, in milliseconds; 0 with none."""
    states = (room.room, room.board, *room.incidents.values())
    return max((e.admitted or 0 for state in states for e in state.events.values()), default=0)
