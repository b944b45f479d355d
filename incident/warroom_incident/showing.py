"""An incident as data for other programs: its summary, and the value of `show --json`."""

from __future__ import annotations

from .incident import IncidentState
from .sync.wire import Summary

MAX_LINKED = 500


def summarize(state: IncidentState) -> Summary:
    """The line of one incident in a list."""
    last = state.ordered[-1] if state.events else None
    return Summary(
        stream=state.stream,
        id=state.number,
        title=state.title,
        severity=state.severity,
        status=state.status,
        drill=state.drill,
        commander=state.holder("commander"),
        started_at=state.started_at,
        ended_at=state.ended_at,
        changed_at=state.events[last].shown_at if last else 0,
        events=len(state.events),
        conflicts=len(state.conflicts()),
        linked=[link.uid for link in state.links()[:MAX_LINKED]],
    )
