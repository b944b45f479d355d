"""The state of one incident, read from the fold of its stream.

Everything is derived when asked: the registers hold the truth, this module names them. An event
that a closing had not seen is *late*: it stays in the record and changes nothing else.
"""

from __future__ import annotations

from itertools import islice

from .event import MAX_BASE, Event
from .fields import StepCopy
from .fold import Fold, picked, precedence
from .parts import Checklist, Conflict, Draft, Link, RoleHeld, Step, Version
from .reducers import Append, Key, Pick, Right, Write
from .vocabulary import (
    AlertChanged,
    AlertLinked,
    ChecklistAttached,
    DraftOpened,
    DraftReadied,
    DraftSaved,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    IncidentNumbered,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    StepNoted,
    StepOwned,
    StepSet,
    TitleSet,
)

IMPACT_FIELDS = (
    "started_at",
    "detected_by",
    "services",
    "users",
    "regions",
    "data_loss",
    "workaround",
    "reports",
)


_NOTES = (NoteAdded, NoteEdited)


class IncidentState(Fold):
    """What an incident is now."""

    def __init__(self, stream: str) -> None:
        super().__init__()
        self.stream = stream
        self._last_note: tuple[dict[str, Event] | None, str, int, Event | None]
        self._last_note = (None, "", 0, None)

    # Closing -------------------------------------------------------------------------------

    @property
    def closings(self) -> list[Event]:
        """The closings that stand: nothing that knew of them opened the incident again."""
        register = self.registers.get(("status",))
        if register is None:
            return []
        return [e for e in register.heads.values() if _closes(e)]

    @property
    def closed(self) -> bool:
        """Whether the incident is closed."""
        return bool(self.closings)

    def is_late(self, event: Event) -> bool:
        """Whether an event came after a closing that had not seen it, knowing nothing of it.

        What servers write by themselves, such as the number, is no part of anybody's decision.
        """
        closings = self.closings
        if not closings or any(event.id == closing.id for closing in closings):
            return False
        if event.body.needs is Right.ADMIN:
            return False
        for closing in closings:
            body = closing.body
            assert isinstance(body, StatusSet)
            if closing.id in event.head.base:
                return False
            if body.knew(event.head.rep, event.head.n):
                return False
        return True

    def heads(self, key: Key) -> list[Event]:
        """As in `Fold`, but late writes change nothing."""
        heads = super().heads(key)
        if len(heads) == 0 or not self.closings or not any(self.is_late(e) for e in heads):
            return heads
        writes = self.registers[key].writes
        late = {id_: e for id_, e in writes.items() if self.is_late(e)}
        timely = {id_: e for id_, e in writes.items() if id_ not in late}
        replaced: set[str] = set()
        todo = [id_ for e in timely.values() for id_ in e.head.base]
        while todo:
            if (id_ := todo.pop()) in replaced:
                continue
            replaced.add(id_)
            passed = late.get(id_) or self.withheld.get(id_)
            if passed is not None:  # whoever replaced it replaced what it had replaced
                todo.extend(passed.head.base)
        return picked([e for id_, e in timely.items() if id_ not in replaced])

    def present(self) -> list[str]:
        """As in `Fold`, and the writes that count because a late one does not."""
        ids = super().present()
        if self.closings:
            timely = (e for key in self.registers for e in self.heads(key) if e.body.present)
            ids = list(dict.fromkeys((*ids, *(e.id for e in timely))))
        return ids

    def contested(self) -> list[str]:
        """As in `Fold`, and the writes that count because a late one does not."""
        entries = super().contested()
        if self.closings:
            counting = [self.heads(key) for key in self.registers]
            timely = (e.entry for heads in counting if len(heads) > 1 for e in heads)
            entries = list(dict.fromkeys((*entries, *timely)))
        return entries

    def base_for(self, key: Key) -> tuple[str, ...]:
        """As in `Fold`, and the closings that the author has seen."""
        closings = self.known_closings()
        others = (id_ for id_ in super().base_for(key) if id_ not in closings)
        return tuple(sorted((*closings, *islice(others, MAX_BASE - len(closings)))))

    def known_closings(self) -> tuple[str, ...]:
        """What an event names in its base so that it does not count as late."""
        return tuple(sorted(e.id for e in self.closings)[:MAX_BASE])

    # Registers -----------------------------------------------------------------------------

    def _write(self, key: Key) -> Write | None:
        if key not in self.registers:
            return None  # as it is with most notes: nobody edits, strikes or stars them
        heads = self.heads(key)
        body = heads[0].body if heads else None
        return body if isinstance(body, Write) else None

    @property
    def declared(self) -> Event | None:
        """The declaration, the first admitted if merged halves brought several."""
        return min(self._entries(IncidentDeclared), key=precedence, default=None)

    def _entries(self, kind: type[Append]) -> list[Event]:
        return sorted(self.entries.get(kind.type, {}).values(), key=lambda e: e.order)

    @property
    def known(self) -> bool:
        """Whether anything of the incident has been read."""
        return bool(self.events)

    @property
    def number(self) -> str:
        """`INC-7`, or `INC-~k3f9` until a server numbers the incident."""
        body = self._write(("number",))
        return body.number if isinstance(body, IncidentNumbered) else provisional(self.stream)

    @property
    def title(self) -> str:
        """The title."""
        body = self._write(("title",))
        if isinstance(body, TitleSet):
            return body.title
        declared = self.declared
        if declared is not None and isinstance(declared.body, IncidentDeclared):
            return declared.body.title
        return "untitled"

    @property
    def drill(self) -> bool:
        """Whether this is a drill."""
        declared = self.declared
        return (
            declared is not None
            and isinstance(declared.body, IncidentDeclared)
            and declared.body.drill
        )

    @property
    def severity(self) -> str:
        """The severity shown: `SEV?` until somebody sets one."""
        body = self._write(("severity",))
        return body.severity if isinstance(body, SeveritySet) else "SEV?"

    @property
    def status(self) -> str:
        """The status shown; `closed` outranks whatever has not seen it."""
        if self.closed:
            return "closed"
        body = self._write(("status",))
        return body.status if isinstance(body, StatusSet) else "started"

    @property
    def started_at(self) -> int | None:
        """When it was declared, in milliseconds."""
        declared = self.declared
        return declared.shown_at if declared is not None else None

    @property
    def ended_at(self) -> int | None:
        """When it was closed or, before that, resolved; None while it goes on."""
        register = self.registers.get(("status",))
        if register is None or self.status not in ("resolved", "closed"):
            return None
        heads = self.closings or self.heads(("status",))[:1]
        ends: dict[str, int] = {}
        todo = list(heads)
        while todo:
            event = todo.pop()
            if event.id not in ends and _ends(event):
                ends[event.id] = event.shown_at
                todo.extend(e for e in map(register.writes.get, event.head.base) if e)
        return min(ends.values(), default=None)

    def impact(self, field: str) -> str | None:
        """A fact of the impact, None while nobody stated it."""
        body = self._write(("impact", field))
        return body.text if isinstance(body, ImpactSet) else None

    def holder(self, role: str) -> str | None:
        """Who holds a role."""
        body = self._write(("role", role))
        return body.person if isinstance(body, RoleAssigned) else None

    def roles(self) -> dict[str, RoleHeld]:
        """The roles that somebody holds."""
        held = {}
        for key in self.keys("role"):
            heads = self.heads(key)
            body = heads[0].body if heads else None
            if isinstance(body, RoleAssigned) and body.person is not None:
                held[body.role] = RoleHeld(body.role, body.person, heads[0].shown_at)
        return held

    def conflicts(self) -> list[Conflict]:
        """The registers in which people disagree without knowing, in a stable order."""
        found = []
        closed = self.closed
        registers = self.registers.items()
        for key in sorted(key for key, one in registers if closed or len(one.heads) > 1):
            if key == ("status",) and closed:
                continue
            heads = self.heads(key)
            bodies = [e.body for e in heads if isinstance(e.body, Write)]
            if bodies and bodies[0].pick is Pick.EARLIEST and len({b.value for b in bodies}) > 1:
                found.append(Conflict(key, tuple(heads)))
        return found

    # Timeline ------------------------------------------------------------------------------

    def note(self, event: Event) -> NoteAdded | NoteEdited | None:
        """The wording of a note that stands: its author's last edit, else the original."""
        body = self._write(("text", event.id))
        if isinstance(body, NoteEdited):
            return body
        return event.body if isinstance(event.body, NoteAdded) else None

    def is_struck(self, event_id: str) -> bool:
        """Whether a note was struck out."""
        body = self._write(("struck", event_id))
        return isinstance(body, NoteStruck) and body.struck

    def is_starred(self, event_id: str) -> bool:
        """Whether an entry is marked as a key event."""
        body = self._write(("star", event_id))
        return isinstance(body, EntryStarred) and body.starred

    def last_note(self, person: str) -> Event | None:
        """The newest note that somebody wrote; asked often, it looks only at what came since."""
        notes = self.entries.get(NoteAdded.type, {})
        of, whose, looked, last = self._last_note
        if of is not notes or whose != person:
            looked, last = 0, None
        for event in islice(reversed(notes.values()), len(notes) - looked):
            if event.head.by == person and (last is None or event.order > last.order):
                last = event
        self._last_note = (notes, person, len(notes), last)
        return last

    def happened_at(self, event: Event) -> int:
        """When what an entry tells happened, in milliseconds: back-dated notes say it."""
        edited = ("text", event.id) in self.registers
        note = self.note(event) if edited else event.body
        dated = note.at if isinstance(note, _NOTES) else None
        return event.shown_at if dated is None else dated

    def people(self) -> list[str]:
        """Everybody who wrote an event, servers excepted, in order of appearance."""
        seen: dict[str, None] = {}
        for id_ in self.ordered:
            event = self.events[id_]
            if event.body.needs.value != "admin":
                seen.setdefault(event.head.by)
        return list(seen)

    # Alerts, checklists, drafts ------------------------------------------------------------

    def links(self) -> list[Link]:
        """The linked alerts, the first linked first, each as last seen by a server."""
        found = []
        for key in self.keys("alert"):
            heads = self.heads(key)
            body = heads[0].body if heads else None
            if isinstance(body, AlertLinked) and body.alert is not None:
                changed = self._write(("alert.state", body.uid))
                copy = changed.alert if isinstance(changed, AlertChanged) else body.alert
                found.append(Link(body.uid, copy, heads[0].head.by, heads[0].shown_at))
        return sorted(found, key=lambda link: (link.at, link.uid))

    def checklists(self) -> list[Checklist]:
        """The attached checklists in the order of attachment."""
        notes: dict[tuple[str, str], list[Event]] = {}
        for event in self._entries(StepNoted):
            if isinstance(event.body, StepNoted):
                notes.setdefault((event.body.checklist, event.body.step), []).append(event)
        lists: dict[str, Checklist] = {}
        for event in self._entries(ChecklistAttached):
            body = event.body
            assert isinstance(body, ChecklistAttached)
            if body.checklist not in lists:
                steps = tuple(
                    self._step(body.checklist, copy, notes.get((body.checklist, copy.id), []))
                    for copy in body.steps
                )
                lists[body.checklist] = Checklist(body.checklist, body.title, steps)
        return list(lists.values())

    def _step(self, checklist: str, copy: StepCopy, notes: list[Event]) -> Step:
        heads = self.heads(("step", checklist, copy.id))
        body = heads[0].body if heads else None
        owned = self._write(("step.owner", checklist, copy.id))
        return Step(
            copy,
            body.state if isinstance(body, StepSet) else "open",
            owned.owner if isinstance(owned, StepOwned) else None,
            heads[0].head.by if heads else None,
            heads[0].shown_at if heads else None,
            tuple(notes),
        )

    def drafts(self) -> list[Draft]:
        """The drafts in the order in which they were begun."""
        drafts: dict[str, Draft] = {}
        for event in self._entries(DraftOpened):
            body = event.body
            assert isinstance(body, DraftOpened)
            if body.draft not in drafts:
                drafts[body.draft] = self._draft(event, body)
        return list(drafts.values())

    def _draft(self, event: Event, body: DraftOpened) -> Draft:
        key = ("draft", body.draft)
        versions = tuple(
            Version(e.id, e.body.text, e.head.by, e.shown_at)
            for e in self.heads(key)
            if isinstance(e.body, DraftSaved)
        )
        ready = self._write(("ready", body.draft))
        version = ready.version if isinstance(ready, DraftReadied) else None
        stands = len(versions) == 1 and versions[0].id == version
        return Draft(
            body.draft,
            body.audience,
            body.title,
            event.head.by,
            versions,
            len(self.history(key)),
            version if stands else None,
        )


def provisional(stream: str) -> str:
    """The name of an incident that no server has numbered: `INC-~` and four letters."""
    return f"INC-~{stream[2:6]}"


def _ends(event: Event) -> bool:
    return isinstance(event.body, StatusSet) and event.body.status in ("resolved", "closed")


def _closes(event: Event) -> bool:
    return isinstance(event.body, StatusSet) and event.body.status == "closed"
