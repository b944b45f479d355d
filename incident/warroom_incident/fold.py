"""The state of one stream: the sum of its events, in any order of arrival.

A fold holds every event once, the registers with their writes, and the sets with their elements.
The same set of events gives the same state on every replica; the server's admission stamps only
say what is shown first while people have not settled a conflict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import islice

import msgspec

from .event import MAX_BASE, Event
from .reducers import Append, Element, Key, Pick, Removal, Write
from .vocabulary import TYPES


class Register:
    """The writes to one register, and those of them that no other write replaces."""

    __slots__ = ("heads", "replaced", "writes")

    def __init__(self) -> None:
        self.writes: dict[str, Event] = {}
        self.heads: dict[str, Event] = {}
        self.replaced: set[str] = set()

    def add(self, event: Event) -> None:
        """Take in a write."""
        self.writes[event.id] = event
        if event.id not in self.replaced:
            self.heads[event.id] = event
        if event.head.base:
            self.replace(event.head.base)

    def replace(self, base: Iterable[str]) -> None:
        """Take note of replaced writes, those not seen yet among them."""
        self.replaced.update(base)
        for id_ in base:
            self.heads.pop(id_, None)


class Fold:
    """The state of one stream."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.entries: dict[str, dict[str, Event]] = {}
        self.registers: dict[Key, Register] = {}
        self._keys: dict[str, list[Key]] = {}
        self.elements: dict[Key, dict[str, Event]] = {}
        self.removed: set[str] = set()
        self.withheld: dict[str, Event] = {}
        self.overruled: set[str] = set()
        self.vector: dict[str, int] = {}
        self._order: list[tuple[int, tuple[int, int], str]] = []
        self._new: list[Event] = []
        self._ids: list[str] = []
        self._peak = (0, 0)

    def add(self, event: Event) -> bool:
        """Take in an event; return whether anything changed.

        An event that is here already only brings its admission stamp (the earliest counts), the
        news that its body is withheld, that somebody vouches for it, or that a server admitted
        what another one had refused.
        """
        known = self.events.get(event.id)
        if known is not None:
            return self._again(known, event)
        self.events[event.id] = event
        self._new.append(event)
        head = event.head
        is_withheld = event.withheld is not None
        if head.n > self.vector.get(head.rep, 0) and not (is_withheld and event.refused):
            self.vector[head.rep] = head.n
        if is_withheld:
            self.withheld[event.id] = event
            if not (event.refused or event.may_be_withheld or event.via is not None):
                self._stand_by(event)
            self._bridge(event)
        else:
            self._reduce(event)
        return True

    def _reduce(self, event: Event) -> None:
        body = event.body
        if event.via is not None and body.is_guarded:
            return
        if isinstance(body, Append):
            self.entries.setdefault(body.type, {})[event.id] = event
        elif isinstance(body, Write):
            key = body.key
            register = self.registers.get(key)
            if register is None:
                register = self.registers[key] = Register()
                self._keys.setdefault(key[0], []).append(key)
            register.add(event)
            if event.id in self.overruled:
                register.replace((event.id,))
            if self.withheld:
                self._look_through(register, event.head.base)
        elif isinstance(body, Element):
            if event.id not in self.removed:
                self.elements.setdefault(body.key, {})[event.id] = event
        elif isinstance(body, Removal):
            self._remove(event.head.base)

    def _remove(self, base: Iterable[str]) -> None:
        self.removed.update(base)
        for elements in self.elements.values():
            for id_ in base:
                elements.pop(id_, None)

    def _stand_by(self, gone: Event) -> None:
        """Nothing that it took away or replaced comes back because its body is missing."""
        kind = TYPES.get(gone.head.type)
        if kind is not None and issubclass(kind, Removal):
            self._remove(gone.head.base)
        else:
            self.overruled.update(gone.head.base)
            for register in self.registers.values():
                register.replace(gone.head.base)

    def _again(self, known: Event, event: Event) -> bool:
        admitted = _admission(known, event)
        via = min(known.via, event.via) if known.via and event.via else None
        weight = _weight(event) - _weight(known)
        if weight > 0:
            self._rebuild(msgspec.structs.replace(event, admitted=admitted, via=via))
            return True
        if weight == 0 and via != known.via:
            self._rebuild(msgspec.structs.replace(known, admitted=admitted, via=via))
            return True
        if admitted == known.admitted:
            return False
        stamped = msgspec.structs.replace(known, admitted=admitted)
        for place in self._places(known):
            if event.id in place:
                place[event.id] = stamped
        if stamped.shown_at != known.shown_at:
            self._order = []
            self._new = list(self.events.values())
            self._peak = (0, 0)
        return True

    def _places(self, event: Event) -> list[dict[str, Event]]:
        """Everywhere that an event which was added may be held."""
        body = event.body
        if event.withheld is not None:
            return [self.events, self.withheld]
        if event.via is not None and body.is_guarded:
            return [self.events]
        if isinstance(body, Append):
            return [self.events, self.entries[body.type]]
        if isinstance(body, Write):
            register = self.registers[body.key]
            return [self.events, register.writes, register.heads]
        if isinstance(body, Element):
            return [self.events, self.elements.get(body.key, {})]
        return [self.events]

    def _rebuild(self, event: Event) -> None:
        """A body came or was withheld after the event had been read: sum up again."""
        events = {**self.events, event.id: event}
        Fold.__init__(self)
        self.extend(events.values())

    def _bridge(self, gone: Event) -> None:
        """Whoever replaced a withheld write replaced what that one had replaced."""
        for register in self.registers.values():
            if gone.id in register.replaced:
                self._look_through(register, (gone.id,))

    def _look_through(self, register: Register, base: Iterable[str]) -> None:
        todo = [id_ for id_ in base if id_ in self.withheld]
        seen = set(todo)
        while todo:
            deeper = self.withheld[todo.pop()].head.base
            register.replace(deeper)
            new = [id_ for id_ in deeper if id_ in self.withheld and id_ not in seen]
            seen.update(new)
            todo.extend(new)

    def extend(self, events: Iterable[Event]) -> None:
        """Take in many events."""
        add = self.add
        for event in events:
            add(event)

    # Reading -------------------------------------------------------------------------------

    @property
    def ordered(self) -> Sequence[str]:
        """All events' ids in displayed order, oldest first: the same object until it changes."""
        if self._new:
            self._order += [(event.shown_at, event.head.hlc, event.id) for event in self._new]
            self._order.sort()
            self._new = []
            self._peak = (0, 0)
            self._ids = [entry[2] for entry in self._order]
        return self._ids

    @property
    def changed_at(self) -> int:
        """When the last event in displayed order was shown, in milliseconds; 0 without any."""
        # Told several times a second while events come in: only the new ones are looked at.
        count, latest = self._peak
        latest = max((event.shown_at for event in islice(self._new, count, None)), default=latest)
        self._peak = (len(self._new), max(latest, self._peak[1]))
        return max(self._peak[1], self._order[-1][0] if self._order else 0)

    def heads(self, key: Key) -> list[Event]:
        """The writes to a register that count, the one to show first.

        Several heads mean that their authors had not seen each other's.
        """
        register = self.registers.get(key)
        return [] if register is None else picked(list(register.heads.values()))

    def history(self, key: Key) -> list[Event]:
        """Every write to a register in displayed order."""
        register = self.registers.get(key)
        return [] if register is None else sorted(register.writes.values(), key=_order_of)

    def base_for(self, key: Key) -> tuple[str, ...]:
        """What a new write to a register replaces: every write that counts now."""
        register = self.registers.get(key)
        return () if register is None else tuple(sorted(register.heads)[:MAX_BASE])

    def keys(self, register: str) -> Sequence[Key]:
        """The addresses of all registers of one kind."""
        return self._keys.get(register, [])

    def present(self) -> list[str]:
        """The ids of the events that make up the present state, without the timeline's entries.

        A replica that holds just these shows the right registers and sets.
        """
        ids = [
            id_
            for register in self.registers.values()
            for id_, event in register.heads.items()
            if event.body.present
        ]
        for elements in self.elements.values():
            ids.extend(elements)
        for entries in self.entries.values():
            # All entries of a type answer alike, and there may be many thousands of notes.
            if next(iter(entries.values())).body.present:
                ids.extend(entries)
        return ids

    def contested(self) -> list[str]:
        """The entries of the writes that have not seen each other, in registers with several.

        Which of them is shown first hangs on their earliest admission stamps.
        """
        registers = (one for one in self.registers.values() if len(one.heads) > 1)
        return [event.entry for register in registers for event in register.heads.values()]

    # Digests -------------------------------------------------------------------------------

    def set_digest(self) -> str:
        """The digest of which events are held: equal wherever the same ones are."""
        total = sum(
            int(id_ if event.via is None and event.withheld is None else event.entry, 16)
            for id_, event in self.events.items()
        )
        return f"{total % 2**256:064x}"

    def state_digest(self) -> str:
        """The digest of what the events add up to, free of clocks of admission."""
        state = (
            sorted(self.events),
            sorted((key, sorted(register.heads)) for key, register in self.registers.items()),
            sorted((key, sorted(elements)) for key, elements in self.elements.items() if elements),
            sorted(self.withheld),
        )
        return sha256(msgspec.json.encode(state)).hexdigest()


def _order_of(event: Event) -> tuple[int, tuple[int, int], str]:
    return event.order


def _weight(event: Event) -> int:
    """Which of two forms of an event counts.

    A redaction stands for ever, where there may be one; an admission outweighs a refusal
    elsewhere, hearsay does not.
    """
    if event.withheld is None:
        return 1 if event.via is not None else 4
    if event.refused:
        return 2
    if event.via is not None:
        return 0
    return 5 if event.may_be_withheld else 3


def _admission(known: Event, event: Event) -> int | None:
    """When an event was first admitted, of which two forms are known.

    When a server refused or heard it says nothing of that.
    """
    ranks = [min(_weight(form), 3) for form in (known, event)]
    if ranks[0] == ranks[1]:
        return _earlier(known.admitted, event.admitted)
    return known.admitted if ranks[0] > ranks[1] else event.admitted


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def picked(heads: list[Event]) -> list[Event]:
    """Sort heads: by rank where the register has one, else by the server's first admission.

    A head that no server admitted yet comes last: its author's clock decides nothing.
    """
    if len(heads) > 1:
        heads.sort(key=precedence)
    return heads


def precedence(event: Event) -> tuple[int, float, str]:
    """What heads are sorted by: rank, first admission, id."""
    body = event.body
    rank = body.rank if isinstance(body, Write) and body.pick is Pick.RANK else 0
    return (-rank, float("inf") if event.admitted is None else event.admitted, event.id)
