"""The fields of events: limited texts, and the copies that an incident keeps of other things.

Texts are limited here, at the door, so that no view has to defend itself against size.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Line = Annotated[str, Meta(min_length=1, max_length=240)]
Name = Annotated[str, Meta(min_length=1, max_length=80)]
Ident = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(min_length=1, max_length=12_000)]
Long = Annotated[str, Meta(max_length=20_000)]
Url = Annotated[str, Meta(pattern=r"\A(unix|wss?)://[\x21-\x7e]{1,190}\Z")]
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""A number that no reader of JSON rounds. Every number of an event is one, or narrower."""
Millis = Annotated[int, Meta(ge=0, le=2**53)]


class Matcher(msgspec.Struct, frozen=True):
    """One condition on an alert: its label, or what `op` says of it.

    The names `source`, `service`, `env` and `severity` stand for the alert's own where no label is
    called so. A label that is missing counts as empty; `=~` and `!~` take regular expressions that
    must fit the whole value.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    value: Annotated[str, Meta(max_length=1000)]
    op: Literal["=", "!=", "=~", "!~"] = "="


class AlertCopy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an incident keeps of an alert, so that it is there offline and in the record."""

    uid: Ident
    key: Annotated[str, Meta(max_length=1000)]
    source: Name
    title: Annotated[str, Meta(max_length=500)]
    severity: Ident
    state: Ident
    service: Annotated[str, Meta(max_length=200)] = ""
    count: Whole = 1
    first_seen: Millis = 0
    last_seen: Millis = 0


class StepCopy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step of a checklist as it was when the checklist was attached."""

    id: Ident
    text: Annotated[str, Meta(max_length=600)]
    section: Annotated[str, Meta(max_length=120)] = ""
    command: Annotated[str, Meta(max_length=1000)] | None = None
