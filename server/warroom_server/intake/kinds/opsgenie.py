"""Opsgenie's shapes: what clients of its Alert API send, and what its own webhook posts.

With the API, the verb and the path say what happens to which alert; the door has noted them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from warroom_incident.alerts import Says, Signal, State

from ..post import KEY, METHOD, PATH, Post
from ..reading.body import read_json, text_map, text_of
from ..reading.telling import label_map, told
from ..source import Source
from ..unreadable import Unreadable

_ACTIONS: dict[str, State] = {
    "acknowledge": "acknowledged",
    "unacknowledge": "firing",
    "close": "resolved",
    "delete": "resolved",
}
_WORDS = ("message", "description", "priority", "notes", "tags", "details", "snooze")
"""Nobody calls when a snooze is over, so it must not mute: it is only noted."""

_WEBHOOK: dict[str, State] = {
    "create": "firing",
    "acknowledge": "acknowledged",
    "unacknowledge": "firing",
    "close": "resolved",
    "delete": "resolved",
    "snooze": "suppressed",
    "escalate": "firing",
}
_PREFIX = "/v2/alerts"
HEARTBEATS = "/v2/heartbeats"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API: what is done to which alert. Both are empty for a new one."""

    action: str = ""
    key: str = ""


def read_call(method: str, path: str) -> Call | None:
    """Read a call from its verb and its path (still quoted); None where no alert is meant."""
    if not path.startswith(_PREFIX):
        return None
    steps = [unquote(step) for step in path[len(_PREFIX) :].split("/")[1:] if step]
    match steps:
        case []:
            return Call() if method == "POST" else None
        case [key] if method == "DELETE":
            return Call("delete", key)
        case [key, action] | [key, ("actions" | "attachments") as action, _]:
            return Call(action.casefold(), key)
        case _:
            return None


def pinged(path: str) -> str:
    """Which heartbeat a path (still quoted) pings, empty where it pings none."""
    match path.removeprefix(HEARTBEATS).split("/") if path.startswith(HEARTBEATS) else []:
        case ["", name, "ping"]:
            return unquote(name)[:160]
        case _:
            return ""


def parse(post: Post, source: Source) -> Iterator[Signal]:
    """Yield what a call or a webhook says of its alert. Raises Unreadable."""
    path = post.headers.get(PATH)
    if path is not None and (name := pinged(path)):
        # Only who watches heartbeats takes it: words for an alert that nobody opened are none.
        labels = {"alertname": name}
        yield told(
            post, source, key=f"heartbeat:{name}", state="firing", title=name, labels=labels,
            says="words",
        )  # fmt: skip
        return
    # A call that says all in its path may have no body.
    body = read_json(post.body) if post.body.strip() or path is None else {}
    if not isinstance(body, dict):
        raise Unreadable("it is not a body of Opsgenie: it is no object")
    if path is None and isinstance(alert := body.get("alert"), dict):
        yield from _webhook(text_of(body.get("action")).casefold(), alert, post, source)
        return
    call = read_call(post.headers.get(METHOD, "POST"), path or _PREFIX)
    if call is None:
        raise Unreadable("nothing is done to an alert by this call")
    if not call.key:
        yield _created(body, post, source)
    elif call.action in _ACTIONS:
        yield _moved(call, body, post, source)
    elif call.action in _WORDS:
        yield _worded(call, body, post, source)


def _created(alert: Mapping[str, object], post: Post, source: Source) -> Signal:
    labels = {**label_map(alert.get("tags")), **text_map(alert.get("details"))}
    if entity := text_of(alert.get("entity")):
        labels.setdefault("entity", entity)
    message = text_of(alert.get("message"))
    if not message and not alert.get("alias"):
        raise Unreadable('it has no "message"')
    origin = text_of(alert.get("source"))
    return told(
        post,
        source,
        key=text_of(alert.get("alias")) or post.headers.get(KEY, ""),
        state="firing",
        title=message,
        severity=text_of(alert.get("priority")),
        description=text_of(alert.get("description")),
        service=labels.get("service", "") or text_of(alert.get("entity")),
        labels=labels,
        links=[("source", origin)],
    )


def _moved(call: Call, body: Mapping[str, object], post: Post, source: Source) -> Signal:
    """Read what changes an alert's state."""
    state = _ACTIONS[call.action]
    amends: Says = "state" if state == "firing" else "all"
    note = text_of(body.get("note"))
    return told(
        post, source, key=call.key, state=state, title=call.key, description=note, says=amends,
        unacks=call.action == "unacknowledge",
    )  # fmt: skip


def _worded(call: Call, body: Mapping[str, object], post: Post, source: Source) -> Signal:
    """Read what changes an alert's words."""
    notes = {"note": text_of(body.get("note")), "snoozed until": text_of(body.get("endTime"))}
    return told(
        post,
        source,
        key=call.key,
        state="firing",
        title=text_of(body.get("message")) if call.action == "message" else "",
        severity=text_of(body.get("priority")) if call.action == "priority" else "",
        description=text_of(body.get("description")) if call.action == "description" else "",
        labels={**label_map(body.get("tags")), **text_map(body.get("details"))},
        annotations={name: text for name, text in notes.items() if text},
        says="words",
    )


def _webhook(
    action: str, alert: Mapping[str, object], post: Post, source: Source
) -> Iterator[Signal]:
    key = text_of(alert.get("alias")) or text_of(alert.get("alertId"))
    state = _WEBHOOK.get(action)
    if state is None:
        return
    priority = text_of(alert.get("priority"))
    created = _created({**alert, "alias": key}, post, source)
    yield told(
        post,
        source,
        key=key,
        state=state,
        title=created.title,
        severity=f"P{priority}" if priority in ("1", "2", "3", "4", "5") else priority,
        description=created.description,
        service=created.service,
        labels=created.labels,
        unacks=action == "unacknowledge",
    )
