"""The line to another server: its address, the token for it, and making sure who is there."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect, unix_connect

from warroom_incident.directory import SOCKET_PATH_BYTES, is_anybodys
from warroom_incident.peer_token import peer_token_file
from warroom_incident.sync.wire import MAX_FRAME

from .config import ConfigError
from .listeners import is_loopback

_TOKEN = re.compile(r"[\x21-\x7e]{1,512}")
_SECRET = re.compile(r"(?<=//)[^/]*@|[?#].*", re.DOTALL)
"""What people put into an address that nobody else may read, and no server's address holds."""

DEFAULT_PORT = 8764
OPEN_WITHIN = 10.0


class DialError(Exception):
    """The other end is not who it should be; the message is a sentence's end."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where another server listens. `path` is the socket of a Unix one, None for TCP."""

    url: str
    path: Path | None = None
    token: str | None = field(default=None, repr=False)


def read_address(url: str, directory: Path) -> Address:
    """Read a server's address, with the token that lies for it in the configuration directory.

    Raises:
        ConfigError: It is no address, or its token file is missing or open to others.
    """
    shown = _SECRET.sub("", url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError:
        host, port, parts = None, 0, urlsplit("")
    if parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/"):
        if len(os.fsencode(parts.path)) > SOCKET_PATH_BYTES:
            said = f"the path of a socket ends at {SOCKET_PATH_BYTES} bytes"
            raise ConfigError(f"{shown} is too long: {said}.")
        return Address(f"unix://{parts.path}", Path(parts.path))
    if shown != url:
        raise ConfigError(
            f"The address {shown} holds more than that, such as a password: take it out, and put "
            f"the token into {peer_token_file(host or 'HOST', port)} beside warroom.toml."
        )
    if parts.scheme not in ("ws", "wss") or not host:
        raise ConfigError(
            f"{shown} is no server's address: give unix:///path, wss://host:{DEFAULT_PORT}, or "
            f"ws://127.0.0.1:{DEFAULT_PORT} on this machine."
        )
    if parts.scheme == "ws" and not is_loopback(host):
        raise ConfigError(f"{shown} would send everything in the clear: use wss://.")
    name = f"[{host}]" if ":" in host else host
    token = _read_token(directory / peer_token_file(host, port))
    return Address(f"{parts.scheme}://{name}:{port}", None, token)


def _read_token(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"Others can read the token {path}; run: chmod 600 {path}")
        token = path.read_text("utf-8", "replace").strip()
    except OSError:
        raise ConfigError(
            f"There is no token at {path}: make one with `warroom token create NAME --role admin` "
            "on the other server and put it there with mode 0600."
        ) from None
    if not _TOKEN.fullmatch(token):
        raise ConfigError(f"{path} holds no token: put there what `warroom token create` printed.")
    return token


async def dial(address: Address) -> ClientConnection:
    """Connect and shake hands.

    Raises:
        OSError, websockets.exceptions.WebSocketException: It does not work now.
        DialError: A Unix socket is served by a user whom we have no reason to trust.
        TimeoutError: Nobody answers.
    """
    options: dict[str, Any] = {
        "max_size": MAX_FRAME,
        "ping_interval": 10,
        "ping_timeout": 30,
        "close_timeout": 1,
        "open_timeout": None,
        "user_agent_header": "warroom",
    }
    async with asyncio.timeout(OPEN_WITHIN):
        if address.path is not None:
            return await _dial_unix(address.path, options)
        if address.token is not None:
            options["additional_headers"] = {"Authorization": f"Bearer {address.token}"}
        return await connect(address.url, proxy=None, compression="deflate", **options)


async def _dial_unix(path: Path, options: dict[str, Any]) -> ClientConnection:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, str(path))
        _check_owner(sock, path)
        return await unix_connect(sock=sock, compression=None, **options)
    except BaseException:
        sock.close()
        raise


def _check_owner(sock: socket.socket, path: Path) -> None:
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid = struct.unpack("3i", raw)[1]
    if uid in (0, os.getuid()):
        return
    if uid != path.stat().st_uid:
        raise DialError(f"it is served by user {uid}, who does not own it")
    if is_anybodys(path):
        raise DialError(f"it is served by user {uid} in a place where anybody could")
