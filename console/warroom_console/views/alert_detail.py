"""Everything about one alert: labels, annotations, links, times, and what people did to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from warroom_console.context import Room
from warroom_console.theme import Tone
from warroom_console.times import stamp
from warroom_console.views.board import Standing, severity_tone
from warroom_console.widgets.detail import fields, prose
from warroom_console.widgets.row import Draw
from warroom_console.widgets.spans import Line
from warroom_incident.alerts import AlertRecord
from warroom_incident.clean import clean_line
from warroom_incident.vocabulary import AlertAcknowledged


def draw_alert(room: Room, alert: Standing) -> Draw:
    """All that is known of an alert."""
    record = room.model.records.get(alert.uid)
    return partial(_draw_detail, alert, record, _history(room, alert.uid))


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
