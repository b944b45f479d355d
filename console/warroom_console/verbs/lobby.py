"""What a responder does in the lobby: declare, join, look into an alert."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.verbs.alerts import MOST_AT_ONCE, look
from warroom_console.verbs.guards import may_write, on_row, word_check
from warroom_console.views.lobby import CANDIDATE, FOLD, INCIDENT, LobbyView, candidates
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_incident.clean import clean_line
from warroom_incident.door import DoorError
from warroom_incident.linking import copy_of
from warroom_incident.practice.severity import SEVERITIES, parse_severity, severity_of
from warroom_incident.vocabulary import AlertLinked, SeverityName

LONGEST_TITLE = 240
_DRILL = "--drill"
_SEVERITY = "--severity"


def register(registry: Registry[Ctx]) -> None:
    """Add the lobby's actions, `i d` for the others, and `:declare`."""
    lobby = Scope.LOBBY
    registry.register(
        Action("lobby.open", ("enter",), "Open", "Join the incident, or look into the alert.",
               open_row, scope=lobby, when=on_row),
        Action("lobby.declare", ("d",), "Declare", "Declare an incident; on an alert, or on "
               "several that are marked, one that they are linked to.",
               partial(declare, False), scope=lobby, when=may_write),
        Action("lobby.drill", ("D",), "Drill", "Declare a drill, to practise.",
               partial(declare, True), scope=lobby, when=may_write),
        Action("declare", (), "Declare", "Declare an incident.", declare_line, when=may_write,
               command="declare", usage="[--drill] [--severity SEV2] TITLE", hints=_hints,
               check=word_check(read_declaration),
               shown=False),
    )  # fmt: skip


class Declaration(Struct, frozen=True):
    """What is to be declared; `uids` are alerts that are linked to it at once.

    `proposed` is the severity that the menu offers first.
    """

    title: str
    severity: SeverityName | None = None
    drill: bool = False
    uids: tuple[str, ...] = ()
    proposed: str = ""


def open_row(ctx: Ctx, _args: Args) -> None:
    """Join an incident, unfold those that are over, or show an alert."""
    row = ctx.cursor or ""
    if row.startswith(INCIDENT):
        ctx.open_incident(row.removeprefix(INCIDENT))
    elif row == FOLD and isinstance(ctx.view, LobbyView):
        ctx.view.unfolded = not ctx.view.unfolded
        ctx.refresh()
    elif isinstance(ctx.view, LobbyView) and ctx.view.toggle(row):
        ctx.refresh()
    else:
        look(ctx)


# Declaring ---------------------------------------------------------------------------------


def declare(drill: bool, ctx: Ctx, _args: Args) -> None:
    """Ask for a title, then for a severity; what is under the lobby's cursor gives its own."""
    first = _under_cursor(ctx)
    label = "Drill, title: " if drill else "Incident, title: "

    def then(text: str) -> None:
        ask_severity(ctx, replace(first, title=text.strip(), drill=drill))

    hint = "what is wrong, for whom"
    ctx.ask(Ask(label, then, text=first.title, hint=hint, check=title_complaint))


def _under_cursor(ctx: Ctx) -> Declaration:
    """What the lobby's row, or its marked rows, propose: alerts, folds, or a suggestion."""
    view, row = ctx.view, (ctx.targets or ("",))[0]
    if not isinstance(view, LobbyView):
        return Declaration("")
    known = ctx.model.records
    chosen = dict.fromkeys(uid for target in ctx.targets for uid in view.uids(ctx, target))
    uids = tuple(uid for uid in chosen if uid in known)[:MOST_AT_ONCE]
    one = next((one for one in candidates(ctx) if row == CANDIDATE + one.id), None)
    title = one.title if one is not None else known[uids[0]].title if uids else ""
    proposed = one.severity if one is not None else ""
    return Declaration(clean_line(title)[:LONGEST_TITLE], None, False, uids, proposed)


def title_complaint(text: str) -> str | None:
    """Why a text is no title."""
    if not text.strip():
        return "type a title, or Esc to leave"
    over = len(text.strip()) - LONGEST_TITLE
    return f"{over} characters too long" if over > 0 else None


def ask_severity(ctx: Ctx, declaration: Declaration) -> None:
    """Ask how bad it is; undetermined is an answer."""

    def then(word: str) -> None:
        carry_out(ctx, replace(declaration, severity=severity_of(word).id))

    title = f"How bad is “{clean_line(declaration.title, 30)}”?"
    ctx.choose(title, severity_choices(ctx, proposed=declaration.proposed), then)


def severity_choices(ctx: Ctx, current: str = "", proposed: str = "") -> list[Choice]:
    """Every severity with the core of its meaning, a proposed one first; the digit is its key."""
    said = {current: "now: ", proposed: "proposed: "}
    return [
        Choice(
            severity.id,
            f"{severity.id} {severity.name}",
            said.get(severity.id, "") + _core(severity.meaning),
            severity.id[3],
        )
        for severity in sorted(ctx.model.practice.severities, key=lambda one: one.id != proposed)
    ]


def _core(meaning: str) -> str:
    """The first clause of what a severity means; an incident's row has room for no more."""
    return meaning.partition(", ")[0].partition(". ")[0].rstrip(".")


def carry_out(ctx: Ctx, declaration: Declaration) -> None:
    """Declare, link the alert that it came from, and go there."""
    severity = None if declaration.severity == "SEV?" else declaration.severity
    try:
        stream = ctx.desk.declare(declaration.title, severity, drill=declaration.drill)
    except DoorError as refused:
        ctx.flash(str(refused), Tone.BAD)
        return
    records = [ctx.model.records[uid] for uid in declaration.uids if uid in ctx.model.records]
    if records:
        bodies = [AlertLinked(uid=record.uid, alert=copy_of(record)) for record in records]
        ctx.write_to(stream, *bodies)
    ctx.open_incident(stream)


def declare_line(ctx: Ctx, args: Args) -> None:
    """Declare what a `:declare` line says; without a severity, ask for it."""
    try:
        declaration = read_declaration(args.text)
    except ValueError as error:
        ctx.flash(str(error), Tone.WARN)
        return
    if declaration.severity is None:
        ask_severity(ctx, declaration)
    else:
        carry_out(ctx, declaration)


def read_declaration(line: str) -> Declaration:
    """Read `[--drill] [--severity SEV2] TITLE`.

    Raises:
        ValueError: The severity or the title is none; the message is one sentence.
    """
    drill, severity, rest = False, None, line.strip()
    while rest.startswith("--"):
        word, _, after = rest.partition(" ")
        if word == _DRILL:
            drill, rest = True, after.strip()
        elif word == _SEVERITY:
            value, _, after = after.strip().partition(" ")
            severity, rest = parse_severity(value).id, after.strip()
        else:
            raise ValueError(f"{clean_line(word, 30)} is no option: there are --drill, --severity.")
    if complaint := title_complaint(rest):
        raise ValueError(f"Nothing declared: {complaint}.")
    return Declaration(rest, severity, drill)


def _hints(_ctx: Ctx, args: Args) -> Iterable[str]:
    words = args.text.split(" ")
    if len(words) > 1 and words[-2] == _SEVERITY:
        return [severity.id for severity in SEVERITIES]
    return [word for word in (_DRILL, _SEVERITY) if word not in words[:-1]]
