"""Bodies of senders, and what the readers of their kinds make of them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from warroom_incident.alerts import Signal
from warroom_server.intake.kinds import KINDS
from warroom_server.intake.post import Post
from warroom_server.intake.source import Source

PAYLOADS = Path(__file__).parent / "payloads"
NOON = 1_795_262_400_000
NASTY = "08-nasty-unicode-ansi-nul-54k-annotation"


def payload(name: str) -> bytes:
    """A body that a real sender posted."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def read(
    kind: str, body: object, headers: dict[str, str] | None = None, **settings: object
) -> list[Signal]:
    """What is read from a body; `settings` are those of its source."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    source = msgspec.convert({"name": "am", "kind": kind, **settings}, Source)
    return list(KINDS[kind].read(Post(raw, NOON, headers or {}), source))


def only(
    kind: str, body: object, headers: dict[str, str] | None = None, **settings: object
) -> Signal:
    """The only signal of a body."""
    (signal,) = read(kind, body, headers, **settings)
    return signal


def notification(*alerts: object, **fields: object) -> dict[str, object]:
    """A body of an Alertmanager."""
    return {"version": "4", "status": "firing", "alerts": list(alerts), **fields}
