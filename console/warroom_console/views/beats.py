"""Whether alerts would reach us at all: a line for each path that gives signs of life."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from warroom_console.context import Room
from warroom_console.theme import Tone
from warroom_console.times import age
from warroom_console.widgets.row import Row
from warroom_console.widgets.spans import Line
from warroom_incident.beats import Beat

MOST = 6
"""How many paths are listed, those that are late first."""


def beat_rows(room: Room) -> Iterator[Row]:
    """The alert paths, to be read: `alert path ok prometheus/Watchdog <1m`."""
    now = room.now()
    beats = [beat for beat in room.model.beats.values() if beat.is_watched]
    beats.sort(key=lambda beat: (not beat.is_late(now), beat.key))
    for beat in beats[:MOST]:
        line = _told(beat, now)
        yield Row(f"beat:{beat.key}", line, partial(_draw, line), heading=True)


def beat_badge(room: Room) -> Line:
    """The alert path in a panel's title: ok and how long ago, or late; nothing where none is."""
    now = room.now()
    beats = [beat for beat in room.model.beats.values() if beat.is_watched]
    if not beats:
        return ()
    dot = (f" {room.glyphs.dot}", Tone.DIM)
    if any(beat.is_late(now) for beat in beats):
        return (dot, (" path LATE", Tone.BAD))
    oldest = min(beat.last_seen for beat in beats)
    return (dot, (f" path ok {age(now - oldest)}", Tone.DIM))


def late_beats(room: Room) -> list[Beat]:
    """The alert paths that gave no sign for too long."""
    now = room.now()
    return [beat for beat in room.model.beats.values() if beat.is_late(now)]


def _told(beat: Beat, now: int) -> Line:
    heard = f" {beat.key} {age(now - beat.last_seen)}"
    if beat.is_late(now):
        trouble = f": {beat.trouble}" if beat.trouble else ""
        return (("alert path LATE", Tone.BAD), (heard + trouble, Tone.TEXT))
    return (("alert path ok", Tone.GOOD), (heard, Tone.DIM))


def _draw(line: Line, _width: int) -> list[Line]:
    return [line]
