"""Who can reach a server's doors, what is told of them, and what is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from warroom_server.config import ConfigError
from warroom_server.peer_line import read_address
from warroom_server.reach import Doors, addresses, missing, who_reaches


@pytest.fixture
def open_home(home: Path) -> Path:
    """A directory that everybody may enter, below one that everybody may."""
    home.chmod(0o755)
    place = home / "warroom"
    place.mkdir(mode=0o750)
    return place


def test_a_private_directory_lets_nobody_in(home: Path) -> None:
    assert who_reaches(home / "socket", None) == ""
    assert who_reaches(home / "not-made-yet" / "socket", 0o666) == ""


def test_a_groups_directory_lets_the_group_in(open_home: Path) -> None:
    assert who_reaches(open_home / "socket", None).startswith("the group ")
    assert who_reaches(open_home / "socket", 0o600) == ""


def test_a_socket_for_all_in_an_open_directory_lets_everybody_in(open_home: Path) -> None:
    open_home.chmod(0o755)
    assert who_reaches(open_home / "socket", 0o666) == "everybody"
    open_home.parent.chmod(0o700)
    assert who_reaches(open_home / "socket", 0o666) == ""


def test_consoles_are_told_what_they_can_reach_or_what_was_configured(open_home: Path) -> None:
    cert = Path("cert")
    doors = Doors(open_home / "socket", None, ("war2", 8764), cert, cert)
    assert addresses(doors, None, ()) == (f"unix://{open_home}/socket", "wss://war2:8764")
    assert addresses(doors, None, ("wss://elsewhere:1",)) == ("wss://elsewhere:1",)
    nowhere = Doors(open_home / "private" / "socket", None, ("0.0.0.0", 8764), cert, cert)
    assert addresses(nowhere, None, ()) == ()


def test_what_is_missing_is_named_with_the_way_out(home: Path, open_home: Path) -> None:
    bare = list(missing(Doors(home / "private" / "socket"), None, ()))
    assert len(bare) == 3
    assert "--socket" in bare[0]
    assert "--cert" in bare[1]
    assert "--http" in bare[2]
    cert, http = Path("cert"), ("127.0.0.1", 8080)
    unnamed = Doors(open_home / "socket", http, ("0.0.0.0", 8764), cert, cert)
    (said,) = missing(unnamed, None, ())
    assert "urls = " in said
    assert not list(missing(unnamed, None, ("wss://war2:8764",)))


def test_an_address_is_read_with_its_token(home: Path) -> None:
    assert read_address("unix:///run/x", home).path == Path("/run/x")
    token = home / "peer-war2-8764.token"
    token.touch(mode=0o600)
    token.write_text("wr_secret\n")
    found = read_address("wss://war2", home)
    assert (found.url, found.token) == ("wss://war2:8764", "wr_secret")
    assert "wr_secret" not in repr(found)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("war2", "no server's address"),
        ("http://war2", "no server's address"),
        ("unix://run/x", "no server's address"),
        (f"unix:///{'x' * 120}", "too long"),
        ("ws://war2:8764", "in the clear"),
        ("wss://ana:secret@war2", "take it out"),
        ("wss://ana:secret@war2:99999", "take it out"),
        ("wss://war2?token=secret", "peer-war2-8764.token"),
        ("wss://war2#secret", "take it out"),
        ("wss://war2:99999", "no server's address"),
        ("wss://war3", "no token"),
    ],
)
def test_a_bad_address_is_told_in_one_sentence(home: Path, url: str, said: str) -> None:
    with pytest.raises(ConfigError) as told:
        read_address(url, home)
    assert said in str(told.value)
    assert "secret" not in str(told.value)


def test_a_token_that_others_can_read_is_not_used(home: Path) -> None:
    token = home / "peer-war2-8764.token"
    token.write_text("wr_secret")
    token.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_address("wss://war2", home)
    os.truncate(token, 0)
    token.chmod(0o600)
    with pytest.raises(ConfigError, match="holds no token"):
        read_address("wss://war2", home)
