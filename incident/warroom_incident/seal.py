"""The hash chain of a stream, and the seals that a server puts on it.

`chain_i = sha256(chain_{i-1} + entry_i)`, starting from 32 zero bytes. A seal signs the end of the
chain after a commit, so what a trusted server admitted can be handed on by anybody. The entry of an
admitted event is its id. A refused one has its place under another name (`void_entry`), so that a
seal proves the refusal and never the event.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

ZERO = bytes(32)

Sign = Callable[[bytes], bytes]
"""Signs a message with the server's key."""

Verify = Callable[[bytes, bytes], bool]
"""Whether a signature (second) fits a message (first)."""


def void_entry(event_id: bytes) -> bytes:
    """Under which name a refused event has its place in a chain, 32 bytes."""
    return sha256(b"warroom void 1\n" + event_id).digest()


def link(chain: bytes, entry: bytes) -> bytes:
    """The chain after one more event."""
    return sha256(chain + entry).digest()


def sealed_text(log: str, stream: str, iseq: int, chain: bytes, admitted: int) -> bytes:
    """The message that a seal signs."""
    return f"warroom seal 1\n{log}\n{stream}\n{iseq}\n{chain.hex()}\n{admitted}\n".encode()
