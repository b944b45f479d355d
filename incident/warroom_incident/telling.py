"""Every event as one readable line: who did what, in the active past.

Texts hold data as it came: whoever shows a line cleans it first.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from .event import REFUSED, Event
from .fold import Fold
from .incident import IncidentState
from .matching import show_matchers
from .practice.audience import audience_of
from .practice.roles import role_of
from .reducers import Write
from .vocabulary import (
    AlertAcknowledged,
    AlertAssigned,
    AlertChanged,
    AlertEnded,
    AlertLinked,
    AlertMarked,
    ChecklistAttached,
    DraftOpened,
    DraftReadied,
    DraftSaved,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    IncidentNumbered,
    MemberGranted,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    RoleAssigned,
    ServerListed,
    SeveritySet,
    SilenceAnswered,
    SilenceAsked,
    SilenceEnded,
    StandbyListed,
    StatusSet,
    StepNoted,
    StepOwned,
    StepSet,
    TitleSet,
    TokenCreated,
    TokenRevoked,
    WindowEnded,
    WindowOpened,
)

_IMPACT = {
    "started_at": "the start of the impact",
    "detected_by": "how it was detected",
    "services": "the services affected",
    "users": "the users affected",
    "regions": "the regions affected",
    "data_loss": "the data lost",
    "workaround": "the workaround",
    "reports": "the customer reports",
}
_WINDOW = {"maintenance": "maintenance window", "suppression": "suppression rule"}
_BECAME = {"active": "is active", "expired": "has ended", "failed": "failed"}
_LAST_SECOND = 253_402_300_799
"""The last second of the year 9999, which is as far as dates can be written."""

_STEP = {"open": "opened", "doing": "began", "done": "ticked", "skipped": "skipped"}


class Told(Struct, frozen=True):
    """An entry of the timeline: its kind, its line, and whether it is mere machinery."""

    kind: str
    text: str
    system: bool = False


def tell(event: Event, state: Fold) -> Told:
    """Tell an event.

    A note is told in its own words as they stand; everything else begins with who did it.
    """
    by = event.head.by
    if event.withheld is not None and event.refused:
        reason = event.withheld.removeprefix(REFUSED)
        return Told("refused", f"{by} was refused {event.head.type}: {reason}", True)
    if event.withheld is not None:
        return Told("withheld", f"an entry of {by} was withheld: {event.withheld}", True)
    body = event.body
    match body:
        case NoteAdded():
            note = state.note(event) if isinstance(state, IncidentState) else None
            return Told("note", (note or body).text)
        case IncidentDeclared(title=title, drill=drill):
            what = "a drill" if drill else "the incident"
            return Told("incident", f"{by} declared {what}: {title}")
        case IncidentNumbered(number=number):
            return Told("incident", f"{by} numbered the incident {number}", True)
        case TitleSet(title=title):
            return Told("title", f"{by} renamed the incident: {title}")
        case SeveritySet(severity=severity):
            return Told("severity", f"{by} set severity {severity}{_was(event, state)}")
        case StatusSet(status=status):
            return Told("status", f"{by} set status {status}{_was(event, state)}")
        case ImpactSet(field=field, text=text):
            return Told("impact", _impact(event, field, text))
        case RoleAssigned():
            return Told("role", _role(event, body, state))
        case NoteEdited(target=target, text=text):
            return Told("edit", f"{by} edited {_entry(target, state)}: {text}", True)
        case NoteStruck(target=target, struck=struck):
            did = "struck out" if struck else "restored"
            return Told("strike", f"{by} {did} {_entry(target, state)}", True)
        case EntryStarred(target=target, starred=starred):
            did = "starred" if starred else "took the star from"
            return Told("star", f"{by} {did} {_entry(target, state)}", True)
        case _:
            return _tell_parts(event, state)


def _tell_parts(event: Event, state: Fold) -> Told:
    """Tell what happened to an alert, a checklist, a draft or the room."""
    by = event.head.by
    body = event.body
    match body:
        case AlertLinked(uid=uid, alert=alert):
            if alert is None:
                return Told("alert", f"{by} unlinked the alert {_alert(uid, state)}")
            return Told("alert", f"{by} linked the alert {alert.title}")
        case AlertChanged(alert=alert):
            return Told("alert", f"the alert {alert.title} is {alert.state}", True)
        case ChecklistAttached(title=title):
            return Told("checklist", f"{by} attached the checklist “{title}”")
        case StepSet(checklist=checklist, step=step, state=step_state):
            did = _STEP.get(step_state, f"set {step_state}")
            return Told("step", f"{by} {did} “{_step(checklist, step, state)}”")
        case StepOwned(checklist=checklist, step=step, owner=owner):
            named = f"“{_step(checklist, step, state)}”"
            if owner == by:
                return Told("step", f"{by} took {named}")
            if owner is None:
                return Told("step", f"{by} left {named} to anybody")
            return Told("step", f"{by} gave {named} to {owner}")
        case StepNoted(checklist=checklist, step=step, text=text):
            return Told("step", f"{by} noted on “{_step(checklist, step, state)}”: {text}")
        case DraftOpened(audience=audience, title=title):
            return Told("draft", f"{by} began a draft for {_audience(audience)}: {title}")
        case DraftSaved(draft=draft):
            return Told("draft", f"{by} saved {_draft(draft, state)}")
        case DraftReadied(draft=draft, version=version):
            ready = "ready" if version is not None else "not ready"
            return Told("draft", f"{by} marked {_draft(draft, state)} {ready}")
        case MemberGranted(account=account, right=right):
            return Told("member", f"{by} gave {account} {_right(right)}")
        case TokenCreated(name=name):
            return Told("token", f"{by} created the token {name}")
        case TokenRevoked(name=name):
            return Told("token", f"{by} revoked the token {name}")
        case ServerListed(server=server):
            return Told("server", f"{by} listed the server {server}", True)
        case StandbyListed(name=name):
            return Told("server", f"{by} listed the standby {name}", True)
        case _:
            return _tell_board(event, state)


def _tell_board(event: Event, state: Fold) -> Told:
    """Tell what people did on the board, and what sources answered."""
    by = event.head.by
    match event.body:
        case AlertAcknowledged(uid=uid, acknowledged=acknowledged, until=until):
            did = "acknowledged" if acknowledged else "gave back"
            lasting = f" until {moment(until)}" if acknowledged and until is not None else ""
            return Told("alert", f"{by} {did} the alert {uid}{lasting}")
        case AlertAssigned(uid=uid, person=person):
            if person is None:
                return Told("alert", f"{by} left the alert {uid} to anybody")
            if person == by:
                return Told("alert", f"{by} took the alert {uid}")
            return Told("alert", f"{by} gave the alert {uid} to {person}")
        case AlertMarked(uid=uid, noise=noise):
            if not noise:
                return Told("alert", f"{by} no longer calls the alert {uid} noise")
            return Told("alert", f"{by} called the alert {uid} noise ({noise.replace('_', ' ')})")
        case AlertEnded(uid=uid, ended=ended):
            no_longer = "" if ended else "no longer "
            return Told("alert", f"{by} {no_longer}says that the alert {uid} is over")
        case WindowOpened(kind=kind, why=why, ends_at=ends_at):
            return Told("window", f"{by} opened a {_WINDOW[kind]} until {moment(ends_at)}: {why}")
        case WindowEnded(window=window):
            return Told("window", f"{by} ended {_window(window, state)}")
        case SilenceAsked(alertmanager=at, ends_at=ends_at, comment=comment):
            told = show_matchers(event.body.matchers)
            end = moment(ends_at)
            return Told("silence", f"{by} asked {at} to silence {told} until {end}: {comment}")
        case SilenceEnded(silence=silence):
            return Told("silence", f"{by} asked to end {_silence(silence, state)}")
        case SilenceAnswered(silence=silence, state=became, reason=reason):
            because = f": {reason}" if reason else ""
            has = _BECAME[became]
            return Told("silence", f"{_silence(silence, state)} {has}{because}", True)
        case _:
            return Told("unknown", f"{by} wrote {event.head.type}, from a newer console")


def moment(ms: int) -> str:
    """A time in milliseconds as text to the minute, UTC."""
    seconds = min(ms // 1000, _LAST_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}Z"


def spoken_time(text: str, now: int) -> str:
    """A stated time as people read it: `14:02Z`, with its date on other days than `now`.

    What is no time stays as it was typed.
    """
    try:
        when = datetime.fromisoformat(text)
        ms = round(when.replace(tzinfo=when.tzinfo or UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return text
    told = moment(ms)
    return told[11:] if told[:10] == moment(now)[:10] else told


def _was(event: Event, state: Fold) -> str:
    """The value that a write replaced, in brackets."""
    body = event.body
    assert isinstance(body, Write)
    register = state.registers.get(body.key)
    values = [
        str(write.body.value)
        for id_ in event.head.base
        if register is not None
        and (write := register.writes.get(id_)) is not None
        and isinstance(write.body, Write)
    ]
    before = " and ".join(dict.fromkeys(value for value in values if value != str(body.value)))
    return f" (was {before})" if before else ""


def _impact(event: Event, field: str, text: str | None) -> str:
    by = event.head.by
    if field == "started_at" and text is not None:
        text = spoken_time(text, event.shown_at)
    fact = _IMPACT.get(field, field)
    return f"{by} took back {fact}" if text is None else f"{by} stated {fact}: {text}"


def _role(event: Event, body: RoleAssigned, state: Fold) -> str:
    by = event.head.by
    role = role_of(body.role).spoken
    if body.person is None:
        return f"{by} released the role of {role}{_was(event, state)}"
    if body.person == by:
        return f"{by} took the role of {role}{_was(event, state)}"
    return f"{by} made {body.person} {role}{_was(event, state)}"


def _entry(target: str, state: Fold) -> str:
    event = state.events.get(target)
    if event is None:
        return "an entry that is not here"
    return f"{event.head.by}'s note" if isinstance(event.body, NoteAdded) else "an entry"


def _alert(uid: str, state: Fold) -> str:
    for event in state.history(("alert", uid)):
        if isinstance(event.body, AlertLinked) and event.body.alert is not None:
            return event.body.alert.title
    return uid


def _window(window: str, state: Fold) -> str:
    for event in state.entries.get(WindowOpened.type, {}).values():
        body = event.body
        if isinstance(body, WindowOpened) and body.window == window:
            return f"the {_WINDOW[body.kind]} “{body.why}”"
    return "a window that is not here"


def _silence(silence: str, state: Fold) -> str:
    for event in state.entries.get(SilenceAsked.type, {}).values():
        body = event.body
        if isinstance(body, SilenceAsked) and body.silence == silence:
            return f"the silence of {show_matchers(body.matchers)} at {body.alertmanager}"
    return "a silence that is not here"


def _step(checklist: str, step: str, state: Fold) -> str:
    for event in state.entries.get(ChecklistAttached.type, {}).values():
        body = event.body
        if isinstance(body, ChecklistAttached) and body.checklist == checklist:
            for copy in body.steps:
                if copy.id == step:
                    return copy.text.partition("\n")[0]
    return "a step that is not here"


def _draft(draft: str, state: Fold) -> str:
    for event in state.entries.get(DraftOpened.type, {}).values():
        if isinstance(event.body, DraftOpened) and event.body.draft == draft:
            return f"the draft “{event.body.title}”"
    return "a draft"


def _audience(identifier: str) -> str:
    return audience_of(identifier).title.lower()


def _right(right: str | None) -> str:
    return "the default right" if right is None else f"the right “{right}”"
