"""An incident as plain lines for a terminal without a screen: what `warroom show` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from warroom_incident.clean import clean_line
from warroom_incident.event import Event
from warroom_incident.incident import IMPACT_FIELDS, IncidentState
from warroom_incident.knowing import new_facts
from warroom_incident.practice.audience import audience_of
from warroom_incident.practice.roles import role_of
from warroom_incident.showing import timeline
from warroom_incident.telling import spoken_time, tell

from .model import MARKS, Mark
from .saying import ascii_only
from .when import age, clock

MarkOf = Callable[[Event], Mark]
_SPOKEN: dict[Mark, tuple[str, ...]] = {"pending": ("not sent yet",), "refused": ("refused",)}
"""What a mark says that is worth a word: an entry that a server has is as it should be."""


def entry_line(event: Event, state: IncidentState, mark: MarkOf, now: int) -> str:
    """One entry of the timeline on one line: time, mark, who and what.

    With `WARROOM_ASCII` there is no mark, which nobody can hear: what waits is said in words.
    """
    told = tell(event, state)
    at = state.happened_at(event)
    said = f"{event.head.by}: {told.text}" if told.kind == "note" else told.text
    notes = []
    if at != event.shown_at:
        notes.append(f"recorded {clock(event.shown_at, now)}")
    if state.is_struck(event.id):
        notes.append("struck out")
    if state.is_starred(event.id):
        notes.append("starred")
    if state.is_late(event):
        notes.append("late, after close")
    if new_facts(state, event):
        notes.append("new facts since")
    if event.via is not None:
        notes.append(f"via {event.via}")
    sign = f"{MARKS[mark(event)]} "
    if ascii_only():
        sign = ""
        notes += _SPOKEN.get(mark(event), ())
    behind = f" ({', '.join(notes)})" if notes else ""
    return clean_line(f"{clock(at, now)} {sign}{said}{behind}")


def page(state: IncidentState, mark: MarkOf, now: int) -> Iterator[str]:
    """The whole incident, line by line."""
    drill = "DRILL " if state.drill else ""
    yield f"{state.number} {drill}{state.severity} {state.status}: {state.title}"
    started, ended = state.started_at, state.ended_at
    if started is not None:
        lasted = f"lasted {age(ended - started)}" if ended else f"for {age(now - started)}"
        yield f"started {clock(started, now)}, {lasted}"
    yield from _conflicts(state)
    yield from _roles(state, now)
    yield from _impact(state, now)
    yield from _alerts(state, now)
    yield from _checklists(state)
    yield from _drafts(state)
    yield ""
    yield "Timeline"
    for event in timeline(state):
        yield f"  {entry_line(event, state, mark, now)}"


def _conflicts(state: IncidentState) -> Iterator[str]:
    for conflict in state.conflicts():
        said = " or ".join(tell(event, state).text for event in conflict.writes)
        yield f"not settled, {' '.join(conflict.key)}: {said}"


def _roles(state: IncidentState, now: int) -> Iterator[str]:
    yield ""
    yield "Roles"
    held = state.roles()
    if "commander" not in held:
        yield "  Incident commander: nobody"
    for role in held.values():
        yield f"  {role_of(role.role).title}: {role.holder}, since {clock(role.since, now)}"


def _impact(state: IncidentState, now: int) -> Iterator[str]:
    stated = [(field, text) for field in IMPACT_FIELDS if (text := state.impact(field))]
    if stated:
        yield ""
        yield "Impact"
    for field, text in stated:
        told = spoken_time(text, now) if field == "started_at" else text
        yield f"  {field.replace('_', ' ')}: {told}"


def _alerts(state: IncidentState, now: int) -> Iterator[str]:
    links = state.links()
    if links:
        yield ""
        yield "Alerts"
    for link in links:
        alert = link.alert
        seen = clock(alert.last_seen, now)
        yield f"  {alert.severity} {alert.state} {alert.title} ({alert.source}, last seen {seen})"


def _checklists(state: IncidentState) -> Iterator[str]:
    for checklist in state.checklists():
        yield ""
        yield f"{checklist.title} ({checklist.settled}/{len(checklist.steps)})"
        for step in checklist.steps:
            owner = f" ({step.owner})" if step.owner else ""
            first = step.copy.text.partition("\n")[0]
            yield f"  {step.state:8}{first}{owner}"


def _drafts(state: IncidentState) -> Iterator[str]:
    drafts = state.drafts()
    if drafts:
        yield ""
        yield "Drafts"
    for draft in drafts:
        stands = f"v{draft.saved}, {'ready' if draft.ready else 'draft'}"
        if len(draft.versions) > 1:
            stands = f"{len(draft.versions)} versions to be merged"
        yield f"  {audience_of(draft.audience).title}: {draft.title} ({stands})"
