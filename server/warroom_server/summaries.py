"""The lobby's lines in frames."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from warroom_incident.sync.wire import FRAME_TARGET, Summary


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
