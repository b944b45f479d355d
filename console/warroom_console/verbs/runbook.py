"""What a responder does in the Runbook panel: tick, skip, begin, own, note; attach checklists."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.shelf import library
from warroom_console.theme import Tone
from warroom_console.verbs.guards import Guard, both, in_incident, word_check
from warroom_console.verbs.people import choose_person
from warroom_console.views.runbook import RunbookView, find, headline
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_console.widgets.spans import cut
from warroom_incident.author import new_id
from warroom_incident.clean import clean_line
from warroom_incident.parts import Checklist, Step
from warroom_incident.sync.settling import RUNBOOK
from warroom_incident.sync.wire import Ask as Question
from warroom_incident.vocabulary import (
    ChecklistAttached,
    StepNoted,
    StepOwned,
    StepSet,
    StepState,
)

if TYPE_CHECKING:
    from warroom_incident.practice.library import Library
    from warroom_incident.practice.runbook import Runbook

_LONGEST_NOTE = 12_000

Steps: TypeAlias = list[tuple[Checklist, Step]]

_SET: Mapping[StepState, str] = {"done": "Ticked", "doing": "Began", "skipped": "Skipped"}
_BACK: Mapping[StepState, str] = {
    "open": "Opened",
    "doing": "Under way again:",
    "done": "Done again:",
    "skipped": "Skipped again:",
}


def register(registry: Registry[Ctx]) -> None:
    """Add the panel's actions and the command `attach`."""
    on_step = both(in_incident, _on_step)
    to_do = both(on_step, _to_do)

    def step(
        name: str,
        keys: tuple[str, ...],
        title: str,
        told: str,
        do: Callable[[Ctx, Args], None],
        when: Guard = on_step,
    ) -> Action[Ctx]:
        return Action(f"runbook.{name}", keys, title, told, do, scope=Scope.RUNBOOK, when=when)

    registry.register(
        step("tick", ("space",), "Tick", "Tick the step, or take that back.", tick),
        step("begin", ("b",), "Begin", "Say that the step is under way.", begin),
        step("skip", ("-", "S"), "Skip", "Leave the step out, or take it in again.", skip, to_do),
        step("own", ("o",), "Own", "Take the step on, or give it back.", own, to_do),
        step("give", ("O",), "Give", "Choose who does the step.", give, to_do),
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
            check=_attach_check,
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
    """Tick a step, or take that back."""
    _set(ctx, _steps(ctx), "done")


def begin(ctx: Ctx, _args: Args) -> None:
    """Say that a step is under way, or no more."""
    _set(ctx, _steps(ctx), "doing")


def skip(ctx: Ctx, _args: Args) -> None:
    """Skip a step, or take a skipped one in again as it was; what is done stays done."""
    _set(ctx, _unfinished(ctx), "skipped")


def own(ctx: Ctx, _args: Args) -> None:
    """Take a step on, or give an own one back."""
    you, found = ctx.model.you, _unfinished(ctx)
    others = [(checklist, step) for checklist, step in found if step.owner != you]
    if not others:
        _give(ctx, found, None, f"Gave back {_all_named(found)}")
        return
    owner = others[0][1].owner
    before = f", which was {clean_line(owner, 20)}'s" if owner and len(others) == 1 else ""
    _give(ctx, others, you, f"You own {_all_named(others)}{before}")


def give(ctx: Ctx, _args: Args) -> None:
    """Choose who does a step."""
    found = _unfinished(ctx)

    def then(person: str | None) -> None:
        who = clean_line(person, 20) if person else "Nobody"
        _give(ctx, found, person, f"{who} owns {_all_named(found)}")

    first = dict.fromkeys(step.owner for _, step in found if step.owner)
    choose_person(ctx, "Who does it", then, first=first, nobody="leave it to anybody")


def _give(ctx: Ctx, found: Steps, person: str | None, said: str) -> None:
    bodies = [StepOwned(checklist=c.id, step=step.copy.id, owner=person) for c, step in found]
    ctx.write(*bodies, said=said)


def write(ctx: Ctx, _args: Args) -> None:
    """Note something on a step."""
    found = _steps(ctx)

    def then(text: str) -> None:
        said = text.strip()
        if said:
            bodies = [StepNoted(checklist=c.id, step=s.copy.id, text=said) for c, s in found]
            ctx.write(*bodies, said=f"Noted on {_all_named(found)}")

    name = f"“{cut(headline(found[0][1]), 32)}”" if len(found) == 1 else f"{len(found)} steps"
    ctx.ask(Ask(f"on {name}: ", then, check=_note_complaint))


def _set(ctx: Ctx, found: Steps, state: StepState) -> None:
    """Set steps to a state; where all of them are in it, put them back as they were before."""
    wanted = [(checklist, step) for checklist, step in found if step.state != state]
    if wanted:
        said = f"{_SET[state]} {_all_named(wanted)}"
        bodies = [StepSet(checklist=c.id, step=s.copy.id, state=state) for c, s in wanted]
    else:
        bodies = [
            StepSet(checklist=c.id, step=step.copy.id, state=_before(ctx, c, step))
            for c, step in found
        ]
        states = {body.state for body in bodies}
        said = f"{_BACK[states.pop() if len(states) == 1 else 'open']} {_all_named(found)}"
    ctx.write(*bodies, said=said)


def _before(ctx: Ctx, checklist: Checklist, step: Step) -> StepState:
    """The state that a step had before the one that it has."""
    states: list[StepState] = [
        event.body.state
        for event in ctx.state.history(("step", checklist.id, step.copy.id))
        if isinstance(event.body, StepSet)
    ]
    return next((state for state in reversed(states) if state != step.state), "open")


def _steps(ctx: Ctx) -> Steps:
    found = (find(ctx.state, row_id) for row_id in ctx.targets)
    return [one for one in found if one is not None]


def _unfinished(ctx: Ctx) -> Steps:
    return [(checklist, step) for checklist, step in _steps(ctx) if step.state != "done"]


def _on_step(ctx: Ctx) -> str | None:
    return None if _steps(ctx) else "no step under the cursor"


def _to_do(ctx: Ctx) -> str | None:
    """Why nothing of what is chosen is still to be done."""
    found = _steps(ctx)
    if not found or _unfinished(ctx):
        return None
    by = found[0][1].by
    who = clean_line(by, 20) if by else "somebody"
    return f"it is done: {who} ticked it. Space opens it again"


def _all_named(found: Steps) -> str:
    """What to call steps in a sentence; the prompt row cuts it where it must."""
    return f"“{headline(found[0][1])}”" if len(found) == 1 else f"{len(found)} steps"


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
    if args.text:
        attach_named(ctx, args.text)
        return
    books, theirs = library(), ctx.model.runbooks
    attached = {checklist.title for checklist in ctx.state.checklists()}
    choices = []
    for name in _offered(ctx):
        title = theirs[name] if name in theirs else _title(books, name)
        told = f"{title} (attached)" if title in attached else title
        choices.append(Choice(name, clean_line(name, 40), clean_line(told, 60)))
    ctx.choose("Attach a runbook", choices, partial(attach_named, ctx))


def attach_named(ctx: Ctx, name: str) -> None:
    """Copy the steps of a runbook into the incident and show them; the server's own go first."""
    if name.casefold() in ctx.model.runbooks:
        ctx.run(_fetch(ctx, name.casefold()))
        return
    try:
        _attach(ctx, library().runbook(name))
    except ValueError as error:
        ctx.flash(clean_line(str(error)), Tone.WARN)


async def _fetch(ctx: Ctx, name: str) -> None:
    from warroom_incident.practice.runbook import read_runbook

    answer = await ctx.desk.ask(Question(0, RUNBOOK, key=name))
    if answer.error:
        ctx.flash(f"{clean_line(name, 40)} is on the server: {answer.error}", Tone.WARN)
    else:
        _attach(ctx, read_runbook(answer.text, name=name))


def _attach(ctx: Ctx, runbook: Runbook) -> None:
    if not runbook.steps:
        ctx.flash(f"“{clean_line(runbook.title, 40)}” has no steps: it is only to be read.")
        return
    left = f"; {runbook.left_out} more steps are in the file only" if runbook.left_out else ""
    body = ChecklistAttached(checklist=new_id(os.urandom), title=runbook.title, steps=runbook.steps)
    said = f"Attached “{clean_line(runbook.title, 80)}”, {len(runbook.steps)} steps{left}"
    if ctx.write(body, said=said):
        view = ctx.view
        if isinstance(view, RunbookView):
            view.chosen = body.checklist
            ctx.refresh()


def _offered(ctx: Ctx) -> list[str]:
    """The names of the server's own runbooks, of this machine's, and of those that are shipped."""
    return sorted({*library().names("runbooks"), *ctx.model.runbooks})


def _title(books: Library, name: str) -> str:
    """The title that a runbook gives itself, by a look that costs nothing."""
    from warroom_incident.practice.library import title_in

    try:
        return title_in(books.text("runbooks", name))
    except ValueError:
        return ""


def _attach_check(ctx: Ctx, args: Args) -> str | None:
    if args.text.casefold() in ctx.model.runbooks:
        return None
    return word_check(lambda name: library().runbook(name))(ctx, args)


def _several(ctx: Ctx) -> str | None:
    return None if len(ctx.state.checklists()) > 1 else "only one checklist is attached"


def _names(ctx: Ctx, _args: Args) -> Iterable[str]:
    return _offered(ctx)
