"""Builders for the tests of the core: writers with a clock of their own, histories, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from hypothesis import strategies as st

from warroom_incident.alerts import AlertRecord
from warroom_incident.author import Author, Counters, new_rep
from warroom_incident.clock import HybridClock
from warroom_incident.event import Event, Packet, read_packet, void_of
from warroom_incident.fields import AlertCopy, StepCopy
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.knowing import claim, informed, new_facts
from warroom_incident.log import Entry, Log
from warroom_incident.reducers import Body, Decision, Element, Removal, Write
from warroom_incident.vocabulary import (
    AlertLinked,
    DraftSaved,
    IncidentDeclared,
    NoteAdded,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    StepSet,
    TitleSet,
)

NOW = 1_700_000_000_000
STREAM = "i-" + "a" * 16
OTHER_STREAM = "i-" + "b" * 16
SKEW = 1_000_000


class Clock:
    """A wall clock that stands until it is moved. In milliseconds."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Writer:
    """One replica that writes, with its own clock; it remembers the bytes of what it wrote."""

    def __init__(self, by: str = "ana", *, seed: int = 1, now: int = NOW) -> None:
        self.by = by
        self.clock = Clock(now)
        random = Random(seed)
        counters = Counters(new_rep(random.randbytes))
        self.author = Author(counters, HybridClock(self.clock), random.randbytes)
        self.packets: dict[str, Packet] = {}

    def write(self, body: Body, *base: Event | str, stream: str = STREAM) -> Event:
        """Write an event that names its base."""
        ids = tuple(one if isinstance(one, str) else one.id for one in base)
        event, packet = self.author.write(stream, self.by, body, ids)
        self.packets[event.id] = packet
        return event

    def act(self, state: Fold, body: Body, stream: str = STREAM) -> Event:
        """Write an event as a console does that shows `state`, and add it there."""
        if isinstance(body, Decision):
            body = informed(body, state)
        event = self.write(body, *base_of(state, body), stream=stream)
        state.add(event)
        self.author.clock.observe(event.head.hlc)
        return event

    def notes(self, count: int, stream: str = STREAM) -> list[Entry]:
        """Write so many notes, ready for a log."""
        events = [self.write(NoteAdded(text=f"note {n}"), stream=stream) for n in range(count)]
        return self.entries(events)

    def entries(self, events: Sequence[Event]) -> list[Entry]:
        """Events of this writer, ready for a log."""
        return [Entry(event, self.packets[event.id]) for event in events]


def base_of(state: Fold, body: Body) -> tuple[str, ...]:
    """What a console that shows `state` names as the base of a new event."""
    if isinstance(body, Write):
        return state.base_for(body.key)
    if isinstance(body, Element | Removal) or not isinstance(state, IncidentState):
        return ()
    return state.known_closings()


def ana() -> Writer:
    """One author."""
    return Writer("ana", seed=1)


def bo() -> Writer:
    """Another one, who has seen nothing of what the first wrote."""
    return Writer("bo", seed=2)


def arrange(events: Sequence[Event], order: Sequence[int]) -> IncidentState:
    """The state of events that came in some order."""
    return incident([events[place] for place in order])


def admitted(event: Event, at: int) -> Event:
    """The event as a server hands it on that admitted it at `at`."""
    return msgspec.structs.replace(event, admitted=at)


def withheld(packet: Packet, at: int | None = None, reason: str = "it held a password") -> Event:
    """The event as it looks when its body is withheld."""
    return read_packet(Packet(packet.head, None, reason), at)


def void(writer: Writer, event: Event) -> Entry:
    """What everybody sees of an event that was refused."""
    packet = void_of(writer.packets[event.id], "not now")
    return Entry(read_packet(packet), packet)


def sign(message: bytes) -> bytes:
    """A signature that is good enough to tell whose it is."""
    return sha256(b"key" + message).digest()


def verify(message: bytes, signature: bytes) -> bool:
    """Whether a signature is of `sign`."""
    return signature == sign(message)


def new_log(path: Path, **kwargs: Any) -> Log:
    """A log at a path, made when it is missing."""
    return Log.create_or_open(path, new_id="log-1", **kwargs)


def incident(events: Sequence[Event] = ()) -> IncidentState:
    """The state of some events."""
    state = IncidentState(STREAM)
    state.extend(events)
    return state


def alert(uid: str = "a1", *, state: str = "firing", last_seen: int = 0) -> AlertCopy:
    """A copy of an alert."""
    return AlertCopy(
        uid=uid,
        key=f"key-{uid}",
        source="prometheus",
        title=f"alert {uid}",
        severity="SEV2",
        state=state,
        last_seen=last_seen,
    )


def alert_record(uid: str, **fields: object) -> AlertRecord:
    """An alert episode as the board keeps it."""
    plain = {
        "uid": uid,
        "key": f"key-{uid}",
        "source": "prometheus",
        "kind": "alertmanager",
        "title": f"alert {uid}",
        "severity": "SEV2",
        "state": "firing",
        "episode": NOW,
        "first_seen": NOW,
        "last_seen": NOW,
        "starts_at": NOW,
    }
    return msgspec.convert({**plain, **fields}, AlertRecord)


STEPS = (StepCopy(id="s1", text="Take command"), StepCopy(id="s2", text="Set a severity"))

BODIES: list[Body] = [
    IncidentDeclared(title="Checkout is down"),
    TitleSet(title="Checkout is slow"),
    TitleSet(title="Checkout is down for all"),
    SeveritySet(severity="SEV1"),
    SeveritySet(severity="SEV2"),
    SeveritySet(severity="SEV3"),
    StatusSet(status="investigating"),
    StatusSet(status="resolved"),
    StatusSet(status="closed"),
    RoleAssigned(role="commander", person="ana"),
    RoleAssigned(role="commander", person="bo"),
    RoleAssigned(role="scribe"),
    StepSet(checklist="c1", step="s1", state="done"),
    StepSet(checklist="c1", step="s1", state="open"),
    DraftSaved(draft="d1", text="We are looking into it."),
    DraftSaved(draft="d1", text="We have found the cause."),
    AlertLinked(uid="a1", alert=alert()),
    AlertLinked(uid="a1"),
    NoteAdded(text="The queue is empty."),
]
"""What people do, drawn from by the property tests."""

bodies = st.sampled_from(BODIES)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Event, Packet]]:
    """What three people with skewed clocks wrote, seeing parts of what the others wrote."""
    skews = draw(st.lists(st.integers(-SKEW, SKEW), min_size=3, max_size=3))
    writers = [Writer(name, seed=seed) for seed, name in enumerate(("ana", "bo", "cy"))]
    states = [incident() for _ in writers]
    events: list[tuple[Event, Packet]] = []
    for step in range(draw(st.integers(1, 14))):
        place = draw(st.integers(0, 2))
        writer, state = writers[place], states[place]
        writer.clock.now = NOW + skews[place] + step
        if events:
            for number in draw(st.lists(st.integers(0, len(events) - 1), max_size=6)):
                state.add(events[number][0])
        event = writer.act(state, draw(bodies))
        events.append((event, writer.packets[event.id]))
    return events


@st.composite
def deliveries(draw: st.DrawFn) -> list[Event]:
    """A history as it may arrive: admitted by several servers, refused by some, redacted later."""
    found: list[Event] = []
    for _, packet in draw(histories()):
        stamps = st.one_of(st.none(), st.integers(NOW - 5, NOW + 5))
        for at in draw(st.lists(stamps, min_size=1, max_size=3)):
            found.append(read_packet(packet, at))
        if draw(st.integers(0, 4)) == 0:
            found.append(withheld(packet, draw(stamps)))
        if draw(st.integers(0, 4)) == 0:
            found.append(read_packet(void_of(packet, "not now"), draw(stamps)))
    return found


def picture(state: IncidentState) -> dict[str, object]:
    """Everything that two replicas with the same events must show alike."""
    keys = sorted(state.registers)
    return {
        "set": state.set_digest(),
        "state": state.state_digest(),
        "order": state.ordered,
        "events": {id_: (e.admitted, e.withheld) for id_, e in state.events.items()},
        "heads": {key: [(e.id, e.admitted) for e in state.heads(key)] for key in keys},
        "base": {key: state.base_for(key) for key in keys},
        "history": {key: [e.id for e in state.history(key)] for key in keys},
        "conflicts": [(c.key, [e.id for e in c.writes]) for c in state.conflicts()],
        "late": sorted(id_ for id_, e in state.events.items() if state.is_late(e)),
        "present": sorted(state.present()),
        "vector": state.vector,
        "claim": claim(state),
        "facts": {e.id: [f.id for f in new_facts(state, e)] for e in state.events.values()},
        "shown": (
            *(state.title, state.severity, state.status, state.started_at, state.ended_at),
            *(state.roles(), state.drafts(), state.links(), state.checklists(), state.people()),
        ),
    }
