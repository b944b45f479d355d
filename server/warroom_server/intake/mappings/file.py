"""What a mapping file may say: TOML with a kind, a sender, shapes of alerts and examples.

docs/alerts.md has the words in full; `pointing` has the way in which places are named.
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

DEFAULT_BYTES = 256 << 10
LARGEST_BYTES = 4 << 20
LARGEST_FILE = 256 << 10

Where = str | tuple[str, ...]
"""One place, or several of which the first that says something counts."""

Meaning = Literal["firing", "acknowledged", "unacknowledged", "suppressed", "nodata", "resolved",
                  "mute", "unmute", "ignore"]  # fmt: skip
"""A state; `mute` is `suppressed` for an alert that is open already and `unmute` its end, `ignore`
no alert at all.

`unacknowledged` is `firing` where nobody has it any more, which a repeat does not say.
"""

Grade = Literal["SEV1", "SEV2", "SEV3", "SEV4"]


class BadMapping(Exception):
    """A mapping file cannot be used; the message completes "FILE: ..."."""


class StateOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"other": "else"}):
    """Where a state is read, and what the sender's words mean (in any case)."""

    at: Where
    map: dict[str, Meaning] = {}
    other: Meaning | None = None


class SeverityOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"other": "else"}):
    """Where a severity is read, and what the sender's words mean (in any case)."""

    at: Where
    map: dict[str, Grade] = {}
    other: Grade | None = None


class AlertShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one shape of a sender's body is read; every part but `title` may be left out.

    `when` says what a body of this shape has: a pointer and the text there, "*" for anything,
    "!" for nothing. `each` points to a list of alerts. `decode` names texts that hold JSON.
    """

    title: Where
    when: dict[str, str] = {}
    each: str = ""
    decode: tuple[str, ...] = ()
    key: Where = ()
    summary: Where = ()
    description: Where = ()
    service: Where = ()
    env: Where = ()
    group: Where = ()
    state: StateOf | Where = ()
    severity: SeverityOf | Where = ()
    labels: dict[str, Where] = {}
    labels_in: tuple[str, ...] = ()
    annotations: dict[str, Where] = {}
    links: dict[str, Where] = {}
    starts_at: Where = ()
    ends_at: Where = ()


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body, and what the signals that it becomes must have: fields that are not named may be."""

    name: str
    body: str
    headers: dict[str, str] = {}
    signals: tuple[dict[str, object], ...] = ()


class MappingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One mapping file, as it is written."""

    kind: Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9_-]{0,39}\Z")]
    sender: Annotated[str, Meta(min_length=1, max_length=60)]
    alert: Annotated[tuple[AlertShape, ...], Meta(min_length=1, max_length=16)]
    max_bytes: Annotated[int, Meta(ge=1024, le=LARGEST_BYTES)] = DEFAULT_BYTES
    example: Annotated[tuple[Example, ...], Meta(max_length=50)] = ()


def read_file(text: bytes) -> MappingFile:
    """Read the TOML of a mapping. Raises BadMapping."""
    if len(text) > LARGEST_FILE:
        raise BadMapping(f"it is larger than {LARGEST_FILE:,} bytes")
    try:
        return msgspec.convert(tomllib.loads(text.decode()), MappingFile)
    except UnicodeDecodeError:
        raise BadMapping("it is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise BadMapping(f"it is not TOML ({error})") from None
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadMapping(f"{error}") from None
