"""Runs the HTTP door inside the server's own event loop.

Owns the listening socket and the limits of a connection: 16 KiB for a request's head, 12 s for a
whole request to arrive, 512 connections that are waited for, of which the one that was silent
longest makes room for another, and as many that are answered. Signals stay with the server; there
is no access log, because paths carry tokens.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..crowd import Crowd
from ..listeners import reason_of
from ..turns import BITE, Turns, read_in_bites

HEAD_BYTES = 16 << 10
REQUEST_SECONDS = 12.0
"""Longer than the door waits for a body, so that a slow sender still gets an answer."""

STOP_SECONDS = 3
MAX_CONNECTIONS = 512
_BACKLOG = 512


class CannotListen(Exception):
    """The address cannot be listened on; the message is a sentence that names it."""


class HttpServer:
    """A running HTTP listener. Made by `serve_http`."""

    def __init__(self, server: uvicorn.Server, listener: socket.socket) -> None:
        """Use `serve_http` instead."""
        self._server = server
        self._listener = listener
        host, port = listener.getsockname()[:2]
        self.host: str = host
        self.port: int = port
        self._task = asyncio.create_task(server.serve(sockets=[listener]), name="http")

    @property
    def address(self) -> str:
        """`HOST:PORT` as it is listened on, with the real port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def stop(self) -> None:
        """Take no more connections, finish what is being answered, within `STOP_SECONDS`."""
        self._server.should_exit = True
        await asyncio.wait([self._task])
        self._listener.close()


async def serve_http(app: ASGIApp, host: str, port: int) -> HttpServer:
    """Listen on an address (port 0 picks one) and return once connections are taken.

    Raises CannotListen.
    """
    listener = _listen(host, port)
    server = _Server(
        uvicorn.Config(
            app,
            http=_protocol(),
            limit_concurrency=2 * MAX_CONNECTIONS,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",  # any stranger can bring warnings about
            access_log=False,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=HEAD_BYTES,
            backlog=_BACKLOG,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    running = HttpServer(server, listener)
    await server.up.wait()
    return running


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise CannotListen(f"Cannot listen on {host}:{port}: a port is a number from 0 to 65535.")
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host}:{port}: {reason_of(error)}. Choose another --http HOST:PORT."
        ) from None


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the server that we are a part of drains in its own order."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


def _protocol() -> type[_BoundedProtocol]:
    class Sender(_BoundedProtocol):
        crowd = Crowd(MAX_CONNECTIONS)
        turns = Turns()

    return Sender


class _BoundedProtocol(H11Protocol):
    """One connection, which has to deliver each request whole within `REQUEST_SECONDS`.

    uvicorn only limits how long a connection idles between requests; a head that trickles in
    would hold one for ever. Of those that are waited for, `crowd` bounds the number.
    """

    crowd: Crowd
    turns: Turns
    _late: deque[bytes]
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._late = deque()
        read_in_bites(transport)
        self._arm()

    def data_received(self, data: bytes) -> None:
        self._arm()
        for start in range(0, len(data), BITE):
            self._late.append(data[start : start + BITE])
            self.turns.take(self._read)
        if self._late:
            self.transport.pause_reading()

    def _read(self) -> None:
        data = self._late.popleft()
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._is_whole:
            self._disarm()
        if not self._late and not self.flow.read_paused:
            self.transport.resume_reading()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not (self._is_whole or self.transport.is_closing()):
            self.crowd.come(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    @property
    def _is_whole(self) -> bool:
        return self.conn.their_state is h11.DONE or self.conn.their_state is h11.MUST_CLOSE

    def _arm(self) -> None:
        self.crowd.come(self.transport)
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _disarm(self) -> None:
        self.crowd.leave(self.transport)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
