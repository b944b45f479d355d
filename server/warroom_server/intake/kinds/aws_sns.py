"""AWS SNS, with CloudWatch alarms and anything else in its notifications; EventBridge as well.

A request to confirm a subscription is shown as a card with its address, if that is Amazon's: a
person opens it. Nothing in a body is ever called by the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from warroom_incident.alerts import Signal, State

from ..post import Post
from ..reading.body import read_json, read_time, text_of
from ..reading.telling import told
from ..source import Source
from ..unreadable import Unreadable
from . import generic

_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")
_STATES: dict[str, State] = {"ALARM": "firing", "OK": "resolved", "INSUFFICIENT_DATA": "nodata"}


def parse(post: Post, source: Source) -> Iterator[Signal]:
    """Yield what a message of SNS, or what came without its envelope, tells. Raises Unreadable."""
    body = read_json(post.body)
    if not isinstance(body, dict):
        raise Unreadable("it is not a message of SNS: it is no object")
    topic = text_of(body.get("TopicArn"))
    if topic and source.topics and topic not in source.topics:
        raise Unreadable(f"its topic {topic[:200]} is none that this token may send")
    match body.get("Type"):
        case "Notification":
            yield from _notification(body, topic, post, source)
        case "SubscriptionConfirmation":
            yield _confirmation(body, topic, post, source)
        case "UnsubscribeConfirmation":
            yield _unsubscribed(body, topic, post, source)
        case _:
            yield from _message(body, "", post, source)


def _notification(
    body: Mapping[str, object], topic: str, post: Post, source: Source
) -> Iterator[Signal]:
    text = text_of(body.get("Message"))
    try:
        inner = read_json(text.encode("utf-8", "surrogatepass"))
    except Unreadable:
        inner = None
    # What arrives proves that the subscription was confirmed.
    yield told(post, source, key=_subscription(topic), state="resolved", title="confirmed")
    if isinstance(inner, dict):
        yield from _message(inner, topic, post, source)
        return
    subject = text_of(body.get("Subject"))
    yield told(
        post,
        source,
        key="",
        state="firing",
        title=subject or text.strip().split("\n")[0],
        description=text,
        labels={"topic": topic},
    )


def _message(
    message: Mapping[str, object], topic: str, post: Post, source: Source
) -> Iterator[Signal]:
    detail = message.get("detail")
    if "AlarmName" in message:
        yield _alarm(message, topic, post, source)
    elif isinstance(detail, dict) and "alarmName" in detail:
        yield _event(message, detail, post, source)
    else:
        yield from generic.read(dict(message), post, source)


def _alarm(alarm: Mapping[str, object], topic: str, post: Post, source: Source) -> Signal:
    """Read a CloudWatch alarm. Only a change from OK is a start; blindness is none."""
    name, region = text_of(alarm.get("AlarmName")), text_of(alarm.get("Region"))
    account = text_of(alarm.get("AWSAccountId"))
    state = _STATES.get(text_of(alarm.get("NewStateValue")), "firing")
    changed = read_time(alarm.get("StateChangeTime"))
    trigger = alarm.get("Trigger")
    labels = {"region": region, "account": account, "topic": topic}
    if isinstance(trigger, dict):
        labels["namespace"] = text_of(trigger.get("Namespace"))
        labels["metric"] = text_of(trigger.get("MetricName"))
        labels.update(_dimensions(trigger.get("Dimensions")))
    began = state == "firing" and text_of(alarm.get("OldStateValue")) == "OK"
    return told(
        post,
        source,
        key=text_of(alarm.get("AlarmArn")) or f"{account}/{region}/{name}",
        state=state,
        title=name,
        summary=text_of(alarm.get("NewStateReason")),
        description=text_of(alarm.get("AlarmDescription")),
        labels={label: text for label, text in labels.items() if text},
        starts_at=changed if began else None,
        ends_at=changed,
    )


def _dimensions(value: object) -> Iterator[tuple[str, str]]:
    for dimension in value if isinstance(value, list) else ():
        if isinstance(dimension, dict) and (name := text_of(dimension.get("name"))):
            yield name, text_of(dimension.get("value"))


def _event(
    event: Mapping[str, object], detail: Mapping[str, object], post: Post, source: Source
) -> Signal:
    """Read a CloudWatch alarm as EventBridge tells it."""
    now, before = _object(detail.get("state")), _object(detail.get("previousState"))
    name = text_of(detail.get("alarmName"))
    account, region = text_of(event.get("account")), text_of(event.get("region"))
    resources = event.get("resources")
    arn = text_of(resources[0]) if isinstance(resources, list) and resources else ""
    return _alarm(
        {
            "AlarmName": name,
            "AlarmArn": arn,
            "AWSAccountId": account,
            "Region": region,
            "NewStateValue": now.get("value"),
            "OldStateValue": before.get("value"),
            "NewStateReason": now.get("reason"),
            "StateChangeTime": now.get("timestamp", event.get("time")),
            "AlarmDescription": _object(detail.get("configuration")).get("description"),
        },
        "",
        post,
        source,
    )


def _confirmation(body: Mapping[str, object], topic: str, post: Post, source: Source) -> Signal:
    address = text_of(body.get("SubscribeURL"))
    good = is_amazons(address)
    how = (
        "Open its address to confirm, if you expect messages of this topic."
        if good
        else "Its address is not one of Amazon SNS: do not open it."
    )
    return told(
        post,
        source,
        key=_subscription(topic),
        state="firing",
        severity="SEV3",
        title=f"AWS SNS asks to confirm the subscription of {_name(topic)}",
        summary=how,
        labels={"topic": topic},
        links=[("confirm", address)] if good else [],
    )


def _unsubscribed(body: Mapping[str, object], topic: str, post: Post, source: Source) -> Signal:
    address = text_of(body.get("SubscribeURL"))
    return told(
        post,
        source,
        key=f"sns:unsubscribed:{topic}",
        state="firing",
        severity="SEV2",
        title=f"AWS SNS sends no more alerts of {_name(topic)}",
        summary="Somebody ended the subscription. Open its address to begin it again.",
        labels={"topic": topic},
        links=[("subscribe again", address)] if is_amazons(address) else [],
    )


def is_amazons(address: str) -> bool:
    """Whether an address leads to Amazon SNS and nowhere else."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = parts.scheme == "https" and "@" not in parts.netloc and "\\" not in address
    return plain and port in (None, 443) and _HOST.fullmatch(host) is not None


def _name(topic: str) -> str:
    return topic.rpartition(":")[2] or "a topic without a name"


def _subscription(topic: str) -> str:
    return f"sns:subscription:{topic}"


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
