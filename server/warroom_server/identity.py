"""Who is at the other end: the SSH user of a Unix socket, or the holder of a bearer token."""

from __future__ import annotations

import pwd
import re
import socket
import struct
from dataclasses import dataclass

from warroom_incident.reducers import Right
from warroom_incident.room import RoomState

_CLAIM = re.compile(r"\A[\w][\w .\-]{0,38}[\w.]?\Z")


class UnknownCaller(Exception):
    """Nobody is let in; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated other end, before it claimed a name.

    `fixed` is the right of the token it came with; an account's right is looked up each time.
    """

    account: str
    fixed: Right | None = None


@dataclass(frozen=True, slots=True)
class Who:
    """A person in the room: the name in events, and the account that the rights belong to."""

    name: str
    caller: Caller

    @property
    def account(self) -> str:
        """The account."""
        return self.caller.account


SERVER_NAME = "warroom"
"""What a server calls itself in its own events; no account or claim may be it."""


def peer_account(connection: socket.socket) -> str:
    """The account at the other end of a Unix socket, as the kernel tells it (SO_PEERCRED)."""
    size = struct.calcsize("3i")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _pid, uid, _gid = struct.unpack("3i", raw)
    return account_name(uid)


def account_name(uid: int) -> str:
    """The name of a Unix account, `uid1234` where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid{uid}"


def bearer(header: str | None) -> str | None:
    """The token of an `Authorization` header, None without one."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def token_caller(room: RoomState, secret: str, now: int) -> Caller:
    """Who holds a token.

    Raises:
        UnknownCaller: The token is unknown, expired, or one of an alert sender.
    """
    token = room.token_for(secret, now)
    if token is None:
        raise UnknownCaller("unknown or expired token; ask an admin for a new one")
    if token.right is None:
        raise UnknownCaller("this token is for sending alerts, not for joining")
    return Caller(token.name, token.right)


def name_of(caller: Caller, claimed: str) -> Who:
    """The name that a caller writes under: its account, or `ana (ops)` for a claimed name.

    Raises:
        UnknownCaller: The claim is no usable name.
    """
    if SERVER_NAME in (caller.account, claimed):
        raise UnknownCaller(f"the name {SERVER_NAME} belongs to servers; choose another")
    if not claimed or claimed == caller.account:
        return Who(caller.account, caller)
    if not _CLAIM.match(claimed):
        raise UnknownCaller(
            "a claimed name may have letters, digits, space, dot and dash, up to 40"
        )
    return Who(f"{claimed} ({caller.account})", caller)


def account_of(name: str) -> str:
    """The account behind a name as it stands in events."""
    return name[name.rindex("(") + 1 : -1] if name.endswith(")") and " (" in name else name
