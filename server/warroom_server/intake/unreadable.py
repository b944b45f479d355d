"""A body that could not be read, and the card that says so on the board."""

from __future__ import annotations

from warroom_incident.alerts import Signal

from .rows import RawBody

_SHOWN = 400


class Unreadable(Exception):
    """A body is not what its kind promises; the message completes "the body was kept, but …"."""


def unreadable_card(raw: RawBody, reason: str) -> Signal:
    """Make the card of a source's unreadable bodies: one card a source, showing the newest."""
    start = raw.body[:_SHOWN].decode("utf-8", "replace")
    return Signal(
        source=raw.source,
        kind=raw.kind,
        key="warroom:unreadable",
        state="firing",
        severity="SEV3",
        title=f"unparsed from {raw.source}",
        summary=f"Raw body {raw.id} was kept, but {reason}.",
        description=f"It has {len(raw.body):,} bytes and begins: {start}",
        labels={"raw_id": str(raw.id)},
        received=raw.received,
    )
