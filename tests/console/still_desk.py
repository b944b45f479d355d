"""A desk without a disk, a link or a clock that runs: what consoles are tested and drawn with.

desk = StillDesk()
tell_story(desk)                         # an incident with alerts, roles, steps, a draft
console = Console(desk)
async with console.run_test(size=(80, 24)) as pilot: ...
desk.says("bo", NoteAdded(text="…"))     # somebody else, through the server
desk.clock.now += 1000
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec

from tests.incident.making import NOW, STREAM, Clock, Writer, base_of
from warroom_console.desk import Desk
from warroom_console.link import Link, LinkState
from warroom_console.model import Area, Refusal
from warroom_console.places import Places
from warroom_console.theme import Glyphs
from warroom_incident.alerts import AlertRecord
from warroom_incident.door import DoorError
from warroom_incident.event import BOARD, Event
from warroom_incident.incident import IncidentState
from warroom_incident.linking import copy_of
from warroom_incident.practice.library import load_checklist
from warroom_incident.reducers import Right
from warroom_incident.showing import summarize
from warroom_incident.sync.wire import Person
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    AlertLinked,
    ChecklistAttached,
    DraftOpened,
    DraftSaved,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    IncidentNumbered,
    NoteAdded,
    NoteStruck,
    RoleAssigned,
    SeverityName,
    SeveritySet,
    StatusSet,
    StepSet,
)

if TYPE_CHECKING:
    from warroom_incident.reducers import Body

SECOND = 1000
MINUTE = 60 * SECOND


class StillDesk(Desk):
    """Writes straight into the model. Nothing moves unless the test moves it."""

    def __init__(self, you: str = "ana") -> None:
        self.clock = Clock(NOW)
        places = Places((), False, Path("/nowhere"), Path("/nowhere"))
        super().__init__(places, wall=self.clock)
        self.link = cast("Link", SimpleNamespace(now=self.clock, retry_now=self._hurry))
        self.model.you = self.model.account = you
        self.model.link = LinkState("live", "unix:///run/warroom/socket", 38, heard_at=NOW)
        self.model.people = [Person(you)]
        self.writers: dict[str, Writer] = {}
        self.opened: list[str] = []
        self.whereabouts: list[tuple[str, str]] = []
        self.hurried = 0
        self.unsaved_file: Path | None = None
        self.says_no: str | None = None
        """When set, the sentence with which every write is turned down."""

    @property
    def unsaved_path(self) -> Path | None:
        return self.unsaved_file

    def _hurry(self) -> None:
        self.hurried += 1

    # What the console does -----------------------------------------------------------------

    async def open(self, stream: str) -> None:
        self.opened.append(stream)

    def load(self, stream: str) -> IncidentState:
        return self.model.incident(stream)

    def here(self, where: str = "", doing: str = "") -> None:
        if self.whereabouts[-1:] != [(where, doing)]:
            self.whereabouts.append((where, doing))

    def write(self, stream: str, body: Body, base: tuple[str, ...] | None = None) -> Event:
        if self.says_no is not None:
            raise DoorError(self.says_no)
        fold = self.model.fold(stream)
        found = base_of(fold, body) if base is None else base
        event = self._writer(self.model.you).write(body, *found, stream=stream)
        self.model.pending.add(event.id)
        fold.add(event)
        self._summed_up(stream)
        self.model.touch(stream, [event.id], urgent=True)
        return event

    def write_all(self, stream: str, bodies: Sequence[Body]) -> list[Event]:
        return [self.write(stream, body) for body in bodies]

    def declare(
        self,
        title: str,
        severity: SeverityName | None = None,
        *,
        drill: bool = False,
        checklist: object = None,
    ) -> str:
        stream = "i-" + "".join(Random(title).choices("abcdefghijklmnop", k=16))
        bodies: list[Body] = [IncidentDeclared(title=title, drill=drill)]
        if severity is not None:
            bodies.append(SeveritySet(severity=severity))
        self.write_all(stream, bodies)
        return stream

    # What the server does ------------------------------------------------------------------

    def _writer(self, who: str) -> Writer:
        writer = self.writers.get(who)
        if writer is None:
            writer = self.writers[who] = Writer(who, seed=len(self.writers) + 1)
        writer.clock.now = self.clock.now
        for other in self.writers.values():
            writer.author.clock.observe(other.author.clock.last)
        return writer

    def says(
        self,
        who: str,
        body: Body,
        *,
        base: tuple[str, ...] | None = None,
        stream: str = STREAM,
        took: int = 0,
    ) -> Event:
        """Somebody's event arrives, admitted `took` milliseconds after it was written."""
        fold = self.model.fold(stream)
        found = base_of(fold, body) if base is None else base
        event = self._writer(who).write(body, *found, stream=stream)
        event = msgspec.structs.replace(event, admitted=self.clock.now + took)
        fold.add(event)
        self.model.places[event.id] = len(fold.events)
        self._summed_up(stream)
        self.model.touch(stream, [event.id])
        return event

    def acknowledge_all(self) -> None:
        """Every pending event becomes durable."""
        for stream in (*self.model.incidents, BOARD):
            fold = self.model.fold(stream)
            for id_ in sorted(self.model.pending & fold.events.keys()):
                event = fold.events[id_]
                fold.add(msgspec.structs.replace(event, admitted=self.clock.now))
                self.model.places[id_] = len(fold.events)
                self.model.pending.discard(id_)
                self.model.touch(stream, [id_], urgent=True)

    def refuse(self, event: Event, reason: str) -> None:
        """The server does not admit an own event."""
        self.model.pending.discard(event.id)
        self.model.refusals[event.id] = Refusal(event, reason, self.clock.now)
        self.model.without(event)
        self.model.note(Area.REFUSALS, urgent=True)

    def fires(self, *records: AlertRecord) -> None:
        """Alerts arrive on the board."""
        self.model.records.update({record.uid: record for record in records})
        self.model.note_records(record.uid for record in records)

    def arrives(self, *people: Person) -> None:
        """Others are here from now on."""
        names = {person.name for person in people}
        stay = [person for person in self.model.people if person.name not in names]
        self.model.people = [*stay, *people]
        self.model.note(Area.PEOPLE)

    def link_is(self, state: LinkState) -> None:
        """The link's state changes."""
        self.model.link = state
        if state.phase != "live":
            self.model.people = []
        self.model.note(Area.LINK, Area.PEOPLE)

    def right_is(self, right: Right) -> None:
        """The account has another right."""
        self.model.right = right
        self.model.note(Area.YOU)

    def _summed_up(self, stream: str) -> None:
        if stream != BOARD:
            self.model.summaries[stream] = summarize(self.model.incident(stream))
            self.model.note(Area.SUMMARIES)


class Reader:
    """A still desk as views read it."""

    def __init__(self, desk: StillDesk, stream: str | None = STREAM) -> None:
        self.model = desk.model
        self.stream = stream
        self.glyphs = Glyphs()
        self.now = desk.clock

    @property
    def state(self) -> IncidentState:
        return self.model.incident(self.stream or "i-nowhere")


def alert(uid: str, title: str, severity: str = "SEV2", **more: Any) -> AlertRecord:
    """An alert of the board, firing since three minutes before `NOW`."""
    fields: dict[str, Any] = {
        "uid": uid,
        "key": uid,
        "source": "alertmanager",
        "kind": "alertmanager",
        "episode": 1,
        "title": title,
        "severity": severity,
        "state": "firing",
        "first_seen": NOW - 3 * MINUTE,
        "last_seen": NOW,
        "starts_at": NOW - 3 * MINUTE,
        "service": "checkout",
    }
    return AlertRecord(**{**fields, **more})


ALERTS = (
    alert("a1", "checkout: 5xx above 5 %", "SEV1", count=41,
          labels={"alertname": "Api5xx", "zone": "b"},
          annotations={"runbook_url": "https://wiki/checkout"}),
    alert("a2", "orders: replica lags 40 s", "SEV2", service="orders"),
    alert("a3", "payments: queue is deep", "SEV2", service="payments", count=3),
    alert("a4", "logs-eu-2: disk 70 % full", "SEV4", service="logs"),
    alert("a5", "catalog: pods restart", "SEV3", service="catalog", state="resolved",
          ends_at=NOW, resolved_by="source"),
)  # fmt: skip


def tell_story(desk: StillDesk, stream: str = STREAM) -> None:
    """Forty minutes of an incident, ending at `NOW` plus forty minutes."""
    clock = desk.clock
    desk.arrives(Person("ana", stream), Person("bo", stream), Person("cy", "", "reading"))
    desk.fires(*ALERTS)
    says = desk.says
    says("ana", IncidentDeclared(title="Checkout fails for a third of customers"))
    says("warroom", IncidentNumbered(number="INC-42"))
    says("ana", SeveritySet(severity="SEV1"))
    says("ana", StatusSet(status="started"))
    checklist = load_checklist()
    says("ana", ChecklistAttached(checklist="ic", title=checklist.title, steps=checklist.steps))
    clock.now += MINUTE
    says("ana", RoleAssigned(role="commander", person="ana"))
    says("ana", AlertLinked(uid="a1", alert=copy_of(ALERTS[0])))
    says("bo", AlertAcknowledged(uid="a1"), stream=BOARD)
    clock.now += 2 * MINUTE
    says("bo", RoleAssigned(role="operations", person="bo"))
    says("bo", StatusSet(status="investigating"))
    says("ana", StepSet(checklist="ic", step=checklist.steps[0].id, state="done"))
    clock.now += 4 * MINUTE
    found = says("bo", NoteAdded(text="The deploy of 22:05 cut checkout's connection pool to 8"))
    says("ana", EntryStarred(target=found.id))
    wrong = says("cy", NoteAdded(text="It is the database"))
    says("cy", NoteStruck(target=wrong.id))
    clock.now += 5 * MINUTE
    says("bo", NoteAdded(text="First errors in the logs", at=NOW - 8 * MINUTE))
    says("ana", ImpactSet(field="services", text="checkout, payments"))
    says("cy", NoteAdded(text="Support has 14 tickets\nall from the EU"), took=3 * MINUTE)
    clock.now += 3 * MINUTE
    says("cy", DraftOpened(draft="d1", audience="customers", title="Checkout is failing"))
    says("cy", DraftSaved(draft="d1", text="Some checkouts fail. We are on it."))
    clock.now += 25 * MINUTE
    says("bo", StatusSet(status="mitigated"))
    desk.model.synced.add(stream)
