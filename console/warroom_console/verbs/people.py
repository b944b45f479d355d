"""Choosing a person: a menu that filters by what is typed, with a way to name somebody else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from warroom_console.actions import Args
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_incident.clean import clean_line

LONGEST_NAME = 80

_OTHER = "other"
_NOBODY = "nobody"
_PERSON = "person:"


def choose_person(
    ctx: Ctx,
    title: str,
    then: Callable[[str | None], None],
    *,
    first: Iterable[str] = (),
    notes: Mapping[str, str] | None = None,
    nobody: str = "",
) -> None:
    """Open a menu of people; `then` gets the name, or None for nobody.

    Args:
        ctx: The person who chooses, offered behind `first`.
        title: What is given away.
        then: Called once with what was chosen.
        first: Who is offered at the top.
        notes: What is said beside a name.
        nobody: What choosing nobody does; without it that is not offered.
    """

    def choices() -> Iterable[Choice]:
        for name in dict.fromkeys((*first, ctx.model.you, *ctx.people())):
            told = ["you"] if name == ctx.model.you else []
            if beside := (notes or {}).get(name):
                told.append(beside)
            yield Choice(_PERSON + name, clean_line(name, 30), ", ".join(told))
        yield Choice(_OTHER, "somebody else…", "or type a name")
        if nobody:
            yield Choice(_NOBODY, "nobody", nobody)

    def name(text: str = "") -> None:
        ctx.ask(Ask(f"{title}: ", typed, text=text, check=name_complaint))

    def chosen(choice: str) -> None:
        if choice == _OTHER:
            name()
        else:
            then(None if choice == _NOBODY else choice.removeprefix(_PERSON))

    def typed(text: str) -> None:
        if (person := read_name(ctx, text)) is not None:
            then(person)

    ctx.choose(title, choices(), chosen, name)


def read_name(ctx: Ctx, text: str) -> str | None:
    """Return the name that was typed; None when it was said why it is none."""
    if complaint := name_complaint(text):
        ctx.flash(f"Nobody was named: {complaint}.", Tone.WARN)
        return None
    return clean_line(text.strip())


def name_check(_ctx: Ctx, args: Args) -> str | None:
    """Why what was typed behind a command is no person's name."""
    return name_complaint(args.text)


def name_complaint(text: str) -> str | None:
    """Why a text is no person's name."""
    if not text.strip():
        return "type a name, or Esc to leave"
    if len(text.strip()) > LONGEST_NAME:
        return f"a name has at most {LONGEST_NAME} characters"
    return None
