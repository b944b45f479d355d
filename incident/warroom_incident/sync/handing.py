"""Handing events on: the frames that carry others' events, and the proofs that go before them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

from ..event import Packet
from .wire import Relay, Vouch, encode, raw_pair

IDS_AT_ONCE = 3000
"""Ids of a proof in one frame: 128 KiB of base64."""

RELAY_BYTES = 96 * 1024
RELAY_EVENTS = 400
"""What one frame of relayed events carries."""


def vouches(
    stream: str,
    log: str,
    server: str,
    ids: Sequence[bytes],
    *,
    sealed: int,
    signature: str,
    first: int = 1,
    chain: str = "",
) -> list[bytes]:
    """The frames of a proof.

    Args:
        stream: What it is about.
        log: The log that holds the ids in this order.
        server: Who sealed it.
        ids: The entries at the places from `first` on, up to the seal.
        sealed: When the seal was put there, in milliseconds.
        signature: The seal, in hex.
        first: The place of the first id.
        chain: The chain before `first`, in hex; empty where `first` is 1.
    """
    frames = []
    for start in range(0, len(ids), IDS_AT_ONCE):
        text = b64encode(b"".join(ids[start : start + IDS_AT_ONCE])).decode()
        is_last = start + IDS_AT_ONCE >= len(ids)
        admitted, seal = (sealed, signature) if is_last else (0, "")
        before = "" if start else chain
        frames.append(
            encode(Vouch(stream, log, server, first + start, text, admitted, seal, before))
        )
    return frames


def relays(packets: Iterable[tuple[int, Packet]]) -> Iterable[bytes]:
    """The frames of relayed events with their admission stamps."""
    some: list[tuple[int, Packet]] = []
    size = 0
    for stamp, packet in packets:
        length = len(packet.head) + len(packet.body or b"")
        if some and (size + length > RELAY_BYTES or len(some) == RELAY_EVENTS):
            yield _relay_frame(some)
            some, size = [], 0
        some.append((stamp, packet))
        size += length
    if some:
        yield _relay_frame(some)


def _relay_frame(some: Sequence[tuple[int, Packet]]) -> bytes:
    withheld = {
        str(place): packet.reason or "withheld"
        for place, (_, packet) in enumerate(some)
        if packet.body is None
    }
    via = {str(place): packet.via for place, (_, packet) in enumerate(some) if packet.via}
    pairs = [raw_pair(packet) for _, packet in some]
    return encode(Relay(pairs, [stamp for stamp, _ in some], withheld, via))
