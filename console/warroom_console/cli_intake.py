"""`warroom intake`: what becomes of what alert senders post, asked of the server's own code."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import NoReturn

import click

from .saying import Failure

_DATA = click.option("--data", metavar="DIR", help="The server's data directory (WARROOM_DATA).")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print data for other programs.")


@click.group("intake")
def intake_command() -> None:
    """Try, list and replay what alert senders posted.

    All but `kinds` and `try` need the server's data directory.
    """


@intake_command.command("kinds")
@_DATA
@_JSON
def kinds(data: str | None, as_json: bool) -> None:
    """List the kinds of senders that are read.

    An operator's own mappings are among them.
    """
    _exec("kinds", data, as_json)


@intake_command.command("try")
@click.argument("kind")
@click.argument("file")
@click.option("--header", "headers", metavar="NAME:VALUE", multiple=True, help="As it came with.")
@_DATA
@_JSON
def try_(kind: str, file: str, headers: tuple[str, ...], data: str | None, as_json: bool) -> None:
    """Show what a body becomes.

    KIND is a kind, or a mapping file; FILE the body, '-' for input.
    """
    given = [part for header in headers for part in ("--header", header)]
    _exec("try", data, as_json, *given, "--", kind, file)


@intake_command.command("list")
@click.option("--source", metavar="NAME", help="Only of the token of that name.")
@_DATA
@_JSON
def list_(source: str | None, data: str | None, as_json: bool) -> None:
    """List the kept bodies that could not be read, and why."""
    _exec("list", data, as_json, *(("--source", source) if source else ()))


@intake_command.command("replay")
@click.option("--source", metavar="NAME", help="Only of the token of that name.")
@click.option("--since", metavar="TIME", help="From then on: -2h, 14:02 or RFC 3339.")
@_DATA
@_JSON
def replay(source: str | None, since: str | None, data: str | None, as_json: bool) -> None:
    """Read kept bodies again, after a mapping was mended.

    The server may be running.

    Alerts that come out the same stay as they are; those that no longer come out are ended.
    """
    more = [*(("--source", source) if source else ())]
    if since is not None:
        import time

        from .when import parse_when

        try:
            more += ["--since", str(parse_when(since, time.time_ns() // 1_000_000))]
        except ValueError as error:
            raise Failure(str(error)) from None
    _exec("replay", data, as_json, *more)


def _exec(verb: str, data: str | None, as_json: bool, *more: str) -> NoReturn:
    """Become the server's own tool for its intake."""
    if find_spec("warroom_server") is None:
        raise Failure("The server is not installed here: install the whole `warroom` package.")
    given = ["--data", data] if data else []
    given += ["--json"] if as_json else []
    # -P keeps the current directory from offering modules of the server's name.
    program = [sys.executable, "-P", "-m", "warroom_server.intake", verb, *given, *more]
    sys.stdout.flush()
    os.execv(sys.executable, program)
