"""Severities: how bad it is, what that asks of people, and how often they must be told."""

from msgspec import Struct

from ..vocabulary import SeverityName
from .words import find


class Severity(Struct, frozen=True):
    """One step of the ladder; lower numbers are worse.

    `rank` orders them, worst first: `SEV?` stands right behind SEV1, because what nobody has
    judged yet may still be the worst. `cadence` is the longest time between two updates to
    customers, in minutes; None where nobody outside waits for one.
    """

    id: SeverityName
    rank: int
    name: str
    meaning: str
    response: str
    cadence: int | None

    def __lt__(self, other: "Severity") -> bool:
        """Say whether this one is worse, so that sorting puts the worst first."""
        return self.rank < other.rank

    @property
    def major(self) -> bool:
        """Whether this calls for a commander and the whole practice."""
        return self.rank <= _SEV2.rank


_SEV1 = Severity(
    "SEV1",
    10,
    "critical",
    "Most customers cannot use the product, or customer data is lost or exposed.",
    "Page the commander and a deputy. Tell the public within five minutes, and executives.",
    20,
)
_UNDETERMINED = Severity(
    "SEV?",
    15,
    "undetermined",
    "Nobody has judged it yet. Treat it as the higher of what it may be.",
    "Respond as to a SEV2, and set the severity within five minutes.",
    30,
)
_SEV2 = Severity(
    "SEV2",
    20,
    "major",
    "A core function is badly hurt for many customers, or we can no longer see or respond.",
    "Page the commander. Decide at once whether to tell the public.",
    30,
)
_SEV3 = Severity(
    "SEV3",
    30,
    "degraded",
    "Part of a function is lost, or one more failure makes it a SEV2: the spare is gone.",
    "Page the owning team, ahead of their other work. A commander when they ask for one.",
    60,
)
_SEV4 = Severity(
    "SEV4",
    40,
    "minor",
    "Something needs a hand, and customers can still do what they came for.",
    "Tell the owning team in working hours.",
    None,
)
_SEV5 = Severity(
    "SEV5",
    50,
    "cosmetic",
    "It looks wrong and hurts nobody.",
    "Write a ticket.",
    None,
)

SEVERITIES: tuple[Severity, ...] = (_SEV1, _SEV2, _SEV3, _SEV4, _SEV5, _UNDETERMINED)
"""Every severity, in the order in which a menu offers them."""

_BY_ID: dict[str, Severity] = {severity.id: severity for severity in SEVERITIES}
_WORDS = {
    word: severity
    for severity in SEVERITIES
    for word in (severity.id.lower(), f"sev {severity.id[3]}", severity.id[3], severity.name)
} | {"unknown": _UNDETERMINED}


def severity_of(identifier: str) -> Severity:
    """Return the severity with this id; an id from a newer version counts as undetermined."""
    return _BY_ID.get(identifier, _UNDETERMINED)


def parse_severity(text: str) -> Severity:
    """Return the severity that a person means by `2`, `sev2`, `SEV?`, `?` or `critical`.

    Raises:
        ValueError: It names none; the message says what does.
    """
    return find(text, _WORDS, "severity", _BY_ID)
