"""The events of the `board` stream: what people do to alerts, in any incident or none.

An alert is named by the `uid` of its episode; windows and silences by a name that their author
made up. What a machine has to answer about one of them, a server writes.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from ..fields import Ident, Line, Matcher, Millis, Name
from ..reducers import Append, Body, Right, Write

Matchers = Annotated[tuple[Matcher, ...], Meta(min_length=1, max_length=20)]
Noise = Literal["", "false_positive", "not_actionable", "poor_details"]


class AlertAcknowledged(Write, frozen=True):
    """Somebody took an alert on, until a time or with none to its end; or gave it back."""

    uid: Ident
    acknowledged: bool = True
    until: Millis | None = None
    type: ClassVar[str] = "alert.acknowledged"
    is_guarded: ClassVar[bool] = True
    register: ClassVar[str] = "ack"
    named: ClassVar[tuple[str, ...]] = ("uid",)
    says: ClassVar[str] = "acknowledged"


class AlertAssigned(Write, frozen=True):
    """An alert was given to a person, or to nobody."""

    uid: Ident
    person: Name | None = None
    type: ClassVar[str] = "alert.assigned"
    is_guarded: ClassVar[bool] = True
    register: ClassVar[str] = "assigned"
    named: ClassVar[tuple[str, ...]] = ("uid",)
    says: ClassVar[str] = "person"


class AlertMarked(Write, frozen=True):
    """Somebody said why an alert was noise, or took that back."""

    uid: Ident
    noise: Noise = ""
    type: ClassVar[str] = "alert.marked"
    is_guarded: ClassVar[bool] = True
    register: ClassVar[str] = "noise"
    named: ClassVar[tuple[str, ...]] = ("uid",)
    says: ClassVar[str] = "noise"


class AlertEnded(Write, frozen=True):
    """Somebody said that an alert is over, though its source did not, or took that back.

    `heard` is when its source last spoke of it, as far as its author knew: what it says later
    counts more.
    """

    uid: Ident
    ended: bool = True
    heard: Millis = 0
    type: ClassVar[str] = "alert.ended"
    is_guarded: ClassVar[bool] = True
    register: ClassVar[str] = "ended"
    named: ClassVar[tuple[str, ...]] = ("uid",)
    says: ClassVar[str] = "ended"


class WindowOpened(Append, frozen=True):
    """A window was opened: its alerts are hidden and counted from `starts_at` to `ends_at`.

    A `maintenance` is planned work, a `suppression` a rule against noise. All matchers must fit.
    """

    window: Ident
    kind: Literal["maintenance", "suppression"]
    why: Line
    matchers: Matchers
    starts_at: Millis
    ends_at: Millis
    type: ClassVar[str] = "window.opened"
    is_guarded: ClassVar[bool] = True


class WindowEnded(Write, frozen=True):
    """A window was ended before its time."""

    window: Ident
    type: ClassVar[str] = "window.ended"
    is_guarded: ClassVar[bool] = True
    register: ClassVar[str] = "window.end"
    named: ClassVar[tuple[str, ...]] = ("window",)
    says: ClassVar[str] = "window"


class SilenceAsked(Append, frozen=True):
    """Somebody asked to silence alerts at their source until `ends_at`.

    `alertmanager` is the name under which the server knows the source; `incident` is the stream
    of the incident that it is for, if there is one.
    """

    silence: Ident
    alertmanager: Name
    matchers: Matchers
    ends_at: Millis
    comment: Line
    incident: Annotated[str, Meta(max_length=64)] = ""
    type: ClassVar[str] = "silence.asked"
    is_guarded: ClassVar[bool] = True


class SilenceEnded(Write, frozen=True):
    """Somebody asked to end a silence at its source."""

    silence: Ident
    type: ClassVar[str] = "silence.ended"
    is_guarded: ClassVar[bool] = True
    register: ClassVar[str] = "silence.end"
    named: ClassVar[tuple[str, ...]] = ("silence",)
    says: ClassVar[str] = "silence"


class SilenceAnswered(Write, frozen=True):
    """A server heard from the source what became of a silence: its id there, or why it failed."""

    silence: Ident
    state: Literal["active", "expired", "failed"]
    source_id: Annotated[str, Meta(max_length=64)] = ""
    reason: Annotated[str, Meta(max_length=240)] = ""
    type: ClassVar[str] = "silence.answered"
    is_guarded: ClassVar[bool] = True
    needs: ClassVar[Right] = Right.ADMIN
    register: ClassVar[str] = "silence.answer"
    named: ClassVar[tuple[str, ...]] = ("silence",)

    @property
    def value(self) -> object:
        """All that it says."""
        return (self.state, self.source_id, self.reason)


BOARD_TYPES: tuple[type[Body], ...] = (
    AlertAcknowledged,
    AlertAssigned,
    AlertMarked,
    AlertEnded,
    WindowOpened,
    WindowEnded,
    SilenceAsked,
    SilenceEnded,
    SilenceAnswered,
)
