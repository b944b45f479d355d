"""Any JSON, read by the field names that people commonly give.

A body is one alert, a list of alerts, or an object with a list `alerts` or `events` (what stands
beside the list holds for each of them). Names are matched without case, `-` or `_`. Whatever is
not a known field becomes a label, if it is a single value. The page `docs/alerts.md` is the
promise; the tables below keep it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping

from warroom_incident.alerts import Signal, State, read_severity

from ..source import Source
from ..unreadable import Unreadable
from .alertmanager import ENV_LABELS, SERVICE_LABELS, first_of
from .body import read_json, read_time, text_map, text_of
from .fit import fit, storable

_KEY = ("key", "dedupkey", "fingerprint", "alias", "incidentkey", "alertid", "id")
_TITLE = ("title", "summary", "name", "alertname", "subject", "message", "msg", "text", "error")
_SUMMARY = ("summary", "message", "msg", "text", "error")
_DESCRIPTION = ("description", "details", "body", "message", "text")
_STATE = ("status", "state", "eventaction", "action", "alertstate", "currentstate")
_SEVERITY = ("severity", "priority", "level", "urgency")
_START = ("startsat", "startedat", "starttime", "firedat")
_END = ("endsat", "endedat", "endtime", "resolvedat")
_GROUP = ("group", "groupkey", "cluster")
_LINK = ("url", "link", "links", "runbookurl", "dashboardurl", "generatorurl")
_LABELS = ("labels", "tags")
_LISTS = ("alerts", "events")
_KNOWN = frozenset(
    (*_KEY, *_TITLE, *_DESCRIPTION, *_STATE, *_START, *_END, *_LINK, *_LABELS, *_LISTS)
) | {"annotations", "resolved", "firing", "token"}
_OF_THE_LIST = frozenset((*_KEY, *_TITLE, *_DESCRIPTION, *_LISTS))

_STATES: dict[str, State] = {
    **dict.fromkeys(("acknowledged", "acknowledge", "ack", "acked"), "acknowledged"),
    **dict.fromkeys(("suppressed", "silenced", "muted", "paused", "ignored"), "suppressed"),
    **dict.fromkeys(("maintenance", "inhibited", "snoozed", "archived"), "suppressed"),
    **dict.fromkeys(("nodata", "insufficientdata", "stale"), "nodata"),
    **dict.fromkeys(("resolved", "resolve", "ok", "up", "closed", "close", "clear"), "resolved"),
    **dict.fromkeys(("cleared", "recovery", "recovered", "normal", "fixed"), "resolved"),
    **dict.fromkeys(("success", "healthy", "inactive", "green", "deactivated"), "resolved"),
}
_NOT_LETTERS = re.compile(r"[^a-z]+")
_VOLATILE = re.compile(r"[0-9]+")


def parse(body: bytes, source: Source, received: int) -> Iterator[Signal]:
    """Yield one signal for each alert of a body. Raises Unreadable."""
    value = read_json(body)
    odd = 0
    for entry in _entries(value):
        signal = _signal(entry, source, received)
        if signal is None:
            odd += 1
        else:
            yield fit(signal)
    if odd:
        raise Unreadable(f"{odd} of its values tell nothing: send objects with a title")


def _entries(value: object) -> Iterable[object]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for field, inner in value.items():
            if _plain(field) in _LISTS and isinstance(inner, list):
                return _inherited(value, inner)
    return (value,)


def _inherited(outer: Mapping[str, object], entries: list[object]) -> Iterator[object]:
    shared = {f: v for f, v in outer.items() if _plain(f) not in _OF_THE_LIST}
    for entry in entries:
        yield {**shared, **entry} if isinstance(entry, dict) else entry


def _signal(entry: object, source: Source, received: int) -> Signal | None:
    if isinstance(entry, str) and entry.strip():
        entry = {"title": entry.strip().splitlines()[0], "description": entry}
    if not isinstance(entry, dict):
        return None
    fields = {_plain(field): value for field, value in reversed(entry.items())}
    labels = _labels(entry, fields)
    annotations = text_map(fields.get("annotations"))
    state = _state(fields)
    title = _text(fields, _TITLE) or annotations.get("summary", "") or labels.get("alertname", "")
    summary = _text(fields, _SUMMARY) or annotations.get("summary", "")
    description = _text(fields, _DESCRIPTION) or annotations.get("description", "")
    service = first_of(labels, SERVICE_LABELS)
    key = _text(fields, _KEY)
    severity = None
    if state not in ("resolved", "acknowledged"):
        severity = read_severity(
            labels,
            annotations,
            _text(fields, _SEVERITY),
            own=source.severities,
            default=source.default_severity,
        )
    return Signal(
        source=source.name,
        kind=source.kind,
        key=key or _guessed_key(title or _lasting(fields), service, labels),
        state=state,
        title=title or f"alert from {source.name}",
        received=received,
        severity=severity,
        service=service,
        env=first_of(labels, ENV_LABELS),
        summary="" if summary == title else summary,
        description=("" if description == summary else description) or _as_text(entry, fields),
        labels=labels,
        annotations={n: t for n, t in annotations.items() if t not in (summary, description)},
        links=tuple(_links(fields)),
        group=_text(fields, _GROUP),
        starts_at=_time(fields, _START),
        ends_at=_time(fields, _END) if state == "resolved" else None,
        weak_key=not key,
    )


def _plain(field: object) -> str:
    return text_of(field).casefold().replace("_", "").replace("-", "")


def _text(fields: Mapping[str, object], names: tuple[str, ...]) -> str:
    """Return the first of these fields that is a single value and says something."""
    for field in names:
        value = fields.get(field)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            text = text_of(value)
            if text.strip():
                return text
    return ""


def _time(fields: Mapping[str, object], names: tuple[str, ...]) -> int | None:
    return next((t for n in names if (t := read_time(fields.get(n))) is not None), None)


def _state(fields: Mapping[str, object]) -> State:
    if isinstance(over := fields.get("resolved"), bool):
        return "resolved" if over else "firing"
    if isinstance(firing := fields.get("firing"), bool):
        return "firing" if firing else "resolved"
    for field in _STATE:
        value = fields.get(field)
        if isinstance(value, str):
            return _STATES.get(_NOT_LETTERS.sub("", value.casefold()), "firing")
    return "firing"


def _labels(entry: Mapping[str, object], fields: Mapping[str, object]) -> dict[str, str]:
    """Collect labels: the labels object, tags in their usual spellings, then single values."""
    labels: dict[str, str] = {}
    for field in _LABELS:
        value = fields.get(field)
        if isinstance(value, dict):
            labels.update(text_map(value))
        elif isinstance(value, str | list):
            labels.update(_tags(value.split(",") if isinstance(value, str) else value))
    for field, value in entry.items():
        if isinstance(value, str | int | float) and _plain(field) not in _KNOWN:
            labels.setdefault(text_of(field), text_of(value))
    return labels


def _tags(tags: list[object] | list[str]) -> Iterator[tuple[str, str]]:
    for tag in tags:
        text = text_of(tag).strip()
        if text:
            at = min((i for i in (text.find(":"), text.find("=")) if i > 0), default=len(text))
            yield text[:at].strip(), text[at + 1 :].strip()


def _links(fields: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for field in _LINK:
        value = fields.get(field)
        for link in value if isinstance(value, list) else (value,):
            if isinstance(link, str) and link:
                yield field, link
            elif isinstance(link, dict):
                inner = {_plain(f): v for f, v in link.items()}
                title = _text(inner, ("title", "text", "name")) or field
                yield title, _text(inner, ("url", "href", "link"))


def _guessed_key(title: str, service: str, labels: Mapping[str, str]) -> str:
    """Name an alert that has no key: by its words without their numbers, service and host."""
    words = _VOLATILE.sub("#", title.casefold())
    where = first_of(labels, ("host", "hostname", "instance", "device"))
    guessed = storable("\n".join((words, service, where)))
    return "guessed:" + hashlib.sha256(guessed.encode()).hexdigest()[:24]


def _lasting(fields: Mapping[str, object]) -> str:
    """Write out an alert without a title, but for what changes while it stays the same alert."""
    passing = {*_STATE, *_SEVERITY, *_START, *_END, "resolved", "firing"}
    return text_of({field: fields[field] for field in sorted(fields) if field not in passing})


def _as_text(entry: Mapping[str, object], fields: Mapping[str, object]) -> str:
    """Show an alert without any text field as what it is, so that a person can read it."""
    return "" if _text(fields, (*_TITLE, *_DESCRIPTION)) else text_of(entry)
