"""Alerts that are folded into one line: how many, where, and how fast they came."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from warroom_console.theme import Glyphs, Tone
from warroom_console.times import age
from warroom_console.views.board import severity_tone
from warroom_console.widgets.row import Row
from warroom_console.widgets.spans import Line, column
from warroom_incident.clean import cells
from warroom_incident.grouping import Group

_SERVICES = 3
_WIDE, _WIDER = 70, 100
"""From these widths on, a line draws how fast its alerts came: of late, and for longer."""
_LATE = 10


def group_row(
    group: Group, waiting: int, now: int, glyphs: Glyphs, unfolded: bool, prefix: str = ""
) -> Row:
    """A group as a row; `waiting` is how many of it nobody has taken on."""
    told = age(now - group.first_seen)
    version = (group, waiting, told, glyphs, unfolded)
    draw = partial(_draw, group, waiting, told, glyphs, unfolded)
    return Row(f"{prefix}group:{group.id}", version, draw)


def services(group: Group, most: int = _SERVICES) -> str:
    """Which services are affected, those with most alerts first: `api 120, cart 80, 9 more`."""
    named = [f"{name} {count}" for name, count in group.services[:most]]
    if len(group.services) == 1 and group.services[0][1] == group.count:
        named = [group.services[0][0]]
    left = len(group.services) - most
    return ", ".join([*named, f"{left} more"] if left > 0 else named)


def severities(group: Group) -> str:
    """How many alerts of each severity, the worst first; nothing where all have one."""
    if len(group.severities) < 2:
        return ""
    return ", ".join(f"{count} {severity}" for severity, count in group.severities)


def sparkline(series: Sequence[int], glyphs: Glyphs) -> str:
    """A row of bars, the highest for the largest number; nothing where all are zero."""
    top = max(series, default=0)
    if top == 0:
        return ""
    steps = len(glyphs.bars) - 1
    return "".join(glyphs.bars[-(-value * steps // top)] for value in series)


def _draw(
    group: Group, waiting: int, told: str, glyphs: Glyphs, unfolded: bool, width: int
) -> Sequence[Line]:
    fold = glyphs.unfolded if unfolded else glyphs.folded
    series = group.series if width >= _WIDER else group.series[-_LATE:]
    rate = sparkline(series, glyphs) if width >= _WIDE else ""
    room = width - 14 - 6 - (len(rate) + 2 if rate else 0)
    head = group.name + "  "
    beside = _beside(group, waiting, room - cells(head))
    if beside and cells(head) < room:
        line: Line = (
            (head, Tone.TEXT),
            (column(beside, room - cells(head), glyphs.more), Tone.DIM),
        )
    else:
        line = ((column(group.name, room, glyphs.more), Tone.TEXT),)
    tone = Tone.WARN if waiting else Tone.DIM
    return [
        (
            (column(group.severity, 4), severity_tone(group.severity)),
            (f" {column(f'{fold} x{group.count}', 9)}", tone),
            *line,
            (f"  {rate}" if rate else "", Tone.ACCENT),
            (f"  {told:>4}", Tone.DIM),
        )
    ]


def _beside(group: Group, waiting: int, room: int) -> str:
    """What is said beside a group's name, in fewer words where they do not fit."""
    where = services(group)
    if where == group.name:
        where = ""
    few = f"{len(group.services)} services" if len(group.services) > 1 else where
    worst = severities(group).partition(",")[0]
    taken = group.count - waiting if not group.is_quiet else 0
    acked = f"{taken} taken on" if taken else ""
    told = ""
    for parts in ((severities(group), where, acked), (worst, where, acked), (worst, few, acked)):
        told = ", ".join(part for part in parts if part)
        if cells(told) <= room:
            break
    return told
