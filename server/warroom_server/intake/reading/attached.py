"""Bodies in Slack's shape: what a program would have said in a channel, read as an alert.

Such a body has no field for a state. Its sender writes it into the title, in brackets: `[FIRING:2]
disk full`, `[RESOLVED] disk full`, `[OK] disk full`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .telling import state_of

_BRACKETS = re.compile(r"\s*\[([A-Za-z _-]{2,24})(?::\s?[0-9]{1,6})?\]\s*(?=\S)")
_FIRING = frozenset(("firing", "alerting", "triggered", "problem", "down", "open"))


def attached(attachments: object) -> dict[str, object]:
    """Read the first attachment as the fields that it stands for; none where there is none."""
    first = attachments[0] if isinstance(attachments, list) and attachments else None
    if not isinstance(first, dict):
        return {}
    state, title = _taken_apart(_title(first))
    found = {
        "title": title,
        "status": state,
        "description": first.get("text"),
        "link": first.get("title_link"),
    }
    return {name: text for name, text in found.items() if isinstance(text, str) and text.strip()}


def _title(attachment: Mapping[str, object]) -> str:
    title = attachment.get("title") or attachment.get("fallback") or attachment.get("pretext") or ""
    return title if isinstance(title, str) else ""


def _taken_apart(title: str) -> tuple[str, str]:
    """The state in front of a title, empty for none, and the rest: what stays the same."""
    found = _BRACKETS.match(title)
    if found is None:
        return "", title
    word = found[1].casefold()
    state = state_of(word) or ("firing" if word.strip() in _FIRING else "")
    return (state, title[found.end() :]) if state else ("", title)
