"""The practice as it is shipped, in TOML: what `warroom init` writes for a team to edit."""

from __future__ import annotations

import json
from collections.abc import Iterator

from warroom_incident.practice.audience import AUDIENCES
from warroom_incident.practice.severity import SEVERITIES


def practice_toml() -> str:
    """The `[practice]` tables of `warroom.toml`, with every shipped value."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield ""
    yield "# What severities mean, what they ask of people, and the minutes between two updates"
    yield "# to customers (0: nobody outside waits for one). Consoles use them once the server was"
    yield "# started again; what is left out is as shipped."
    for severity in SEVERITIES:
        key = severity.id if severity.id.isalnum() else _text(severity.id)
        yield f"[practice.severity.{key}]"
        yield f"name = {_text(severity.name)}"
        yield f"meaning = {_text(severity.meaning)}"
        yield f"response = {_text(severity.response)}"
        yield f"cadence = {severity.cadence or 0}"
        yield ""
    yield "# Minutes between two updates, by audience; 0: as the severity asks."
    yield "[practice.cadence]"
    for audience in AUDIENCES:
        yield f"{audience.id} = {audience.cadence or 0}"


def _text(text: str) -> str:
    """A string of TOML; JSON's rules for one are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False)
