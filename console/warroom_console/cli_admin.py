"""Commands for whoever runs a server: init, doctor, fsck, backup."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from platformdirs import user_data_path

from warroom_incident.directory import make_private
from warroom_incident.door import DoorError
from warroom_incident.event import ROOM, read_packet
from warroom_incident.practice.library import shipped
from warroom_incident.schema import StorageError
from warroom_incident.vocabulary import ServerListed

from .errand import find_places
from .own_defaults import practice_toml
from .places import PlaceError, config_directory
from .saying import FOUND_WRONG, Failure, err, out, out_json, table

if TYPE_CHECKING:
    from warroom_incident.log import LogReader
    from warroom_incident.repair import Broken
    from warroom_incident.seal import Verify

_DATA = click.option("--data", metavar="DIR", help="The server's data directory (WARROOM_DATA).")

CONFIG = """\
# The server's configuration. Everything here has a default; take the # away to change it.

# Other servers of this room to keep in step with. For one over TLS the token of an admin there lies
# beside this file, in peer-HOST-PORT.token with mode 0600.
# peers = ["wss://war2.example.com:8764"]

# Where consoles find this server, in the order to try; without it they are told what its doors say.
# urls = ["unix:///run/warroom/socket", "wss://war1.example.com:8764"]

[access]
# What an account may do that was granted nothing else: viewer, responder, commander or admin.
# default = "responder"

[socket]
# The mode of the Unix socket; without it the socket follows the group of its directory.
# mode = "660"
"""


def data_directory(given: str | None) -> Path:
    """The server's data: the flag, WARROOM_DATA, or this person's data directory."""
    chosen = given or os.environ.get("WARROOM_DATA")
    return Path(chosen).expanduser() if chosen else user_data_path("warroom")


@click.command("init")
@click.argument("directory", metavar="[DIR]", required=False)
def init_command(directory: str | None) -> None:
    """Write configuration, runbooks and templates, ready to be edited.

    With DIR everything goes there: use it as WARROOM_CONFIG and WARROOM_DATA. What exists
    already stays as it is.
    """
    given = Path(directory).expanduser() if directory else None
    config = given or config_directory(os.environ)
    data = given or data_directory(None)
    files = {config / "warroom.toml": CONFIG + practice_toml()}
    files |= {data / name: text for name, text in shipped()}
    for path, text in files.items():
        out(f"{'wrote' if _write_new(path, text) else 'kept '} {path}")


def _write_new(path: Path, text: str) -> bool:
    """Write a file unless there is one; say whether it was written."""
    try:
        make_private(path.parent)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        if not path.parent.is_dir():
            raise Failure(f"{path.parent} is not a directory: name another one.") from None
        return False
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise Failure(f"{path} cannot be written ({said}): name another directory.") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return True


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print data for other programs.")
def doctor_command(as_json: bool) -> int:
    """Check this machine, the settings and the way to the server.

    The exit code is 1 when something is wrong.
    """
    from .doctor import examine

    findings = list(asyncio.run(examine(find_places())))
    if as_json:
        out_json(
            [{"check": f.check, "state": f.state, "says": f.says, "do": f.do} for f in findings]
        )
    else:
        table([(f.state, f.check, f.says + (f" → {f.do}" if f.do else "")) for f in findings])
    return FOUND_WRONG if any(f.state == "wrong" for f in findings) else 0


class Damaged(Failure):
    """The log cannot be read at all."""

    code = FOUND_WRONG


@click.command("fsck")
@_DATA
@click.option("--mend", is_flag=True, help="Put damaged events back; the server must not run.")
@click.option("--from", "urls", metavar="URL", multiple=True, help="Ask this server of the room.")
@click.option("--json", "as_json", is_flag=True, help="Print data for other programs.")
def fsck_command(data: str | None, mend: bool, urls: tuple[str, ...], as_json: bool) -> int:
    """Check every hash, chain and seal of a server's log.

    The server may be running.

    With --mend the bytes of damaged events are sought in the copies beside the log, in what this
    user's consoles hold, and then at other servers of the room. Their hash tells whether they are
    the right ones.

    The exit code is 1 when something is damaged.
    """
    path = data_directory(data) / "warroom.db"
    if not path.exists():
        raise Failure(f"There is no log at {path}: name the data directory with --data.")
    try:
        if mend:
            _mend(path, urls)
        damages, streams, events = _check(path)
    except StorageError as error:
        raise Damaged(str(error)) from None
    if as_json:
        out_json({"log": str(path), "streams": streams, "events": events, "damages": damages})
    else:
        for damage in damages:
            out(damage)
        verdict = f"damaged in {len(damages):,} places" if damages else "nothing is damaged"
        out(f"{path}: {events:,} events in {streams:,} streams, {verdict}.")
    if damages and not as_json:
        err(
            "Stop the server and run `warroom fsck --mend`; a running server is brought what it "
            "lacks by its consoles. Else keep the file and restore a copy from backups beside it."
        )
    return FOUND_WRONG if damages else 0


def _mend(path: Path, urls: tuple[str, ...]) -> None:
    """Put back what can be found of damaged events.

    Raises:
        Failure: A server uses the log.
        StorageError: The log cannot be read or written.
    """
    import fcntl

    from warroom_incident.log import LogReader
    from warroom_incident.repair import broken, mend

    lock = os.open(path.parent / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        reader = LogReader.open(path)
        found = list(broken(reader))
        reader.close()
        left = mend(path, found, _sources(path)) if found else []
        if left:
            left = _mend_from_others(path, left, urls)
    except BlockingIOError:
        raise Failure(f"A server uses {path}: stop it first.") from None
    finally:
        os.close(lock)
    err(f"{len(found) - len(left):,} of {len(found):,} damaged events were put back.")


def _mend_from_others(path: Path, damaged: list[Broken], urls: tuple[str, ...]) -> list[Broken]:
    """Ask other servers for what is damaged; what stays so."""
    from warroom_incident.repair import mend

    from .refetch import NotFetched, peers, refetch

    places = find_places()
    try:
        servers = peers(places, path, urls)
    except PlaceError as error:
        raise Failure(str(error)) from None
    for server in servers:
        try:
            damaged = mend(path, damaged, (), refetch(places, server, path, damaged))
        except NotFetched as error:
            err(str(error))
        if not damaged:
            break
    return damaged


def _sources(path: Path) -> list[Path]:
    """Where the events of a log may also be: its copies, newest first, and this user's replicas."""
    from warroom_incident.replica import FILE

    places = find_places()
    rooms = [places.replica] if places.replica is not None else [places.state / "rooms"]
    replicas = [found for room in rooms for found in sorted(room.glob(f"**/slot-*/{FILE}"))]
    return [*sorted((path.parent / "backups").glob("*.db"), reverse=True), *replicas]


def _check(path: Path) -> tuple[list[str], int, int]:
    import sqlite3

    from warroom_incident.log import LogReader

    reader = LogReader.open(path)
    try:
        tops = reader.streams()
        damages = list(reader.damages(_verifier(reader)))
    except sqlite3.DatabaseError as error:
        raise StorageError(
            f"{path} is damaged beyond reading ({error}): restore a copy of it."
        ) from error
    finally:
        reader.close()
    return damages, len(tops), sum(top or 0 for top in tops.values())


def _verifier(reader: LogReader) -> Verify:
    """Checks a seal against the keys of all servers that the room trusts or trusted."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    keys = [Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in _keys(reader)]

    def verify(text: bytes, signature: bytes) -> bool:
        for key in keys:
            try:
                key.verify(signature, text)
            except InvalidSignature:
                continue
            return True
        return False

    return verify


def _keys(reader: LogReader) -> Iterator[str]:
    for row in reader.read(ROOM, 0, 1_000_000):
        try:
            body = read_packet(row.packet).body
        except DoorError:
            continue
        if isinstance(body, ServerListed):
            yield body.key_hex


@click.command("backup")
@click.argument("file", metavar="FILE")
@_DATA
def backup_command(file: str, data: str | None) -> None:
    """Write a complete copy of a server's log to FILE.

    The server may be running.
    """
    from warroom_incident.log_copy import copy_log

    source = data_directory(data) / "warroom.db"
    target = Path(file).expanduser()
    if not source.exists():
        raise Failure(f"There is no log at {source}: name the data directory with --data.")
    if not target.parent.is_dir():
        raise Failure(f"There is no directory {target.parent}: make it first.")
    try:
        copy_log(source, target)
    except StorageError as error:
        raise Failure(str(error)) from None
    out(f"{target}: {target.stat().st_size / 1024:,.0f} KiB")
