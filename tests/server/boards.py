"""Boards and the words that come in at them, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from warroom_incident.alerts import AlertRecord, Severity, Signal, State
from warroom_server.board import Board, SavedBoard

NOON = 1_795_262_400_000
HOUR = 3_600_000


def signal(
    key: str, state: State = "firing", at: int = NOON, severity: Severity = "SEV2"
) -> Signal:
    """What a sender says of one alert."""
    return Signal(
        source="gen",
        kind="generic",
        key=key,
        state=state,
        title=f"alert {key}",
        received=at,
        severity=None if state == "resolved" else severity,
    )


def empty_board(retention_ms: int = HOUR, max_records: int = 100) -> Board:
    """A board of a server that has heard of nothing."""
    return Board(SavedBoard("b0a4d", 0), retention_ms=retention_ms, max_records=max_records)


def keys(records: Sequence[AlertRecord]) -> list[str]:
    """What tells the alerts apart for their sender."""
    return [record.key for record in records]
