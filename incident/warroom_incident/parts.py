"""The parts of an incident as they stand: roles, checklists, drafts, links, conflicts."""

from __future__ import annotations

from msgspec import Struct

from .event import Event
from .fields import AlertCopy, StepCopy
from .reducers import Key


class Conflict(Struct, frozen=True):
    """Writes to one register that have not seen each other; the first is shown provisionally."""

    key: Key
    writes: tuple[Event, ...]


class RoleHeld(Struct, frozen=True):
    """Who holds a role, and since when in milliseconds."""

    role: str
    holder: str
    since: int


class Step(Struct, frozen=True):
    """A step of an attached checklist as it stands. Times in milliseconds."""

    copy: StepCopy
    state: str
    owner: str | None
    by: str | None
    at: int | None
    notes: tuple[Event, ...]


class Checklist(Struct, frozen=True):
    """An attached checklist as it stands."""

    id: str
    title: str
    steps: tuple[Step, ...]

    @property
    def settled(self) -> int:
        """How many steps are done or skipped."""
        return sum(step.state in ("done", "skipped") for step in self.steps)


class Version(Struct, frozen=True):
    """A saved version of a draft. `at` in milliseconds."""

    id: str
    text: str
    by: str
    at: int


class Draft(Struct, frozen=True):
    """A draft: the versions that stand (several when saved unseen of each other), all saved."""

    id: str
    audience: str
    title: str
    by: str
    versions: tuple[Version, ...]
    saved: int
    ready: str | None
    """The version marked ready, as long as it is the one that stands."""


class Link(Struct, frozen=True):
    """An alert linked to the incident. `at` in milliseconds."""

    uid: str
    alert: AlertCopy
    by: str
    at: int
