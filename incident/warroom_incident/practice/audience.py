"""Audiences: who is told about an incident, and how long each of them may be left waiting."""

from msgspec import Struct

from .severity import Severity
from .words import find


class Audience(Struct, frozen=True):
    """A group that is told the same thing in the same words.

    `cadence` is the longest time between two updates in minutes; None is as the severity asks.
    """

    id: str
    title: str
    wants: str
    cadence: int | None

    def minutes(self, severity: Severity) -> int | None:
        """Return how long this audience may wait at that severity; None: no update is due."""
        if severity.cadence is None:
            return None
        return self.cadence or severity.cadence


AUDIENCES: tuple[Audience, ...] = (
    Audience(
        "internal",
        "Internal",
        "Colleagues: what is going on, what is done, what is needed.",
        30,
    ),
    Audience(
        "executives",
        "Executives",
        "Who answers for the company: how bad, for whom, what next.",
        30,
    ),
    Audience(
        "customers",
        "Customers",
        "Everyone outside: what fails, what to do, when they hear again.",
        None,
    ),
)
"""Every audience, from the inside out."""

_BY_ID = {audience.id: audience for audience in AUDIENCES}
_WORDS = _BY_ID | {"public": _BY_ID["customers"], "execs": _BY_ID["executives"]}


def audience_of(identifier: str) -> Audience:
    """Return the audience with this id; one that this version does not know is shown by its id."""
    return _BY_ID.get(identifier) or Audience(identifier, identifier.capitalize(), "", None)


def parse_audience(text: str) -> Audience:
    """Return the audience that a person means by a word or its beginning.

    Raises:
        ValueError: It names none, or several; the message says what there is.
    """
    return find(text, _WORDS, "audience", _BY_ID)
