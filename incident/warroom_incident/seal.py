"""The hash chain of a stream, and the seals that a server puts on it.

`chain_i = sha256(chain_{i-1} + entry_i)`, starting from 32 zero bytes. A seal signs the end of the
chain after a commit, so what a trusted server admitted can be handed on by anybody. The entry of an
admitted event is its id. A refused one has its place under another name (`void_entry`), and so has
what the server only heard of (`heard_entry`): a seal proves the refusal or the hearsay, and never
the event. That a body is withheld is an entry too (`withheld_entry`), so that nobody can make a
body vanish by handing on the head alone.

The first kind of seal lies on chains in which hearsay goes by its id, so it does not tell what the
server admitted.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

ZERO = bytes(32)

BLURRED = 1
"""The kind of a seal on a chain in which hearsay may go by its id."""

PROVING = 2
"""The kind of a seal on a chain in which the id of an event says that the server admitted it."""

Sign = Callable[[bytes], bytes]
"""Signs a message with the server's key."""

Verify = Callable[[bytes, bytes], bool]
"""Whether a signature (second) fits a message (first)."""


def void_entry(event_id: bytes) -> bytes:
    """Under which name a refused event has its place in a chain, 32 bytes."""
    return sha256(b"warroom void 1\n" + event_id).digest()


def heard_entry(event_id: bytes) -> bytes:
    """Under which name hearsay has its place in a chain, 32 bytes."""
    return sha256(b"warroom hearsay 1\n" + event_id).digest()


def withheld_entry(event_id: bytes) -> bytes:
    """Under which name it has its place in a chain that a body is withheld, 32 bytes."""
    return sha256(b"warroom withheld 1\n" + event_id).digest()


def link(chain: bytes, entry: bytes) -> bytes:
    """The chain after one more event."""
    return sha256(chain + entry).digest()


def sealed_text(
    log: str, stream: str, iseq: int, chain: bytes, admitted: int, *, kind: int = PROVING
) -> bytes:
    """The message that a seal of a kind signs."""
    head = f"warroom seal {kind}\n{log}\n{stream}\n{iseq}\n"
    return f"{head}{chain.hex()}\n{admitted}\n".encode()
