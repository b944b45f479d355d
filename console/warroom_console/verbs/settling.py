"""Settling a conflict: both values, who set them and when; one key keeps one of them."""

from __future__ import annotations

from functools import partial

import msgspec

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.times import clock
from warroom_console.verbs.guards import both, in_incident
from warroom_console.views.due import subject
from warroom_console.widgets.menu import Choice
from warroom_incident.clean import clean_line
from warroom_incident.parts import Conflict
from warroom_incident.reducers import Decision, Write


def register(registry: Registry[Ctx]) -> None:
    """Add `i o`."""
    registry.register(
        Action("incident.settle", ("o",), "Agree on", "Settle what people disagree about.",
               settle, scope=Scope.ROOM, leader="i", when=both(in_incident, _none),
               command="settle"),
    )  # fmt: skip


def _none(ctx: Ctx) -> str | None:
    return None if ctx.state.conflicts() else "nobody disagrees about anything"


def settle(ctx: Ctx, _args: Args) -> None:
    """Choose a conflict where there are several, then the value that stays."""
    conflicts = ctx.state.conflicts()
    if len(conflicts) == 1:
        _choose_value(ctx, conflicts[0])
        return
    choices = [
        Choice(str(place), _title(conflict), _values(conflict), str(place + 1)[-1])
        for place, conflict in enumerate(conflicts[:9])
    ]
    ctx.choose("People disagree about", choices, lambda at: _choose_value(ctx, conflicts[int(at)]))


def _title(conflict: Conflict) -> str:
    return clean_line(subject(conflict.key), 40)


def _values(conflict: Conflict) -> str:
    return " or ".join(_value(event.body) for event in conflict.writes)


def _value(body: object) -> str:
    value = body.value if isinstance(body, Write) else None
    match value:
        case None:
            return "nothing"
        case True | False:
            return "yes" if value else "no"
        case _:
            return clean_line(str(value), 40)


def _choose_value(ctx: Ctx, conflict: Conflict) -> None:
    base = tuple(sorted({event.id for event in conflict.writes} | set(ctx.state.known_closings())))
    choices = [
        Choice(
            str(place),
            _value(event.body),
            f"{clean_line(event.head.by, 20)} at {clock(event.shown_at)}Z"
            + (", shown for now" if place == 0 else ""),
            str(place + 1),
        )
        for place, event in enumerate(conflict.writes[:9])
    ]
    about = _title(conflict)
    asked = f"Who{about[3:]}?" if about.startswith("who ") else f"What stays as {about}?"
    ctx.choose(asked, choices, partial(_keep, ctx, conflict, base))


def _keep(ctx: Ctx, conflict: Conflict, base: tuple[str, ...], place: str) -> None:
    body = conflict.writes[int(place)].body
    if not isinstance(body, Write):
        return
    body = msgspec.structs.replace(body, salt="")
    if isinstance(body, Decision):  # what was known then is not what is known now
        body = msgspec.structs.replace(body, seen={}, unseen={})
    ctx.write(body, base=base, said=f"Agreed on {_value(body)}")
