"""Prometheus Alertmanager's webhook, versions 4 and 3.

The body is a notification about a group; what counts are the alerts in it, each with its own
status. An alert that is missing from a body has not ended. `endsAt` of a firing alert is year 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from warroom_incident.alerts import Signal, State, read_severity

from ..post import Post
from ..reading.body import read_json, read_time, text_map, text_of
from ..reading.fit import fit, name
from ..reading.telling import ENV_LABELS, SERVICE_LABELS, first_of
from ..source import Source
from ..unreadable import Unreadable


def parse(post: Post, source: Source) -> Iterator[Signal]:
    """Yield one signal for each alert of a notification. Raises Unreadable."""
    notification = read_json(post.body)
    if not isinstance(notification, dict):
        raise Unreadable('it is not an Alertmanager notification: there is no list "alerts"')
    yield from read(notification, post, source, "alertmanager")


def read(
    notification: Mapping[str, object], post: Post, source: Source, sender: str
) -> Iterator[Signal]:
    """Yield one signal for each alert of a notification of this shape.

    Args:
        notification: The decoded body.
        post: The body it comes from.
        source: Who sent it.
        sender: What the link to the sender itself is called.
    """
    alerts = notification.get("alerts")
    if not isinstance(alerts, list):
        raise Unreadable(f'it is not a notification of {sender}: there is no list "alerts"')
    odd = 0
    group = name(text_of(notification.get("groupKey")))
    for alert in alerts:
        if isinstance(alert, dict):
            yield fit(_signal(alert, notification, group, post, source, sender))
        else:
            odd += 1
    if odd:
        raise Unreadable(f"{odd} of its {len(alerts)} alerts are not objects")


def _signal(
    alert: Mapping[str, object],
    notification: Mapping[str, object],
    group: str,
    post: Post,
    source: Source,
    sender: str,
) -> Signal:
    whole = text_map(alert.get("labels"))
    labels, annotations = _public(whole), _public(text_map(alert.get("annotations")))
    state = _state(alert.get("status", notification.get("status")), labels)
    summary = annotations.get("summary", "")
    description = annotations.get("description") or annotations.get("message", "")
    if values := text_of(alert.get("valueString")):
        annotations["values"] = values
    severity = None
    if state != "resolved":
        severity = read_severity(
            labels, annotations, own=source.severities, default=source.default_severity
        )
    return Signal(
        source=source.name,
        kind=source.kind,
        key=text_of(alert.get("fingerprint")) or fingerprint(whole),
        state=state,
        title=_title(summary, labels),
        received=post.received,
        severity=severity,
        service=first_of(labels, SERVICE_LABELS),
        env=first_of(labels, ENV_LABELS),
        summary=summary,
        description=description,
        labels=labels,
        annotations={n: t for n, t in annotations.items() if t not in (summary, description)},
        links=tuple(_links(alert, notification, annotations, sender)),
        group=group,
        starts_at=read_time(alert.get("startsAt")),
        ends_at=read_time(alert.get("endsAt")) if state == "resolved" else None,
        missing=_count(notification.get("truncatedAlerts")),
    )


def _public(texts: Mapping[str, str]) -> dict[str, str]:
    """Without what Grafana's API tells for itself, such as `__alert_rule_uid__`."""
    return {name: text for name, text in texts.items() if not name.startswith("__")}


def _state(status: object, labels: Mapping[str, str]) -> State:
    if isinstance(status, str) and status[:64].strip().casefold() == "resolved":
        return "resolved"
    # Grafana says with an alert of this name that it is blind.
    return "nodata" if labels.get("alertname") == "DatasourceNoData" else "firing"


def _title(summary: str, labels: Mapping[str, str]) -> str:
    if summary.strip():
        return summary
    if labels.get("alertname", "").strip():
        return labels["alertname"]
    return ", ".join(f"{n}={t}" for n, t in list(labels.items())[:3]) or "unnamed alert"


def _links(
    alert: Mapping[str, object],
    notification: Mapping[str, object],
    annotations: Mapping[str, str],
    sender: str,
) -> Iterator[tuple[str, str]]:
    for annotation, text in annotations.items():
        if text.startswith(("http://", "https://")):
            yield annotation, text
    for title, address in (
        ("dashboard", alert.get("dashboardURL")),
        ("panel", alert.get("panelURL")),
        ("image", alert.get("imageURL")),
        ("generator", alert.get("generatorURL")),
        (sender, notification.get("externalURL")),
        ("silence", alert.get("silenceURL")),
    ):
        if isinstance(address, str) and address:
            yield title, address


def _count(value: object) -> int:
    # `true` is an int to Python, and no number to whoever reads the record.
    return value if type(value) is int and 0 < value < 1 << 53 else 0


def fingerprint(labels: Mapping[str, str]) -> str:
    """Compute what Alertmanager calls a fingerprint, for versions that do not send it.

    64-bit FNV-1a over the sorted names and values, each ended by a byte 255.
    """
    digest = 0xCBF29CE484222325
    for label in sorted(labels):
        for part in (label, labels[label]):
            for byte in part.encode("utf-8", "surrogatepass") + b"\xff":
                digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"
