"""The server's identity: the room that it serves and the key that it seals with.

`room.key` lies apart from the data, so that losing the data loses neither. The seals are Ed25519;
the public key is the server's name in the room.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from warroom_incident.author import Entropy, new_rep
from warroom_incident.directory import make_private, sync

from .config import ConfigError


class _KeyFile(msgspec.Struct, frozen=True):
    room: str
    private: str
    """The Ed25519 seed, 32 bytes in hex."""


@dataclass(frozen=True, slots=True)
class ServerKey:
    """The room's id and this server's signing key."""

    room: str
    private: Ed25519PrivateKey

    @property
    def public_hex(self) -> str:
        """The public key, 32 bytes in hex."""
        return self.private.public_key().public_bytes_raw().hex()

    @property
    def name(self) -> str:
        """What the room calls this server: the start of its public key."""
        return self.public_hex[:16]

    def sign(self, text: bytes) -> bytes:
        """Sign a message: 64 bytes."""
        return self.private.sign(text)


def verify(public_hex: str, text: bytes, signature: bytes) -> bool:
    """Whether a signature fits a message and a public key."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_hex)).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def load_or_create(path: Path, entropy: Entropy, room: str | None = None) -> ServerKey:
    """Read `room.key`, or make it with mode 0600, for a new room or for `room`.

    Raises:
        ConfigError: The file is readable by others, or is no key.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return _create(path, entropy, room)
    except OSError as error:
        raise ConfigError(f"The key {path} cannot be read: {error.strerror}.") from error
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"Others can read the key {path}; run: chmod 600 {path}")
    try:
        kept = msgspec.json.decode(raw, type=_KeyFile)
        seed = bytes.fromhex(kept.private)
        return ServerKey(kept.room, Ed25519PrivateKey.from_private_bytes(seed))
    except (msgspec.MsgspecError, ValueError) as error:
        raise ConfigError(f"{path} is not a room key; restore it from a copy.") from error


def _create(path: Path, entropy: Entropy, room: str | None) -> ServerKey:
    make_private(path.parent)
    seed = entropy(32)
    kept = _KeyFile(room or new_rep(entropy), seed.hex())
    partial = path.with_name(f".{path.name}.{entropy(4).hex()}")
    handle = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(kept))
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)  # whole or absent after a crash, and never over another's key
    except FileExistsError:
        return load_or_create(path, entropy, room)
    finally:
        partial.unlink(missing_ok=True)
    sync(path.parent)
    return ServerKey(kept.room, Ed25519PrivateKey.from_private_bytes(seed))
