"""The facts of the impact, behind `i m`: every one optional, every one with its history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.verbs.guards import complaint_of, in_incident
from warroom_console.views.facts import IMPACT_NAMES, draw_facts, told_time
from warroom_console.when import parse_when
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_incident.clean import clean_line
from warroom_incident.practice.words import find
from warroom_incident.telling import spoken_time
from warroom_incident.vocabulary import ImpactField, ImpactSet

LONGEST = 2000

FIELDS: Mapping[ImpactField, tuple[str, str]] = {
    "started_at": ("w", "14:02, -20m or a date"),
    "detected_by": ("d", "an alert, a customer, a colleague"),
    "services": ("s", "names with commas between them"),
    "users": ("u", "who, and how many"),
    "regions": ("r", "names with commas between them"),
    "data_loss": ("l", "none, or what and since when"),
    "workaround": ("a", "what customers can do meanwhile"),
    "reports": ("c", "how many so far"),
}
"""Every fact's key in the menu, and what to type."""


def register(registry: Registry[Ctx]) -> None:
    """Add `i m` and `i f`, `:impact` and `:facts`."""
    registry.register(
        Action("incident.impact", ("m",), "Impact", "State who is hurt, how, and since when.",
               impact, scope=Scope.ROOM, leader="i", when=in_incident, command="impact",
               usage="FIELD [TEXT]", hints=_hints, check=_line_check),
        Action("incident.facts", ("f",), "Facts", "Show what is known: severity, status, impact.",
               facts, scope=Scope.ROOM, leader="i", command="facts"),
    )  # fmt: skip


def facts(ctx: Ctx, _args: Args) -> None:
    """Show the facts of the incident on one page."""
    ctx.stage.about(ctx.state.number, draw_facts(ctx))


def impact(ctx: Ctx, args: Args) -> None:
    """Choose a fact, or state the one that is named."""
    if not args.text:
        ctx.choose("Impact", _choices(ctx), partial(_ask, ctx))
        return
    word, _, text = args.text.partition(" ")
    try:
        field = _meant(word)
        if text.strip():
            state(ctx, field, text)
        else:
            _ask(ctx, field)
    except ValueError as error:
        ctx.flash(str(error), Tone.WARN)


def _meant(word: str) -> ImpactField:
    words = {field.replace("_", " "): field for field in FIELDS}
    words |= {name.casefold(): field for field, name in IMPACT_NAMES.items()}
    return find(word, words, "fact", FIELDS)


def _choices(ctx: Ctx) -> Iterable[Choice]:
    for field, name in IMPACT_NAMES.items():
        yield Choice(field, name, _standing(ctx, field), FIELDS[field][0])


def _standing(ctx: Ctx, field: str) -> str:
    """What is stated, by whom, and how often it was stated before."""
    heads = ctx.state.heads(("impact", field))
    value = ctx.state.impact(field)
    if not heads or value is None:
        return "not stated"
    times = len(ctx.state.history(("impact", field)))
    before = f", {times} times stated" if times > 1 else ""
    shown = told_time(value) if field == "started_at" else value
    return f"{clean_line(shown, 60)}  ({heads[0].head.by}{before})"


def _ask(ctx: Ctx, field: str) -> None:
    known = _meant(field)
    name, hint = IMPACT_NAMES[known], FIELDS[known][1]
    base = ctx.state.base_for(("impact", known))
    text = clean_line(ctx.state.impact(known) or "")

    def then(said: str) -> None:
        state(ctx, known, said, base)

    ctx.ask(
        Ask(
            f"{name.lower()}: ",
            then,
            text=text,
            hint=hint if not text else "empty takes it back",
            check=partial(_complaint, ctx, known),
        )
    )


def _complaint(ctx: Ctx, field: ImpactField, text: str) -> str | None:
    return complaint_of(lambda said: read_fact(field, said, ctx.now()), text)


def _line_check(ctx: Ctx, args: Args) -> str | None:
    word, _, text = args.text.partition(" ")
    try:
        field = _meant(word)
    except ValueError as error:
        return str(error)
    return _complaint(ctx, field, text)


def state(ctx: Ctx, field: ImpactField, text: str, base: tuple[str, ...] | None = None) -> None:
    """Write a fact; an empty one is taken back."""
    try:
        value = read_fact(field, text, ctx.now())
    except ValueError as error:
        ctx.flash(str(error), Tone.WARN)
        return
    if value == ctx.state.impact(field):
        return
    name = IMPACT_NAMES[field]
    shown = spoken_time(value, ctx.now()) if value and field == "started_at" else value
    said = f"{name} taken back" if shown is None else f"{name}: {clean_line(shown, 200)}"
    ctx.write(ImpactSet(field=field, text=value), base=base, said=said)


def read_fact(field: ImpactField, text: str, now: int) -> str | None:
    """Return a fact as it is kept: times in RFC 3339, lists with commas, counts as digits.

    Raises:
        ValueError: It is none; the message is one sentence.
    """
    text = text.strip()
    if not text:
        return None
    if len(text) > LONGEST:
        raise ValueError(f"{len(text) - LONGEST} characters too long.")
    reader = _READERS.get(field)
    return text if reader is None else reader(text, now)


def _time(text: str, now: int) -> str:
    at = parse_when(text, now)
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _names(text: str, _now: int) -> str | None:
    names = [name.strip() for name in text.split(",")]
    return ", ".join(name for name in names if name) or None


def _count(text: str, _now: int) -> str:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError("Type a number, such as 12.")
    return str(int(text))


_READERS: Mapping[str, Callable[[str, int], str | None]] = {
    "started_at": _time,
    "services": _names,
    "regions": _names,
    "reports": _count,
}


def _hints(_ctx: Ctx, args: Args) -> Iterable[str]:
    return () if " " in args.text else tuple(FIELDS)
