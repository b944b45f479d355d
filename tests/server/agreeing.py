"""What machines that have met must agree on, whatever happened to them before."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from tests.server.desks import Desk
from tests.server.machines import STREAMS, House, Machine
from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Right
from warroom_incident.vocabulary import Unknown
from warroom_server.identity import Caller

REFUSALS = (
    "your account may only read here",
    "only the incident commander",
    "it was refused here",
)
"""How every refusal begins that this house can bring about: none is about a clock."""

DOUBTS = [
    ("admitted", "heard"),
    ("admitted", "refused"),
    ("refused", None),
    ("withheld", None),
    ("withheld", "admitted"),
]
"""Which form a console may hold of what its server lost, and the servers then."""


def form(event: Event) -> str:
    """Which form of an event counts somewhere."""
    if event.withheld is not None:
        return "refused" if event.refused else "withheld"
    return "admitted" if event.via is None else "heard"


def picture(state: IncidentState) -> dict[str, object]:
    """All that two machines which hold the same must show alike."""
    keys = sorted(state.registers)
    return {
        "set": state.set_digest(),
        "state": state.state_digest(),
        "shown": shown(state),
        "heads": [(key, [event.id for event in state.heads(key)]) for key in keys],
        "conflicts": [(c.key, [event.id for event in c.writes]) for c in state.conflicts()],
    }


def shown(state: IncidentState) -> tuple[object, ...]:
    """What people act on."""
    holders = {role: held.holder for role, held in state.roles().items()}
    return (state.title, state.severity, state.status, holders, state.ended_at is None)


def without_late(state: IncidentState) -> IncidentState:
    """An incident without what late events say.

    What they replaced stays replaced: whoever saw them replaced that as well.
    """
    timely = IncidentState(state.stream)
    timely.extend(
        msgspec.structs.replace(event, body=Unknown(), withheld="late")
        if state.is_late(event) and event.withheld is None
        else event
        for event in state.events.values()
    )
    return timely


def without(state: IncidentState, ids: Collection[str]) -> IncidentState:
    """An incident without some of its events."""
    rest = IncidentState(state.stream)
    rest.extend(event for id_, event in state.events.items() if id_ not in ids)
    return rest


def hold_the_same(desk: Desk, house: House) -> None:
    """See that a console and a server that have just met hold the same."""
    for stream in STREAMS:
        mine, theirs = desk.fold(stream), house.fold(stream)
        assert set(theirs.events) <= set(mine.events)
        # Whoever may only read hands on nothing unproven, and nobody what has no body.
        if house.room.right_of(Caller(desk.account)).covers(Right.RESPONDER):
            whole = {id_ for id_, event in mine.events.items() if event.withheld is None}
            assert whole - set(desk.refused) <= set(theirs.events)
    assert not desk.outbox, "everything was answered"


def agree(
    houses: Sequence[House],
    desks: Sequence[Desk],
    stream: str,
    withheld: Collection[str],
    *,
    lost: bool,
) -> None:
    """See that all who have met show an incident alike.

    Args:
        houses: The servers.
        desks: The consoles.
        stream: The incident.
        withheld: The events whose text somebody took out.
        lost: Whether a server's disk was lost: what it had said, with its seal, cannot be known
            again.
    """
    first, *others = [house.fold(stream) for house in houses]
    gone = {id_ for id_, event in first.events.items() if form(event) == "withheld"}
    assert gone <= set(withheld)
    machines: list[Machine] = [*houses, *desks]
    for machine in machines:
        assert not gone & machine.stored().keys(), machine.name
    for state in others:
        assert picture(state) == picture(first)
    told = {id_: form(event) for id_, event in first.events.items()}
    for desk in desks:
        state = desk.fold(stream)
        forms = {id_: form(event) for id_, event in state.events.items()}
        assert told.keys() <= forms.keys(), desk.name
        disputed = {id_ for id_ in forms if forms[id_] != told.get(id_)}
        assert lost or not disputed, desk.name
        for id_ in disputed:
            assert (forms[id_], told.get(id_)) in DOUBTS
        if not disputed:
            assert picture(state) == picture(first), desk.name
