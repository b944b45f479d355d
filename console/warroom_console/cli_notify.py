"""`warroom notify` and `warroom change`: scripts tell the room, and nothing that they tell is lost.

Exit codes: 0 sent, or kept here to be sent with the next one; 2 bad input; 3 neither sent nor
kept; 4 the server refused it.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
from platformdirs import user_state_path

from .monitored import alert_of, find
from .places import config_directory
from .posting import Target, post, read_target
from .saying import Denied, Failure, Unreachable, err
from .spool import Outcome, Spool
from .when import parse_when

STATES = ("firing", "resolved", "acknowledged", "suppressed", "nodata")
_LARGEST_INPUT = 16 << 10

_TO = click.option(
    "--to", metavar="URL|FILE", help="The intake address, or a file (mode 600) that holds it."
)


@click.command("notify")
@_TO
@click.option("--title", metavar="TEXT", help="What is wrong, in a few words.")
@click.option("--key", metavar="KEY", help="The same for an alert's beginning and its end.")
@click.option("--state", type=click.Choice(STATES), help="firing, if nothing is said.")
@click.option("--severity", metavar="SEV", help="SEV1 to SEV4, or a word like critical.")
@click.option("--service", metavar="NAME", help="What it concerns.")
@click.option("--description", metavar="TEXT|-", help="More about it; '-' reads standard input.")
@click.option("--label", "labels", metavar="NAME=VALUE", multiple=True, help="Any number of them.")
@click.option("--url", metavar="URL", help="Where to look.")
@click.option("--resend", is_flag=True, help="Send what was kept for any other address there, too.")
def notify_command(
    to: str | None, labels: tuple[str, ...], resend: bool, **fields: str | None
) -> None:
    """Tell the room of an alert, or of its end.

    Without --title it is read from the environment that Nagios, Icinga and Checkmk give to
    notification commands; soft states are left out. What cannot be sent is kept and goes with
    the next one. The address may also be in WARROOM_INTAKE or in the file intake.url of the
    configuration directory. --resend alone sends only what was kept, for whichever address.
    """
    target = _target(to, "WARROOM_INTAKE", "intake.url")
    if resend and not fields["title"]:
        _resend(target)
        return
    if target.kind == "change":
        raise Failure("That is an address for changes: use `warroom change`, or another token.")
    if resend:
        _gather(target)
    body = _given(fields, labels) if fields["title"] else _environment(fields, os.environ)
    if body is not None:
        _tell(target, body)


@click.command("change")
@click.argument("text")
@_TO
@click.option("--service", metavar="NAME", help="What was changed.")
@click.option("--kind", type=click.Choice(("deploy", "flag", "config")), default="deploy")
@click.option("--by", metavar="NAME", help="Who did it; you, if nothing is said.")
@click.option("--at", metavar="TIME", help="When: 14:02, -10m, RFC 3339; else now.")
@click.option("--url", metavar="URL", help="Where to look.")
def change_command(
    text: str,
    to: str | None,
    service: str | None,
    kind: str,
    by: str | None,
    at: str | None,
    url: str | None,
) -> None:
    """Tell the room of a deploy, a flag or another change.

    The address may also be in WARROOM_CHANGE or in the file change.url of the configuration
    directory.
    """
    target = _target(to, "WARROOM_CHANGE", "change.url")
    if target.kind != "change":
        raise Failure("Changes go to an address like http://HOST:8765/in/change/TOKEN.")
    if not text.strip():
        raise Failure("Say what was changed.")
    body = {
        "title": text,
        "service": service,
        "kind": kind,
        "by": by or _account(),
        "at": _time(at),
        "url": url,
    }
    _tell(target, {name: value for name, value in body.items() if value})


def _target(given: str | None, variable: str, name: str) -> Target:
    """The target that a flag, the environment or the configuration names."""
    if given is None:
        given = os.environ.get(variable)
    if not given:
        path = config_directory(os.environ) / name
        if not path.exists():
            raise Failure(
                f"Say where to post: --to, {variable} or the file {path} holds an intake address."
            )
        given = str(path)
    return read_target(given)


def _given(fields: Mapping[str, str | None], labels: tuple[str, ...]) -> dict[str, object]:
    body: dict[str, object] = {name: value for name, value in fields.items() if value}
    body["status"] = body.pop("state", "firing")
    if fields["description"] == "-":
        body["description"] = sys.stdin.read(_LARGEST_INPUT)
    named: dict[str, str] = {}
    for label in labels:
        name, equals, value = label.partition("=")
        if not name or not equals:
            raise Failure("A label is written NAME=VALUE.")
        named[name] = value
    if fields["service"]:
        named["service"] = str(body.pop("service"))
    return body | ({"labels": named} if named else {})


def _environment(
    fields: Mapping[str, str | None], environ: Mapping[str, str]
) -> dict[str, object] | None:
    said = find(environ)
    if said is None:
        raise Failure(
            "There is nothing to tell: give --title, or run this as a notification command of "
            "Nagios, Icinga or Checkmk."
        )
    body = alert_of(said)
    if body is None:
        return None
    return body | {name: value for name, value in fields.items() if value and name != "state"}


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _time(given: str | None) -> str:
    now = datetime.now(UTC)
    if given is None:
        return now.isoformat(timespec="seconds")
    try:
        ms = parse_when(given, round(now.timestamp() * 1000))
    except ValueError as error:
        raise Failure(str(error)) from None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _gather(target: Target) -> tuple[Spool, int]:
    """Take over what was kept for other addresses."""
    spool = Spool(Path(user_state_path("warroom")), target)
    try:
        return spool, spool.gather()
    except OSError as error:
        raise Failure(f"What was kept cannot be moved: {error.strerror or error}.") from None


def _resend(target: Target) -> None:
    """Send all that waits, for whichever address it was kept."""
    spool, _ = _gather(target)
    outcome = spool.send(None, post)
    err(f"{outcome.sent} sent, {outcome.waiting} wait.")
    if outcome.answer is not None and not outcome.answer.sent:
        _say(outcome)


def _tell(target: Target, body: Mapping[str, object]) -> None:
    """Keep a body, send it with all that waits, and say what became of it."""
    encoded = json.dumps(body).encode()
    spool = Spool(Path(user_state_path("warroom")), target)
    try:
        outcome = spool.send(spool.put(encoded), post)
    except OSError as error:
        _tell_unkept(target, encoded, error)
        return
    _say(outcome)


def _tell_unkept(target: Target, body: bytes, error: OSError) -> None:
    """Send a body that the disk does not take."""
    answer = post(target, body)
    if not answer.sent:
        why = error.strerror or error
        raise Unreachable(f"It was neither sent ({answer.reason}) nor kept ({why}).")


def _say(outcome: Outcome) -> None:
    if outcome.dropped:
        err(f"{outcome.dropped} old ones that were never sent gave way.")
    answer = outcome.answer
    if answer is None:
        err("Kept: another notification is being sent; this one goes with the next.")
    elif answer.try_again:
        why = answer.reason.rstrip(".")
        err(f"Kept, to be sent with the next ({outcome.waiting} wait): {why}.")
    elif answer.gone:
        raise Denied(
            f"Refused: {answer.reason.rstrip('.')}. {outcome.waiting} are kept: mend the address, "
            "or send them elsewhere with `warroom notify --resend --to URL|FILE`."
        )
    elif not answer.sent:
        raise Denied(f"Refused: {answer.reason.rstrip('.')}.")
