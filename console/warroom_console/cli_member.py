"""`warroom member`: what accounts may do in the room."""

from __future__ import annotations

from typing import Any

import click

from warroom_incident.clean import clean_line
from warroom_incident.event import ROOM
from warroom_incident.reducers import Right
from warroom_incident.room import Member, RoomState
from warroom_incident.showing import stamp
from warroom_incident.vocabulary import MemberGranted

from .cli_token import open_room
from .desk import Desk
from .errand import settle, visit
from .saying import Failure, err, out_json, table

DEFAULT = "default"
"""What takes a grant back: the account may do what everybody may."""

_ROLES = [*(right.value for right in Right), DEFAULT]
_LONGEST_NAME = 80


@click.group("member")
def member_command() -> None:
    """List and grant what accounts may do; for admins."""


@member_command.command("grant")
@click.argument("name")
@click.argument("role")
@click.option("--json", "as_json", is_flag=True, help="Print data for other programs.")
def grant(name: str, role: str, as_json: bool) -> None:
    """Let the account NAME do what ROLE may.

    Roles are viewer, responder, commander and admin;
    `default` takes a grant back. Consoles that are open follow at once.
    """
    account, right = _checked(name, role)

    async def work(desk: Desk) -> None:
        await open_room(desk, "members")
        members = desk.model.members
        admins = {member.account for member in members.members() if member.right is Right.ADMIN}
        if admins == {account} and right is not Right.ADMIN:
            raise Failure(f"{account} is the only admin: make somebody else one first.")
        if members.right(account) is not right:
            body = MemberGranted(account=account, right=right.value if right else None)
            await settle(desk, [desk.write(ROOM, body)])
        elif not as_json:
            err(f"{account} has that right already.")
        if as_json:
            found = _of(members, account)
            out_json(_shown(found) if found else {"account": account, "role": None})

    visit(work)


@member_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print data for other programs.")
def list_members(as_json: bool) -> None:
    """List the accounts that were granted a right.

    All others have the room's default.
    """

    async def work(desk: Desk) -> None:
        await open_room(desk, "members")
        members = desk.model.members.members()
        if as_json:
            out_json([_shown(member) for member in members])
        else:
            rows = [(m.account, m.right.value, (stamp(m.at) or "")[:10], m.by) for m in members]
            table([("ACCOUNT", "ROLE", "SINCE", "BY"), *rows])

    visit(work)


def _checked(name: str, role: str) -> tuple[str, Right | None]:
    account = name.strip()
    if not account or clean_line(account, _LONGEST_NAME) != account:
        raise Failure(f"“{clean_line(name, 40)}” is no account: give its login name.")
    if role not in _ROLES:
        raise Failure(f"There is no role “{clean_line(role, 40)}”: say one of {', '.join(_ROLES)}.")
    return account, None if role == DEFAULT else Right(role)


def _of(members: RoomState, account: str) -> Member | None:
    return next((member for member in members.members() if member.account == account), None)


def _shown(member: Member) -> dict[str, Any]:
    return {
        "account": member.account,
        "role": member.right.value,
        "since": stamp(member.at),
        "granted_by": member.by,
    }
