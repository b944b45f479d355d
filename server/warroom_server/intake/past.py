"""The rows of alert episodes that are over, kept long after the board has forgotten them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from warroom_incident.alerts import AlertRecord
from warroom_incident.episodes import Episode
from warroom_incident.grouping import rule_of

KEPT_MS = 400 * 86_400_000
"""How long an episode is remembered: more than a year, so that last year's peak can be compared."""

MAX_EPISODES = 2_000_000
"""The most that are remembered; the oldest give way."""

_CHUNK = 500
_Row = tuple[str, str, str, str, str, str, int, int, str, int, int]


class RuleRow(NamedTuple):
    """One rule's past: how many episodes, their flaps, how long in all (ms), the newest start."""

    source: str
    rule: str
    episodes: int
    flaps: int
    open_ms: int
    last_seen: int


def is_past(record: AlertRecord) -> bool:
    """Whether an episode is to be remembered: it is over, and somebody was told of it."""
    return not record.is_open and record.count > 0 and record.kind != "warroom"


def row_of(record: AlertRecord) -> _Row:
    """What is remembered of an episode."""
    ended = record.last_seen if record.ends_at is None else record.ends_at
    return (
        record.uid,
        record.source,
        record.key,
        rule_of(record)[:200],
        record.title[:200],
        record.peak or record.severity,
        record.first_seen,
        max(record.first_seen, ended),
        record.resolved_by,
        record.count,
        record.flaps,
    )


def insert(db: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    """Remember episodes; one that flapped is remembered as it ended last."""
    marks = ", ".join("?" * 11)
    db.executemany(f"INSERT OR REPLACE INTO episodes VALUES ({marks})", rows)


def prune(db: sqlite3.Connection, now: int) -> None:
    """Forget what is too old or too much."""
    db.execute("DELETE FROM episodes WHERE first_seen < ?", (now - KEPT_MS,))
    db.execute(
        "DELETE FROM episodes WHERE first_seen < (SELECT first_seen FROM episodes"
        " ORDER BY first_seen DESC LIMIT 1 OFFSET ?)",
        (MAX_EPISODES,),
    )


def select_of_key(
    db: sqlite3.Connection, source: str, key: str, limit: int
) -> tuple[int, list[Episode]]:
    """How often an alert has fired, and its last episodes, the newest first."""
    count: int = db.execute(
        "SELECT count(*) FROM episodes WHERE source = ? AND key = ?", (source, key)
    ).fetchone()[0]
    rows = db.execute(
        "SELECT uid, title, severity, first_seen, ends_at, resolved_by, count, flaps FROM episodes"
        " WHERE source = ? AND key = ? ORDER BY first_seen DESC LIMIT ?",
        (source, key, limit),
    )
    return count, [Episode(*row) for row in rows]


def select_rules(db: sqlite3.Connection, since: int) -> list[RuleRow]:
    """Every rule that fired since a time."""
    rows = db.execute(
        "SELECT source, rule, count(*), sum(flaps), sum(ends_at - first_seen), max(first_seen)"
        " FROM episodes WHERE first_seen >= ? GROUP BY source, rule",
        (since,),
    )
    return [RuleRow(*row) for row in rows]


def select_rules_of(
    db: sqlite3.Connection, uids: Collection[str], since: int
) -> dict[str, tuple[str, str]]:
    """The source and rule of those of these episodes that began since a time."""
    found: dict[str, tuple[str, str]] = {}
    for chunk in _chunks(uids):
        marks = ", ".join("?" * len(chunk))
        rows = db.execute(
            f"SELECT uid, source, rule FROM episodes WHERE uid IN ({marks}) AND first_seen >= ?",
            (*chunk, since),
        )
        found.update({uid: (source, rule) for uid, source, rule in rows})
    return found


def _chunks(uids: Collection[str]) -> Iterable[list[str]]:
    names = sorted(uids)
    return (names[i : i + _CHUNK] for i in range(0, len(names), _CHUNK))
