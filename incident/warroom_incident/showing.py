"""An incident as data for other programs: its summary, and the value of `show --json`.

Texts are as they came; a program that draws them cleans them. Times are RFC 3339, UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from .alerts import AlertRecord
from .event import Event
from .incident import IncidentState
from .knowing import new_facts
from .parts import Checklist, Conflict, Draft, Link
from .reducers import Write
from .sync.wire import Summary
from .telling import tell

MAX_LINKED = 500
_LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, which is as far as dates can be written."""

MarkOf = Callable[[Event], str]
"""How far an event got: pending, durable, held or refused."""


def stamp(ms: int | None) -> str | None:
    """A time in milliseconds as RFC 3339, UTC; None stays None."""
    if ms is None:
        return None
    seconds, rest = divmod(min(max(ms, 0), _LAST_MS), 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03}Z"


def summarize(state: IncidentState) -> Summary:
    """The line of one incident in a list."""
    return Summary(
        stream=state.stream,
        id=state.number,
        title=state.title,
        severity=state.severity,
        status=state.status,
        drill=state.drill,
        commander=state.holder("commander"),
        started_at=state.started_at,
        ended_at=state.ended_at,
        changed_at=state.changed_at,
        events=len(state.events),
        conflicts=len(state.conflicts()),
        linked=[link.uid for link in state.links()[:MAX_LINKED]],
    )


def show_summary(summary: Summary) -> dict[str, Any]:
    """One incident of `list --json`."""
    return {
        "id": summary.id,
        "uid": summary.stream,
        "title": summary.title,
        "drill": summary.drill,
        "severity": summary.severity,
        "status": summary.status,
        "commander": summary.commander,
        "started_at": stamp(summary.started_at),
        "ended_at": stamp(summary.ended_at),
        "changed_at": stamp(summary.changed_at),
        "events": summary.events,
        "conflicts": summary.conflicts,
        "alerts": len(summary.linked),
    }


def show(
    state: IncidentState, mark: MarkOf, records: Mapping[str, AlertRecord] | None = None
) -> dict[str, Any]:
    """The value of `show --json`.

    Args:
        state: The incident.
        mark: Tells how far each event got.
        records: The board's alerts, which know more than the copies in the incident.
    """
    return {
        "id": state.number,
        "uid": state.stream,
        "title": state.title,
        "drill": state.drill,
        "severity": state.severity,
        "status": state.status,
        "started_at": stamp(state.started_at),
        "ended_at": stamp(state.ended_at),
        "conflicts": [_conflict(conflict) for conflict in state.conflicts()],
        "impact": show_impact(state),
        "roles": show_roles(state),
        "timeline": show_timeline(state, mark),
        "alerts": [_alert(link, (records or {}).get(link.uid)) for link in state.links()],
        "checklists": [_checklist(checklist) for checklist in state.checklists()],
        "drafts": [_draft(draft) for draft in state.drafts()],
        "updates": [],
        "tasks": [],
        "participants": _participants(state),
        "state_digest": state.state_digest(),
        "set_digest": state.set_digest(),
    }


def show_impact(state: IncidentState) -> dict[str, Any]:
    """What is known of the impact; facts that nobody stated are null or empty."""
    reports = (state.impact("reports") or "").strip()[:15]
    return {
        "started_at": state.impact("started_at"),
        "detected_by": state.impact("detected_by"),
        "services": names(state.impact("services")),
        "users": state.impact("users"),
        "regions": names(state.impact("regions")),
        "data_loss": state.impact("data_loss"),
        "workaround": state.impact("workaround"),
        "reports": int(reports) if reports.isascii() and reports.isdigit() else 0,
    }


def names(text: str | None) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def show_roles(state: IncidentState) -> dict[str, Any]:
    """Who holds which role. The commander is always listed, also when there is none."""
    held = state.roles()
    roles: dict[str, Any] = {"commander": {"holder": None, "since": None, "deputy": None}}
    for role in held.values():
        roles[role.role] = {"holder": role.holder, "since": stamp(role.since), "deputy": None}
    if "deputy" in held:
        roles["commander"]["deputy"] = held["deputy"].holder
    return roles


def timeline(state: IncidentState) -> list[Event]:
    """The events in the order in which what they tell happened."""
    events = [state.events[id_] for id_ in state.ordered]
    return sorted(events, key=state.happened_at)


def show_timeline(state: IncidentState, mark: MarkOf) -> list[dict[str, Any]]:
    """The entries of the timeline, oldest first."""
    return [show_entry(event, state, mark) for event in timeline(state)]


def show_entry(event: Event, state: IncidentState, mark: MarkOf) -> dict[str, Any]:
    """One entry of the timeline."""
    told = tell(event, state)
    return {
        "id": event.id,
        "at": stamp(state.happened_at(event)),
        "recorded_at": stamp(event.shown_at),
        "by": event.head.by,
        "kind": told.kind,
        "text": told.text,
        "mark": mark(event),
        "type": event.head.type,
        "system": told.system,
        "starred": state.is_starred(event.id),
        "struck": state.is_struck(event.id),
        "late": state.is_late(event),
        "new_facts": [fact.id for fact in new_facts(state, event)],
        "via": event.via,
    }


def _conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        "what": " ".join(conflict.key),
        "writes": [
            {
                "id": event.id,
                "value": event.body.value if isinstance(event.body, Write) else None,
                "by": event.head.by,
                "at": stamp(event.shown_at),
            }
            for event in conflict.writes
        ],
    }


def _alert(link: Link, record: AlertRecord | None) -> dict[str, Any]:
    seen = record or link.alert
    return {
        "key": seen.key,
        "uid": link.uid,
        "source": seen.source,
        "title": seen.title,
        "severity": seen.severity,
        "state": seen.state,
        "count": seen.count,
        "service": seen.service,
        "first_seen": stamp(seen.first_seen),
        "last_seen": stamp(seen.last_seen),
        "linked_by": link.by,
        "linked_at": stamp(link.at),
    }


def show_record(record: AlertRecord, acknowledged_by: str | None) -> dict[str, Any]:
    """One alert of `alerts --json`."""
    return {
        "key": record.key,
        "uid": record.uid,
        "source": record.source,
        "kind": record.kind,
        "title": record.title,
        "severity": record.severity,
        "state": record.state,
        "count": record.count,
        "service": record.service,
        "env": record.env,
        "summary": record.summary,
        "labels": record.labels,
        "first_seen": stamp(record.first_seen),
        "last_seen": stamp(record.last_seen),
        "ends_at": stamp(record.ends_at),
        "resolved_by": record.resolved_by or None,
        "told_by": record.told_by or None,
        "silenced": record.silenced,
        "inhibited": record.inhibited,
        "missing": record.missing,
        "weak_key": record.weak_key,
        "acknowledged_by": acknowledged_by,
    }


def _checklist(checklist: Checklist) -> dict[str, Any]:
    return {
        "id": checklist.id,
        "title": checklist.title,
        "steps": [
            {
                "id": step.copy.id,
                "text": step.copy.text,
                "section": step.copy.section,
                "command": step.copy.command,
                "state": step.state,
                "owner": step.owner,
                "by": step.by,
                "at": stamp(step.at),
                "notes": len(step.notes),
            }
            for step in checklist.steps
        ],
    }


def _draft(draft: Draft) -> dict[str, Any]:
    return {
        "id": draft.id,
        "audience": draft.audience,
        "title": draft.title,
        "by": draft.by,
        "ready": draft.ready,
        "saved": draft.saved,
        "versions": [
            {"id": v.id, "text": v.text, "by": v.by, "at": stamp(v.at)} for v in draft.versions
        ],
    }


def _participants(state: IncidentState) -> list[dict[str, Any]]:
    held: dict[str, list[str]] = {}
    for role in state.roles().values():
        held.setdefault(role.holder, []).append(role.role)
    people = dict.fromkeys([*state.people(), *held])
    return [{"name": name, "roles": held.get(name, [])} for name in people]
