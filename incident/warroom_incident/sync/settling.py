"""The settings of a room, as a server tells them to its consoles."""

# ruff: noqa: RUF012  (msgspec copies a default list for each message)
from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .message import Message

RUNBOOK = "runbook"
"""What to ask about (`key` is the name) for the text of one of the server's runbooks."""

MAX_TEXT = 100_000
"""Characters of a runbook that an answer carries."""

MAX_RUNBOOKS = 200
"""How many of a server's own runbooks are named to its consoles."""

MAX_CHECKLIST = 50_000
"""Characters of a checklist for the commander that every console is sent."""

Minutes = Annotated[int, Meta(ge=0, le=10_080)]
_Text = Annotated[str, Meta(max_length=500)]


class SeverityWords(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a team says of one severity; what is empty or None is as it is shipped.

    `cadence` is the longest time between two updates to customers in minutes, 0 where nobody
    outside waits for one.
    """

    name: Annotated[str, Meta(max_length=20)] = ""
    meaning: _Text = ""
    response: _Text = ""
    cadence: Minutes | None = None


SeverityId = Annotated[str, Meta(pattern=r"\ASEV[1-5?]\Z")]
AudienceId = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9-]{0,39}\Z")]


class Settings(Message, frozen=True, tag="settings"):
    """What this console may do now, and the room's own definitions: replaces what was known.

    Sent to who asks for it in `hello`, behind the welcome and again when something has changed.
    `severities` are the team's words by id, `cadences` minutes between two updates by audience (0:
    as the severity asks), `runbooks` the names and titles of the server's own runbooks, whose
    texts are asked for one by one. `checklist` is the text of the room's own checklist for the
    commander, empty where it is as shipped.
    """

    right: Literal["viewer", "responder", "commander", "admin"]
    severities: Annotated[dict[SeverityId, SeverityWords], Meta(max_length=6)] = {}
    cadences: Annotated[dict[AudienceId, Minutes], Meta(max_length=20)] = {}
    runbooks: Annotated[
        list[tuple[Annotated[str, Meta(max_length=80)], Annotated[str, Meta(max_length=200)]]],
        Meta(max_length=MAX_RUNBOOKS),
    ] = []
    checklist: Annotated[str, Meta(max_length=MAX_CHECKLIST)] = ""
