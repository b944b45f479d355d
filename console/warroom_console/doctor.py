"""What `warroom doctor` looks at: each thing, whether it is well, and what to do if not."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path

from warroom_incident.clean import clean_line
from warroom_incident.filesystem import network_under
from warroom_incident.outbox import Outbox
from warroom_incident.practice.words import counted
from warroom_incident.replica import Replica
from warroom_incident.schema import MINIMUM_SQLITE, StorageError

from .contact import NoServer, Unwelcome, answers, first_contact, known_room
from .link import wall_ms
from .places import Places, Server
from .spool import Kept, kept
from .when import age

State = Literal["ok", "note", "wrong"]
MOST_OFFSET_MS = 2000
LEAST_FREE_MIB = 200
CHECK_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `do` is empty where nothing need be done."""

    check: str
    state: State
    says: str
    do: str = ""


async def examine(places: Places) -> list[Finding]:
    """Look at everything, from this machine outwards."""
    found = [*_versions(), *_directories(places), *_token(places)]
    for server in places.servers:
        if server.kind == "unix":
            found.append(_socket(server))
    found.extend([finding async for finding in _servers(places)])
    found.extend(_replica(places))
    found.extend(_spools(places))
    found.extend(_mappings(places))
    return found


# This machine --------------------------------------------------------------------------------


def _versions() -> Iterator[Finding]:
    for package in ("warroom", "textual", "websockets"):
        try:
            yield Finding(package, "ok", version(package))
        except PackageNotFoundError:
            yield Finding(package, "wrong", "not installed", "install warroom again")
    yield Finding("python", "ok", platform.python_version())
    if sqlite3.sqlite_version_info >= MINIMUM_SQLITE:
        yield Finding("sqlite", "ok", sqlite3.sqlite_version)
    else:
        yield Finding(
            "sqlite", "wrong", f"{sqlite3.sqlite_version} is too old", "use a Python with 3.38 on"
        )


def _directories(places: Places) -> Iterator[Finding]:
    for name, path in (("configuration", places.config), ("state", places.state)):
        yield _directory(name, path)
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not runtime:
        yield Finding("runtime", "note", "XDG_RUNTIME_DIR is not set")
    else:
        yield _directory("runtime", Path(runtime))
    place = _existing(places.replica or places.state)
    network = network_under(place)
    if network is not None:
        yield Finding("file system", "wrong", f"{place} is on {network}", "set WARROOM_REPLICA")
    free = shutil.disk_usage(place).free // 2**20
    if free < LEAST_FREE_MIB:
        yield Finding("disk", "wrong", f"{free} MiB free at {place}", "make room for your events")
    else:
        yield Finding("disk", "ok", f"{free:,} MiB free at {place}")


def _directory(name: str, path: Path) -> Finding:
    if not path.exists():
        able = os.access(_existing(path), os.W_OK)
        if able:
            return Finding(name, "ok", f"{path}, made when it is needed")
        return Finding(name, "wrong", f"{path} cannot be made", "give this user the right to")
    if not path.is_dir() or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Finding(name, "wrong", f"{path} cannot be used", "give it to this user")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o022:
        return Finding(name, "wrong", f"{path} can be written by others", f"chmod 700 {path}")
    return Finding(name, "ok", str(path))


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _token(places: Places) -> Iterator[Finding]:
    if places.token is not None:
        yield Finding("token", "ok", "there is one")
    elif any(server.kind != "unix" for server in places.servers):
        yield Finding("token", "wrong", "there is none", "servers on TCP want WARROOM_TOKEN")


# Servers -------------------------------------------------------------------------------------


def _socket(server: Server) -> Finding:
    name = f"socket {server.path}"
    try:
        found = server.path.stat()
    except FileNotFoundError:
        return Finding(name, "note", "is not there", "nobody serves here")
    except PermissionError:
        return Finding(name, "wrong", "is out of reach", "join the group of its directory")
    if not stat.S_ISSOCK(found.st_mode):
        return Finding(name, "wrong", "is not a socket", "take it away")
    if not os.access(server.path, os.W_OK):
        return Finding(name, "wrong", "may not be used by you", "join the group of the socket")
    if not answers(server):
        return Finding(name, "wrong", "nobody listens behind it", "start the server again")
    return Finding(name, "ok", f"answers (mode {stat.S_IMODE(found.st_mode):o})")


async def _servers(places: Places) -> AsyncIterator[Finding]:
    reached = False
    for server in places.servers:
        if server.kind == "unix" and not server.path.exists():
            continue
        began, before = time.monotonic(), wall_ms()
        try:
            _, welcome = await first_contact(places, (server,))
        except NoServer as error:
            yield Finding(server.url, "wrong", str(error), "start it, or name another")
            continue
        except Unwelcome as error:
            yield Finding(server.url, "wrong", str(error), "ask an admin of the room")
            continue
        reached = True
        took = round((time.monotonic() - began) * 1000)
        yield Finding(
            server.url,
            "ok",
            f"room {welcome.room}, you are {welcome.you} ({welcome.right}), {took} ms",
        )
        yield _clock(welcome.now, before, wall_ms())
    if not reached:
        yield Finding("server", "wrong", "none can be reached", "start one with `warroom serve`")


def _clock(now: int, before: int, after: int) -> Finding:
    """What the server's clock said between two moments of ours; the way there may take long."""
    offset = now - min(max(now, before), after)
    if abs(offset) > MOST_OFFSET_MS:
        return Finding(
            "clock", "wrong", f"{offset / 1000:+.1f} s from the server's", "set the clocks by NTP"
        )
    return Finding("clock", "ok", f"{offset:+} ms from the server's")


# The replica ---------------------------------------------------------------------------------


def _replica(places: Places) -> Iterator[Finding]:
    room = known_room(places, places.servers)
    if room is None and places.replica is None:
        yield Finding("replica", "note", "there is none yet", "the first contact makes it")
        return
    directory = places.room_directory(room or "")
    try:
        replica = Replica.newest(directory)
        outbox = Outbox(directory) if directory.is_dir() else None
    except (StorageError, OSError) as error:
        yield Finding("replica", "wrong", str(error), "set WARROOM_REPLICA")
        return
    if replica is None:
        yield Finding("replica", "note", f"nothing in {directory} yet")
    else:
        meta = replica.meta()
        replica.close()
        heard = wall_ms() - int(meta["heard_at"]) if "heard_at" in meta else None
        old = f"{age(heard)} old" if heard is not None else "never filled"
        yield Finding("replica", "ok", f"{old}, in {directory}")
    if outbox is not None:
        yield from _outbox(outbox)


# Alert senders -------------------------------------------------------------------------------


def _spools(places: Places) -> Iterator[Finding]:
    """What `warroom notify` could not send yet."""
    for each in kept(places.state):
        address = clean_line(each.shown, 100) or "an address that is not known any more"
        if each.waiting:
            says = f"{each.waiting} notifications wait for {address}"
            if each.reason:
                says += ", which takes none with its token"
            yield Finding("notify", "wrong" if each.reason else "note", says, _way_out(each))
        if each.refused:
            says = f"{each.refused} notifications for {address} were refused"
            yield Finding("notify", "note", says, f"look into {each.path / 'refused'}")


def _way_out(each: Kept) -> str:
    """What sends notifications that wait."""
    if each.file and Path(each.file).exists():
        file = clean_line(each.file, 100)
        if each.reason:
            return f"write a new address into {file}; the next `warroom notify` to it sends them"
        return f"the next `warroom notify` to {file} sends them"
    again = "`warroom notify --resend` sends them to the address of today"
    return again if each.reason or not each.shown else f"the next to that address, or {again}"


def _mappings(places: Places) -> Iterator[Finding]:
    """What is wrong with the mappings of a server on this machine, as its own code says."""
    given = os.environ.get("WARROOM_DATA")
    data = Path(given).expanduser() if given else user_data_path("warroom")
    folders = [path for base in (places.config, data) if (path := base / "intake").is_dir()]
    if not folders or find_spec("warroom_server") is None:
        return
    program = [sys.executable, "-P", "-m", "warroom_server.intake", "check", "--json"]
    try:
        done = subprocess.run(program, capture_output=True, timeout=CHECK_SECONDS, check=False)
        complaints = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        says = "the mappings could not be checked"
        yield Finding("intake", "wrong", says, "see `warroom intake kinds`")
        return
    for complaint in complaints:
        yield Finding("intake", "wrong", complaint.rstrip("."), "mend it, then restart the server")
    if not complaints:
        yield Finding("intake", "ok", f"mappings in {', '.join(map(str, folders))}")


def _outbox(outbox: Outbox) -> Iterator[Finding]:
    unsent = len(outbox.ids())
    if unsent:
        said = f"{counted(unsent, 'event waits', 'events wait')} for a server"
        yield Finding("outbox", "note", said, "reach one")
    refused = sum(1 for _ in outbox.refused_path.iterdir())
    if refused:
        said = f"{counted(refused, 'event')} in {outbox.refused_path}"
        yield Finding("refused", "note", said)
