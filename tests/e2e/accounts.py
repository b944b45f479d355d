"""Accounts of this machine, their rights and their tokens."""

from __future__ import annotations

import os
import pwd
import secrets
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.console_client import Console
from warroom_incident.event import ROOM
from warroom_incident.room import hash_token
from warroom_incident.vocabulary import (
    MemberGranted,
    RightName,
    TokenCreated,
)


@contextmanager
def acting_as(user: pwd.struct_passwd) -> Iterator[None]:
    """Be another user for as long as it takes to connect."""
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def socket_as(user: pwd.struct_passwd, path: Path) -> socket.socket:
    """A connection that another user has made."""
    with acting_as(user):
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(str(path))
        except OSError:
            made.close()
            raise
    made.setblocking(False)
    return made


def let_pass(home: Path) -> None:
    """Let other users through the test's home to the socket."""
    home.chmod(0o711)


def open_to_all(home: Path, default: str = "responder") -> None:
    """Configure a room whose socket every user of the machine may use."""
    let_pass(home)
    directory = home / "config" / "warroom"
    directory.mkdir(mode=0o700)
    text = f'[access]\ndefault = "{default}"\n[socket]\nmode = "0666"\n'
    (directory / "warroom.toml").write_text(text)


async def grant(admin: Console, account: str, right: RightName | None) -> None:
    """Give an account a right."""
    state = admin.states.get(ROOM)
    body = MemberGranted(account=account, right=right)
    await admin.put(ROOM, body, state.base_for(body.key) if state else ())


async def make_token(admin: Console, name: str, **fields: Any) -> tuple[str, str]:
    """Make a token: the secret, and its id."""
    secret = secrets.token_urlsafe(32)
    body = TokenCreated(name=name, hash=hash_token(secret), **fields)
    return secret, (await admin.put(ROOM, body)).id


async def turned_away(
    where: Path | str, token: str | None = None, tls: ssl.SSLContext | None = None
) -> tuple[int, str]:
    """Join with a token that is not good: the closing."""
    console = Console()
    await console.greet(where, token=token, tls=tls)
    closing = await console.ended()
    await console.leave()
    return closing
