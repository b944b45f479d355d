"""The first contact: which room is behind an address, and which servers to try at all."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from warroom_incident.author import new_rep
from warroom_incident.clean import clean_line
from warroom_incident.sync.client_end import ClientEnd
from warroom_incident.sync.wire import PROTOCOL, Close, Hello, ProtocolError, Welcome

from .dial import DialError, dial, load
from .farewell import farewell
from .known import Known
from .places import Places, Server

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed

FIRST_CONTACT_WITHIN = 5.0


class NoServer(Exception):
    """No server was ever reached, so there is nothing to show; the message says what to do."""


class Unwelcome(Exception):
    """A server answered and lets nobody in; the message is its sentence."""


def candidates(places: Places) -> tuple[Server, ...]:
    """The servers to try: those the user named, or the default sockets that make sense.

    These are the ones that answer, else the ones that did before, else all.
    """
    if places.named:
        return places.servers
    answering = tuple(server for server in places.servers if answers(server))
    rooms = Known(places.state).rooms()
    known = tuple(server for server in places.servers if server.url in rooms)
    return answering or known or places.servers


def answers(server: Server) -> bool:
    """Whether somebody takes connections on a Unix socket; asking takes no time."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(str(server.path))
        except OSError:
            return False
    return True


def known_room(places: Places, servers: Sequence[Server]) -> str | None:
    """The room that the first known of the servers led to."""
    rooms = Known(places.state).rooms()
    return next((rooms[server.url] for server in servers if server.url in rooms), None)


async def first_contact(places: Places, servers: Sequence[Server]) -> tuple[Server, Welcome]:
    """Ask the servers in order where they are.

    Raises:
        NoServer: None answers.
        Unwelcome: One answers and does not let this user in.
    """
    load()
    from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

    reasons = []
    for server in servers:
        try:
            async with asyncio.timeout(FIRST_CONTACT_WITHIN):
                return server, await _ask(places, server)
        except ConnectionClosed as closed:
            _raise_if_final(closed)
            reasons.append(f"{server.url} hung up")
        except ProtocolError as error:
            if error.code.final:
                raise Unwelcome(farewell(error.code, clean_line(error.reason, 120))) from None
            reasons.append(f"{server.url} is no warroom")
        except InvalidStatus as error:
            if error.response.status_code in (401, 403):
                raise Unwelcome(farewell(Close.UNKNOWN_TOKEN, "")) from None
            reasons.append(f"{server.url} is no warroom")
        except TimeoutError:
            reasons.append(f"{server.url} does not answer")
        except DialError as error:
            reasons.append(f"{server.url}: {error}")
        except (OSError, WebSocketException):
            reasons.append(f"{server.url} cannot be reached")
    raise NoServer("No warroom server: " + ", ".join(reasons) + ".")


def _raise_if_final(closed: ConnectionClosed) -> None:
    if closed.rcvd is not None and closed.rcvd.code in {code.value for code in Close if code.final}:
        said = clean_line(closed.rcvd.reason, 120)
        raise Unwelcome(farewell(Close(closed.rcvd.code), said)) from None


async def _ask(places: Places, server: Server) -> Welcome:
    hello = Hello(PROTOCOL, "warroom", new_rep(os.urandom), places.machine, places.user)
    end = ClientEnd(hello, (), None)
    connection = await dial(server, places.token)
    try:
        await connection.send(end.hello(()), text=True)
        while end.welcome is None:
            end.receive(bytes(await connection.recv(decode=False)))
        return end.welcome
    finally:
        await connection.close()
