"""The model: what this console knows, as plain objects that views read.

Whoever brings news (`Desk`) changes it and says what changed; views subscribe, are told whether
it is urgent (an own action) or may wait for their next flush, and take what changed with `take()`.
Nothing here knows a screen, a socket or a disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from warroom_incident.alerts import AlertRecord
from warroom_incident.beats import Beat
from warroom_incident.board import BoardState
from warroom_incident.catchup import Digest
from warroom_incident.changes import Change
from warroom_incident.event import BOARD, ROOM, Event
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.practice.custom import SHIPPED
from warroom_incident.reducers import Right
from warroom_incident.room import RoomState
from warroom_incident.suggesting import Suggestions
from warroom_incident.sync.wire import Answer, Person, Place, Summary

from .link import LinkState
from .weighing import Weighing

SUGGEST_EVERY = 5_000
"""How often a storm is weighed anew for suggestions, in milliseconds."""

Mark = Literal["pending", "durable", "held", "refused"]

MARKS: dict[Mark, str] = {"pending": "○", "durable": "●", "held": "◉", "refused": "✗"}
"""How far an event got: in my outbox, on the server, on another machine too, nowhere."""


class Area(StrEnum):
    """What may change apart from a stream's events."""

    LINK = "link"
    YOU = "you"
    PEOPLE = "people"
    SUMMARIES = "summaries"
    RECORDS = "records"
    BEATS = "beats"
    CHANGES = "changes"
    MARKS = "marks"
    PROGRESS = "progress"
    """How much of a stream is still to come, and which are read to their end."""
    REFUSALS = "refusals"
    TROUBLE = "trouble"
    DIGEST = "digest"
    """What happened while this console was away."""


class Changes(Struct, frozen=True):
    """What changed since the last look: areas, alert episodes, and per stream the event ids.

    An event that changes another (an edit, a star) brings that one's id too.
    """

    areas: frozenset[Area]
    events: dict[str, frozenset[str]]
    records: frozenset[str]


class Refusal(Struct, frozen=True):
    """An own event that the server did not admit. `at` in milliseconds."""

    event: Event
    reason: str
    at: int


class Model:
    """What this console knows. Read freely; only `Desk` writes."""

    room = ""
    you = ""
    """The name that this console writes under; empty before the first contact."""
    account = ""
    right = Right.RESPONDER
    practice = SHIPPED
    """The room's own severities and audiences."""
    checklist = ""
    """The text of the room's own checklist for the commander; empty where it is as shipped."""
    link = LinkState()
    as_of: int | None = None
    """When a server was last heard of, in milliseconds: how old the picture is offline."""
    machines = 0
    """How many machines hold all of the room, 0 while no server said so."""
    board_edition = 0
    """Grows with every change of the alerts, and of what people did to them."""
    weighed_edition = 0
    """Grows when something has come that was worked out of the alerts for a while."""
    records_edition = 0
    """Grows with every change of the alerts themselves."""
    picture: object = None
    """What views last worked out from the board."""
    trouble = ""
    """One sentence on what is wrong with this console's disk or the server's, else empty."""

    def __init__(self, joined_at: int) -> None:
        self.joined_at = joined_at
        """When this console was opened, in milliseconds."""
        self.runbooks: dict[str, str] = {}
        """The titles of the server's own runbooks, by their names."""
        self.incidents: dict[str, IncidentState] = {}
        self.board = BoardState()
        self.members = RoomState()
        self.summaries: dict[str, Summary] = {}
        self.records: dict[str, AlertRecord] = {}
        self.beats: dict[str, Beat] = {}
        """The signs of life of alert paths, by their keys."""
        self.changes: dict[str, Change] = {}
        """What was deployed or set, by uid: the last day's, and each service's last."""
        self.past: dict[str, Answer] = {}
        """What a server answered about the past of alerts that were looked into, by their uids."""
        self.alertmanagers: list[str] = []
        """Where alerts can be silenced at their source, as the server of this connection says."""
        self.people: list[Person] = []
        self.servers: list[Place] = []
        """Who keeps the room, as far as a server ever said."""
        self.stale: dict[str, int] = {}
        """What is shown as it was in an earlier connection, and when: named as the digests are."""
        self.digests: dict[str, Digest] = {}
        """What happened in the last absence, per incident; the lobby's has an empty name."""
        self.held: dict[str, int] = {}
        """Per stream, up to which place a machine other than the server's holds it."""
        self.places: dict[str, int] = {}
        """The places (`iseq`) of events in their stream on the server."""
        self.suggesting = Weighing[Suggestions](self.weighed, SUGGEST_EVERY)
        """What looks like an incident, or like a part of one."""
        self.refusals: dict[str, Refusal] = {}
        self.pending: set[str] = set()
        """The ids of the events in the outbox."""
        self.behind: dict[str, int] = {}
        """Per followed stream, how many events are still to come."""
        self.current: set[str] = set()
        """The streams whose present state and newest entries this connection has brought."""
        self.synced: set[str] = set()
        """The streams that this connection has brought to their end."""
        self._troubles: dict[str, str] = {}
        self._areas: set[Area] = set()
        self._events: dict[str, set[str]] = {}
        self._records: set[str] = set()
        self._listeners: list[Callable[[bool], None]] = []

    # Reading -------------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Whether a server is connected."""
        return self.link.phase == "live"

    def fold(self, stream: str) -> Fold:
        """The state of a stream; one that was not heard of yet begins empty."""
        match stream:
            case _ if stream == BOARD:
                return self.board
            case _ if stream == ROOM:
                return self.members
            case _:
                return self.incident(stream)

    def incident(self, stream: str) -> IncidentState:
        """The state of an incident; one that was not heard of yet begins empty."""
        state = self.incidents.get(stream)
        if state is None:
            state = self.incidents[stream] = IncidentState(stream)
        return state

    def mark(self, event: Event) -> Mark:
        """How far an event got."""
        if event.id in self.refusals or event.refused:
            return "refused"
        if event.admitted is None:
            return "pending"
        place = self.places.get(event.id)
        held = self.held.get(event.head.stream, 0)
        return "held" if place is not None and place <= held else "durable"

    # Changing ------------------------------------------------------------------------------

    def without(self, event: Event, void: Event | None = None) -> None:
        """Sum up a stream again without an event that was refused, with its void in its place."""
        stream = event.head.stream
        fold = self.fold(stream)
        rest = [other for other in fold.events.values() if other.id != event.id]
        match stream:
            case _ if stream == BOARD:
                self.board = BoardState()
                self.board_edition += 1
            case _ if stream == ROOM:
                self.members = RoomState()
            case _:
                self.incidents[stream] = IncidentState(stream)
        self.fold(stream).extend(rest if void is None else [*rest, void])
        self.touch(stream, fold.events, urgent=True)

    def touch(self, stream: str, ids: Iterable[str], *, urgent: bool = False) -> None:
        """Note that events of a stream came or changed, and tell the subscribers."""
        events = self.fold(stream).events
        if stream == BOARD:
            self.board_edition += 1
        changed = self._events.setdefault(stream, set())
        for id_ in ids:
            changed.add(id_)
            event = events.get(id_)
            target = getattr(event.body, "target", None) if event is not None else None
            if target is not None:
                changed.add(target)
        self._tell(urgent)

    def note(self, *areas: Area, urgent: bool = False) -> None:
        """Note that areas changed, and tell the subscribers."""
        self._areas.update(areas)
        self._tell(urgent)

    def troubled(self, source: str, sentence: str) -> None:
        """Note what is wrong somewhere, or with an empty sentence that it is over."""
        self._troubles[source] = sentence
        # A wrong clock can wait: it must not hide that a disk is full.
        ordered = sorted(self._troubles.items(), key=lambda item: item[0] == "clock")
        said = next((text for _, text in ordered if text), "")
        if said != self.trouble:
            self.trouble = said
            self.note(Area.TROUBLE, urgent=True)

    def note_records(self, uids: Iterable[str]) -> None:
        """Note that alert episodes changed, and tell the subscribers."""
        self._records.update(uids)
        self.board_edition += 1
        self.records_edition += 1
        self.note(Area.RECORDS)

    def weighed(self) -> None:
        """Note that something has come that was worked out of the alerts."""
        self.weighed_edition += 1
        self.note(Area.RECORDS)

    def _tell(self, urgent: bool) -> None:
        for listener in tuple(self._listeners):
            listener(urgent)

    # Watching ------------------------------------------------------------------------------

    @property
    def changed(self) -> bool:
        """Whether anything changed since the last `take`."""
        return bool(self._areas or self._events)

    def take(self) -> Changes:
        """Hand over what changed since the last time, and start afresh."""
        changes = Changes(
            frozenset(self._areas),
            {stream: frozenset(ids) for stream, ids in self._events.items()},
            frozenset(self._records),
        )
        self._areas, self._events, self._records = set(), {}, set()
        return changes

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call `listener(urgent)` after every change; the returned function ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    async def until(self, condition: Callable[[], bool], within: float) -> bool:
        """Wait until something holds, at most so many seconds; return whether it does."""
        stirred = asyncio.Event()
        unsubscribe = self.subscribe(lambda _urgent: stirred.set())
        try:
            async with asyncio.timeout(within):
                while not condition():
                    stirred.clear()
                    await stirred.wait()
        except TimeoutError:
            pass
        finally:
            unsubscribe()
        return condition()
