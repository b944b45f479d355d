"""Datadog's webhook: the template that docs/alerts.md gives, and the body it sends without one.

The default body holds no state and no key: both are read from the title, whose brackets tell what
happened and whose rest names the monitor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from warroom_incident.alerts import Signal, State

from ..post import Post
from ..reading.body import text_of
from ..reading.form import read_body
from ..reading.telling import label_map, told
from ..source import Source
from ..unreadable import Unreadable

_BRACKETS = re.compile(r"\[([^\[\]]{0,200})\]\s*")
_TYPES = {"error": "SEV2", "warning": "SEV3", "success": "SEV4", "info": "SEV4"}
_PRIORITY = re.compile(r"P?([1-5])", re.IGNORECASE)
_LABELS = ("host", "hostname", "alert_scope", "alert_metric", "event_type", "org")
_MARK = "%%%"


def parse(post: Post, source: Source) -> Iterator[Signal]:
    """Yield the alert of a body. Raises Unreadable."""
    body = read_body(post)
    if not isinstance(body, dict):
        raise Unreadable("it is not a body of Datadog: it is no object")
    fields = {text_of(name).casefold(): _filled(value) for name, value in body.items()}
    title = _text(fields, "alert_title", "event_title", "title")
    plain, said = _bracketed(title)
    if not plain and not _text(fields, "alert_id", "monitor_id", "id"):
        raise Unreadable('it has no "title": take the template of docs/alerts.md')
    transition = _text(fields, "alert_transition", "transition") or said
    labels = label_map(fields.get("tags"))
    for name in _LABELS:
        value = fields.get(name)
        if isinstance(value, str | int) and text_of(value):
            labels.setdefault(name, text_of(value))
    yield told(
        post,
        source,
        key=_key(fields, plain),
        state=_state(transition),
        title=plain or title,
        severity=_severity(fields, transition, title),
        description=_text(fields, "body", "event_msg", "text_only_msg", "message").replace(
            _MARK, ""
        ),
        service=labels.get("service", ""),
        labels=labels,
        links=[
            ("monitor", _text(fields, "link")),
            ("snapshot", _text(fields, "snapshot")),
        ],
    )


def _filled(value: object) -> object:
    """A value, or nothing where a variable of the template stayed as it was."""
    if isinstance(value, str) and (value.startswith("$") or value == "null"):
        return ""
    return value


def _text(fields: Mapping[str, object], *names: str) -> str:
    return next((t for n in names if (t := text_of(fields.get(n)).strip())), "")


def _bracketed(title: str) -> tuple[str, str]:
    """Take `[P2] [Triggered on {host:a}] CPU` apart: the rest, and what is in the brackets."""
    said, at = [], 0
    while found := _BRACKETS.match(title, at):
        said.append(found[1])
        at = found.end()
    return title[at:].strip(), " ".join(said)


def _key(fields: Mapping[str, object], plain: str) -> str:
    for name in ("alert_cycle_key", "aggreg_key"):
        if key := _text(fields, name):
            return key
    monitor = _text(fields, "alert_id", "monitor_id")
    if monitor:
        return f"{monitor}/{_text(fields, 'alert_scope')}"
    return f"title:{plain}" if plain else ""


def _state(transition: str) -> State:
    words = transition.casefold()
    if "recovered" in words or "resolved" in words:
        return "resolved"
    if "no data" in words:
        return "nodata"
    return "suppressed" if "muted" in words else "firing"


def _severity(fields: Mapping[str, object], transition: str, title: str) -> str:
    for text in (_text(fields, "alert_priority", "priority"), *_BRACKETS.findall(title[:200])):
        if number := _PRIORITY.fullmatch(text.strip()):
            return f"P{number[1]}"
    if "warn" in transition.casefold():
        return "SEV3"
    return _TYPES.get(_text(fields, "alert_type").casefold(), _text(fields, "severity"))
