"""The facts of an incident on one page: what it is, whom it hurts, and what was said before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from warroom_console.context import Room
from warroom_console.theme import Tone
from warroom_console.times import clock, stamp
from warroom_console.views.changed import changes_told
from warroom_console.widgets.detail import fields, prose
from warroom_console.widgets.row import Draw
from warroom_console.widgets.spans import Line
from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.practice.status import status_of
from warroom_incident.reducers import Key, Write
from warroom_incident.vocabulary import ImpactField, ImpactSet

IMPACT_NAMES: dict[ImpactField, str] = {
    "started_at": "Since when",
    "detected_by": "Detected by",
    "services": "Services",
    "users": "Users",
    "regions": "Regions",
    "data_loss": "Data loss",
    "workaround": "Workaround",
    "reports": "Customer reports",
}
"""The facts of the impact, in the order in which they are listed."""

_LABEL = 16
_NOTHING = "nothing"


def draw_facts(room: Room) -> Draw:
    """Severity, status, times and impact, each with its history."""
    state = room.state
    severity = room.model.practice.severity(state.severity)
    facts = [
        ("number", f"{state.number}{', a drill' if state.drill else ''}"),
        ("severity", f"{state.severity}. {severity.meaning}"),
        ("status", f"{state.status}. {status_of(state.status).meaning}"),
        *_times(state),
    ]
    stated = {field: text for field in IMPACT_NAMES if (text := _stated(state, field))}
    impact = [(IMPACT_NAMES[field], text) for field, text in stated.items()]
    missing = [name for field, name in IMPACT_NAMES.items() if field not in stated]
    if missing:
        impact.append(("not stated", ", ".join(missing).lower()))
    asks = (f"What {state.severity} asks", severity.response)
    links = state.links()
    began = [link.alert.first_seen for link in links]
    services = {link.alert.service for link in links} | _named(state.impact("services"))
    changed = changes_told(room, began or _declared(state), services - {""})
    return partial(_draw, state.title, facts, impact, asks, changed, list(_histories(state)))


def _named(services: str | None) -> set[str]:
    return {name.strip() for name in (services or "").split(",")}


def _declared(state: IncidentState) -> list[int]:
    return [state.started_at] if state.started_at is not None else []


def _times(state: IncidentState) -> Iterator[tuple[str, str]]:
    if state.started_at is not None:
        yield "declared", stamp(state.started_at)
    if state.ended_at is not None:
        yield "over", stamp(state.ended_at)


def _stated(state: IncidentState, field: ImpactField) -> str:
    """What is said of a fact and by whom, empty for nothing."""
    heads = state.heads(("impact", field))
    values = list(dict.fromkeys(told(event) for event in heads))
    if not heads or values == [_NOTHING]:
        return ""
    if len(values) > 1:
        return f"{' or '.join(values)}, which is not settled"
    return f"{values[0]}  ({heads[0].head.by} at {clock(heads[0].shown_at)}Z)"


def told(event: Event) -> str:
    """The value that a write gave its register, a time as times are told everywhere."""
    value = event.body.value if isinstance(event.body, Write) else None
    if value is not None and isinstance(event.body, ImpactSet) and event.body.field == "started_at":
        return told_time(str(value))
    return _NOTHING if value is None else str(value)


def told_time(text: str) -> str:
    """A stated time as `2026-11-21 14:02:07Z`; what is none stays as it was typed."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return stamp(round(when.replace(tzinfo=when.tzinfo or UTC).timestamp() * 1000))


def _histories(state: IncidentState) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """What was said before, for everything that was said more than once."""
    keys: list[tuple[str, Key]] = [
        ("Severity", ("severity",)),
        ("Status", ("status",)),
        ("Title", ("title",)),
        *((name, ("impact", field)) for field, name in IMPACT_NAMES.items()),
    ]
    for name, key in keys:
        history = state.history(key)
        if len(history) > 1:
            yield name, [(f"{clock(e.shown_at)}Z {e.head.by}", told(e)) for e in history]


def _draw(
    title: str,
    facts: Sequence[tuple[str, str]],
    impact: Sequence[tuple[str, str]],
    asks: tuple[str, str],
    changed: Sequence[tuple[str, str]],
    histories: Sequence[tuple[str, list[tuple[str, str]]]],
    width: int,
) -> Sequence[Line]:
    lines: list[Line] = [*prose(title, width, Tone.STRONG), (), *fields(facts, width, _LABEL)]
    lines += [(), (("Impact", Tone.ACCENT), ("  i m states it", Tone.FAINT))]
    lines += fields(impact, width, _LABEL)
    lines += [(), ((asks[0], Tone.ACCENT),), *prose(asks[1], width)]
    if changed:
        lines += [(), (("What changed", Tone.ACCENT),), *fields(changed, width, 22)]
    for name, history in histories:
        lines += [(), ((f"{name}, as it was set", Tone.ACCENT),)]
        lines += fields(history, width, _LABEL)
    return lines
