"""The state of the `board` stream: what people did to alerts, in any incident or none."""

from __future__ import annotations

from msgspec import Struct

from .fold import Fold
from .vocabulary import AlertAcknowledged


class Acknowledged(Struct, frozen=True):
    """Who took an alert on, and when in milliseconds."""

    by: str
    at: int


class BoardState(Fold):
    """What people did to alerts."""

    def acknowledged(self, uid: str) -> Acknowledged | None:
        """Who has acknowledged an alert episode, None while nobody has."""
        heads = self.heads(("ack", uid))
        body = heads[0].body if heads else None
        if isinstance(body, AlertAcknowledged) and body.acknowledged:
            return Acknowledged(heads[0].head.by, heads[0].shown_at)
        return None
