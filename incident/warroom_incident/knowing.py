"""What the author of a decision knew: told in the decision itself, and never read off a clock.

Everything here follows from which events are held and when a server first admitted them, so every
replica that holds the same says the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from .event import Event
from .fold import Fold
from .incident import IncidentState
from .reducers import Decision, Key, Write
from .vocabulary import StatusSet

Seen = dict[str, int]
Unseen = dict[str, tuple[tuple[int, int], ...]]

MAX_HOLES = 500
"""How many ranges of unread events a closing names; it claims the shortest beyond that."""

_FACTS = frozenset({"severity", "status", "role", "impact", "alert"})
"""The registers that a decision on an incident builds on."""

_DECIDED = frozenset({*_FACTS, "title", "step", "step.owner"})
"""The registers whose writes are told apart by what their authors knew."""


def claim(state: Fold) -> tuple[Seen, Unseen]:
    """How far every replica was read, and what below that is not held here.

    A void does not count as read: what it stands for may be admitted yet.
    """
    held: dict[str, set[int]] = {}
    for event in state.events.values():
        if not event.refused:
            held.setdefault(event.head.rep, set()).add(event.head.n)
    seen = {rep: max(counts) for rep, counts in held.items()}
    holes = [(rep, hole) for rep, counts in held.items() for hole in _holes(sorted(counts))]
    holes.sort(key=lambda found: found[1][0] - found[1][1])
    unseen: dict[str, list[tuple[int, int]]] = {}
    for rep, hole in holes[:MAX_HOLES]:
        unseen.setdefault(rep, []).append(hole)
    return seen, {rep: tuple(sorted(found)) for rep, found in unseen.items()}


def _holes(counts: list[int]) -> Iterator[tuple[int, int]]:
    """The ranges from 1 on that are missing among rising numbers."""
    last = 0
    for count in counts:
        if count > last + 1:
            yield last + 1, count - 1
        last = count


def facts_seen(state: Fold) -> Seen:
    """How far those replicas were read that stated what decisions build on."""
    reps = {
        event.head.rep
        for key, register in state.registers.items()
        if key[0] in _FACTS
        for event in register.writes.values()
    }
    return {rep: state.vector[rep] for rep in sorted(reps) if rep in state.vector}


def informed(body: Decision, state: Fold) -> Decision:
    """A decision that tells what whoever takes it here knows."""
    if isinstance(body, StatusSet) and body.status == "closed":
        seen, unseen = claim(state)
        return msgspec.structs.replace(body, seen=seen, unseen=unseen)
    return msgspec.structs.replace(body, seen=facts_seen(state), unseen={})


def is_fact(event: Event) -> bool:
    """Whether decisions on an incident build on an event."""
    return isinstance(event.body, Write) and event.body.key[0] in _FACTS


def new_facts(state: IncidentState, event: Event) -> list[Event]:
    """What a server had admitted before a decision, and its author did not know; oldest first.

    Of a decision that does not tell what its author knew, only writes to the same register count.
    """
    body = event.body
    if not isinstance(body, Write) or body.key[0] not in _DECIDED or state.is_late(event):
        return []
    seen = body.seen if isinstance(body, Decision) else {}
    until = float("inf") if event.admitted is None else event.admitted
    # An incident may have thousands of facts and hundreds of decisions: the cheap questions first.
    found = [
        other
        for key in _keys(state, body)
        for other in state.registers[key].writes.values()
        if other.admitted is not None
        and other.admitted < until
        and (not seen or other.head.n > seen.get(other.head.rep, 0) or _is_hole(body, other))
        and other.head.by != event.head.by
        and not (key == body.key and _value(other) == body.value)
        and not state.is_late(other)
    ]
    if not found:
        return []
    ancestors = _ancestors(state, event)
    return sorted((o for o in found if o.id not in ancestors), key=lambda other: other.order)


def _keys(state: Fold, body: Write) -> list[Key]:
    if isinstance(body, Decision) and body.seen:
        return [key for key in state.registers if key[0] in _FACTS]
    return [body.key] if body.key in state.registers else []


def _is_hole(body: Write, other: Event) -> bool:
    """Whether a decision says that it had not read something, although it had read on."""
    if not isinstance(body, Decision) or not body.unseen:
        return False
    return not body.knew(other.head.rep, other.head.n)


def _ancestors(state: Fold, event: Event) -> set[str]:
    """The ids of all events that a write replaced, and that those had replaced."""
    found: set[str] = set()
    todo = list(event.head.base)
    while todo:
        if (id_ := todo.pop()) not in found:
            found.add(id_)
            known = state.events.get(id_)
            todo.extend(known.head.base if known is not None else ())
    return found


def _value(event: Event) -> object:
    return event.body.value if isinstance(event.body, Write) else None
