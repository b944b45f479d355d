"""What a responder does in the Runbook panel: tick, skip, begin, own, note; attach checklists."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.verbs.guards import both, in_incident
from warroom_console.verbs.people import choose_person
from warroom_console.verbs.shelf import library
from warroom_console.views.runbook import RunbookView, find, headline
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_incident.author import new_id
from warroom_incident.clean import clean_line
from warroom_incident.parts import Checklist, Step
from warroom_incident.vocabulary import (
    ChecklistAttached,
    StepNoted,
    StepOwned,
    StepSet,
    StepState,
)

if TYPE_CHECKING:
    from warroom_incident.practice.library import Library

_LONGEST_NOTE = 12_000


def register(registry: Registry[Ctx]) -> None:
    """Add the panel's actions and the command `attach`."""
    on_step = both(in_incident, _on_step)

    def step(
        name: str, keys: tuple[str, ...], title: str, told: str, do: Callable[[Ctx, Args], None]
    ) -> Action[Ctx]:
        return Action(f"runbook.{name}", keys, title, told, do, scope=Scope.RUNBOOK, when=on_step)

    registry.register(
        step("tick", ("space",), "Tick", "Tick the step, or open it again.", tick),
        step("begin", ("b",), "Begin", "Say that the step is under way.", begin),
        step("skip", ("-", "S"), "Skip", "Leave the step out, or take it in again.", skip),
        step("own", ("o",), "Own", "Take the step on, or give it back.", own),
        step("give", ("O",), "Give", "Choose who does the step.", give),
        step("write", ("w",), "Write", "Note something on the step.", write),
        Action(
            "runbook.attach",
            ("A",),
            "Attach",
            "Copy the steps of another runbook into the incident.",
            attach,
            scope=Scope.RUNBOOK,
            when=in_incident,
            command="attach",
            usage="RUNBOOK",
            hints=_names,
        ),
        Action(
            "runbook.earlier",
            ("<",),
            "Back",
            "Show the checklist before this one.",
            partial(turn, -1),
            scope=Scope.RUNBOOK,
            when=_several,
            shown=False,
        ),
        Action(
            "runbook.later",
            (">",),
            "Next list",
            "Show the next checklist.",
            partial(turn, 1),
            scope=Scope.RUNBOOK,
            when=_several,
        ),
    )


# Steps -------------------------------------------------------------------------------------


def tick(ctx: Ctx, _args: Args) -> None:
    """Tick a step, or open one that is done."""
    _set(ctx, "done", "Ticked")


def begin(ctx: Ctx, _args: Args) -> None:
    """Say that a step is under way, or no more."""
    _set(ctx, "doing", "Began")


def skip(ctx: Ctx, _args: Args) -> None:
    """Skip a step, or take a skipped one in again."""
    for _, step in _steps(ctx):
        if step.state == "done":
            by = f"{clean_line(step.by, 20)} ticked it" if step.by else "it was ticked"
            ctx.flash(f"{_named(step)} is done: {by}. Space opens it again.", Tone.WARN)
            return
    _set(ctx, "skipped", "Skipped")


def own(ctx: Ctx, _args: Args) -> None:
    """Take a step on, or give an own one back."""
    for checklist, step in _steps(ctx):
        you = ctx.model.you
        if step.state == "done":
            by = clean_line(step.by, 20) if step.by else "somebody"
            owner = f", {clean_line(step.owner, 20)} owns it" if step.owner else ""
            ctx.flash(f"{_named(step)} is done: {by} ticked it{owner}.", Tone.WARN)
        elif step.owner == you:
            said = f"Gave back {_named(step)}"
            ctx.write(StepOwned(checklist=checklist.id, step=step.copy.id), said=said)
        else:
            before = f", which was {clean_line(step.owner, 20)}'s" if step.owner else ""
            body = StepOwned(checklist=checklist.id, step=step.copy.id, owner=you)
            ctx.write(body, said=f"You own {_named(step)}{before}")


def give(ctx: Ctx, _args: Args) -> None:
    """Choose who does a step."""
    for checklist, step in _steps(ctx):

        def then(person: str | None, checklist: Checklist = checklist, step: Step = step) -> None:
            who = clean_line(person, 20) if person else "Nobody"
            body = StepOwned(checklist=checklist.id, step=step.copy.id, owner=person)
            ctx.write(body, said=f"{who} owns {_named(step)}")

        first = [step.owner] if step.owner else []
        choose_person(ctx, "Who does it", then, first=first, nobody="leave it to anybody")


def write(ctx: Ctx, _args: Args) -> None:
    """Note something on a step."""
    for checklist, step in _steps(ctx):

        def then(text: str, checklist: Checklist = checklist, step: Step = step) -> None:
            if text.strip():
                body = StepNoted(checklist=checklist.id, step=step.copy.id, text=text.strip())
                ctx.write(body, said=f"Noted on {_named(step)}")

        ctx.ask(Ask(f"on {_named(step)}: ", then, check=_note_complaint))


def _set(ctx: Ctx, state: StepState, did: str) -> None:
    for checklist, step in _steps(ctx):
        back = step.state == state
        body = StepSet(checklist=checklist.id, step=step.copy.id, state="open" if back else state)
        ctx.write(body, said=f"{'Opened' if back else did} {_named(step)}")


def _steps(ctx: Ctx) -> list[tuple[Checklist, Step]]:
    found = (find(ctx.state, row_id) for row_id in ctx.targets)
    return [one for one in found if one is not None]


def _on_step(ctx: Ctx) -> str | None:
    return None if _steps(ctx) else "no step under the cursor"


def _named(step: Step) -> str:
    return f"“{clean_line(headline(step), 32)}”"


def _note_complaint(text: str) -> str | None:
    over = len(text.strip()) - _LONGEST_NOTE
    return f"{over} characters too long" if over > 0 else None


# Checklists --------------------------------------------------------------------------------


def turn(by: int, ctx: Ctx, _args: Args) -> None:
    """Show another of the attached checklists."""
    view = ctx.view
    if isinstance(view, RunbookView) and view.turn(ctx.state, by) is not None:
        ctx.refresh()


def attach(ctx: Ctx, args: Args) -> None:
    """Attach the runbook that is named, or the one chosen from a menu."""
    books = library()
    if args.text:
        attach_named(ctx, args.text)
        return
    attached = {checklist.title for checklist in ctx.state.checklists()}
    choices = []
    for name in books.names("runbooks"):
        title = _title(books, name)
        note = f"{title} (attached)" if title in attached else title
        choices.append(Choice(name, name, clean_line(note, 60)))
    ctx.choose("Attach a runbook", choices, partial(attach_named, ctx))


def attach_named(ctx: Ctx, name: str) -> None:
    """Copy the steps of a runbook into the incident and show them."""
    try:
        runbook = library().runbook(name)
    except ValueError as error:
        ctx.flash(clean_line(str(error)), Tone.WARN)
        return
    if not runbook.steps:
        ctx.flash(f"“{clean_line(runbook.title, 40)}” has no steps: it is only to be read.")
        return
    left = f"; {runbook.left_out} more steps are in the file only" if runbook.left_out else ""
    body = ChecklistAttached(checklist=new_id(os.urandom), title=runbook.title, steps=runbook.steps)
    said = f"Attached “{clean_line(runbook.title, 40)}”, {len(runbook.steps)} steps{left}"
    if ctx.write(body, said=said):
        view = ctx.view
        if isinstance(view, RunbookView):
            view.chosen = body.checklist
            ctx.refresh()


def _title(books: Library, name: str) -> str:
    """The title that a runbook gives itself, by a look that costs nothing."""
    try:
        text = books.text("runbooks", name)
    except ValueError:
        return ""
    headings = (line[2:].strip() for line in text.splitlines() if line.startswith("# "))
    return next(headings, "")


def _several(ctx: Ctx) -> str | None:
    return None if len(ctx.state.checklists()) > 1 else "only one checklist is attached"


def _names(_ctx: Ctx, _args: Args) -> Iterable[str]:
    return library().names("runbooks")
