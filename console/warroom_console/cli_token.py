"""`warroom token`: bearer tokens for alert senders, programs and people without an SSH account."""

from __future__ import annotations

import re
import secrets
from typing import Any
from uuid import UUID

import click

from warroom_incident.clean import clean_line
from warroom_incident.event import ROOM
from warroom_incident.reducers import Right
from warroom_incident.room import Token, hash_token
from warroom_incident.showing import stamp
from warroom_incident.vocabulary import TokenCreated, TokenRevoked

from .desk import Desk
from .errand import READY_WITHIN, settle, visit
from .link import wall_ms
from .saying import Denied, Failure, Unreachable, err, out, out_json, table
from .when import parse_span

ROLES = [right.value for right in Right]
_HINTS = {
    "pagerduty": "Shown once. It is the routing key; events go to /v2/enqueue at the server's HTTP "
    "address.",
    "opsgenie": "Shown once. It is the API key; the API is at the server's HTTP address.",
    "victorops": "Shown once. It is the API key; alerts go to "
    "/integrations/generic/20131114/alert/ at the server's HTTP address.",
    "change": "Shown once. Changes are posted to /in/change/TOKEN at the server's HTTP address.",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_KIND = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@click.group("token")
def token_command() -> None:
    """Create, list and revoke bearer tokens; for admins."""


@token_command.command("create")
@click.argument("name")
@click.option("--kind", metavar="KIND", help="For an alert sender: alertmanager, grafana, …")
@click.option("--role", metavar="ROLE", help="For a person or program: " + ", ".join(ROLES) + ".")
@click.option("--expires", metavar="30d", help="When it ends; without, never.")
@click.option("--json", "as_json", is_flag=True, help="Print data for other programs.")
def create(
    name: str, kind: str | None, role: str | None, expires: str | None, as_json: bool
) -> None:
    """Make a token and print it, once: only its hash is kept."""
    _check(name, kind, role)
    until = wall_ms() + _span(expires) if expires is not None else None
    secret = _secret(kind)
    body = TokenCreated(
        name=name,
        hash=hash_token(secret),
        kind=kind,
        right=Right(role).value if role is not None else None,
        expires=until,
    )

    async def work(desk: Desk) -> None:
        await open_room(desk)
        if any(token.name == name for token in desk.model.members.tokens()):
            raise Failure(f"There is a token “{name}”: revoke it first, or choose another name.")
        await settle(desk, [desk.write(ROOM, body)])

    visit(work)
    path = f"/in/{kind}/{secret}" if kind is not None else None
    hint = f"Shown once. Senders post to /in/{kind}/TOKEN at the server's HTTP address."
    if as_json:
        out_json(
            {
                "name": name,
                "token": secret,
                "kind": kind,
                "role": role,
                "expires_at": stamp(until),
                "path": path,
            }
        )
        return
    out(secret)
    if kind is not None:
        err(_HINTS.get(kind, hint))
    else:
        err("Shown once. Its holder puts it into WARROOM_TOKEN.")


@token_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print data for other programs.")
def list_tokens(as_json: bool) -> None:
    """List the tokens that stand, without their secrets."""

    async def work(desk: Desk) -> None:
        await open_room(desk)
        tokens = desk.model.members.tokens()
        if as_json:
            out_json([_shown(token) for token in tokens])
        elif tokens:
            table([("NAME", "FOR", "EXPIRES", "CREATED", "BY"), *map(_row, tokens)])
        else:
            err("There are no tokens.")

    visit(work)


@token_command.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Make a token worthless from now on."""

    async def work(desk: Desk) -> None:
        await open_room(desk)
        ids = tuple(token.id for token in desk.model.members.tokens() if token.name == name)
        if not ids:
            raise Failure(
                f"There is no token “{clean_line(name, 40)}”: `warroom token list` shows them."
            )
        await settle(desk, [desk.write(ROOM, TokenRevoked(name=name[:80]), base=ids)])

    visit(work)


async def open_room(desk: Desk, what: str = "tokens") -> None:
    """Follow the room's own stream, which only a server can show and only to admins.

    Args:
        desk: The way to the room.
        what: What is wanted of it, in the plural.

    Raises:
        Unreachable: No server is connected.
        Denied: This account is no admin.
    """
    model = desk.model
    if not model.live:
        raise Unreachable(f"{what.capitalize()} are the server's business: {model.link.reason}.")
    if not model.right.covers(Right.ADMIN):
        raise Denied(f"Only an admin handles {what}, and {model.you} is {model.right.value} here.")
    await desk.open(ROOM)
    if not await desk.complete(ROOM, READY_WITHIN):
        raise Unreachable(f"The server did not send the room's {what} in time: try again.")


def _secret(kind: str | None) -> str:
    """Make a token of the shape that a vendor's clients expect, where they look at it."""
    match kind:
        case "pagerduty":
            return secrets.token_hex(16)
        case "opsgenie" | "victorops":
            return str(UUID(bytes=secrets.token_bytes(16), version=4))
        case _:
            return f"wr_{secrets.token_urlsafe(32)}"


def _check(name: str, kind: str | None, role: str | None) -> None:
    if not _NAME.fullmatch(name):
        raise Failure("A token's name has letters, digits, dot, dash and underscore, up to 40.")
    if (kind is None) == (role is None):
        raise Failure("Say what the token is for: --kind for an alert sender, or --role.")
    if kind is not None and not _KIND.fullmatch(kind):
        raise Failure(
            f"“{clean_line(kind, 40)}” is no kind of sender: `warroom intake kinds` lists them."
        )
    if role is not None and role not in ROLES:
        raise Failure(f"There is no role “{clean_line(role, 40)}”: say one of {', '.join(ROLES)}.")


def _span(text: str) -> int:
    try:
        span = parse_span(text)
    except ValueError as error:
        raise Failure(str(error)) from None
    if span == 0:
        raise Failure("A token that expires at once is of no use: give a longer time.")
    return span


def _shown(token: Token) -> dict[str, Any]:
    return {
        "name": token.name,
        "kind": token.kind,
        "role": token.right.value if token.right else None,
        "expires_at": stamp(token.expires),
        "expired": token.expires is not None and token.expires <= wall_ms(),
        "created_at": stamp(token.created),
        "created_by": token.by,
    }


def _row(token: Token) -> tuple[str, ...]:
    shown = _shown(token)
    expires = (shown["expires_at"] or "never")[:10] + (" (over)" if shown["expired"] else "")
    purpose = f"{token.kind} alerts" if token.kind else f"{shown['role']}"
    return (token.name, purpose, expires, (shown["created_at"] or "")[:10], token.by)
