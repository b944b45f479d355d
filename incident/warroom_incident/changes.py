"""What people and pipelines changed: deploys, flags, configuration. Records, as machines told them.

An incident shows what changed in the half hour before its first alert, and of each service the
last change however old it is: a slow burn starts the day before. Times are integer milliseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

import msgspec

KEPT_MS = 24 * 3_600_000
"""Every change is kept for so long; of each service the last one for ever."""

BEFORE_MS = 30 * 60_000
"""How long before the first alert a change may have caused it."""

MAX_KEPT = 5_000
"""The most changes that a board holds; the oldest give way."""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that was changed on purpose.

    `kind` is a word such as deploy, flag, config, rollback or merge; `state` one such as failed
    or started where the sender told one. `at` is when it happened as far as the sender said,
    never later than its receipt; `source` is the token that it came with, `by` who did it. `rev`
    is the board's revision. Texts are as the sender wrote them.
    """

    uid: str
    service: str
    kind: str
    title: str
    at: int
    by: str = ""
    link: str = ""
    source: str = ""
    env: str = ""
    state: str = ""
    rev: int = 0


def change_uid(source: str, named: str) -> str:
    """Name a change: 20 hex characters, the same whenever its sender tells of it."""
    told = f"change\0{source}\0{named}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()[:20]


def worth_keeping(changes: Iterable[Change], now: int) -> list[Change]:
    """The changes to keep: the last day's, and each service's last, the newest first."""
    found: list[Change] = []
    seen: set[str] = set()
    for change in sorted(changes, key=lambda c: (-c.at, c.uid)):
        if now - change.at <= KEPT_MS or change.service not in seen:
            found.append(change)
        seen.add(change.service)
    return found[:MAX_KEPT]


def changes_before(changes: Iterable[Change], first_alert: int) -> list[Change]:
    """What changed in the half hour before the first alert, the newest first."""
    found = [c for c in changes if first_alert - BEFORE_MS <= c.at <= first_alert]
    return sorted(found, key=lambda c: (-c.at, c.uid))


def last_changes(changes: Iterable[Change], services: Collection[str]) -> dict[str, Change]:
    """The last change of each of these services that has one, however old."""
    found: dict[str, Change] = {}
    for change in changes:
        known = found.get(change.service)
        if change.service in services and (
            known is None or (change.at, change.uid) > (known.at, known.uid)
        ):
            found[change.service] = change
    return found
