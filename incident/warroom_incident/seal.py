"""The hash chain of a stream, and the seals that a server puts on it.

`chain_i = sha256(chain_{i-1} + id_i)`, starting from 32 zero bytes. A seal signs the end of the
chain after a commit, so what a trusted server admitted can be handed on by anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

ZERO = bytes(32)

Sign = Callable[[bytes], bytes]
"""Signs a message with the server's key."""

Verify = Callable[[bytes, bytes], bool]
"""Whether a signature (second) fits a message (first)."""


def link(chain: bytes, event_id: bytes) -> bytes:
    """The chain after one more event."""
    return sha256(chain + event_id).digest()


def sealed_text(log: str, stream: str, iseq: int, chain: bytes, admitted: int) -> bytes:
    """The message that a seal signs."""
    return f"warroom seal 1\n{log}\n{stream}\n{iseq}\n{chain.hex()}\n{admitted}\n".encode()
