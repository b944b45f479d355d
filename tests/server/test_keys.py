"""The server's identity on disk."""

from __future__ import annotations

import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from warroom_server.config import ConfigError
from warroom_server.keys import ServerKey, load_or_create, verify


def make(path: Path) -> ServerKey:
    """Read or make a key."""
    return load_or_create(path, secrets.token_bytes)


def test_a_key_is_made_once_and_for_its_owner_alone(home: Path) -> None:
    path = home / "new" / "room.key"
    first = make(path)
    again = make(path)
    assert (first.room, first.public_hex) == (again.room, again.public_hex)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [found.name for found in path.parent.iterdir()] == ["room.key"]


def test_two_servers_that_start_at_once_agree_on_one_key(home: Path) -> None:
    path = home / "room.key"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: make(path), range(16)))
    assert len({key.public_hex for key in found}) == 1
    assert make(path).public_hex == found[0].public_hex


def test_a_key_that_others_can_read_is_not_used(home: Path) -> None:
    path = home / "room.key"
    make(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=f"chmod 600 {path}"):
        make(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b'{"room":"x","private":"zz"}',
        b'{"room":"x","private":"00"}',
        b'{"room":1,"private":""}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_key_is_never_replaced(home: Path, content: bytes) -> None:
    path = home / "room.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="restore it from a copy"):
        make(path)
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_read_is_told(home: Path) -> None:
    path = home / "room.key"
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        make(path)


def test_a_signature_fits_its_text_and_key_only(home: Path) -> None:
    key, other = make(home / "a"), make(home / "b")
    seal = key.sign(b"text")
    assert verify(key.public_hex, b"text", seal)
    assert not verify(key.public_hex, b"text.", seal)
    assert not verify(other.public_hex, b"text", seal)
    assert not verify("zz", b"text", seal)
    assert not verify(key.public_hex, b"text", b"short")
    assert key.name == key.public_hex[:16]
