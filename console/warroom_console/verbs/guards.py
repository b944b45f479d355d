"""Guards: why a person cannot do something now, in one sentence, or None when they can.

A guard looks at what is there, a check at what was typed behind a command's word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from warroom_console.actions import Args
from warroom_console.context import Ctx
from warroom_incident.reducers import Right

Guard: TypeAlias = Callable[[Ctx], str | None]
Check: TypeAlias = Callable[[Ctx, Args], str | None]


def may_write(ctx: Ctx) -> str | None:
    """Why nothing can be written in this room."""
    model = ctx.model
    if not model.you:
        return "no server was ever reached from here, so nobody knows your name"
    if not model.right.covers(Right.RESPONDER):
        return "you are a viewer here: ask an admin for the right to act"
    return None


def in_incident(ctx: Ctx) -> str | None:
    """Why nothing can be written to an incident: none is open, or the right is missing."""
    if ctx.stream is None:
        return "no incident is open: choose one in the lobby"
    return may_write(ctx)


def on_row(ctx: Ctx) -> str | None:
    """Why there is nothing to act on."""
    return None if ctx.targets else "no row under the cursor"


def both(*guards: Guard) -> Guard:
    """A guard that says the first reason that any of the guards has."""

    def guard(ctx: Ctx) -> str | None:
        return next((reason for each in guards if (reason := each(ctx)) is not None), None)

    return guard


def word_check(parse: Callable[[str], object]) -> Check:
    """A check that says what `parse` has against the text, which it raises as a ValueError."""

    def check(_ctx: Ctx, args: Args) -> str | None:
        return complaint_of(parse, args.text)

    return check


def complaint_of(parse: Callable[[str], object], text: str) -> str | None:
    """What `parse` has against a text, which it raises as a ValueError."""
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return None
