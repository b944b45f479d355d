"""Who is at the other end, and under which names they may write."""

from __future__ import annotations

import os
import pwd
import socket

import pytest

from tests.e2e.console_client import new_author
from warroom_incident.event import ROOM
from warroom_incident.reducers import Right
from warroom_incident.room import RoomState, hash_token
from warroom_incident.vocabulary import RightName, TokenCreated, TokenRevoked
from warroom_server.identity import (
    MAX_NAME,
    Caller,
    UnknownCaller,
    account_name,
    account_of,
    bearer,
    is_plain_name,
    may_sign,
    name_of,
    peer_account,
    token_caller,
)

OPS = Caller("ops")


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert peer_account(ours) == pwd.getpwuid(os.getuid()).pw_name


def test_an_account_without_a_name_is_called_by_its_number() -> None:
    assert account_name(3_999_999_999) == "uid3999999999"


def test_a_person_is_called_by_their_account() -> None:
    assert name_of(OPS, "").name == "ops"
    assert name_of(OPS, "ops").name == "ops"


@pytest.mark.parametrize(
    "claim",
    [
        "ana",
        "Ana María",
        "ana.k",
        "j-p",
        "Zoë",
        "李",
        "a" * 40,
        "R2",
        "J. R. Hartley Jr.",
        "O'Brien",
    ],
)
def test_a_claimed_name_stands_beside_its_account(claim: str) -> None:
    who = name_of(OPS, claim)
    assert who.name == f"{claim} (ops)"
    assert who.account == "ops"
    assert account_of(who.name) == "ops"


@pytest.mark.parametrize(
    "claim",
    [
        "warroom",
        "ana (root)",
        "ana)",
        "ana\n",
        "ana\x1b[2J",
        " ana",
        "ana ",
        "ana  k",
        "ana--k",
        "-ana",
        ".ana",
        "a/b",
        "a" * 41,
        "ana\u202e",
        "ana\u200b",
        "*",
        "ana,bo",
    ],
)
def test_a_claim_that_could_pass_for_something_else_is_turned_away(claim: str) -> None:
    with pytest.raises(UnknownCaller):
        name_of(OPS, claim)


def test_nobody_is_the_server() -> None:
    with pytest.raises(UnknownCaller):
        name_of(Caller("warroom"), "")
    with pytest.raises(UnknownCaller):
        name_of(Caller("warroom"), "ana")
    assert not may_sign(Caller("warroom"), "warroom")
    assert not may_sign(OPS, "warroom (ops)")


def test_a_name_that_no_event_can_hold_is_turned_away() -> None:
    with pytest.raises(UnknownCaller, match="longer"):
        name_of(Caller("a" * 60), "b" * 40)
    assert len(name_of(Caller("a" * 37), "b" * 40).name) == MAX_NAME


def test_a_shared_account_signs_for_all_its_people_and_nobody_else() -> None:
    for name in ("ops", "ana (ops)", "Ana María (ops)"):
        assert may_sign(OPS, name)
    for name in ("ana", "ana (root)", "root", "warroom", "ana (x) (ops)", " (ops)", "(ops)", ""):
        assert not may_sign(OPS, name)


def test_a_plain_name_cannot_pass_for_a_claimed_one() -> None:
    assert is_plain_name("ana.k")
    for name in ("ana (ops)", "warroom", "", "a\nb"):
        assert not is_plain_name(name)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
        (None, None),
    ],
)
def test_the_token_of_a_header(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


# Tokens ------------------------------------------------------------------------------------


class Tokens:
    """A room in which tokens are made."""

    def __init__(self) -> None:
        self.room = RoomState()
        self._author = new_author()

    def make(self, secret: str, *, right: RightName | None, expires: int | None = None) -> str:
        """Make a token; its id."""
        body = TokenCreated(
            name="ana",
            hash=hash_token(secret),
            kind=None if right else "generic",
            right=right,
            expires=expires,
        )
        event, _ = self._author.write(ROOM, "root", body)
        self.room.add(event)
        return event.id

    def revoke(self, token_id: str) -> None:
        """Revoke a token."""
        event, _ = self._author.write(ROOM, "root", TokenRevoked(name="ana"), (token_id,))
        self.room.add(event)


def test_a_token_brings_its_own_right() -> None:
    tokens = Tokens()
    id_ = tokens.make("secret", right="commander")
    assert token_caller(tokens.room, "secret", 0) == Caller("ana", Right.COMMANDER, id_)


@pytest.mark.parametrize("secret", ["", "Secret", "secret ", "\ud800", "x" * 100_000])
def test_a_token_that_nobody_made_is_unknown(secret: str) -> None:
    tokens = Tokens()
    tokens.make("secret", right="viewer")
    with pytest.raises(UnknownCaller, match="ask an admin"):
        token_caller(tokens.room, secret, 0)


def test_a_token_is_good_until_it_expires() -> None:
    tokens = Tokens()
    tokens.make("secret", right="viewer", expires=1000)
    assert token_caller(tokens.room, "secret", 999).account == "ana"
    with pytest.raises(UnknownCaller, match="expired"):
        token_caller(tokens.room, "secret", 1000)


def test_a_revoked_token_is_unknown() -> None:
    tokens = Tokens()
    tokens.revoke(tokens.make("secret", right="viewer"))
    with pytest.raises(UnknownCaller):
        token_caller(tokens.room, "secret", 0)


def test_a_senders_token_lets_nobody_in() -> None:
    tokens = Tokens()
    tokens.make("secret", right=None)
    with pytest.raises(UnknownCaller, match="sending alerts"):
        token_caller(tokens.room, "secret", 0)
