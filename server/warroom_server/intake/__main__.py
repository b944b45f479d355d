"""`python -m warroom_server.intake`: the server's own tool for what alert senders posted.

`kinds` lists what is read, `check` what is wrong with an operator's mappings, `try` shows what a
body becomes, `list` what could not be read, `replay` reads kept bodies again. Exit codes: 0 done,
1 something is not right, 2 bad input.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from typing import NoReturn

from warroom_incident.clean import clean_line

from ..config import ConfigError, config_directory, data_directory, read_config
from .replay import Wish
from .saying import Problem
from .senders import Senders
from .tool import check, kinds, listed, replayed
from .trying import tried

BAD_INPUT = 2


def main(arguments: list[str] | None = None) -> None:
    """Do what the arguments say and exit; whatever goes wrong is one sentence."""
    options = _parser().parse_args(arguments)
    # What is wrong with mappings is told by `check`, and by the server at its start.
    logging.getLogger(__package__).setLevel(logging.ERROR)
    try:
        code = _do(options)
        sys.stdout.flush()
    except (Problem, ConfigError) as error:
        _fail(str(error))
    except BrokenPipeError:
        # Whoever read our output has seen enough; leave nothing for the exit to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _do(options: argparse.Namespace) -> int:
    data = data_directory(options.data)
    if options.verb == "list":
        return listed(data, options.source, as_json=options.json)
    directory = config_directory()
    config = read_config(directory)
    senders = Senders((directory, data), config.sources)
    match options.verb:
        case "kinds":
            return kinds(senders, as_json=options.json)
        case "check":
            return check(senders, as_json=options.json)
        case "try":
            given = (options.kind, options.file, options.header)
            return tried(*given, senders, as_json=options.json)
        case _:
            wish = Wish(options.source, options.since)
            return replayed(data, wish, senders, config.alerts, as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="warroom intake", description="Look at what alert senders posted to the server."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, told in (
        ("kinds", "list the kinds of senders that are read"),
        ("check", "say what is wrong with an operator's mappings"),
        ("try", "show what a body becomes"),
        ("list", "list the kept bodies that could not be read"),
        ("replay", "read kept bodies again"),
    ):
        each = verbs.add_parser(verb, help=told)
        each.add_argument("--data", metavar="DIR", help="the data directory (WARROOM_DATA)")
        each.add_argument("--json", action="store_true", help="print data for other programs")
        if verb in ("list", "replay"):
            each.add_argument("--source", metavar="NAME", help="only of the token of that name")
        if verb == "replay":
            each.add_argument("--since", metavar="MS", type=int, default=0, help="from then on")
        if verb == "try":
            each.add_argument("--header", action="append", default=[], help="NAME:VALUE")
            each.add_argument("kind", help="a kind, or a mapping file")
            each.add_argument("file", help="the body; '-' reads standard input")
    return parser


def _fail(sentence: str) -> NoReturn:
    sys.stderr.write(f"warroom: {clean_line(sentence)}\n")
    raise SystemExit(BAD_INPUT)


if __name__ == "__main__":
    main()
