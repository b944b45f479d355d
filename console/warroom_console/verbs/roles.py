"""What a responder does in the Roles panel: claim, assign, release, settle who it is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.verbs.guards import in_incident, word_check
from warroom_console.verbs.people import choose_person, name_complaint, read_name
from warroom_console.views.roles import COMMANDER, standing
from warroom_console.widgets.prompt import Ask
from warroom_incident.clean import clean_line
from warroom_incident.practice.roles import (
    EXPERT,
    LONGEST_SUBJECT,
    ROLES,
    parse_role,
    role_of,
)
from warroom_incident.vocabulary import RoleAssigned


def register(registry: Registry[Ctx]) -> None:
    """Add the panel's actions and the commands `claim`, `release` and `role`."""
    registry.register(
        Action(
            "roles.claim",
            ("c",),
            "Claim",
            "Take the role under the cursor, or the one that is named; from a commander it asks.",
            claim,
            scope=Scope.ROLES,
            when=in_incident,
            command="claim",
            usage="ROLE",
            hints=_role_hints,
            check=_role_check,
        ),
        Action(
            "roles.assign",
            ("enter",),
            "Assign",
            "Choose who holds the role.",
            assign,
            scope=Scope.ROLES,
            when=in_incident,
            command="role",
            usage="ROLE PERSON",
            hints=_assign_hints,
            check=_assign_check,
        ),
        Action(
            "roles.release",
            ("r",),
            "Release",
            "Leave the role vacant; command asks first.",
            release,
            scope=Scope.ROLES,
            when=in_incident,
            command="release",
            usage="ROLE",
            hints=_role_hints,
            check=_role_check,
        ),
        Action(
            "roles.settle",
            ("=",),
            "Settle",
            "Of several people who were given the role, keep the one who counts for now.",
            settle,
            scope=Scope.ROLES,
            when=_disputed,
        ),
    )


# Verbs -------------------------------------------------------------------------------------


def claim(ctx: Ctx, args: Args) -> None:
    """Take a role."""
    role = _meant(ctx, args.text)
    if role == COMMANDER:
        take_command(ctx)
    elif role is not None:
        give(ctx, role, ctx.model.you)


def take_command(ctx: Ctx) -> None:
    """Take command; from somebody who holds it only after a question.

    What the question was about is what the answer replaces: a change meanwhile is a conflict.
    """
    holder, you = ctx.state.holder(COMMANDER), ctx.model.you
    base = ctx.state.base_for(RoleAssigned(role=COMMANDER, person=you).key)
    if holder is None or holder == you:
        give(ctx, COMMANDER, you)
    else:
        question = f"{clean_line(holder, 30)} is in command. Take it over?"
        ctx.confirm(question, partial(_write, ctx, COMMANDER, you, base))


def assign(ctx: Ctx, args: Args) -> None:
    """Give a role to the person who is named, or open a menu of people."""
    word, _, name = args.text.partition(" ")
    role = _meant(ctx, word)
    if role is None:
        return
    if not name.strip():
        _choose(ctx, role)
    elif (person := read_name(ctx, name)) is not None:
        give(ctx, role, person)


def release(ctx: Ctx, args: Args) -> None:
    """Leave a role vacant; nobody in command is worth a question."""
    role = _meant(ctx, args.text)
    if role is None:
        return
    holder = ctx.state.holder(role)
    if holder is None:
        ctx.flash(f"{role_of(role).title} is vacant already.")
    elif role == COMMANDER:
        question = f"Release {clean_line(holder, 40)} and leave the incident without a commander?"
        ctx.confirm(question, partial(vacate, ctx, role))
    else:
        vacate(ctx, role)


def settle(ctx: Ctx, _args: Args) -> None:
    """Confirm the person who counts for now."""
    for role in ctx.targets:
        held = next((held for held in standing(ctx.state) if held.role == role), None)
        if held is not None and held.disputed:
            if held.holder is None:
                vacate(ctx, role)
            else:
                give(ctx, role, held.holder)


def give(ctx: Ctx, role: str, person: str) -> None:
    """Write that a person holds a role; a further expert is asked for their subject first."""
    held = next((held for held in standing(ctx.state) if held.role == role), None)
    if held is not None and held.holder == person and not held.disputed:
        ctx.flash(f"{_who(ctx, person)} {role_of(role).spoken} already.")
    elif role == EXPERT and held is not None and held.holder is not None and not held.disputed:
        _ask_subject(ctx, person, held.holder)
    else:
        _write(ctx, role, person)


def vacate(ctx: Ctx, role: str) -> None:
    """Write that nobody holds a role."""
    ctx.write(RoleAssigned(role=role), said=f"{role_of(role).title} is vacant")


def _write(ctx: Ctx, role: str, person: str, base: tuple[str, ...] | None = None) -> None:
    if person != ctx.model.you:
        said = f"Gave {clean_line(person, 40)} the role {role_of(role).spoken}"
    elif role == COMMANDER:
        said = "Took command"
    else:
        said = f"Took the role of {role_of(role).spoken}"
    ctx.write(RoleAssigned(role=role, person=person), base=base, said=said)


# Choosing ----------------------------------------------------------------------------------


def _choose(ctx: Ctx, role: str) -> None:
    hats: dict[str, list[str]] = {}
    claimed: list[str] = []
    for held in standing(ctx.state):
        people = [one.person for one in held.claims if one.person is not None]
        for person in people:
            hats.setdefault(person, []).append(held.short)
        if held.role == role:
            claimed = people

    def then(person: str | None) -> None:
        if person is None:
            vacate(ctx, role)
        else:
            give(ctx, role, person)

    choose_person(
        ctx,
        role_of(role).title,
        then,
        first=claimed,
        notes={person: ", ".join(shorts) for person, shorts in hats.items()},
        nobody="leave it vacant" if claimed else "",
    )


def _ask_subject(ctx: Ctx, person: str, holder: str) -> None:
    def then(text: str) -> None:
        subject = clean_line(text.strip())
        _write(ctx, f"{EXPERT}:{subject.casefold()}" if subject else EXPERT, person)

    shown = clean_line(person, 30)
    hint = f"such as database; empty replaces {clean_line(holder, 20)}"
    ctx.ask(Ask(f"{shown} is an expert on: ", then, hint=hint, check=_subject_complaint))


def _subject_complaint(text: str) -> str | None:
    if len(text.strip()) > LONGEST_SUBJECT:
        return f"at most {LONGEST_SUBJECT} characters"
    return None


# Which role --------------------------------------------------------------------------------


def _meant(ctx: Ctx, word: str) -> str | None:
    """The role that is named or under the cursor; None when that was said to be wrong."""
    if word.strip():
        try:
            return _read(ctx, word)
        except ValueError as error:
            ctx.flash(str(error), Tone.WARN)
            return None
    if ctx.scope is Scope.ROLES and ctx.targets:
        return ctx.targets[0]
    ctx.flash("Name a role, such as ic or scribe, or choose one in the Roles panel.", Tone.WARN)
    return None


def _read(ctx: Ctx, word: str) -> str:
    """The role that a word names, one of this incident's own among them; raises ValueError."""
    named = word.strip().casefold()
    return named if named in {held.role for held in standing(ctx.state)} else parse_role(word).id


def _role_check(ctx: Ctx, args: Args) -> str | None:
    return word_check(partial(_read, ctx))(ctx, args)


def _assign_check(ctx: Ctx, args: Args) -> str | None:
    word, _, name = args.text.partition(" ")
    return _role_check(ctx, Args(word)) or (name_complaint(name) if name.strip() else None)


def _disputed(ctx: Ctx) -> str | None:
    if reason := in_incident(ctx):
        return reason
    if any(held.disputed and held.role in ctx.targets for held in standing(ctx.state)):
        return None
    return "nobody disagrees about this role"


def _who(ctx: Ctx, person: str) -> str:
    return "You are" if person == ctx.model.you else f"{clean_line(person, 40)} is"


def _role_hints(_ctx: Ctx, args: Args) -> Iterable[str]:
    return () if " " in args.text else tuple(role.id for role in ROLES)


def _assign_hints(ctx: Ctx, args: Args) -> Iterable[str]:
    return tuple(ctx.people()) if " " in args.text else tuple(role.id for role in ROLES)
