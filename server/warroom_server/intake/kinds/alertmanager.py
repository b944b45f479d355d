"""Prometheus Alertmanager's webhook, versions 4 and 3.

The body is a notification about a group; what counts are the alerts in it, each with its own
status. An alert that is missing from a body has not ended. `endsAt` of a firing alert is year 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from warroom_incident.alerts import Signal, State, read_severity

from ..source import Source
from ..unreadable import Unreadable
from .body import read_json, read_time, text_map, text_of
from .fit import fit

SERVICE_LABELS = ("service", "app", "application", "job", "namespace", "host")
ENV_LABELS = ("env", "environment", "stage")


def parse(body: bytes, source: Source, received: int) -> Iterator[Signal]:
    """Yield one signal for each alert of a notification. Raises Unreadable."""
    notification = read_json(body)
    alerts = notification.get("alerts") if isinstance(notification, dict) else None
    if not isinstance(notification, dict) or not isinstance(alerts, list):
        raise Unreadable('it is not an Alertmanager notification: there is no list "alerts"')
    odd = 0
    for alert in alerts:
        if isinstance(alert, dict):
            yield fit(_signal(alert, notification, source, received))
        else:
            odd += 1
    if odd:
        raise Unreadable(f"{odd} of its {len(alerts)} alerts are not objects")


def _signal(
    alert: Mapping[str, object],
    notification: Mapping[str, object],
    source: Source,
    received: int,
) -> Signal:
    labels, annotations = text_map(alert.get("labels")), text_map(alert.get("annotations"))
    state = _state(alert.get("status", notification.get("status")))
    summary = annotations.get("summary", "")
    description = annotations.get("description") or annotations.get("message", "")
    severity = None
    if state != "resolved":
        severity = read_severity(
            labels, annotations, own=source.severities, default=source.default_severity
        )
    return Signal(
        source=source.name,
        kind=source.kind,
        key=text_of(alert.get("fingerprint")) or fingerprint(labels),
        state=state,
        title=_title(summary, labels),
        received=received,
        severity=severity,
        service=first_of(labels, SERVICE_LABELS),
        env=first_of(labels, ENV_LABELS),
        summary=summary,
        description=description,
        labels=labels,
        annotations={n: t for n, t in annotations.items() if t not in (summary, description)},
        links=tuple(_links(alert, notification, annotations)),
        group=text_of(notification.get("groupKey")),
        starts_at=read_time(alert.get("startsAt")),
        ends_at=read_time(alert.get("endsAt")) if state == "resolved" else None,
        missing=_count(notification.get("truncatedAlerts")),
    )


def _state(status: object) -> State:
    return "resolved" if text_of(status).strip().casefold() == "resolved" else "firing"


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
) -> Iterator[tuple[str, str]]:
    for annotation, text in annotations.items():
        if text.startswith(("http://", "https://")):
            yield annotation, text
    for title, address in (
        ("generator", alert.get("generatorURL")),
        ("alertmanager", notification.get("externalURL")),
    ):
        if isinstance(address, str) and address:
            yield title, address


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 1 << 53 else 0


def first_of(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the first of these labels that says something."""
    return next((labels[n] for n in names if labels.get(n)), "")


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
