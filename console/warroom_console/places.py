"""Where everything is: the servers to try, this user's directories, name, token and machine.

All of it comes from the command line and the environment, and is read once at the start.
"""

from __future__ import annotations

import ipaddress
import os
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct
from platformdirs import user_config_path, user_runtime_path, user_state_path

from warroom_incident.clean import clean_line
from warroom_incident.directory import SOCKET_PATH_BYTES
from warroom_incident.machine import machine_name

from .known import directory_name

HOST_SOCKET = Path("/run/warroom/socket")
CONSOLE_FILE = "console.toml"
"""In the configuration directory: `servers = ["unix:///…", "wss://…"]`, tried in order."""

MAX_SERVERS = 16
MAX_NAME = 80
MAX_TOKEN = 512
_TOKEN = re.compile(r"[\x21-\x7e]+")
_FORMS = "unix:///path, ws://127.0.0.1:8764 or wss://host:8764"


class PlaceError(ValueError):
    """A setting cannot be used; the message is one sentence that says what to do."""


class Server(Struct, frozen=True):
    """One server's address. `path` is the socket of a `unix` one."""

    url: str
    kind: Literal["unix", "ws", "wss"]
    path: Path = Path()


class Places(Struct, frozen=True):
    """This user's settings for one run.

    `named` says whether the user chose the servers; else they are the two default sockets.
    `replica` is where the replica must be, None for a directory per room below `state`. `user` is
    the claimed name or empty, `token` is never printed, `machine` tells hosts apart.
    """

    servers: tuple[Server, ...]
    named: bool
    state: Path
    config: Path
    replica: Path | None = None
    user: str = ""
    token: str | None = None
    machine: str = ""

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """Every setting but the token."""
        names = (name for name in self.__struct_fields__ if name != "token")
        return [(name, getattr(self, name)) for name in names]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Places({shown})"

    def room_directory(self, room: str) -> Path:
        """Where this user's replica of a room is."""
        return self.replica or self.state / "rooms" / directory_name(room)

    @classmethod
    def find(cls, server: str = "", environ: Mapping[str, str] | None = None) -> Places:
        """Read the settings; `server` is what `--server` said.

        Raises:
            PlaceError: One of them cannot be used.
        """
        env = os.environ if environ is None else environ
        config = config_directory(env)
        state = user_state_path("warroom")
        wanted = server or env.get("WARROOM_SERVER", "") or _configured(config)
        servers = parse_servers(wanted) if wanted.strip(", ") else default_servers(env)
        replica = env.get("WARROOM_REPLICA")
        return cls(
            servers,
            bool(wanted.strip(", ")),
            state,
            config,
            Path(replica).expanduser().absolute() if replica else None,
            _user(env.get("WARROOM_USER", "")),
            token_of(env.get("WARROOM_TOKEN", ""), config / "token"),
            machine_name(),
        )


def config_directory(environ: Mapping[str, str]) -> Path:
    """The configuration directory: WARROOM_CONFIG may name it, or the `warroom.toml` in it."""
    named = environ.get("WARROOM_CONFIG")
    if not named:
        return user_config_path("warroom")
    path = Path(named).expanduser().absolute()
    return path.parent if path.suffix == ".toml" else path


def default_servers(environ: Mapping[str, str]) -> tuple[Server, ...]:
    """The sockets that are looked for: this person's own server, and the host's."""
    fallback: Path | None = None
    # platformdirs warns where the directory is open to others and goes elsewhere: both places are
    # looked at, and `warroom doctor` says what is wrong with them. Where somebody else made that
    # place it refuses: the others are still there.
    with warnings.catch_warnings(), suppress(PermissionError):
        warnings.simplefilter("ignore")
        fallback = user_runtime_path("warroom") / "socket"
    given = environ.get("XDG_RUNTIME_DIR", "")
    own = Path(given) / "warroom" / "socket" if given.startswith("/") else fallback
    paths = dict.fromkeys(path for path in (own, fallback, HOST_SOCKET) if path is not None)
    return tuple(Server(f"unix://{path}", "unix", path) for path in paths)


def parse_servers(text: str) -> tuple[Server, ...]:
    """Read addresses with commas between them.

    Raises:
        PlaceError: One of them is no address of a server.
    """
    urls = [url.strip() for url in text.split(",") if url.strip()]
    if len(urls) > MAX_SERVERS:
        raise PlaceError(f"At most {MAX_SERVERS} servers can be listed; {len(urls)} are.")
    return tuple(dict.fromkeys(parse_server(url) for url in urls))


def parse_server(url: str) -> Server:
    """Read one address.

    Raises:
        PlaceError: It is none; the message says what one looks like.
    """
    shown = clean_line(url, 60)
    try:
        parts = urlsplit(url)
        port = parts.port
        url.encode()
    except (ValueError, UnicodeEncodeError):
        raise PlaceError(f"“{shown}” is no server's address: give {_FORMS}.") from None
    if parts.username is not None or parts.password is not None:
        raise PlaceError("A server's address holds no name or password: put it in WARROOM_TOKEN.")
    if parts.query or parts.fragment:
        raise PlaceError(f"“{shown}” has something behind its path: give {_FORMS}.")
    match parts.scheme:
        case "unix":
            return _unix(parts, shown)
        case "ws" | "wss" if parts.hostname and parts.path in ("", "/"):
            scheme: Literal["ws", "wss"] = "wss" if parts.scheme == "wss" else "ws"
            if scheme == "ws" and not _is_loopback(parts.hostname):
                raise PlaceError(
                    f"“{shown}” would send everything in the clear: use wss://, or ws:// only to "
                    "127.0.0.1."
                )
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            return Server(f"{scheme}://{host}:{port or 8764}", scheme)
        case _:
            raise PlaceError(f"“{shown}” is no server's address: give {_FORMS}.")


def _unix(parts: SplitResult, shown: str) -> Server:
    if parts.netloc or not parts.path.startswith("/") or parts.path == "/":
        raise PlaceError(f"“{shown}” names no socket: give its whole path, as in unix:///path.")
    if len(os.fsencode(parts.path)) > SOCKET_PATH_BYTES:
        said = f"the path of a socket ends at {SOCKET_PATH_BYTES} bytes"
        raise PlaceError(f"“{shown}” is too long: {said}.")
    return Server(f"unix://{parts.path}", "unix", Path(parts.path))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _configured(config: Path) -> str:
    """The `servers` that `console.toml` lists, with commas between them."""
    path = config / CONSOLE_FILE
    try:
        with path.open("rb") as file:
            import tomllib

            servers = tomllib.load(file).get("servers", [])
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        raise PlaceError(f"{path} cannot be read: {clean_line(str(error), 120)}.") from None
    if not isinstance(servers, list) or not all(isinstance(url, str) for url in servers):
        raise PlaceError(f"{path}: `servers` must be a list of addresses.")
    return ",".join(servers)


def _user(name: str) -> str:
    name = name.strip()
    if clean_line(name) != name:
        raise PlaceError("WARROOM_USER holds characters that no name has: choose a plain one.")
    if len(name) > MAX_NAME:
        raise PlaceError(f"WARROOM_USER may have {MAX_NAME} characters at the most.")
    return name


def token_of(token: str, path: Path) -> str | None:
    """The token of the environment, else of the token file, which only its owner may read.

    Raises:
        PlaceError: It is damaged, or its file open to others.
    """
    token = token.strip()
    if not token:
        try:
            if path.stat().st_mode & 0o077:
                raise PlaceError(f"{path} can be read by others: run chmod 600 on it first.")
            token = path.read_text("utf-8", "replace")[: MAX_TOKEN + 2].strip()
        except OSError:
            return None
    if not token:
        return None
    if len(token) > MAX_TOKEN or not _TOKEN.fullmatch(token):
        raise PlaceError("The token is damaged: give it as `warroom token create` printed it.")
    return token
