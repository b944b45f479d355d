"""PagerDuty's shapes: Events API version 2 and 1 as their clients send them, and its webhooks.

The key of an alert is its `dedup_key`; for one without, the door that answered the sender has made
one and noted it. What says when an event was made is no start: it differs with every repeat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from warroom_incident.alerts import Signal, State

from ..post import KEY, Post
from ..reading.body import read_json, text_map, text_of
from ..reading.telling import UNACKNOWLEDGED, told
from ..source import Source
from ..unreadable import Unreadable

_STATES: dict[str, State] = {
    "trigger": "firing",
    "acknowledge": "acknowledged",
    "resolve": "resolved",
    "triggered": "firing",
    "acknowledged": "acknowledged",
    "resolved": "resolved",
}
_URGENCIES = {"high": "SEV2", "low": "SEV3"}
_LONG = 100


def parse(post: Post, source: Source) -> Iterator[Signal]:
    """Yield the alert of an event, or the incidents of a webhook. Raises Unreadable."""
    body = read_json(post.body)
    if not isinstance(body, dict):
        raise Unreadable("it is not a body of PagerDuty: it is no object")
    event = body.get("event")
    if isinstance(event, dict):
        yield _incident(_object(event.get("data")), event.get("event_type"), post, source)
    elif isinstance(messages := body.get("messages"), list):
        for message in messages:
            said = _object(message)
            data = _object(said.get("data")) or said
            happened = said.get("event", said.get("type"))
            yield _incident(_object(data.get("incident")), happened, post, source)
    elif "event_action" in body:
        yield _event(body, _object(body.get("payload")), "event_action", post, source)
    elif "event_type" in body:
        yield _event(body, _first(body), "event_type", post, source)
    else:
        raise Unreadable('it is not a body of PagerDuty: it has no "event_action"')


def _event(
    body: Mapping[str, object],
    payload: Mapping[str, object],
    action: str,
    post: Post,
    source: Source,
) -> Signal:
    state = _STATES.get(text_of(body.get(action)).strip().casefold())
    if state is None:
        raise Unreadable(f'its "{action}" is none of trigger, acknowledge and resolve')
    labels, texts = _details(payload.get("custom_details"))
    for name in ("component", "group", "class", "source"):
        if text := text_of(payload.get(name)):
            labels.setdefault(name, text)
    key = body.get("dedup_key") or body.get("incident_key") or post.headers.get(KEY)
    severity = text_of(payload.get("severity"))
    if action == "event_type" and source.default_severity is None:
        severity = severity or "SEV2"
    return told(
        post,
        source,
        key=text_of(key),
        state=state,
        title=text_of(payload.get("summary")),
        severity=severity,
        description="\n".join(texts.values()),
        service=labels.get("service", "") or text_of(payload.get("component")),
        group=text_of(payload.get("group")),
        labels=labels,
        links=_links(body),
    )


def _first(body: Mapping[str, object]) -> dict[str, object]:
    """The fields of version 1 under the names that version 2 gave them."""
    return {"summary": body.get("description"), "custom_details": body.get("details")}


def _details(value: object) -> tuple[dict[str, str], dict[str, str]]:
    """Take details apart: short ones are labels, long ones texts to read."""
    details = text_map(value) if isinstance(value, dict) else {}
    if not details and value:
        details = {"details": text_of(value)}
    texts = {n: t for n, t in details.items() if "\n" in t or len(t) > _LONG}
    return {n: t for n, t in details.items() if n not in texts and t}, texts


def _links(body: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, address, title in (
        ("links", "href", "text"),
        ("images", "href", "alt"),
        ("contexts", "href", "text"),
    ):
        listed = body.get(name)
        for each in listed if isinstance(listed, list) else ():
            found = _object(each)
            yield text_of(found.get(title)) or name, text_of(found.get(address))
    yield text_of(body.get("client")) or "client", text_of(body.get("client_url"))


def _incident(
    incident: Mapping[str, object], happened: object, post: Post, source: Source
) -> Signal:
    """Read an incident of PagerDuty itself, which its webhooks tell of."""
    number = text_of(incident.get("id"))
    if not number:
        raise Unreadable("its webhook names no incident")
    priority = text_of(_object(incident.get("priority")).get("summary"))
    urgency = _URGENCIES.get(text_of(incident.get("urgency")).casefold(), "")
    subject = text_of(_object(incident.get("trigger_summary_data")).get("subject"))
    service = _object(incident.get("service"))
    verb = text_of(happened).rpartition(".")[2]
    counted = text_of(incident.get("number", incident.get("incident_number")))
    return told(
        post,
        source,
        key=number,
        state=_STATES.get(verb) or _STATES.get(text_of(incident.get("status")), "firing"),
        title=text_of(incident.get("title")) or subject,
        severity=priority or urgency,
        service=text_of(service.get("summary")) or text_of(service.get("name")),
        labels={"incident_number": counted} if counted else {},
        links=[("pagerduty", text_of(incident.get("html_url")))],
        unacks=verb in UNACKNOWLEDGED,
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
