"""Every incident in one line, for the lobby."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from warroom_incident.incident import IncidentState
from warroom_incident.sync.wire import FRAME_TARGET, Summary

MAX_LINKED = 500


def summarize(state: IncidentState) -> Summary:
    """The line of one incident."""
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


def in_frames(lines: Iterable[Summary]) -> list[list[Summary]]:
    """Cut lines into frames' worth, at least one, which may be empty."""
    frames: list[list[Summary]] = [[]]
    size = 0
    for line in lines:
        size += len(msgspec.json.encode(line))
        if frames[-1] and size > FRAME_TARGET:
            frames.append([])
            size = 0
        frames[-1].append(line)
    return frames
