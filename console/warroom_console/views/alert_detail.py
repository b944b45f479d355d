"""Everything about one alert: labels, annotations, links, times, and what people did to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TypeAlias

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.theme import Glyphs, Tone
from warroom_console.times import DAY, MINUTE, short, stamp
from warroom_console.views.board import NOISES, Standing, picture_of, severity_tone
from warroom_console.views.changed import changes_told
from warroom_console.views.group_row import services, severities, sparkline
from warroom_console.views.matching import matching_runbook
from warroom_console.widgets.detail import fields, prose
from warroom_console.widgets.row import Draw
from warroom_console.widgets.spans import Line, column
from warroom_incident.alerts import AlertRecord
from warroom_incident.board import Window
from warroom_incident.clean import clean_line
from warroom_incident.grouping import STORM, STORM_MS, Group
from warroom_incident.practice.words import counted
from warroom_incident.suggesting import Candidate
from warroom_incident.sync.asking import Answer
from warroom_incident.vocabulary import AlertAcknowledged, AlertAssigned, AlertEnded, AlertMarked
from warroom_incident.windows import fits

Pair: TypeAlias = tuple[str, str]

_MOST_TOLD = 100
_MOST_PAST = 6
_SILENCES = {
    "asked": "waiting for its answer",
    "active": "it holds",
    "ending": "it is to end",
    "expired": "it has ended",
    "failed": "it failed",
}
_SAID = ("ack", "assigned", "noise", "ended")
_REASONS = {
    "maintenance": "a maintenance window hides them",
    "suppression": "a suppression rule hides them",
    "suppressed": "their source keeps them quiet",
    "storm": f"{STORM} or more of one source began within {STORM_MS // MINUTE} minutes",
    "sender": "their sender groups them",
    "service": "they have the service in common",
    "cluster": "they have the cluster in common",
    "single": "",
}


class Beside(Struct, frozen=True):
    """What else is known of an alert: by lines of a name and what it says.

    `hidden` is the window that hides it. `people` is what was done to it, `silenced` what was
    asked of its source, `changed` what was changed before it began, `before` its past episodes,
    `runbook` the name of the one to attach.
    """

    hidden: Window | None
    people: Sequence[Pair]
    silenced: Sequence[Pair]
    changed: Sequence[Pair]
    before: Sequence[Pair]
    runbook: str


def draw_alert(room: Room, alert: Standing) -> Draw:
    """All that is known of an alert."""
    before = room.model.past.get(alert.uid)
    record = room.model.records.get(alert.uid)
    beside = Beside(
        picture_of(room).hidden.get(alert.uid),
        _history(room, alert.uid),
        _silenced(room, record) if record is not None else (),
        changes_told(room, [alert.since], {alert.service} - {""}),
        _before(before, alert.uid, room.now()) if before is not None else (),
        matching_runbook(record, room.model.runbooks) if record is not None else "",
    )
    return partial(_draw_detail, alert, record, beside)


def _silenced(room: Room, record: AlertRecord) -> list[Pair]:
    """What was asked of its source, for those that fit it and are not long over."""
    return [
        (stamp(one.at), f"{one.by} silenced it at {one.alertmanager} until {stamp(one.ends_at)}: "
         f"{_SILENCES[one.state]}{': ' * bool(one.reason)}{one.reason}")
        for one in room.model.board.silences(room.now() - DAY)
        if fits(one.matchers, record)
    ]  # fmt: skip


def _before(answer: Answer, uid: str, now: int) -> list[Pair]:
    """Its past episodes, the newest first; or why they are not known."""
    if answer.error:
        return [("not known", answer.error)]
    past = [episode for episode in answer.episodes if episode.uid != uid]
    if not past:
        return [("never", "it has not fired before, as far as the server remembers")]
    found = []
    for episode in past[:_MOST_PAST]:
        led = f", led to {', '.join(episode.incidents)}" if episode.incidents else ""
        lasted = f"{episode.severity} for {short(episode.lasted(now))}{led}"
        found.append((stamp(episode.first_seen), lasted))
    if len(past) > _MOST_PAST:
        found.append(("and more", f"{answer.count - 1} times in all"))
    return found


def _history(room: Room, uid: str) -> list[tuple[str, str]]:
    """When what was done to the alert, by people here."""
    board = room.model.board
    found = [event for register in _SAID for event in board.history((register, uid))]
    found.sort(key=lambda event: event.order)
    return [(stamp(event.shown_at), f"{event.head.by} {_did(event.body)}") for event in found]


def _did(body: object) -> str:
    match body:
        case AlertAcknowledged(acknowledged=False):
            return "gave it back"
        case AlertAcknowledged(until=int(until)):
            return f"acknowledged it until {stamp(until)}"
        case AlertAcknowledged():
            return "acknowledged it"
        case AlertAssigned(person=str(person)):
            return f"gave it to {person}"
        case AlertAssigned():
            return "took it from who had it"
        case AlertEnded(ended=ended):
            return "said that it is over" if ended else "said that it is not over"
        case AlertMarked(noise=noise) if noise:
            return f"called it noise: {NOISES[noise][1]}"
        case _:
            return "said that it was no noise"


def draw_suggestion(one: Candidate, alerts: Sequence[Standing]) -> Draw:
    """What an incident is suggested for."""
    return partial(_draw_suggestion, one, alerts)


def _draw_suggestion(one: Candidate, alerts: Sequence[Standing], width: int) -> Sequence[Line]:
    facts = [
        ("title", one.title),
        ("severity", f"{one.severity}, a proposal: you decide"),
        ("why", f"{len(one.uids)} alerts share {one.shared}"),
        ("services", ", ".join(one.services)),
        ("sources", ", ".join(one.sources)),
        ("first seen", stamp(one.first_seen)),
        ("newest", stamp(one.newest)),
    ]
    known = [(name, value) for name, value in facts if value]
    return [*fields(known, width), (), *_listed(alerts)]


def draw_group(group: Group, alerts: Sequence[Standing], glyphs: Glyphs) -> Draw:
    """What a folded line holds."""
    return partial(_draw_group, group, alerts, glyphs)


def _draw_group(
    group: Group, alerts: Sequence[Standing], glyphs: Glyphs, width: int
) -> Sequence[Line]:
    facts = [
        ("why folded", _REASONS[group.kind]),
        ("severities", severities(group)),
        ("services", services(group, 8)),
        ("sources", ", ".join(group.sources)),
        ("waiting", f"{sum(alert.waits for alert in alerts)} of {group.count}"),
        ("first seen", stamp(group.first_seen)),
        ("newest", stamp(group.newest)),
        ("last seen", stamp(group.last_seen)),
    ]
    rate = sparkline(group.series, glyphs)
    if rate:
        facts.append(("begun", f"{rate}  a bar for each of the last {len(group.series)} minutes"))
    lines: list[Line] = [
        ((group.severity, severity_tone(group.severity)), (f" {group.count} alerts", Tone.TEXT)),
        *prose(group.name, width, Tone.STRONG),
        (),
        *fields([(name, value) for name, value in facts if value], width),
        (),
    ]
    return [*lines, *_listed(alerts)]


def _draw_detail(
    alert: Standing, record: AlertRecord | None, beside: Beside, width: int
) -> Sequence[Line]:
    lines: list[Line] = [
        ((alert.severity, severity_tone(alert.severity)), (f" {alert.word}", alert.tone)),
        *prose(alert.title, width, Tone.STRONG),
        (),
    ]
    lines += fields(_facts(alert, record), width)
    window = beside.hidden
    if window is not None:
        why = f"Hidden until {stamp(window.ends_at)} by {window.by}: {window.why}"
        lines += [(), *prose(why, width, Tone.ACCENT)]
    if alert.stale:
        lines += [(), *prose("Its source has not been heard of for too long: whether it still "
                             "fires is not known.", width, Tone.WARN)]  # fmt: skip
    if record is None:
        lines += [(), *prose("The board knows it no longer: this is the copy that was linked.",
                             width, Tone.DIM)]  # fmt: skip
        return lines
    for name, text in (("Summary", record.summary), ("Description", record.description)):
        if text:
            lines += [(), ((name, Tone.ACCENT),), *prose(text, width)]
    links = [*record.links, *_addresses(record)]
    for name, pairs in (
        ("Links", [(clean_line(title, 20), url) for title, url in links]),
        ("What people did", beside.people),
        ("Silenced at its source", beside.silenced),
        ("Fired before?", beside.before),
        ("What changed", beside.changed),
    ):
        if pairs:
            lines += [(), ((name, Tone.ACCENT),), *fields(pairs, width, 20)]
    for name, told in (
        ("Labels", [*record.labels.items()]),
        ("Annotations", [*record.annotations.items()]),
    ):
        if told:
            lines += [(), ((name, Tone.ACCENT),)]
            lines += fields(((clean_line(key, 20), value) for key, value in told), width, 20)
    if beside.runbook:
        said = f"{beside.runbook}: A in the Runbook panel attaches it"
        lines += [(), (("Runbook", Tone.ACCENT),), *prose(said, width)]
    return lines


def _addresses(record: AlertRecord) -> list[Pair]:
    """The annotations that are addresses, such as `runbook_url`."""
    known = {url for _, url in record.links}
    pairs = record.annotations.items()
    return [(name, text) for name, text in pairs if text.startswith("http") and text not in known]


def _taken(alert: Standing) -> str:
    if not alert.acked_by:
        return ""
    until = f" until {stamp(alert.acked_until)}" if alert.acked_until else ""
    return f"{alert.acked_by} at {stamp(alert.acked_at)}{until}"


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
            ("told by", f"{record.told_by}, which was asked" if record.told_by else ""),
            ("quieted by", _quieting(record)),
            ("worst", record.peak if record.peak != record.severity else ""),
            ("flaps", str(record.flaps) if record.flaps else ""),
        ]
    facts += [
        ("heard", f"{alert.count} times" if alert.count > 1 else "once"),
        ("taken on by", _taken(alert)),
        ("looked after", f"by {alert.assigned}" if alert.assigned else ""),
        ("noise", NOISES[alert.noise][1] if alert.noise else ""),
        ("linked to", ", ".join(alert.incidents)),
    ]
    if record is not None:
        facts += [("note", note) for note in _notes(record)]
    return [(name, value) for name, value in facts if value]


def _quieting(record: AlertRecord) -> str:
    """What keeps an alert quiet at its source, as far as the source was asked."""
    counts = ((record.silenced, "silence"), (record.inhibited, "other alert"))
    return ", ".join(counted(count, what) for count, what in counts if count)


def _notes(record: AlertRecord) -> Iterator[str]:
    if record.truncated:
        yield "its texts were too long and have been cut"
    if record.weak_key:
        yield "it has no key: what is the same alert is guessed from its words"
    if record.missing:
        left_out = counted(record.missing, "alert")
        yield f"its sender left {left_out} out of the same notification"


def _listed(alerts: Sequence[Standing]) -> Sequence[Line]:
    lines: list[Line] = []
    for alert in alerts[:_MOST_TOLD]:
        severity = (column(alert.severity, 5), severity_tone(alert.severity))
        lines.append(
            (severity, (f"{column(alert.word, 9)} ", alert.tone), (alert.title, Tone.TEXT))
        )
    if len(alerts) > _MOST_TOLD:
        lines.append(((f"and {len(alerts) - _MOST_TOLD} more", Tone.DIM),))
    return lines
