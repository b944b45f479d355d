"""Why a connection is closed, as its last frame says it."""

from __future__ import annotations

from warroom_incident.clean import clean_line
from warroom_incident.sync.wire import MAX_REASON


def close_reason(sentence: str) -> str:
    """A sentence as a close frame takes it: cleaned, and short enough in bytes."""
    return clean_line(sentence).encode()[:MAX_REASON].decode(errors="ignore")
