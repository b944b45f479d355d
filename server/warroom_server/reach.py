"""Who can reach a server's doors, and what is missing so that others can."""

from __future__ import annotations

import grp
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .listeners import is_loopback, mode_for

HOST_SOCKET = Path("/run/warroom/socket")
"""Where every console of a host looks for its server."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where to listen. `listen` is TCP for consoles, `http` for alert senders."""

    socket: Path
    http: tuple[str, int] | None = None
    listen: tuple[str, int] | None = None
    cert: Path | None = None
    key: Path | None = None


def who_reaches(path: Path, mode: int | None) -> str:
    """Who besides its owner can connect to a Unix socket: `everybody`, a group, or nobody ("").

    Args:
        path: The socket; its directory need not exist yet, and is then made for one user alone.
        mode: Its mode where that is configured.
    """
    directory = path.parent
    if not directory.is_dir():
        return ""
    mode = mode_for(directory) if mode is None else mode
    bits = [place.stat().st_mode for place in (directory, *directory.parents)]
    if mode & 0o002 and all(each & 0o001 for each in bits):
        return "everybody"
    if mode & 0o020 and all(each & 0o011 for each in bits):
        gid = directory.stat().st_gid
        try:
            return f"the group {grp.getgrgid(gid).gr_name}"
        except KeyError:
            return f"the group {gid}"
    return ""


def addresses(doors: Doors, mode: int | None, configured: tuple[str, ...]) -> tuple[str, ...]:
    """Where other people's consoles find a server with these doors, in the order to try."""
    if configured:
        return configured
    found = [f"unix://{doors.socket}"] if who_reaches(doors.socket, mode) else []
    if doors.listen is not None and doors.listen[1]:
        host, port = doors.listen
        host = f"[{host}]" if ":" in host else host
        if doors.cert is not None and not _is_any(host):
            found.append(f"wss://{host}:{port}")
        elif doors.cert is None:
            found.append(f"ws://{host}:{port}")
    return tuple(found)


def missing(doors: Doors, mode: int | None, configured: tuple[str, ...]) -> Iterator[str]:
    """What keeps others from reaching a server with these doors, each with the way out."""
    if not who_reaches(doors.socket, mode):
        yield (
            f"Only you can reach {doors.socket}: give --socket a path in a directory that the "
            f"responders' group may enter (mode 0750), as {HOST_SOCKET}."
        )
    if doors.listen is None or is_loopback(doors.listen[0]):
        yield (
            "No console of another host can reach it: give --listen HOST:PORT with a certificate, "
            "--cert FILE --key FILE."
        )
    elif _is_any(doors.listen[0]) and not any(url.startswith("wss:") for url in configured):
        name = socket.gethostname()
        yield (
            f"Nobody knows by which name to reach {doors.listen[0]}:{doors.listen[1]}: set "
            f'urls = ["wss://{name}:{doors.listen[1]}"] in warroom.toml.'
        )
    if doors.http is None:
        yield "No alert sender can reach it: leave --http off out, or name an address there."


def _is_any(host: str) -> bool:
    return host.strip("[]") in ("0.0.0.0", "::", "")
