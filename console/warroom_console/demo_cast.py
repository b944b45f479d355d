"""What the people of a script write: every act as the events that say it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import assert_never

from warroom_incident.alerts import AlertRecord
from warroom_incident.author import Entropy, new_id
from warroom_incident.event import BOARD
from warroom_incident.incident import IncidentState
from warroom_incident.linking import copy_of
from warroom_incident.parts import Checklist, Draft as IncidentDraft
from warroom_incident.practice.audience import parse_audience
from warroom_incident.practice.library import Library, load_checklist
from warroom_incident.practice.roles import parse_role
from warroom_incident.reducers import Body
from warroom_incident.showing import stamp
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    AlertLinked,
    ChecklistAttached,
    DraftOpened,
    DraftReadied,
    DraftSaved,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    NoteAdded,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    StepNoted,
    StepOwned,
    StepSet,
)

from .demo_script import (
    Ack,
    Act,
    Alert,
    Attach,
    Declare,
    Draft,
    Edit,
    Impact,
    Link,
    Note,
    Own,
    Ready,
    Remark,
    Role,
    SetSeverity,
    SetStatus,
    Step,
)
from .times import moment
from .views.comms import EDITING, WRITING


class Lost(ValueError):
    """What an act is about is not there; the message is one sentence."""


class Cast:
    """Turns acts into bodies of events.

    Args:
        start: The second 0 of the script, in milliseconds since the epoch.
        entropy: Random bytes, for the ids of checklists and drafts.
    """

    def __init__(self, start: int, entropy: Entropy) -> None:
        self.start = start
        self._entropy = entropy

    def at(self, second: float) -> int:
        """A second of the script in milliseconds since the epoch."""
        return self.start + round(second * 1000)

    def stream_of(self, act: Act, incident: str) -> str:
        """The stream that an act writes to."""
        return BOARD if isinstance(act, Ack) else incident

    def bodies(
        self, act: Act, state: IncidentState, alerts: Iterable[AlertRecord]
    ) -> Sequence[Body]:
        """What a person writes who shows `state` and the board's `alerts`.

        Raises:
            Lost: The alert, step, draft or note is not there.
        """
        match act:
            case Declare():
                return self._declare(act)
            case Note(text=text):
                return [NoteAdded(text=text)]
            case SetSeverity(severity=severity):
                return [SeveritySet(severity=severity)]
            case SetStatus(status=status):
                return [StatusSet(status=status)]
            case Impact(field=field, text=text, began=began):
                when = f"{moment(self.at(began)):%Y-%m-%dT%H:%M:%SZ}"
                return [ImpactSet(field=field, text=text.replace("{time}", when))]
            case Role(role=role, person=person, by=by):
                return [RoleAssigned(role=parse_role(role).id, person=person or by)]
            case Link(alert=alert):
                record = _alert(alerts, alert)
                return [AlertLinked(uid=record.uid, alert=copy_of(record))]
            case Ack(alert=alert):
                return [AlertAcknowledged(uid=_alert(alerts, alert).uid)]
            case Attach(runbook=runbook):
                book = Library().runbook(runbook)
                return [
                    ChecklistAttached(
                        checklist=new_id(self._entropy), title=book.title, steps=book.steps
                    )
                ]
            case Step() | Own() | Remark():
                return [_on_step(act, state)]
            case Edit():
                return []
            case Draft():
                return self._draft(act, state)
            case Ready(audience=audience):
                draft = find_draft(state, audience)
                if draft is None or len(draft.versions) != 1:
                    raise Lost(f"There is no one draft for {audience}.")
                return [DraftReadied(draft=draft.id, version=draft.versions[0].id)]
            case _:
                assert_never(act)

    def afterwards(self, act: Act, written: Sequence[str]) -> Sequence[Body]:
        """What follows at once on events with these ids."""
        if isinstance(act, Note) and act.star and written:
            return [EntryStarred(target=written[0])]
        return []

    def doing(self, act: Act, state: IncidentState) -> str | None:
        """What the others see the person do from then on, None when that does not change."""
        if isinstance(act, Edit):
            draft = find_draft(state, act.audience)
            return EDITING + draft.id if draft else WRITING + parse_audience(act.audience).id
        return "" if isinstance(act, Draft) else None

    def _declare(self, act: Declare) -> Sequence[Body]:
        checklist = load_checklist()
        return [
            IncidentDeclared(title=act.title, drill=True),
            StatusSet(status="started"),
            ChecklistAttached(
                checklist=new_id(self._entropy), title=checklist.title, steps=checklist.steps
            ),
        ]

    def _draft(self, act: Draft, state: IncidentState) -> Sequence[Body]:
        known = find_draft(state, act.audience)
        if known is not None:
            return [DraftSaved(draft=known.id, text=act.text.strip())]
        draft, audience = new_id(self._entropy), parse_audience(act.audience).id
        return [
            DraftOpened(draft=draft, audience=audience, title=act.title),
            DraftSaved(draft=draft, text=act.text.strip()),
        ]


def labels(alert: Alert) -> dict[str, str]:
    """The labels of an alert, as Prometheus gives them."""
    return {"alertname": alert.name, "severity": alert.severity, "service": alert.service}


def fingerprint(alert: Alert) -> str:
    """What tells an alert from others, whatever happens to it."""
    return sha256(alert.name.encode()).hexdigest()[:16]


def notification(alert: Alert, cast: Cast) -> dict[str, object]:
    """An alert as Prometheus Alertmanager posts it."""
    began = alert.at if alert.began is None else alert.began
    status = "resolved" if alert.resolved else "firing"
    told = {
        "status": status,
        "labels": labels(alert),
        "annotations": {"summary": alert.summary or alert.name},
        "startsAt": stamp(cast.at(began)),
        "endsAt": stamp(cast.at(alert.at)) if alert.resolved else "0001-01-01T00:00:00Z",
        "fingerprint": fingerprint(alert),
    }
    return {"version": "4", "status": status, "groupKey": alert.name, "alerts": [told]}


def find_draft(state: IncidentState, audience: str) -> IncidentDraft | None:
    """The newest draft for an audience."""
    wanted = parse_audience(audience).id
    return next((d for d in reversed(state.drafts()) if d.audience == wanted), None)


def _alert(alerts: Iterable[AlertRecord], name: str) -> AlertRecord:
    found = [one for one in alerts if one.labels.get("alertname") == name]
    if not found:
        raise Lost(f"There is no alert {name}.")
    return max(found, key=lambda one: one.episode)


def _on_step(act: Step | Own | Remark, state: IncidentState) -> Body:
    checklist, step = _find_step(state.checklists(), act.step)
    match act:
        case Step(state=to):
            return StepSet(checklist=checklist, step=step, state=to)
        case Own(person=person, by=by):
            return StepOwned(checklist=checklist, step=step, owner=person or by)
        case Remark(text=text):
            return StepNoted(checklist=checklist, step=step, text=text)
        case _:
            assert_never(act)


def _find_step(checklists: Iterable[Checklist], beginning: str) -> tuple[str, str]:
    for checklist in checklists:
        for step in checklist.steps:
            if step.copy.text.startswith(beginning):
                return checklist.id, step.copy.id
    raise Lost(f"There is no step “{beginning}”.")
