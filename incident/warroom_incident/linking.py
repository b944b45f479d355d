"""How an alert is carried into an incident."""

from __future__ import annotations

from .alerts import AlertRecord
from .fields import AlertCopy


def copy_of(record: AlertRecord) -> AlertCopy:
    """What an incident keeps of an alert."""
    return AlertCopy(
        uid=record.uid,
        key=record.key[:1000],
        source=record.source[:80],
        title=record.title[:500],
        severity=record.severity,
        state=record.state,
        service=record.service[:200],
        count=record.count,
        first_seen=record.first_seen,
        last_seen=record.last_seen,
    )
