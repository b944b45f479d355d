"""Statuses: where an incident stands, and the word a public status page uses for it."""

from typing import Literal

from msgspec import Struct

from ..vocabulary import StatusName
from .words import find

PageWord = Literal["investigating", "identified", "monitoring", "resolved"]
"""The four words that every status page knows."""


class Status(Struct, frozen=True):
    """One stage of an incident, in the order of `STATUSES`.

    `page` is what the public is told. Mitigated is *monitoring* and never *resolved*: the pain
    has stopped, the danger has not.
    """

    id: StatusName
    meaning: str
    page: PageWord

    @property
    def over(self) -> bool:
        """Whether the response is finished and its timers rest."""
        return self.id in ("resolved", "closed")


STATUSES: tuple[Status, ...] = (
    Status("started", "Declared. Nobody has looked into it yet.", "investigating"),
    Status("investigating", "People are finding out what is wrong.", "investigating"),
    Status("identified", "We know what to repair; it still hurts.", "identified"),
    Status("mitigated", "It no longer hurts; it may come back.", "monitoring"),
    Status("resolved", "It is repaired and has stayed so; the response ends.", "resolved"),
    Status("closed", "Nothing more is expected here but the postmortem.", "resolved"),
)
"""Every status, first to last."""

_BY_ID: dict[str, Status] = {status.id: status for status in STATUSES}
_WORDS = _BY_ID | {"monitoring": _BY_ID["mitigated"]}


def status_of(identifier: str) -> Status:
    """Return the status with this id; an id from a newer version counts as investigating."""
    return _BY_ID.get(identifier, _BY_ID["investigating"])


def parse_status(text: str) -> Status:
    """Return the status that a person means by a word or its beginning, such as `inv`.

    Raises:
        ValueError: It names none, or several; the message says what there is.
    """
    return find(text, _WORDS, "status", _BY_ID)
