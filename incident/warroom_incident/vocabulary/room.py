"""The events of the `room` stream: who may do what, and which servers keep the room."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from ..fields import Ident, Millis, Name, Url
from ..reducers import Body, Element, Removal, Right, Write

RightName = Literal["viewer", "responder", "commander", "admin"]
"""What somebody may do in the room; each may do what those before it may."""


class MemberGranted(Write, frozen=True):
    """An account got a right in the room; with none, it falls back to the default."""

    account: Name
    right: RightName | None = None
    type: ClassVar[str] = "member.granted"
    is_guarded: ClassVar[bool] = True
    needs: ClassVar[Right] = Right.ADMIN
    register: ClassVar[str] = "member"
    named: ClassVar[tuple[str, ...]] = ("account",)
    says: ClassVar[str] = "right"


class TokenCreated(Element, frozen=True):
    """A bearer token was made. Only its SHA-256 is kept; the token itself was shown once.

    It stands for an alert sender (`kind`) or for a person or program with a right (`right`).
    """

    name: Name
    hash: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    kind: Ident | None = None
    right: RightName | None = None
    expires: Millis | None = None
    type: ClassVar[str] = "token.created"
    is_guarded: ClassVar[bool] = True
    needs: ClassVar[Right] = Right.ADMIN
    register: ClassVar[str] = "tokens"


class TokenRevoked(Removal, frozen=True):
    """The tokens that `base` names are no longer good."""

    name: Name
    type: ClassVar[str] = "token.revoked"
    is_guarded: ClassVar[bool] = True
    needs: ClassVar[Right] = Right.ADMIN


class ServerListed(Write, frozen=True):
    """A server's public signing key (Ed25519, hex) is trusted in this room.

    Of one that took over, `promoted_by` is who made it the server, and `as_of` when what it began
    with was last known to be all there was.
    """

    server: Ident
    key_hex: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    promoted_by: Annotated[str, Meta(max_length=80)] = ""
    as_of: Millis = 0
    type: ClassVar[str] = "server.listed"
    is_guarded: ClassVar[bool] = True
    needs: ClassVar[Right] = Right.ADMIN
    register: ClassVar[str] = "server"
    named: ClassVar[tuple[str, ...]] = ("server",)
    says: ClassVar[str] = "key_hex"


class StandbyListed(Write, frozen=True):
    """An admin listed a machine that keeps everything and can take over as the room's server.

    `server` is its name by its key (Ed25519, hex), which is trusted from then on; `name` is for
    people; `urls` are where consoles find it, in the order to try.
    """

    server: Ident
    name: Name
    key_hex: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    urls: Annotated[tuple[Url, ...], Meta(max_length=8)] = ()
    type: ClassVar[str] = "standby.listed"
    is_guarded: ClassVar[bool] = True
    needs: ClassVar[Right] = Right.ADMIN
    register: ClassVar[str] = "standby"
    named: ClassVar[tuple[str, ...]] = ("server",)

    @property
    def value(self) -> object:
        """All that it says."""
        return (self.name, self.key_hex, self.urls)


ROOM_TYPES: tuple[type[Body], ...] = (
    MemberGranted,
    TokenCreated,
    TokenRevoked,
    ServerListed,
    StandbyListed,
)
