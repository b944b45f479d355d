"""VictorOps' (Splunk On-Call's) REST endpoint, as its many integrations post to it."""

from __future__ import annotations

from collections.abc import Iterator

from warroom_incident.alerts import Signal, State

from ..post import KEY, PATH, Post
from ..reading.body import read_json, text_of
from ..reading.telling import told
from ..source import Source
from ..unreadable import Unreadable

_TYPES: dict[str, tuple[State, str]] = {
    "critical": ("firing", "SEV1"),
    "warning": ("firing", "SEV3"),
    "info": ("firing", "SEV4"),
    "acknowledgement": ("acknowledged", ""),
    "recovery": ("resolved", ""),
    "ok": ("resolved", ""),
}
_KNOWN = frozenset(
    ("message_type", "entity_id", "entity_display_name", "state_message", "alert_url", "api_key")
)


def parse(post: Post, source: Source) -> Iterator[Signal]:
    """Yield the alert of a body. Raises Unreadable."""
    body = read_json(post.body)
    if not isinstance(body, dict):
        raise Unreadable("it is not a body of VictorOps: it is no object")
    kind = text_of(body.get("message_type")).strip().casefold()
    if kind not in _TYPES:
        raise Unreadable(f'its "message_type" is none of {", ".join(_TYPES).upper()}')
    state, severity = _TYPES[kind]
    message = text_of(body.get("state_message"))
    labels = {
        text_of(name): text_of(value)
        for name, value in body.items()
        if name not in _KNOWN and isinstance(value, str | int | float) and text_of(value)
    }
    if route := post.headers.get(PATH, "").strip("/"):
        labels["routing_key"] = route
    yield told(
        post,
        source,
        key=text_of(body.get("entity_id")) or post.headers.get(KEY, ""),
        state=state,
        title=text_of(body.get("entity_display_name")) or message.strip().split("\n")[0],
        severity=severity,
        description=message,
        service=text_of(body.get("service")),
        labels=labels,
        links=[("alert", text_of(body.get("alert_url")))],
    )
