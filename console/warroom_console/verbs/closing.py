"""Closing an incident, behind `i x`: who may, what is left undone, and what will count as late."""

from __future__ import annotations

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.verbs.guards import both, in_incident
from warroom_console.views.roles import COMMANDER
from warroom_incident.clean import clean_line
from warroom_incident.knowing import informed
from warroom_incident.practice.words import counted
from warroom_incident.reducers import Right
from warroom_incident.vocabulary import StatusSet


def register(registry: Registry[Ctx]) -> None:
    """Add `i x` and `:close`, the last of the incident's menu."""
    registry.register(
        Action("incident.close", ("x",), "Close it", "Say that nothing more is expected.",
               close, scope=Scope.ROOM, leader="i", tier=1, when=both(in_incident, may_close),
               command="close"),
    )  # fmt: skip


def may_close(ctx: Ctx) -> str | None:
    """Why this person may not close the incident."""
    if ctx.state.closed:
        return "it is closed already"
    mine = ctx.state.holder(COMMANDER) == ctx.model.you
    if mine or ctx.model.right.covers(Right.COMMANDER):
        return None
    holder = ctx.state.holder(COMMANDER)
    who = f"{clean_line(holder, 20)}, who commands" if holder else "a commander (i c takes it)"
    return f"only {who}, or a “commander” account may"


def close(ctx: Ctx, _args: Args) -> None:
    """Close the incident after a question."""
    if reason := may_close(ctx):
        ctx.flash(f"Not closed: {reason}.", Tone.WARN)
        return
    state = ctx.state
    key = ("status",)
    # What others write while the question stands was not seen: it must not be swept away.
    base = state.base_for(key)
    body = informed(StatusSet(status="closed"), state)

    def then() -> None:
        ctx.write(body, base=base, said=f"{state.number} closed")

    ctx.confirm(f"Close {state.number}{_left_undone(ctx)}? {_late(ctx)}", then)


def _late(ctx: Ctx) -> str:
    """What will count as late: also what this console has not read yet."""
    unread = ctx.model.behind.get(ctx.stream or "", 0)
    if not unread:
        return "What is written later counts as late."
    entries = counted(unread, "entry", "entries")
    return f"{entries}, unread here, and what is written later count as late."


def _left_undone(ctx: Ctx) -> str:
    steps = [step for checklist in ctx.state.checklists() for step in checklist.steps]
    open_steps = sum(step.state in ("open", "doing") for step in steps)
    if not open_steps:
        return ""
    return f" with {open_steps} step{'s' if open_steps > 1 else ''} open"
