"""Roles: who answers for what while an incident lasts, and the card each holder is shown."""

from msgspec import Struct

from ..clean import clean_line
from .words import find

EXPERT = "sme"
"""The one role that several people hold: further ones hold `sme:` and their subject."""

LONGEST_SUBJECT = 40


class Role(Struct, frozen=True):
    """A hat that one person wears. `duties` is its card: a few lines, most important first."""

    id: str
    title: str
    short: str
    duties: tuple[str, ...]

    @property
    def spoken(self) -> str:
        """The title within a sentence: `incident commander`, `SME database`."""
        return self.title[:1].lower() + self.title[1:] if self.title[1:2].islower() else self.title


ROLES: tuple[Role, ...] = (
    Role(
        "commander",
        "Incident commander",
        "IC",
        (
            "You decide, and you do not touch keyboards or graphs: others do that for you.",
            "Every role that nobody holds is yours until you hand it to someone by name.",
            "Give each task to one person, with minutes, and wait to hear them say yes.",
            "A wrong decision that you correct beats none. Ask only for strong objections.",
            "Nothing goes out to customers without your word. You name the postmortem's owner.",
        ),
    ),
    Role(
        "deputy",
        "Deputy",
        "DEP",
        (
            "Be ready to take command in the middle of a sentence.",
            "Keep the clock: call each ten minutes, and each promise that has run out.",
            "Catch what the commander misses, and say it to them, not over them.",
            "Bring in who is needed, and ask those to leave who are not.",
        ),
    ),
    Role(
        "scribe",
        "Scribe",
        "SCR",
        (
            "Write down what was done, what was decided, and what was found, with the time.",
            "Record outcomes, not chatter. Note each task with its owner and its minutes.",
            "Ask when you did not catch it. What is not written did not happen.",
        ),
    ),
    Role(
        "operations",
        "Operations lead",
        "OPS",
        (
            "You and your people are the only ones who change the systems.",
            "Say each change before it is made, and what it did after.",
            "Keep evidence before you restart, scale or delete.",
            "Keep a list of everything changed for the moment, to be undone at the end.",
        ),
    ),
    Role(
        "communications",
        "Communications lead",
        "COMMS",
        (
            "Executives and the other teams hear it from you, every half hour, good news or none.",
            "Catch the questions, so that the responders do not have to.",
            "Page whom the commander asks for, and report when they have come.",
        ),
    ),
    Role(
        "liaison",
        "Customer liaison",
        "CL",
        (
            "Draft what customers read, have the commander approve it, then publish it.",
            "Say what is affected, what is not, what they can do, and when they hear again.",
            "No cause before it is certain, and no promise of when it will be over.",
            "Bring in what customers report: how many, where, since when.",
        ),
    ),
    Role(
        "sme",
        "Subject-matter expert",
        "SME",
        (
            "Report in three parts: what you see, what you are doing, what you need.",
            "Propose; act when you are told to. Then say what it did.",
            "“I do not know yet, give me five minutes” is a good answer.",
        ),
    ),
)
"""Every role, in the order in which they are listed."""

_BY_ID = {role.id: role for role in ROLES}
_OTHER_NAMES = {
    "incident manager": "commander",
    "ops": "operations",
    "comms": "communications",
    "customer": "liaison",
    "expert": "sme",
    "subject matter expert": "sme",
}
_WORDS = (
    _BY_ID
    | {word: role for role in ROLES for word in (role.title.lower(), role.short.lower())}
    | {word: _BY_ID[identifier] for word, identifier in _OTHER_NAMES.items()}
)


def role_of(identifier: str) -> Role:
    """Return the role with this id: `sme:database` is an expert's card with the subject in it.

    A role that this version does not know is shown by its id.
    """
    known = _BY_ID.get(identifier)
    kind, _, subject = identifier.partition(":")
    if kind == EXPERT and (name := clean_line(subject.strip(), LONGEST_SUBJECT)):
        expert = _BY_ID[EXPERT]
        title = f"{expert.short} {name}"
        return Role(identifier, title, title, expert.duties)
    return known or Role(identifier, identifier.capitalize(), identifier.upper()[:5], ())


def parse_role(text: str) -> Role:
    """Return the role that a person means by `ic`, `ops`, `Customer liaison` or `sme:database`.

    Raises:
        ValueError: It names none, or several; the message says what there is.
    """
    kind, _, subject = text.strip().casefold().partition(":")
    if kind == EXPERT and 0 < len(subject.strip()) <= LONGEST_SUBJECT:
        return role_of(f"{EXPERT}:{clean_line(subject.strip())}")
    return find(text, _WORDS, "role", _BY_ID)
