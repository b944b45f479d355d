"""Deliveries by the ids that their senders gave them, so that one that is sent twice counts once.

Owns a short memory: senders try again within minutes. What is forgotten, or was kept before a
restart, is only kept twice, and told apart by the rules of episodes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

REMEMBERED_MS = 10 * 60 * 1000
MOST = 10_000

_IDS = (
    ("x-amz-sns-message-id",),
    ("ce-source", "ce-id"),
    ("request-id", "sentry-hook-resource"),
    ("x-github-delivery",),
    ("x-gitlab-event-uuid",),
)
"""The headers that name a delivery; all of a row have to be there."""

_LONGEST = 300


class Deliveries:
    """What was kept in the last minutes."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._kept: OrderedDict[tuple[str, ...], tuple[int, int]] = OrderedDict()

    def find(self, source: str, headers: Mapping[str, str], now: int) -> int | None:
        """Return the id of the body that the same delivery has already left, if any."""
        name = _name(source, headers)
        raw_id, received = self._kept.get(name, (None, 0)) if name else (None, 0)
        return raw_id if now - received <= REMEMBERED_MS else None

    def note(self, source: str, headers: Mapping[str, str], now: int, raw_id: int) -> None:
        """Remember what a delivery has left."""
        if name := _name(source, headers):
            self._kept[name] = (raw_id, now)
            self._kept.move_to_end(name)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)


def _name(source: str, headers: Mapping[str, str]) -> tuple[str, ...] | None:
    for names in _IDS:
        values = tuple(headers.get(name, "")[:_LONGEST] for name in names)
        if all(values):
            return (source, names[0], *values)
    return None
