"""`python -m warroom_server`: run one server in the foreground until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
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

from .config import ConfigError, config_directory, data_directory, read_config, socket_path
from .identity import account_name
from .intake.serve import CannotListen
from .keys import load_or_create
from .listeners import ListenError
from .reach import Doors
from .server import Server, StartError

BAD_INPUT = 2
_PORT = re.compile(r"\A[0-9]{1,5}\Z")


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and serve."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        doors = _doors(options)
        directory = config_directory()
        config = read_config(directory)
        key = load_or_create(_key_path(directory), secrets.token_bytes)
        server = Server(data_directory(options.data), config, key)
        asyncio.run(_run(server, doors))
    except (ConfigError, StorageError, ListenError, CannotListen, StartError) as error:
        _fail(str(error))
    except OSError as error:
        place = clean_line(str(error.filename or "A file that the server needs"))
        _fail(f"{place} cannot be used: {error.strerror or error}. Choose another place.")


async def _run(server: Server, doors: Doors) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    line = await server.start(doors, account_name(os.getuid()))
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    await stop.wait()
    await server.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="warroom serve", description="Run the war room's server until SIGTERM."
    )
    parser.add_argument("--data", metavar="DIR", help="where the log lies (WARROOM_DATA)")
    parser.add_argument("--socket", metavar="PATH", help="the Unix socket for consoles")
    parser.add_argument(
        "--http",
        metavar="HOST:PORT",
        default="127.0.0.1:8765",
        help="where alert senders post; 'off' for nowhere (default 127.0.0.1:8765)",
    )
    parser.add_argument("--listen", metavar="HOST:PORT", help="TCP for consoles with tokens")
    parser.add_argument("--cert", metavar="FILE", help="TLS certificate chain for --listen")
    parser.add_argument("--key", metavar="FILE", help="its private key")
    return parser


def _doors(options: argparse.Namespace) -> Doors:
    if bool(options.cert) != bool(options.key):
        _fail("--cert and --key go together.")
    if (options.cert or options.key) and not options.listen:
        _fail("--cert and --key need --listen HOST:PORT.")
    return Doors(
        socket_path(options.socket),
        None if options.http == "off" else _address(options.http, "--http"),
        _address(options.listen, "--listen") if options.listen else None,
        Path(options.cert) if options.cert else None,
        Path(options.key) if options.key else None,
    )


def _address(text: str, flag: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and host and _PORT.match(port)) or int(port) > 65535:
        _fail(f"{flag} wants HOST:PORT, for example 127.0.0.1:8765, not {text!r}.")
    return host.strip("[]"), int(port)


def _key_path(directory: Path) -> Path:
    given = os.environ.get("WARROOM_KEY")
    return Path(given).expanduser() if given else directory / "room.key"


def _fail(sentence: str) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(BAD_INPUT)


if __name__ == "__main__":
    main()
