"""Who is at the other end: the SSH user of a Unix socket, or the holder of a bearer token."""

from __future__ import annotations

import pwd
import re
import socket
import struct
from dataclasses import dataclass

from warroom_incident.reducers import Right
from warroom_incident.room import RoomState

_CLAIM = re.compile(r"\A(?=.{1,40}\Z)\w+(?:(?:\. |[ .'-])\w+)*\.?\Z")
"""Words with single marks between them: two names that look alike on screen are one."""

MAX_NAME = 80
"""The longest name that events hold, in characters."""


class UnknownCaller(Exception):
    """Nobody is let in; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated other end, before it claimed a name.

    `fixed` is the right of the token it came with, `token` the token's id; an account's right is
    looked up each time.
    """

    account: str
    fixed: Right | None = None
    token: str | None = None


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

UNKNOWN_TOKEN = "unknown or expired token; ask an admin for a new one"
"""What the holder of a bad token is told, also when it goes bad while they are connected."""


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
        raise UnknownCaller(UNKNOWN_TOKEN)
    if token.right is None:
        raise UnknownCaller("this token is for sending alerts, not for joining")
    return Caller(token.name, token.right, token.id)


def name_of(caller: Caller, claimed: str) -> Who:
    """The name that a caller writes under: its account, or `ana (ops)` for a claimed name.

    Raises:
        UnknownCaller: The claim is no usable name.
    """
    if SERVER_NAME in (caller.account, claimed):
        raise UnknownCaller(f"the name {SERVER_NAME} belongs to servers; choose another")
    if not claimed or claimed == caller.account:
        return _checked(Who(caller.account, caller))
    if not _CLAIM.match(claimed):
        raise UnknownCaller(
            "a claimed name may have letters, digits and single spaces, dots and dashes, up to 40"
        )
    return _checked(Who(f"{claimed} ({caller.account})", caller))


def _checked(who: Who) -> Who:
    if len(who.name) > MAX_NAME:
        raise UnknownCaller(f"the name is longer than the {MAX_NAME} characters that events hold")
    return who


def may_sign(caller: Caller, name: str) -> bool:
    """Whether a caller may bring events by a name: its account's, or any claimed on the account.

    An outbox is drained by every process of its user, so on a shared account one person's console
    also brings what another has left there.
    """
    if name == caller.account:
        return name != SERVER_NAME
    claimed = name.removesuffix(f" ({caller.account})")
    return claimed not in (name, SERVER_NAME) and _CLAIM.match(claimed) is not None


def is_plain_name(name: str) -> bool:
    """Whether a name may be an account's: nobody can take it for a claimed one or a server's."""
    return name != SERVER_NAME and _CLAIM.match(name) is not None


def account_of(name: str) -> str:
    """The account behind a name as it stands in events."""
    return name[name.rindex("(") + 1 : -1] if name.endswith(")") and " (" in name else name
