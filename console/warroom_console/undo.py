"""The inverse of an event: what `u` writes. Nothing is taken out of the record."""

from __future__ import annotations

from typing import assert_never

import msgspec

from warroom_incident.event import Event
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body, Decision, Write
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    AlertAssigned,
    AlertEnded,
    AlertLinked,
    AlertMarked,
    DraftReadied,
    DraftSaved,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    MemberGranted,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    StepOwned,
    StepSet,
    TitleSet,
    WindowEnded,
    WindowOpened,
)

Undoable = (
    TitleSet
    | SeveritySet
    | StatusSet
    | ImpactSet
    | RoleAssigned
    | NoteEdited
    | NoteStruck
    | EntryStarred
    | AlertLinked
    | AlertAcknowledged
    | AlertAssigned
    | AlertMarked
    | AlertEnded
    | StepSet
    | StepOwned
    | DraftSaved
    | DraftReadied
    | MemberGranted
)


class CannotUndo(ValueError):
    """The event cannot be undone; the message is one sentence."""


def undo(event: Event, state: Fold) -> Body:
    """What to write so that things are as before `event`.

    Raises:
        CannotUndo: It stands for itself, or somebody has changed the same thing since.
    """
    body = event.body
    if isinstance(body, NoteAdded):
        return NoteStruck(target=event.id)
    if isinstance(body, WindowOpened):
        return WindowEnded(window=body.window)
    if not isinstance(body, Undoable):
        raise CannotUndo("This cannot be undone: note what is right instead.")
    register = state.registers.get(body.key)
    if register is None or event.id not in register.heads:
        raise CannotUndo("Somebody has changed this since: set it to what is right.")
    replaced = [
        write
        for id_ in event.head.base
        if (write := register.writes.get(id_)) is not None and isinstance(write.body, Write)
    ]
    if not replaced:
        return _initial(body, state)
    before = min(replaced, key=lambda write: (write.admitted or 2**53, write.id)).body
    if isinstance(before, Decision):  # what was known then is not what is known now
        return msgspec.structs.replace(before, salt="", seen={}, unseen={})
    return msgspec.structs.replace(before, salt="")


def _initial(body: Undoable, state: Fold) -> Body:
    """The write of a register's value before anybody wrote to it."""
    match body:
        case TitleSet():
            return TitleSet(title=_declared_title(state))
        case SeveritySet():
            return SeveritySet(severity="SEV?")
        case StatusSet():
            return StatusSet(status="started")
        case ImpactSet(field=field):
            return ImpactSet(field=field)
        case RoleAssigned(role=role):
            return RoleAssigned(role=role)
        case NoteEdited(target=target):
            return _original(target, state)
        case NoteStruck(target=target, struck=struck):
            return NoteStruck(target=target, struck=not struck)
        case EntryStarred(target=target, starred=starred):
            return EntryStarred(target=target, starred=not starred)
        case AlertLinked(uid=uid):
            return AlertLinked(uid=uid)
        case AlertAcknowledged(uid=uid, acknowledged=acknowledged):
            return AlertAcknowledged(uid=uid, acknowledged=not acknowledged)
        case AlertAssigned(uid=uid):
            return AlertAssigned(uid=uid)
        case AlertMarked(uid=uid):
            return AlertMarked(uid=uid)
        case AlertEnded(uid=uid, ended=ended):
            return AlertEnded(uid=uid, ended=not ended)
        case StepSet(checklist=checklist, step=step):
            return StepSet(checklist=checklist, step=step, state="open")
        case StepOwned(checklist=checklist, step=step):
            return StepOwned(checklist=checklist, step=step)
        case DraftSaved(draft=draft):
            return DraftSaved(draft=draft, text="")
        case DraftReadied(draft=draft):
            return DraftReadied(draft=draft)
        case MemberGranted(account=account):
            return MemberGranted(account=account)
        case _:
            assert_never(body)


def _original(target: str, state: Fold) -> NoteEdited:
    note = state.events.get(target)
    if note is None or not isinstance(note.body, NoteAdded):
        raise CannotUndo("The original note is not here: edit it to what is right.")
    return NoteEdited(target=target, text=note.body.text, at=note.body.at)


def _declared_title(state: Fold) -> str:
    declared = state.declared if isinstance(state, IncidentState) else None
    if declared is None or not isinstance(declared.body, IncidentDeclared):
        raise CannotUndo("The first title is not here: set one.")
    return declared.body.title
