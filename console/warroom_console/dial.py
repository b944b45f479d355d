"""Opening one connection to one server, and making sure who is at the other end.

`websockets` is imported when it is first needed, behind the console's first picture.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from importlib import import_module
from typing import TYPE_CHECKING, Any

from warroom_incident.clean import clean_line
from warroom_incident.directory import is_anybodys
from warroom_incident.sync.wire import MAX_FRAME

from .lazily import lazily
from .places import Server

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

CLOSE_WITHIN = 1

_silent = logging.getLogger("warroom.link")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
_silent.setLevel(logging.CRITICAL)  # its debug lines would carry the token


class DialError(Exception):
    """The other end is not who it should be; the message is a sentence's end."""


def why_not(error: Exception) -> str:
    """Why no connection came about, in the system's words: `connection refused`."""
    if not isinstance(error, OSError):
        return clean_line(str(error) or type(error).__name__, 120)
    said = error.strerror or str(error)
    if said.startswith("Connect call failed") and error.errno:
        said = os.strerror(error.errno)  # asyncio puts the address in the reason's place
    elif said.startswith("Multiple exceptions"):
        said = "none of its addresses answers"
    return clean_line(said, 120).lower()


def load() -> None:
    """Import `websockets` without what it needs for proxies, and to find out its own version."""
    with lazily("importlib.metadata", "urllib.request"):
        import_module("websockets.asyncio.client")


async def dial(server: Server, token: str | None) -> ClientConnection:
    """Connect and shake hands.

    Raises:
        OSError: Nobody answers.
        websockets.exceptions.WebSocketException: Somebody does, who is no warroom.
        DialError: A Unix socket is served by a user whom we have no reason to trust.
    """
    load()
    from websockets.asyncio.client import connect

    options: dict[str, Any] = {
        "max_size": MAX_FRAME,
        "ping_interval": None,  # whoever stays has a `Pulse`, all others a bound of their own
        "close_timeout": CLOSE_WITHIN,
        "open_timeout": None,
        "user_agent_header": "warroom",
        "logger": _silent,
    }
    if token is not None:
        options["additional_headers"] = {"Authorization": f"Bearer {token}"}
    if server.kind == "unix":
        return await _dial_unix(server, options)
    return await connect(server.url, proxy=None, compression="deflate", **options)


async def _dial_unix(server: Server, options: dict[str, Any]) -> ClientConnection:
    from websockets.asyncio.client import unix_connect

    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, str(server.path))
        check_owner(peer_uid(sock), server)
        return await unix_connect(sock=sock, compression=None, **options)
    except BaseException:
        sock.close()
        raise


def peer_uid(sock: socket.socket) -> int:
    """The user id of the process at the other end of a Unix socket."""
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return int(uid)


def check_owner(uid: int, server: Server) -> None:
    """Say whether whoever serves a socket may: root, this user, or the socket's owner.

    An owner counts for nothing where anybody may have made the socket, as in /tmp.

    Raises:
        DialError: It is somebody else, who could read and answer everything.
    """
    if uid in (0, os.getuid()):
        return
    if uid != server.path.stat().st_uid:
        raise DialError(f"it is served by user {uid}, who does not own it; nothing was sent")
    if is_anybodys(server.path):
        raise DialError(
            f"it is served by user {uid} in a place where anybody could; nothing was sent"
        )
