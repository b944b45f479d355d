"""How events are reduced: the kinds of body whose sum, in any order, is the state.

Append, register and set. No kind looks at the clock, at the order of arrival, or rejects.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from .fields import Whole

Key = tuple[str, ...]
"""The address of a register or a set inside one stream, e.g. `("role", "commander")`."""


class Right(Enum):
    """What an account may do, in rising order."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    COMMANDER = "commander"
    ADMIN = "admin"

    def covers(self, other: Right) -> bool:
        """Whether this right includes the other."""
        order = list(Right)
        return order.index(self) >= order.index(other)


class Pick(Enum):
    """Which of several writes that have not seen each other is shown until people settle it."""

    EARLIEST = "earliest"
    """The one that a server admitted first; the others are listed as a conflict."""
    RANK = "rank"
    """The one whose value ranks highest; not a conflict."""
    ALL = "all"
    """All stand side by side."""


# Events are held by the ten thousand and never in circles: the garbage collector passes them over.
class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What one event says. `salt` keeps a withheld body from being guessed by its hash."""

    salt: Annotated[str, Meta(max_length=64)] = ""

    type: ClassVar[str] = ""
    needs: ClassVar[Right] = Right.RESPONDER
    is_guarded: ClassVar[bool] = False
    """Whether hearsay of it counts for nothing.

    Who commands, how bad it is, what is done to alerts, what an author makes of an own note, and
    what only servers say need a witness.
    """
    present: ClassVar[bool] = True
    """Whether a console that joins needs it before the entries of the timeline."""


class Append(Body, frozen=True):
    """An entry in a sorted set: it stands for itself."""


class Write(Body, frozen=True):
    """A write to a register: it replaces the writes that its `base` names."""

    pick: ClassVar[Pick] = Pick.EARLIEST

    register: ClassVar[str] = ""
    named: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[str] = ""

    @property
    def key(self) -> Key:
        """The register that is written: its name and the fields that tell it from its kind."""
        return (self.register, *[getattr(self, field) for field in self.named])

    @property
    def value(self) -> object:
        """What is compared: writes of equal values are no conflict."""
        return getattr(self, self.says)

    @property
    def rank(self) -> int:
        """The rank of the value, for registers picked by rank."""
        return 0


class Decision(Write, frozen=True, kw_only=True):
    """A write by which an incident is led; it says what its author knew when it was taken.

    `seen` is how far its author had read each replica (`rep` → `n`), and `unseen` the ranges
    (first, last) below that were not read. A closing tells of every replica, other decisions of
    those that had stated facts.
    """

    seen: dict[str, Whole] = msgspec.field(default_factory=dict)
    unseen: dict[str, tuple[tuple[Whole, Whole], ...]] = msgspec.field(default_factory=dict)

    def knew(self, rep: str, n: int) -> bool:
        """Whether the author had read what a replica wrote as its `n`th event of the stream."""
        if n > self.seen.get(rep, 0):
            return False
        return not any(first <= n <= last for first, last in self.unseen.get(rep, ()))


class Element(Body, frozen=True):
    """An element added to a set; its event id names it."""

    register: ClassVar[str] = ""

    @property
    def key(self) -> Key:
        """The set that it is added to."""
        return (self.register,)


class Removal(Body, frozen=True):
    """Takes the elements that its `base` names out of their set."""
