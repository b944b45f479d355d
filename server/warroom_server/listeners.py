"""The doors for consoles: the Unix socket, and TCP with bearer tokens when asked for."""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve, unix_serve

from warroom_incident.directory import make_private
from warroom_incident.sync.wire import MAX_FRAME

from .crowd import Crowd
from .identity import Caller, bearer, peer_account
from .patience import Connection

Serve = Callable[[ServerConnection, Caller | str | None], Awaitable[None]]
"""Serves a connection; gets its caller, or the token that it brought, or None."""

_KEEPALIVE: dict[str, Any] = {
    "origins": [None],
    "max_size": MAX_FRAME,
    "max_queue": 16,
    "open_timeout": 10,
    "ping_interval": 4,
    "ping_timeout": 30,
    "close_timeout": 2,
    "server_header": None,
}
"""Browsers send an Origin and are refused; a stuck reader is cut by the hub's sweep."""

HANDSHAKE_SECONDS = 10
"""How long a connection may take over TLS before a word is heard."""

MAX_STRANGERS = 512
"""How many connections at one door may not have said yet who they are."""

BACKLOG = 512
"""Connections that may wait to be taken: after a restart all consoles come at once."""

logging.getLogger("websockets").setLevel(logging.CRITICAL)


class ListenError(Exception):
    """A door cannot be opened; the message is one sentence that says what to do."""


async def listen_unix(path: Path, mode: int | None, handle: Serve) -> Server:
    """Listen on a Unix socket.

    The socket's mode is 0600, and 0660 where its directory lets its group in, unless `mode` says
    otherwise. A socket that nobody listens on any more is replaced.

    Raises:
        ListenError: Somebody listens there already, or the path cannot be used.
    """
    if len(bytes(path)) > 100:
        raise ListenError(f"The socket path {path} is too long; choose one under 100 bytes.")
    listener = _bind(path, mode)

    async def accept(ws: ServerConnection) -> None:
        raw: socket.socket = ws.transport.get_extra_info("socket")
        request = ws.request
        token = bearer(request.headers.get("Authorization")) if request else None
        await handle(ws, token or Caller(peer_account(raw)))

    options = {**_KEEPALIVE, "create_connection": _strangers(), "backlog": BACKLOG}
    return await unix_serve(accept, sock=listener, compression=None, **options)


def _strangers() -> type[Connection]:
    """The connections of one door, of which only so many may be unknown."""

    class Stranger(Connection):
        crowd = Crowd(MAX_STRANGERS)

    return Stranger


def _bind(path: Path, mode: int | None) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        make_private(path.parent)
        _make_way(path)
        listener.setblocking(False)
        # Bound under another name until its mode is right, so that nobody slips in before.
        bound = path.with_name(f".{path.name}.new")
        bound.unlink(missing_ok=True)
        listener.bind(str(bound))
        bound.chmod(mode_for(path.parent) if mode is None else mode)
        listener.listen(BACKLOG)
        bound.rename(path)
    except OSError as error:
        listener.close()
        raise ListenError(f"Cannot listen on {path}: {reason_of(error)}.") from error
    except ListenError:
        listener.close()
        raise
    return listener


def mode_for(directory: Path) -> int:
    """The mode of a socket that is not told another: its group may use it where it may enter."""
    return 0o660 if directory.stat().st_mode & 0o010 else 0o600


def _make_way(path: Path) -> None:
    """See that nobody listens at a path; a dead socket there is simply replaced."""
    if not path.exists():
        return
    if not path.is_socket():
        raise ListenError(f"{path} exists and is no socket; choose another --socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            pass  # somebody listens, and does not come round to it
        except OSError as error:
            if error.errno not in (errno.ECONNREFUSED, errno.ENOENT):
                raise
            return
    raise ListenError(f"Another server listens on {path}; stop it or choose another --socket.")


async def listen_tcp(host: str, port: int, tls: ssl.SSLContext | None, handle: Serve) -> Server:
    """Listen on TCP; without TLS only on loopback. Every connection needs a token.

    Raises:
        ListenError: The address is not loopback and there is no TLS, or it cannot be used.
    """
    if tls is None and not is_loopback(host):
        raise ListenError(
            f"Plain TCP is only for this machine; give --cert and --key to listen on {host}."
        )

    async def accept(ws: ServerConnection) -> None:
        request = ws.request
        await handle(ws, bearer(request.headers.get("Authorization")) if request else None)

    options = {**_KEEPALIVE, "create_connection": _strangers()}
    if tls is not None:
        options["ssl_handshake_timeout"] = HANDSHAKE_SECONDS
    try:
        return await serve(accept, host, port, ssl=tls, compression="deflate", **options)
    except OSError as error:
        raise ListenError(f"Cannot listen on {host}:{port}: {reason_of(error)}.") from error


def is_loopback(host: str) -> bool:
    """Whether an address is only reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def tls_context(cert: Path, key: Path) -> ssl.SSLContext:
    """The TLS settings of a server with a certificate.

    Raises:
        ListenError: The files cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def no_password() -> str:
        raise ListenError(f"The key {key} is locked with a pass phrase; give one that is not.")

    try:
        context.load_cert_chain(cert, key, no_password)
    except (OSError, ssl.SSLError) as error:
        raise ListenError(
            f"The certificate {cert} with key {key} cannot be used: {error}."
        ) from error
    return context


def reason_of(error: OSError) -> str:
    """Why an address cannot be used, in the system's words: libraries write the address again."""
    if error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return error.strerror or str(error)
