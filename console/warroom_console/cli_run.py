"""Commands that hand over to something that runs: the console, a server, the demo."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import NoReturn

import click

from .saying import Denied, Failure, Unreachable


@click.command("join")
@click.argument("incident", metavar="[INC]", required=False)
def join_command(incident: str | None) -> None:
    """Open the console: an incident's room or, without INC, the lobby."""
    if incident is None:
        lobby()
        return
    _need_terminal()
    from .desk import Desk
    from .errand import visit

    async def find(desk: Desk) -> str:
        return desk.resolve(incident)

    _open_console(visit(find))


def lobby() -> None:
    """Open the console in the lobby, if there is any room to show."""
    from .contact import NoServer, Unwelcome, candidates, first_contact, known_room
    from .errand import ADVICE, find_places
    from .known import Known

    places = find_places()
    servers = candidates(places)
    if known_room(places, servers) is None:
        try:
            server, welcome = asyncio.run(first_contact(places, servers))
        except NoServer as error:
            raise Unreachable(f"{str(error).rstrip('.')}: {ADVICE}.") from None
        except Unwelcome as error:
            raise Denied(str(error)) from None
        if places.replica is None:
            Known(places.state).remember(server.url, welcome.room)
    _need_terminal()
    _open_console(None)


def _need_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure(
            "The console needs a terminal: without one, use `warroom list`, `show`, `tail`, "
            "`note` and the other commands."
        )


def _open_console(stream: str | None) -> NoReturn:
    from .errand import find_places

    app = import_module(".app", __package__)
    sys.exit(app.run(find_places(), stream))


@click.command("demo")
@click.option("--script", metavar="NAME", default=None, help="Which incident to play.")
@click.option("--speed", metavar="N", type=click.FloatRange(0.1, 100), default=1.0)
def demo_command(script: str | None, speed: float) -> None:
    """Play a scripted incident on a throw-away server, and open a console in it."""
    demo = import_module(".demo", __package__)
    sys.exit(demo.run(script=script, speed=speed))


@click.command("serve")
@click.option("--data", metavar="DIR", help="Where the log lies (WARROOM_DATA).")
@click.option("--socket", metavar="PATH", help="The Unix socket for consoles.")
@click.option("--http", metavar="HOST:PORT", help="Where alert senders post, or 'off'.")
@click.option("--listen", metavar="HOST:PORT", help="TCP for consoles with tokens.")
@click.option("--cert", metavar="FILE", help="TLS certificate chain for --listen.")
@click.option("--key", metavar="FILE", help="Its private key.")
def serve_command(**flags: str | None) -> NoReturn:
    """Run a server until SIGTERM; it prints one `ready` line when it takes connections."""
    if find_spec("warroom_server") is None:
        raise Failure("The server is not installed here: install the whole `warroom` package.")
    given = [part for name, value in flags.items() if value for part in (f"--{name}", value)]
    # -P keeps the current directory from offering modules of the server's name.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "warroom_server", *given])
