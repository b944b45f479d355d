"""The Alerts panel: the board, the incident's own alerts first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from warroom_console.context import Room
from warroom_console.model import Area, Changes
from warroom_console.theme import Glyphs, Tone
from warroom_console.times import age, stamp
from warroom_console.views.board import Standing, linked, on_board, severity_tone, stand
from warroom_console.views.sifting import fits, shown
from warroom_console.widgets.detail import fields, prose
from warroom_console.widgets.panel import Title
from warroom_console.widgets.row import Draw, Row
from warroom_console.widgets.spans import Line, Span, column
from warroom_incident.alerts import AlertRecord
from warroom_incident.clean import cells, clean, clean_line
from warroom_incident.event import BOARD
from warroom_incident.vocabulary import AlertAcknowledged

MOST_OVER = 200
"""How many alerts that are over are listed."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide the columns beside the title are, in cells; 0 for one that nobody needs."""

    service: int = 0
    count: int = 0
    acked: int = 0
    where: int = 0

    @classmethod
    def of(cls, alerts: Iterable[Standing], *, in_incident: bool) -> Columns:
        """The widths that a list of alerts needs."""
        service = count = acked = where = 0
        for alert in alerts:
            service = max(service, min(14, cells(clean_line(alert.service))))
            count = max(count, len(_count(alert)))
            acked = max(acked, min(12, cells(clean_line(alert.acked_by))))
            where = max(where, min(16, cells(_where(alert, in_incident))))
        return cls(service, count, acked, where)


@dataclass(frozen=True, slots=True)
class Shown:
    """One row: the alert as it stands, its age in words, and the columns of its list."""

    alert: Standing
    age: str
    columns: Columns
    in_incident: bool


class AlertsView:
    """What the Alerts panel shows."""

    name = "Alerts"

    def __init__(self) -> None:
        self.filter = ""
        self.unseen: set[str] = set()
        self._known: set[str] = set()
        self._alerts: list[Standing] | None = None
        self._links: dict[str, tuple[str, ...]] = {}

    def changed(self, room: Room, changes: Changes) -> bool:
        """Read the board anew when it, what people did to it, or what is linked changed."""
        links = linked(room)
        if (
            Area.RECORDS not in changes.areas
            and BOARD not in changes.events
            and links == self._links
        ):
            return False
        self._alerts, self._links = None, links
        self._notice(room, changes.records)
        return True

    def _notice(self, room: Room, uids: Iterable[str]) -> None:
        """Remember alerts that have begun to fire since this console was opened."""
        for uid in uids:
            record = room.model.records.get(uid)
            if record is None or record.first_seen < room.model.joined_at or not record.is_open:
                continue
            if uid not in self._known:
                self._known.add(uid)
                self.unseen.add(uid)

    def alerts(self, room: Room) -> list[Standing]:
        """Every alert, the incident's own first, the open before the others, the worst first."""
        if self._alerts is None:
            self._alerts = sorted(on_board(room), key=_order)
        return self._alerts

    def rows(self, room: Room) -> list[Row]:
        """A row an alert, under headings where there is more than one kind."""
        now, glyphs = room.now(), room.glyphs
        found = [
            alert
            for alert in self.alerts(room)
            if fits(self.filter, alert.title, alert.service, alert.word, *_words(alert))
        ]
        own = [alert for alert in found if alert.own]
        others = [alert for alert in found if not alert.own and alert.is_open]
        over = [alert for alert in found if not alert.own and not alert.is_open]
        over.sort(key=lambda alert: (-alert.last_seen, alert.uid))
        groups = [
            (f"Linked to {room.state.number}", own),
            ("Open, not linked here", others),
            (_over(over), over[:MOST_OVER]),
        ]
        in_incident = room.stream is not None
        columns = Columns.of(found, in_incident=in_incident)
        rows: list[Row] = []
        plain = not own and not over
        for name, alerts in groups:
            if alerts and not plain:
                rows.append(heading(name))
            rows.extend(alert_row(alert, now, glyphs, columns, in_incident) for alert in alerts)
        return rows

    def title(self, room: Room) -> Title:
        """How many there are and how many wait; collapsed, the one to look at."""
        alerts = self.alerts(room)
        waiting = [alert for alert in alerts if alert.waits]
        badges: Line = ()
        if waiting:
            badges = ((f" {room.glyphs.dot}", Tone.DIM), (f" {len(waiting)} waiting", Tone.WARN))
        first = min(waiting, key=lambda alert: (not alert.own, alert.urgency), default=None)
        status: Line = ()
        if first is not None:
            severity = (first.severity, severity_tone(first.severity))
            status = (severity, (f" {first.title}", Tone.TEXT))
        count = sum(alert.is_open for alert in alerts)
        return Title(f"{count} open" if alerts else "", badges, shown(self.filter), "", status)

    def empty(self, room: Room) -> str:
        """What to say when nothing is listed."""
        if self.filter:
            return "No alert fits the filter. Esc shows them all."
        return "No alerts. Quiet is good."

    def detail(self, room: Room, row_id: str) -> Draw | None:
        """Labels, annotations, links, times, and what people did to it."""
        record = room.model.records.get(row_id)
        alert = next((alert for alert in self.alerts(room) if alert.uid == row_id), None)
        if alert is None:
            return None
        return partial(_draw_detail, alert, record, _history(room, row_id))

    def text(self, room: Room, row_id: str | None) -> str:
        """One alert, or all, as Markdown."""
        chosen = [alert for alert in self.alerts(room) if row_id in (None, alert.uid)]
        return clean("\n".join(_markdown(alert) for alert in chosen))


def _order(alert: Standing) -> tuple[bool, bool, tuple[str, int, str]]:
    return (not alert.own, not alert.is_open, alert.urgency)


def _words(alert: Standing) -> tuple[str, ...]:
    return (alert.severity, alert.source, alert.acked_by, *alert.incidents)


def _over(over: Sequence[Standing]) -> str:
    if len(over) > MOST_OVER:
        return f"Over (the latest {MOST_OVER} of {len(over)})"
    return "Over"


def heading(text: str) -> Row:
    """A heading between rows."""
    return Row(f"heading:{text}", text, lambda width: [((text, Tone.ACCENT),)], heading=True)


# One row -----------------------------------------------------------------------------------


def alert_row(
    alert: Standing,
    now: int,
    glyphs: Glyphs,
    columns: Columns,
    in_incident: bool = False,
    prefix: str = "",
) -> Row:
    """An alert as a row."""
    shown = Shown(alert, age(now - alert.first_seen), columns, in_incident)
    return Row(prefix + alert.uid, (shown, glyphs), partial(_draw, shown, glyphs))


def _count(alert: Standing) -> str:
    return f"x{alert.count}" if alert.count > 1 else ""


def _where(alert: Standing, in_incident: bool) -> str:
    """The incidents that it is linked to, where that is not plain from the heading."""
    return "" if in_incident and alert.own else " ".join(alert.incidents)


def _draw(shown: Shown, glyphs: Glyphs, width: int) -> Sequence[Line]:
    alert, columns = shown.alert, shown.columns
    beside = [
        (alert.service, columns.service if width >= 60 else 0, Tone.DIM),
        (f"{shown.age:>4}", 4, Tone.DIM),
        (_count(alert).rjust(columns.count), columns.count, Tone.DIM),
        (alert.acked_by, columns.acked, Tone.TEXT),
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


# The detail --------------------------------------------------------------------------------


def _history(room: Room, uid: str) -> list[tuple[str, str]]:
    """When what was done to the alert, by people here."""
    lines = []
    for event in room.model.board.history(("ack", uid)):
        if isinstance(event.body, AlertAcknowledged):
            did = "acknowledged it" if event.body.acknowledged else "gave it back"
            lines.append((stamp(event.shown_at)[11:], f"{event.head.by} {did}"))
    return lines


def _draw_detail(
    alert: Standing,
    record: AlertRecord | None,
    history: Sequence[tuple[str, str]],
    width: int,
) -> Sequence[Line]:
    lines: list[Line] = [
        ((alert.severity, severity_tone(alert.severity)), (f" {alert.word}", alert.tone)),
        *prose(alert.title, width, Tone.STRONG),
        (),
    ]
    lines += fields(_facts(alert, record), width)
    if record is None:
        lines += [(), *prose("The board knows it no longer: this is the copy that was linked.",
                             width, Tone.DIM)]  # fmt: skip
        return lines
    for name, text in (("Summary", record.summary), ("Description", record.description)):
        if text:
            lines += [(), ((name, Tone.ACCENT),), *prose(text, width)]
    for name, pairs in (
        ("Labels", record.labels.items()),
        ("Annotations", record.annotations.items()),
        ("Links", record.links),
    ):
        if pairs:
            lines += [(), ((name, Tone.ACCENT),)]
            lines += fields(((clean_line(key, 20), value) for key, value in pairs), width, 20)
    if history:
        lines += [(), (("What people did", Tone.ACCENT),), *fields(history, width)]
    return lines


def _facts(alert: Standing, record: AlertRecord | None) -> list[tuple[str, str]]:
    facts = [("service", alert.service), ("source", alert.source)]
    if record is not None:
        facts += [("environment", record.env), ("group", record.group)]
    facts += [
        ("first seen", stamp(alert.first_seen)),
        ("last seen", stamp(alert.last_seen)),
    ]
    if record is not None:
        facts += [
            ("started", stamp(record.starts_at)),
            ("ended", stamp(record.ends_at) if record.ends_at is not None else ""),
            ("ended by", record.resolved_by),
            ("worst", record.peak if record.peak != record.severity else ""),
            ("flaps", str(record.flaps) if record.flaps else ""),
        ]
    facts += [
        ("heard", f"{alert.count} times" if alert.count > 1 else "once"),
        ("taken on by", f"{alert.acked_by} at {stamp(alert.acked_at)}" if alert.acked_by else ""),
        ("linked to", ", ".join(alert.incidents)),
    ]
    if record is not None and record.truncated:
        facts.append(("note", "its texts were too long and have been cut"))
    return [(name, value) for name, value in facts if value]


def _markdown(alert: Standing) -> str:
    acked = f", taken on by {alert.acked_by}" if alert.acked_by else ""
    where = f" ({', '.join(alert.incidents)})" if alert.incidents else ""
    service = f" [{alert.service}]" if alert.service else ""
    return f"- {alert.severity} {alert.word} {alert.title}{service}{acked}{where}"


def standing_of(room: Room, uid: str) -> Standing | None:
    """One alert of the board as it stands now."""
    record = room.model.records.get(uid)
    own = next((link for link in room.state.links() if link.uid == uid), None)
    alert = record or (own.alert if own is not None else None)
    if alert is None:
        return None
    return stand(room, alert, linked(room).get(uid, ()), own=own is not None)
