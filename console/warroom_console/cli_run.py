"""Commands that hand over to something that runs: the console, a server, the demo."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import NoReturn

import click

from .commands import ascii_option
from .saying import Failure


@click.command("join")
@click.argument("incident", metavar="[INC]", required=False)
@ascii_option
def join_command(incident: str | None) -> None:
    """Open the console: an incident's room or, without INC, the lobby."""
    from .start import join, lobby

    server = click.get_current_context().meta.get("warroom.server", "")
    sys.exit(lobby(server) if incident is None else join(incident, server))


@click.command("demo")
@click.option("--script", metavar="NAME", default=None, help="Which incident to play.")
@click.option("--speed", metavar="N", type=click.FloatRange(0.1, 100), default=1.0)
@ascii_option
def demo_command(script: str | None, speed: float) -> None:
    """Play a scripted incident, and open a console in it.

    Server and console live in a temporary directory; nothing is left of them.
    """
    demo = import_module(".demo", __package__)
    sys.exit(demo.run(script=script, speed=speed))


@click.command("serve")
@click.option("--data", metavar="DIR", help="Where the log lies (WARROOM_DATA).")
@click.option("--socket", metavar="PATH", help="The Unix socket for consoles.")
@click.option("--http", metavar="HOST:PORT", help="Where alert senders post, or 'off'.")
@click.option("--listen", metavar="HOST:PORT", help="TCP for consoles with tokens.")
@click.option("--cert", metavar="FILE", help="TLS certificate chain for --listen.")
@click.option("--key", metavar="FILE", help="Its private key.")
@click.option("--from-replica", is_flag=True, help="Begin with what this user's replica holds.")
@click.option("--yes", is_flag=True, help="Do not ask before that.")
def serve_command(from_replica: bool, yes: bool, **flags: str | None) -> NoReturn:
    """Run the room's server, until SIGTERM.

    It prints one `ready` line when it takes connections.
    """
    if from_replica:
        import_module(".cli_takeover", __package__).from_replica(flags, yes=yes)
    exec_server(flags)


def exec_server(flags: Mapping[str, str | None]) -> NoReturn:
    """Become the server, with these flags of its own."""
    if find_spec("warroom_server") is None:
        raise Failure("The server is not installed here: install the whole `warroom` package.")
    given = [part for name, value in flags.items() if value for part in (f"--{name}", value)]
    # -P keeps the current directory from offering modules of the server's name.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "warroom_server", *given])
