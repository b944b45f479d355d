"""What a server shows beside events: incidents in a line, people, and where the room is kept."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """An incident in one line, for the lobby. Times in milliseconds.

    `linked` names the alert episodes that are linked to it.
    """

    stream: str
    id: str
    title: str
    severity: str
    status: str
    drill: bool = False
    commander: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    changed_at: int = 0
    events: int = 0
    conflicts: int = 0
    linked: list[str] = []


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody connected: name, where, doing what, on how many consoles, since when."""

    name: str
    where: str = ""
    doing: str = ""
    since: int = 0
    consoles: int = 1


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """A machine that is trusted to keep the room: a server or, while it does not serve, a standby.

    `key` is its public key (Ed25519, hex) and `server` the start of it; `urls` are where consoles
    find it; `here` marks the one that speaks, `connected` those that it is in step with. It serves
    `since`; of one that took over, `promoted_by` says who made it the server, and `as_of` how old
    its copy was then. Times in milliseconds.
    """

    server: Annotated[str, Meta(max_length=64)]
    key: Annotated[str, Meta(pattern=r"\A([0-9a-f]{64})?\Z")]
    name: Annotated[str, Meta(max_length=80)] = ""
    urls: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=8)] = []
    serves: bool = False
    here: bool = False
    connected: bool = False
    since: int = 0
    promoted_by: Annotated[str, Meta(max_length=80)] = ""
    as_of: int = 0
