"""`python -m warroom_server`: run one server in the foreground until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import re
import secrets
import signal
import sys
from pathlib import Path
from typing import NoReturn

from warroom_incident.clean import clean_line
from warroom_incident.schema import StorageError

from .clean_log import CleanFormatter
from .config import ConfigError, config_directory, data_directory, read_config, socket_path
from .identity import account_name
from .intake.serve import CannotListen
from .keys import load_or_create
from .limits import leave_no_core, take_all_files
from .listeners import ListenError
from .peer_line import read_address
from .reach import HOST_SOCKET, Doors, missing, who_reaches
from .server import Server, StartError, now_ms
from .standby import Unanswered, standby_key
from .takeover import CannotTakeOver, Shelf, take_board, take_over

BAD_INPUT = 2
UNREACHABLE = 3
COLLECT_AFTER = (10_000, 20, 20)
"""Of how many new objects the garbage collector looks for circles, and how often among older ones.

A server holds much, drops little of it, and makes few circles.
"""

SWITCH_AFTER = 0.001
"""How long a busy thread keeps others waiting, in seconds: that of the log has little to do."""

_PORT = re.compile(r"\A[0-9]{1,5}\Z")


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and serve."""
    options = _parser().parse_args(arguments)
    gc.set_threshold(*COLLECT_AFTER)
    sys.setswitchinterval(SWITCH_AFTER)
    take_all_files()
    leave_no_core()
    journal = logging.StreamHandler()
    journal.setFormatter(CleanFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[journal])
    try:
        doors = _doors(options)
        server = _server(options, doors)
        asyncio.run(_run(server, doors))
    except Unanswered as error:
        _fail(str(error), UNREACHABLE)
    except (
        ConfigError,
        StorageError,
        ListenError,
        CannotListen,
        StartError,
        CannotTakeOver,
    ) as error:
        _fail(str(error))
    except OSError as error:
        place = clean_line(str(error.filename or "A file that the server needs"))
        _fail(f"{place} cannot be used: {error.strerror or error}. Choose another place.")


def _server(options: argparse.Namespace, doors: Doors) -> Server:
    directory = config_directory()
    config = read_config(directory)
    data = data_directory(options.data)
    path = _key_path(directory)
    peers = [read_address(url, directory) for url in config.peers]
    if options.from_replica is not None:
        _take_over(Path(options.from_replica), data, path)
    if options.standby_of is None:
        return Server(data, config, load_or_create(path, secrets.token_bytes), peers)
    first = read_address(options.standby_of, directory)
    key = standby_key(first, path, secrets.token_bytes)
    mode = config.socket.mode
    for sentence in missing(doors, int(mode, 8) if mode else None, config.urls):
        sys.stderr.write(f"{clean_line(sentence)}\n")
    others = [peer for peer in peers if peer.url != first.url]
    return Server(data, config, key, [first, *others], standby=True)


def _take_over(replica: Path, data: Path, key_path: Path) -> None:
    shelf = Shelf(replica)
    try:
        key = load_or_create(key_path, secrets.token_bytes, shelf.room)
        if key.room != shelf.room:
            _fail(
                f"{key_path} is the key of another room: name another configuration directory "
                "with WARROOM_CONFIG."
            )
        alerts = asyncio.run(take_board(data, shelf, now_ms()))
        taken = take_over(data, shelf, key, account_name(os.getuid()), now_ms)
    finally:
        shelf.close()
    doubt = f", {taken.unproven:,} of them on {shelf.you}'s word alone" if taken.unproven else ""
    shown = f", open alerts {alerts:,}" if alerts else ""
    _say(f"taken over: incidents {taken.incidents:,}, events {taken.events:,}{doubt}{shown}")


async def _run(server: Server, doors: Doors) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    server.on_promoted = _say
    ready = await server.start(doors, account_name(os.getuid()))
    gc.freeze()
    _say(ready)
    await stop.wait()
    await server.stop()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class _Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        _fail(f"{message}: see `warroom serve --help`.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="warroom serve", description="Run the war room's server until SIGTERM.")
    parser.add_argument("--data", metavar="DIR", help="where the log lies (WARROOM_DATA)")
    parser.add_argument("--socket", metavar="PATH", help="the Unix socket for consoles")
    parser.add_argument(
        "--http",
        metavar="HOST:PORT",
        default="127.0.0.1:8765",
        help="where alert senders post; 'off' for nowhere (default 127.0.0.1:8765)",
    )
    parser.add_argument("--listen", metavar="HOST:PORT", help="TCP for consoles with tokens")
    parser.add_argument(
        "--standby-of", metavar="URL", help="follow that server until promoted, and serve then"
    )
    parser.add_argument(
        "--from-replica", metavar="DIR", help="begin with what this user's replica holds"
    )
    parser.add_argument("--cert", metavar="FILE", help="TLS certificate chain for --listen")
    parser.add_argument("--key", metavar="FILE", help="its private key")
    return parser


def _doors(options: argparse.Namespace) -> Doors:
    if bool(options.cert) != bool(options.key):
        _fail("--cert and --key go together.")
    if (options.cert or options.key) and not options.listen:
        _fail("--cert and --key need --listen HOST:PORT.")
    where = socket_path(options.socket)
    if options.from_replica is not None:
        where = _open_socket(options.socket, where)
    return Doors(
        where,
        None if options.http == "off" else _address(options.http, "--http"),
        _address(options.listen, "--listen") if options.listen else None,
        Path(options.cert) if options.cert else None,
        Path(options.key) if options.key else None,
    )


def _open_socket(given: str | None, where: Path) -> Path:
    """Where others can reach a server that takes over: never in a private directory unasked."""
    if given is None:
        if not os.access(HOST_SOCKET.parent, os.W_OK):
            _fail(
                f"Others look for a server at {HOST_SOCKET}, which you cannot make: name a socket "
                "in a directory that they may enter with --socket."
            )
        where = HOST_SOCKET
    who = who_reaches(where, None)
    can = f"{who} can reach it" if who else "only you can reach it: name another with --socket"
    _say(f"socket {where}: {can}")
    return where


def _address(text: str, flag: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and host and _PORT.match(port)) or int(port) > 65535:
        _fail(f"{flag} wants HOST:PORT, for example 127.0.0.1:8765, not {text!r}.")
    return host.strip("[]"), int(port)


def _key_path(directory: Path) -> Path:
    given = os.environ.get("WARROOM_KEY")
    return Path(given).expanduser() if given else directory / "room.key"


def _fail(sentence: str, code: int = BAD_INPUT) -> NoReturn:
    sys.stderr.write(f"warroom: {clean_line(sentence)}\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
