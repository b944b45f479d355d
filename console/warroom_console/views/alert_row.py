"""One alert as a row of a list, in columns that fit what the list holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec import Struct

from warroom_console.theme import Glyphs, Tone
from warroom_console.times import age
from warroom_console.views.board import Standing, severity_tone
from warroom_console.widgets.row import Row
from warroom_console.widgets.spans import Line, Span, column
from warroom_incident.clean import cells, clean_line


class Columns(Struct, frozen=True):
    """How wide the columns beside the title are, in cells; 0 for one that nobody needs."""

    service: int = 0
    count: int = 0
    who: int = 0
    where: int = 0

    @classmethod
    def of(cls, alerts: Iterable[Standing], *, in_incident: bool) -> Columns:
        """The widths that a list of alerts needs."""
        service = count = who = where = 0
        for alert in alerts:
            service = max(service, min(14, cells(clean_line(alert.service))))
            count = max(count, len(_count(alert)))
            who = max(who, min(12, cells(clean_line(alert.who))))
            where = max(where, min(16, cells(_where(alert, in_incident))))
        return cls(service, count, who, where)


class Shown(Struct, frozen=True):
    """One row: the alert as it stands, its age in words, and the columns of its list."""

    alert: Standing
    age: str
    columns: Columns
    in_incident: bool


def heading(text: str) -> Row:
    """A heading between rows."""
    return Row(f"heading:{text}", text, lambda width: [((text, Tone.ACCENT),)], heading=True)


def alert_row(
    alert: Standing,
    now: int,
    glyphs: Glyphs,
    columns: Columns,
    in_incident: bool = False,
    prefix: str = "",
) -> Row:
    """An alert as a row."""
    shown = Shown(alert, age(now - alert.since), columns, in_incident)
    return Row(prefix + alert.uid, (shown, glyphs), partial(_draw, shown, glyphs))


def _count(alert: Standing) -> str:
    return f"x{alert.count}" if alert.count > 1 else ""


def _where(alert: Standing, in_incident: bool) -> str:
    """The incidents that it is linked to, where that is not plain from the heading; or noise."""
    incidents = () if in_incident and alert.own else alert.incidents
    return " ".join((*incidents, *(("noise",) if alert.noise else ())))


def _draw(shown: Shown, glyphs: Glyphs, width: int) -> Sequence[Line]:
    alert, columns = shown.alert, shown.columns
    beside = [
        (alert.service, columns.service if width >= 60 else 0, Tone.DIM),
        (f"{shown.age:>4}", 4, Tone.DIM),
        (_count(alert).rjust(columns.count), columns.count, Tone.DIM),
        (alert.who, columns.who, Tone.TEXT),
        (_where(alert, shown.in_incident), columns.where, Tone.ACCENT),
    ]
    tail: list[Span] = [
        ("  " + column(text, wide, glyphs.more), tone) for text, wide, tone in beside if wide
    ]
    room = width - 14 - sum(cells(text) for text, _ in tail)
    tone = Tone.TEXT if alert.is_open else Tone.DIM
    return [
        (
            (column(alert.severity, 4), severity_tone(alert.severity)),
            (f" {column(alert.word, 9)}", alert.tone),
            (column(alert.title, max(8, room), glyphs.more), tone),
            *tail,
        )
    ]
