"""The state of the `room` stream: accounts and their rights, tokens, servers and standbys."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest

from msgspec import Struct

from .clock import Stamp
from .fold import Fold
from .reducers import Right
from .vocabulary import MemberGranted, ServerListed, StandbyListed, TokenCreated


class Token(Struct, frozen=True):
    """A bearer token that was made and not revoked. `expires` in milliseconds."""

    id: str
    name: str
    kind: str | None
    right: Right | None
    expires: int | None
    by: str
    created: int


class Member(Struct, frozen=True):
    """An account that was granted a right of its own. `at` in milliseconds."""

    account: str
    right: Right
    by: str
    at: int


class Machine(Struct, frozen=True):
    """A machine that is trusted to keep the room.

    `server` is its name by its public key (Ed25519, hex); `serves` says whether it was ever the
    room's server, else it is a standby. `name` and `urls` are empty where nobody told them.
    It was listed as a server at `since`; of one that took over, `promoted_by` says who made it so,
    and `as_of` how old its copy was. Times in milliseconds.
    """

    server: str
    key_hex: str
    serves: bool
    name: str = ""
    urls: tuple[str, ...] = ()
    since: int = 0
    promoted_by: str = ""
    as_of: int = 0


def hash_token(token: str) -> str:
    """What is kept of a token: tokens are 256 random bits, so a plain hash is enough."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class RoomState(Fold):
    """Who may do what in the room, and who keeps it."""

    def right(self, account: str) -> Right | None:
        """What an account was granted, None where the default holds."""
        heads = self.heads(("member", account))
        body = heads[0].body if heads else None
        if isinstance(body, MemberGranted) and body.right is not None:
            return Right(body.right)
        return None

    def members(self) -> list[Member]:
        """Every account with a right of its own, by name."""
        found = []
        for account in sorted(key[1] for key in self.keys("member")):
            head = self.heads(("member", account))[0]
            right = self.right(account)
            if right is not None:
                found.append(Member(account, right, head.head.by, head.shown_at))
        return found

    def servers(self) -> dict[str, str]:
        """The public keys (Ed25519, hex) of the trusted servers by their names."""
        return {machine.server: machine.key_hex for machine in self.machines()}

    def machines(self) -> list[Machine]:
        """Every machine that may keep the room, in the order in which they were listed."""
        found: dict[str, Machine] = {}
        listed: dict[str, tuple[int, Stamp, str]] = {}
        for register in ("standby", "server"):
            for event in (event for key in self.keys(register) for event in self.heads(key)[:1]):
                body = event.body
                if isinstance(body, StandbyListed):
                    machine = Machine(body.server, body.key_hex, False, body.name, body.urls)
                elif isinstance(body, ServerListed):
                    known = found.get(body.server)
                    name, urls = (known.name, known.urls) if known else ("", ())
                    office = (event.shown_at, body.promoted_by, body.as_of)
                    machine = Machine(body.server, body.key_hex, True, name, urls, *office)
                else:
                    continue
                found[machine.server] = machine
                listed.setdefault(machine.server, event.order)
        return sorted(found.values(), key=lambda machine: listed[machine.server])

    def tokens(self) -> list[Token]:
        """The tokens that stand, expired ones too, the oldest first."""
        events = sorted(self.elements.get(("tokens",), {}).values(), key=lambda e: e.order)
        return [
            Token(
                e.id,
                e.body.name,
                e.body.kind,
                Right(e.body.right) if e.body.right else None,
                e.body.expires,
                e.head.by,
                e.shown_at,
            )
            for e in events
            if isinstance(e.body, TokenCreated)
        ]

    def token_for(self, secret: str, now: int) -> Token | None:
        """The token that a secret opens, if it is good at `now` (milliseconds).

        Every hash is compared in constant time, so that an answer tells nothing of the others.
        """
        wanted = hash_token(secret)
        found = None
        for token_id, event in self.elements.get(("tokens",), {}).items():
            body = event.body
            if isinstance(body, TokenCreated) and compare_digest(body.hash, wanted):
                found = token_id
        for token in self.tokens():
            if token.id == found and (token.expires is None or token.expires > now):
                return token
        return None
