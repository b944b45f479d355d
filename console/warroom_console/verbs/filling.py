"""Filling a template: what the incident knows, in the words that go into its gaps."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from warroom_console.times import MINUTE, clock, day
from warroom_incident.incident import IncidentState
from warroom_incident.practice.audience import Audience
from warroom_incident.practice.custom import SHIPPED, Practice
from warroom_incident.practice.status import status_of
from warroom_incident.vocabulary import DraftReadied

if TYPE_CHECKING:
    from warroom_incident.practice.library import Phase

_ROUND = 5 * MINUTE
_NARROW = 80
_BEGINS = r"\s*(?:[-*+>#|]|\d+[.)]\s|[A-Z][^.!?:]{0,30}:\s)"


def phase_for(state: IncidentState, audience: str) -> Phase:
    """Which message to an audience is due: the first, one on the way, or the last.

    What was once marked ready for an audience counts as its first notice.
    """
    if status_of(state.status).over:
        return "final"
    told = any(
        isinstance(event.body, DraftReadied) and event.body.version is not None
        for draft in state.drafts()
        if draft.audience == audience
        for event in state.history(("ready", draft.id))
    )
    return "update" if told else "first"


def values(
    state: IncidentState, audience: Audience, now: int, practice: Practice = SHIPPED
) -> dict[str, str | None]:
    """What is known for each gap of a template; None where nobody said it yet."""
    since = state.impact("started_at")
    return {
        "title": state.title,
        "number": state.number,
        "severity": state.severity,
        "status": state.status,
        "page_status": status_of(state.status).page,
        "commander": state.holder("commander"),
        "services": state.impact("services"),
        "regions": state.impact("regions"),
        "users": state.impact("users"),
        "since": _spoken(since, now) if since else _at(state.started_at, now),
        "workaround": state.impact("workaround"),
        "data_loss": state.impact("data_loss"),
        "now": _at(now, now),
        "next_update": next_update(state, audience, now, practice),
    }


def flowing(template: str) -> str:
    """Take out the line breaks that only keep a template's source narrow.

    A line of 80 characters or more goes on in the next one, unless that begins a list or a label.
    """
    lines: list[str] = []
    long = False
    for line in template.splitlines():
        if long and line.strip() and not re.match(_BEGINS, line):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
        long = len(line) >= _NARROW and not line.startswith("#")
    return "\n".join(lines)


def next_update(
    state: IncidentState, audience: Audience, now: int, practice: Practice = SHIPPED
) -> str | None:
    """When the audience hears again: its cadence from now, on the next five minutes."""
    minutes = audience.minutes(practice.severity(state.severity))
    if minutes is None:
        return None
    at = now + minutes * MINUTE
    return _at(at + -at % _ROUND, now)


def _spoken(text: str, now: int) -> str:
    """A time as it was stated, in our words where it is a date."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return _at(round(when.timestamp() * 1000), now) or text


def _at(ms: int | None, now: int) -> str | None:
    if ms is None:
        return None
    date = "" if day(ms) == day(now) else f" on {day(ms)}"
    return f"{clock(ms)} UTC{date}"
