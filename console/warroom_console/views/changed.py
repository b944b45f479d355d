"""What was changed before it broke: deploys, flags and configuration, near and long ago."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from warroom_console.context import Room
from warroom_console.times import short, stamp
from warroom_incident.changes import Change, changes_before, last_changes


def changes_told(
    room: Room, began: Sequence[int], services: Collection[str]
) -> list[tuple[str, str]]:
    """What changed in the half hour before the first alert, and each service's last change.

    Args:
        room: Where the changes are known.
        began: When the alerts began, in milliseconds.
        services: The affected services.
    """
    known = room.model.changes.values()
    first = min(began, default=None)
    near = changes_before(known, first) if first is not None else []
    lines = [(stamp(one.at), _told(one, first)) for one in near]
    last = last_changes(known, services)
    for service in sorted(services):
        one = last.get(service)
        if one is not None and one not in near:
            lines.append((stamp(one.at), f"last of {service}: {_told(one, first)}"))
    return lines


def _told(change: Change, first: int | None) -> str:
    who = f" by {change.by}" if change.by else ""
    state = f" ({change.state})" if change.state else ""
    where = f"{change.service}: " if change.service else ""
    before = ""
    if first is not None and change.at <= first:
        before = f", {short(first - change.at)} before it began"
    return f"{change.kind} {where}{change.title}{state}{who}{before}"
