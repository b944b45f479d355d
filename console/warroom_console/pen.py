"""The pen: writes events as this console's replica, and says no where the server would."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from warroom_incident.author import Entropy, new_id
from warroom_incident.door import DoorError
from warroom_incident.event import VERSION, Event, Head, Packet, check_packet, make_packet
from warroom_incident.incident import IncidentState
from warroom_incident.knowing import informed
from warroom_incident.reducers import Append, Body, Decision, Write
from warroom_incident.vocabulary import (
    ChecklistAttached,
    IncidentDeclared,
    SeverityName,
    SeveritySet,
    StatusSet,
)

from .home import Home
from .model import Model

if TYPE_CHECKING:
    from warroom_incident.practice.runbook import Runbook

_NOBODY = "a" * 16
_NOTHING = sha256(b"").hexdigest()
_LARGE = 2**52
"""A count and times that take no less room in a head than real ones."""


class NotAllowed(DoorError):
    """This account may not write that; the message is one sentence."""


class Pen:
    """Writes events under the name that the server knows this user by."""

    def __init__(self, model: Model, home: Home) -> None:
        self._model = model
        self._home = home

    def write(
        self, stream: str, body: Body, base: tuple[str, ...] | None = None
    ) -> tuple[Event, Packet]:
        """Make one event; by default it replaces whatever counts now.

        Raises:
            DoorError: It may not be written; nothing was counted.
        """
        self._check_right(body)
        fold = self._model.fold(stream)
        if isinstance(body, Decision) and not body.seen:
            body = informed(body, fold)
        if base is None:
            base = self.base(stream, body)
        return self._home.slot.author.write(stream, self._model.you, body, base)

    def write_all(self, stream: str, bodies: Sequence[Body]) -> list[tuple[Event, Packet]]:
        """Make several events, all or none.

        Raises:
            DoorError: One of them may not be written; nothing was counted.
        """
        for body in bodies:
            self._check_right(body)
            check_packet(make_packet(self._sketch(stream, body), body))
        return [self.write(stream, body) for body in bodies]

    def base(self, stream: str, body: Body) -> tuple[str, ...]:
        """What a write replaces now, or which closings an entry has seen."""
        fold = self._model.fold(stream)
        if isinstance(body, Write):
            return fold.base_for(body.key)
        if isinstance(body, Append) and isinstance(fold, IncidentState):
            return fold.known_closings()
        return ()

    def _check_right(self, body: Body) -> None:
        model = self._model
        if not model.you:
            raise NotAllowed(
                "Nothing can be written before a server was reached for the first time."
            )
        if not model.right.covers(body.needs):
            raise NotAllowed(
                f"Your account has the right “{model.right.value}”, and this takes "
                f"“{body.needs.value}”: ask an admin of the room."
            )

    def _sketch(self, stream: str, body: Body) -> Head:
        base = self.base(stream, body)
        return Head(
            VERSION,
            stream,
            _NOBODY,
            _LARGE,
            _NOTHING,
            base,
            (_LARGE, 0),
            _LARGE,
            self._model.you,
            body.type,
            "",
        )


def declaration(
    title: str,
    severity: SeverityName | None,
    drill: bool,
    checklist: Runbook | None,
    own: str,
    entropy: Entropy,
) -> list[Body]:
    """What a declaration says in one go; the IC's checklist comes with it, by default the `own`."""
    if checklist is None:
        from warroom_incident.practice.library import own_checklist

        checklist = own_checklist(own)
    bodies: list[Body] = [IncidentDeclared(title=title, drill=drill)]
    if severity is not None:
        bodies.append(SeveritySet(severity=severity))
    bodies.append(StatusSet(status="started"))
    name = new_id(entropy)
    bodies.append(ChecklistAttached(checklist=name, title=checklist.title, steps=checklist.steps))
    return bodies
