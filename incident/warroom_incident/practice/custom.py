"""A room's own practice: the shipped severities and audiences with a team's changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from .audience import AUDIENCES, Audience, audience_of
from .severity import SEVERITIES, Severity, severity_of


class Words(Protocol):
    """What a team says of one severity; what is empty or None is as it is shipped."""

    @property
    def name(self) -> str:
        """One word."""

    @property
    def meaning(self) -> str:
        """When it is that bad."""

    @property
    def response(self) -> str:
        """What that asks of people."""

    @property
    def cadence(self) -> int | None:
        """Minutes between two updates to customers, 0 for none."""


class Practice(Struct, frozen=True):
    """The severities and audiences of a room, in the order in which menus offer them."""

    severities: tuple[Severity, ...] = SEVERITIES
    audiences: tuple[Audience, ...] = AUDIENCES

    def severity(self, identifier: str) -> Severity:
        """The severity with this id; an id from a newer version counts as undetermined."""
        known = severity_of(identifier).id
        return next(one for one in self.severities if one.id == known)

    def audience(self, identifier: str) -> Audience:
        """The audience with this id; one that this version does not know is shown by its id."""
        found = (one for one in self.audiences if one.id == identifier)
        return next(found, None) or audience_of(identifier)


SHIPPED = Practice()
"""As it is shipped."""


def practice_of(severities: Mapping[str, Words], cadences: Mapping[str, int]) -> Practice:
    """The practice of a team.

    Args:
        severities: What the team says of severities, by their ids.
        cadences: Minutes between two updates by audience; 0 is as the severity asks.
    """
    return Practice(
        tuple(_severity(one, severities.get(one.id)) for one in SEVERITIES),
        tuple(
            replace(one, cadence=cadences[one.id] or None) if one.id in cadences else one
            for one in AUDIENCES
        ),
    )


def _severity(shipped: Severity, own: Words | None) -> Severity:
    if own is None:
        return shipped
    return replace(
        shipped,
        name=own.name or shipped.name,
        meaning=own.meaning or shipped.meaning,
        response=own.response or shipped.response,
        cadence=shipped.cadence if own.cadence is None else own.cadence or None,
    )
