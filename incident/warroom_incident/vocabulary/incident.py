"""The events of an incident's stream."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from ..fields import AlertCopy, Ident, Line, Long, Millis, Name, StepCopy, Text
from ..reducers import Append, Body, Decision, Pick, Right, Write


class IncidentDeclared(Append, frozen=True):
    """Somebody declared an incident: the first event of its stream."""

    title: Line
    drill: bool = False
    type: ClassVar[str] = "incident.declared"


class IncidentNumbered(Write, frozen=True):
    """A server gave the incident its number, e.g. `INC-7`."""

    number: Annotated[str, Meta(pattern=r"\AINC-[0-9]{1,9}(-[0-9]{1,3})?\Z")]
    type: ClassVar[str] = "incident.numbered"
    is_guarded: ClassVar[bool] = True
    needs: ClassVar[Right] = Right.ADMIN
    register: ClassVar[str] = "number"
    says: ClassVar[str] = "number"


SeverityName = Literal["SEV1", "SEV2", "SEV3", "SEV4", "SEV5", "SEV?"]
"""How bad it is; `SEV?` is undetermined."""

StatusName = Literal["started", "investigating", "identified", "mitigated", "resolved", "closed"]
"""Where the incident stands."""


class TitleSet(Write, frozen=True):
    """The incident got a title."""

    title: Line
    type: ClassVar[str] = "title.set"
    register: ClassVar[str] = "title"
    says: ClassVar[str] = "title"


class SeveritySet(Decision, frozen=True):
    """The incident got a severity; `SEV?` is undetermined."""

    severity: SeverityName
    type: ClassVar[str] = "severity.set"
    is_guarded: ClassVar[bool] = True
    register: ClassVar[str] = "severity"
    says: ClassVar[str] = "severity"


class StatusSet(Decision, frozen=True):
    """The incident got a status.

    By what a `closed` had `seen`, every replica tells which events came too late for it.
    """

    status: StatusName
    type: ClassVar[str] = "status.set"
    is_guarded: ClassVar[bool] = True
    register: ClassVar[str] = "status"
    says: ClassVar[str] = "status"


ImpactField = Literal[
    "started_at",
    "detected_by",
    "services",
    "users",
    "regions",
    "data_loss",
    "workaround",
    "reports",
]
"""The facts of an incident's impact; `services` and `regions` are comma-separated names."""


class ImpactSet(Write, frozen=True):
    """A fact about the impact was stated or, with no value, taken back."""

    field: ImpactField
    text: Annotated[str, Meta(max_length=2000)] | None = None
    type: ClassVar[str] = "impact.set"
    register: ClassVar[str] = "impact"
    named: ClassVar[tuple[str, ...]] = ("field",)
    says: ClassVar[str] = "text"


class RoleAssigned(Decision, frozen=True):
    """A role was given to a person, or released."""

    role: Ident
    person: Name | None = None
    type: ClassVar[str] = "role.assigned"
    is_guarded: ClassVar[bool] = True
    register: ClassVar[str] = "role"
    named: ClassVar[tuple[str, ...]] = ("role",)
    says: ClassVar[str] = "person"


# The timeline ------------------------------------------------------------------------------


class NoteAdded(Append, frozen=True):
    """Somebody noted something; `at` back-dates it to when it happened."""

    text: Text
    at: Millis | None = None
    type: ClassVar[str] = "note.added"
    present: ClassVar[bool] = False


class NoteEdited(Write, frozen=True):
    """The author of a note gave it a better wording or another time; the original stays."""

    target: Ident
    text: Text
    at: Millis | None = None
    type: ClassVar[str] = "note.edited"
    is_guarded: ClassVar[bool] = True
    present: ClassVar[bool] = False
    register: ClassVar[str] = "text"
    named: ClassVar[tuple[str, ...]] = ("target",)

    @property
    def value(self) -> object:
        return (self.text, self.at)


class NoteStruck(Write, frozen=True):
    """The author of a note struck it out, or took that back."""

    target: Ident
    struck: bool = True
    type: ClassVar[str] = "note.struck"
    is_guarded: ClassVar[bool] = True
    present: ClassVar[bool] = False
    register: ClassVar[str] = "struck"
    named: ClassVar[tuple[str, ...]] = ("target",)
    says: ClassVar[str] = "struck"


class EntryStarred(Write, frozen=True):
    """Somebody marked an entry as a key event, or took that back."""

    target: Ident
    starred: bool = True
    type: ClassVar[str] = "entry.starred"
    present: ClassVar[bool] = False
    register: ClassVar[str] = "star"
    named: ClassVar[tuple[str, ...]] = ("target",)
    says: ClassVar[str] = "starred"


# Alerts ------------------------------------------------------------------------------------


class AlertLinked(Write, frozen=True):
    """An alert was linked to the incident (with its copy), or unlinked (without)."""

    uid: Ident
    alert: AlertCopy | None = None
    type: ClassVar[str] = "alert.linked"
    register: ClassVar[str] = "alert"
    named: ClassVar[tuple[str, ...]] = ("uid",)

    @property
    def value(self) -> object:
        return self.alert is not None


class AlertChanged(Write, frozen=True):
    """A server saw a linked alert change its state or severity."""

    uid: Ident
    alert: AlertCopy
    type: ClassVar[str] = "alert.changed"
    is_guarded: ClassVar[bool] = True
    needs: ClassVar[Right] = Right.ADMIN
    pick: ClassVar[Pick] = Pick.RANK
    register: ClassVar[str] = "alert.state"
    named: ClassVar[tuple[str, ...]] = ("uid",)

    @property
    def value(self) -> object:
        return (self.alert.state, self.alert.severity)

    @property
    def rank(self) -> int:
        return self.alert.last_seen


# Runbook -----------------------------------------------------------------------------------


class ChecklistAttached(Append, frozen=True):
    """A checklist was attached: a copy, which later edits of the file do not change."""

    checklist: Ident
    title: Line
    steps: Annotated[tuple[StepCopy, ...], Meta(max_length=300)]
    type: ClassVar[str] = "checklist.attached"


StepState = Literal["open", "doing", "done", "skipped"]
_STEP_RANK = {"open": 0, "doing": 1, "skipped": 2, "done": 3}


class StepSet(Write, frozen=True):
    """A step was ticked, begun, skipped or opened again. Done is sticky: undoing names it."""

    checklist: Ident
    step: Ident
    state: StepState
    type: ClassVar[str] = "step.set"
    pick: ClassVar[Pick] = Pick.RANK
    register: ClassVar[str] = "step"
    named: ClassVar[tuple[str, ...]] = (
        "checklist",
        "step",
    )
    says: ClassVar[str] = "state"

    @property
    def rank(self) -> int:
        return _STEP_RANK[self.state]


class StepOwned(Write, frozen=True):
    """A step was given to a person, or to nobody."""

    checklist: Ident
    step: Ident
    owner: Name | None = None
    type: ClassVar[str] = "step.owned"
    register: ClassVar[str] = "step.owner"
    named: ClassVar[tuple[str, ...]] = (
        "checklist",
        "step",
    )
    says: ClassVar[str] = "owner"


class StepNoted(Append, frozen=True):
    """Somebody noted something on a step."""

    checklist: Ident
    step: Ident
    text: Text
    type: ClassVar[str] = "step.noted"
    present: ClassVar[bool] = False


# Comms -------------------------------------------------------------------------------------


class DraftOpened(Append, frozen=True):
    """A draft for an audience was begun."""

    draft: Ident
    audience: Name
    title: Line
    type: ClassVar[str] = "draft.opened"


class DraftSaved(Write, frozen=True):
    """A version of a draft's text. Two that have not seen each other stand side by side."""

    draft: Ident
    text: Long
    type: ClassVar[str] = "draft.saved"
    pick: ClassVar[Pick] = Pick.ALL
    register: ClassVar[str] = "draft"
    named: ClassVar[tuple[str, ...]] = ("draft",)
    says: ClassVar[str] = "text"


class DraftReadied(Write, frozen=True):
    """A version (its event id) was marked ready to go out, or with none, not ready."""

    draft: Ident
    version: Ident | None = None
    type: ClassVar[str] = "draft.readied"
    register: ClassVar[str] = "ready"
    named: ClassVar[tuple[str, ...]] = ("draft",)
    says: ClassVar[str] = "version"


INCIDENT_TYPES: tuple[type[Body], ...] = (
    NoteAdded,
    StepSet,
    IncidentDeclared,
    IncidentNumbered,
    TitleSet,
    SeveritySet,
    StatusSet,
    ImpactSet,
    RoleAssigned,
    NoteEdited,
    NoteStruck,
    EntryStarred,
    AlertLinked,
    AlertChanged,
    ChecklistAttached,
    StepOwned,
    StepNoted,
    DraftOpened,
    DraftSaved,
    DraftReadied,
)
