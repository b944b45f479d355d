"""What a responder does to the incident itself, behind `i`: severity, status, title, command."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.verbs.closing import close, may_close
from warroom_console.verbs.guards import both, in_incident, may_write, word_check
from warroom_console.verbs.lobby import declare, severity_choices, title_complaint
from warroom_console.verbs.people import choose_person, name_check, read_name
from warroom_console.verbs.roles import take_command
from warroom_console.views.roles import COMMANDER
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_incident.clean import clean_line
from warroom_incident.practice.severity import SEVERITIES, parse_severity, severity_of
from warroom_incident.practice.status import STATUSES, parse_status, status_of
from warroom_incident.vocabulary import (
    RoleAssigned,
    SeverityName,
    SeveritySet,
    StatusName,
    StatusSet,
    TitleSet,
)


def register(registry: Registry[Ctx]) -> None:
    """Add the `i` menu's actions and their commands."""
    room = Scope.ROOM
    registry.register(
        Action("incident.severity", ("s",), "Severity", "Set how bad it is.", severity,
               scope=room, leader="i", when=in_incident,
               command="severity", usage="SEV2", hints=_severities,
               check=word_check(parse_severity)),
        Action("incident.status", ("t",), "Status", "Set where it stands.", status,
               scope=room, leader="i", when=in_incident,
               command="status", usage="mitigated", hints=_statuses,
               check=word_check(parse_status)),
        Action("incident.command", ("c",), "Take command", "Take command of the incident.",
               lambda ctx, _args: take_command(ctx), scope=room, leader="i",
               when=both(in_incident, _in_command),
               command="take"),
        Action("incident.hand-over", ("h",), "Hand over", "Give command to somebody else.",
               hand_over, scope=room, leader="i", when=in_incident,
               command="handover", usage="PERSON", hints=_people, check=name_check),
        Action("incident.rename", ("r",), "Rename", "Give the incident a better title.", rename,
               scope=room, leader="i", when=in_incident, command="title", usage="TITLE",
               check=lambda _ctx, args: title_complaint(args.text)),
        Action("incident.declare", ("d",), "Declare", "Declare another incident.",
               partial(declare, False), scope=room, leader="i", when=may_write),
    )  # fmt: skip


# Severity ----------------------------------------------------------------------------------


def severity(ctx: Ctx, args: Args) -> None:
    """Set the severity that is named or chosen."""
    if args.text:
        try:
            set_severity(ctx, parse_severity(args.text).id)
        except ValueError as error:
            ctx.flash(str(error), Tone.WARN)
        return
    choices = severity_choices(ctx, ctx.state.severity)
    ctx.choose("Severity", choices, lambda word: set_severity(ctx, severity_of(word).id))


def set_severity(ctx: Ctx, chosen: SeverityName) -> None:
    """Write a severity."""
    if chosen == ctx.state.severity and not _disputed(ctx, "severity"):
        ctx.flash(f"It is {chosen} already.")
        return
    ctx.write(SeveritySet(severity=chosen), said=f"Severity {chosen}")


def _disputed(ctx: Ctx, register: str) -> bool:
    return any(conflict.key == (register,) for conflict in ctx.state.conflicts())


def _severities(_ctx: Ctx, _args: Args) -> Iterable[str]:
    return [each.id for each in SEVERITIES]


# Status ------------------------------------------------------------------------------------


def status(ctx: Ctx, args: Args) -> None:
    """Set the status that is named or chosen; closing asks first."""
    if args.text:
        try:
            set_status(ctx, parse_status(args.text).id)
        except ValueError as error:
            ctx.flash(str(error), Tone.WARN)
        return
    now = ctx.state.status
    choices = [
        Choice(
            each.id,
            each.id,
            ("now: " if each.id == now else "") + each.meaning,
            str(number),
            may_close(ctx) if each.id == "closed" else None,
        )
        for number, each in enumerate(STATUSES, 1)
    ]
    ctx.choose("Status", choices, lambda word: set_status(ctx, status_of(word).id))


def set_status(ctx: Ctx, chosen: StatusName) -> None:
    """Write a status."""
    if chosen == ctx.state.status and not _disputed(ctx, "status"):
        ctx.flash(f"It is {chosen} already.")
    elif chosen == "closed":
        close(ctx, Args())
    else:
        ctx.write(StatusSet(status=chosen), said=f"Status {chosen}")


def _statuses(_ctx: Ctx, _args: Args) -> Iterable[str]:
    return [each.id for each in STATUSES]


# Title -------------------------------------------------------------------------------------


def rename(ctx: Ctx, args: Args) -> None:
    """Set the title that is typed; what stood when the edit began is what is replaced."""
    base = ctx.state.base_for(("title",))

    def then(text: str) -> None:
        if complaint := title_complaint(text):
            ctx.flash(f"Not renamed: {complaint}.", Tone.WARN)
        elif text.strip() != ctx.state.title:
            ctx.write(TitleSet(title=text.strip()), base=base, said="Renamed")

    if args.text:
        then(args.text)
    else:
        title = clean_line(ctx.state.title)
        ctx.ask(Ask("title: ", then, text=title, check=title_complaint))


# Command -----------------------------------------------------------------------------------


def _in_command(ctx: Ctx) -> str | None:
    mine = ctx.state.holder(COMMANDER) == ctx.model.you
    return "you are in command" if mine and not ctx.state.conflicts() else None


def hand_over(ctx: Ctx, args: Args) -> None:
    """Give command to the person who is named or chosen."""

    def then(person: str | None) -> None:
        if person is None:
            return
        who = "You are" if person == ctx.model.you else f"{clean_line(person, 30)} is"
        ctx.write(RoleAssigned(role=COMMANDER, person=person), said=f"{who} in command")

    if args.text:
        then(read_name(ctx, args.text))
    else:
        choose_person(ctx, "Hand command over to", then, first=_others(ctx))


def _others(ctx: Ctx) -> list[str]:
    """Who might take command: the deputy first, never this person first."""
    deputy = ctx.state.holder("deputy")
    names = [deputy] if deputy is not None else []
    return [name for name in (*names, *ctx.people()) if name != ctx.model.you]


def _people(ctx: Ctx, _args: Args) -> Iterable[str]:
    return _others(ctx)
