"""Any JSON, read by the field names that people commonly give.

A body is one alert, a list of alerts, or an object with a list `alerts` or `events` (what stands
beside the list holds for each of them). Names are matched without case, `-` or `_`. Whatever is
not a known field becomes a label, if it is a single value. The page `docs/alerts.md` is the
promise; the tables below keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import msgspec

from warroom_incident.alerts import Signal, State

from ..post import Post
from ..reading.attached import attached
from ..reading.body import read_time, text_map, text_of
from ..reading.form import read_body
from ..reading.telling import (
    SERVICE_LABELS,
    UNACKNOWLEDGED,
    first_of,
    guessed_key,
    label_map,
    state_of,
    told,
)
from ..source import Source
from ..unreadable import Unreadable

MAX_SHARED = 100
"""How many fields beside a list are read with each of its alerts."""

MAX_SHARED_CHARS = 4_000
"""How long a list or object there may be, as JSON."""

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
_NUMBERS = re.compile(r"\s*[0-9]")
_NAMED_BY = 3
_MUTES = frozenset(("mute", "unmute"))
_KNOWN = frozenset(
    (*_KEY, *_TITLE, *_DESCRIPTION, *_STATE, *_START, *_END, *_LINK, *_LABELS, *_LISTS)
) | {"annotations", "resolved", "firing", "token"}
_OF_THE_LIST = frozenset((*_KEY, *_TITLE, *_DESCRIPTION, *_LISTS))
_HELD = frozenset((*_LABELS, *_LINK, "annotations"))


def parse(post: Post, source: Source) -> Iterator[Signal]:
    """Yield one signal for each alert of a body. Raises Unreadable."""
    yield from read(read_body(post), post, source)


def read(value: object, post: Post, source: Source) -> Iterator[Signal]:
    """Yield one signal for each alert of a decoded body. Raises Unreadable."""
    odd = 0
    for entry in _entries(value):
        signal = _signal(entry, post, source)
        if signal is None:
            odd += 1
        else:
            yield signal
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
    beside = {f: v for f, v in outer.items() if _plain(f) not in _OF_THE_LIST}
    # It is read with every entry: what is large here would hold the reading for minutes.
    shared = {f: v for f, v in islice(beside.items(), MAX_SHARED) if _is_small(v)}
    for entry in entries:
        yield {**shared, **entry} if isinstance(entry, dict) else entry
    if any(f not in shared and _plain(f) in _HELD for f in beside):
        raise Unreadable("what stands beside its list is too much to hold for every alert")


def _is_small(value: object) -> bool:
    return not isinstance(value, dict | list) or len(text_of(value)) <= MAX_SHARED_CHARS


def _signal(entry: object, post: Post, source: Source) -> Signal | None:
    if isinstance(entry, str) and entry.strip():
        entry = {"title": entry.strip().splitlines()[0], "description": entry}
    if not isinstance(entry, dict):
        return None
    fields = {_plain(field): value for field, value in reversed(entry.items())}
    fields = {**attached(fields.pop("attachments", None)), **_filled(fields)}
    labels = _labels(entry, fields)
    annotations = text_map(fields.get("annotations"))
    title = _text(fields, _TITLE) or annotations.get("summary", "") or labels.get("alertname", "")
    summary = _text(fields, _SUMMARY) or annotations.get("summary", "")
    description = _text(fields, _DESCRIPTION) or annotations.get("description", "")
    key = _text(fields, _KEY)
    if not key:
        guessed = guessed_key(title or _lasting(fields), first_of(labels, SERVICE_LABELS), labels)
    if not title:
        title = description.strip().partition("\n")[0] or _named(labels)
    signal = told(
        post,
        source,
        key=key or guessed,
        state=_state(fields),
        says="state" if _mutes(fields) else "all",
        unacks=not UNACKNOWLEDGED.isdisjoint(_words(fields)),
        title=title or f"alert from {source.name}",
        severity=_text(fields, _SEVERITY),
        summary=summary,
        description=("" if description == summary else description) or _as_text(entry, fields),
        labels=labels,
        annotations=annotations,
        links=_links(fields),
        group=_text(fields, _GROUP),
        starts_at=_time(fields, _START),
        ends_at=_time(fields, _END),
    )
    return signal if key else msgspec.structs.replace(signal, weak_key=True)


def _filled(fields: dict[str, object]) -> dict[str, object]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value not in ("", None)}


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
            return state_of(value) or "firing"
    return "firing"


def _mutes(fields: Mapping[str, object]) -> bool:
    """Whether it says nothing but that an open alert is muted from now on, or no longer."""
    return not _MUTES.isdisjoint(_words(fields))


def _words(fields: Mapping[str, object]) -> list[str]:
    """What stands where a state does."""
    return [_plain(word) for name in _STATE if isinstance(word := fields.get(name), str)]


def _labels(entry: Mapping[str, object], fields: Mapping[str, object]) -> dict[str, str]:
    """Collect labels: the labels object, tags in their usual spellings, then single values."""
    labels: dict[str, str] = {}
    for field in _LABELS:
        labels.update(label_map(fields.get(field)))
    for field, value in entry.items():
        if isinstance(value, str | int | float) and _plain(field) not in _KNOWN:
            labels.setdefault(text_of(field), text_of(value))
    return labels


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


def _named(labels: Mapping[str, str]) -> str:
    """What an alert without any words is called: by its first labels that are no numbers."""
    words = (f"{name}={text}" for name, text in labels.items() if not _NUMBERS.match(text))
    return ", ".join(islice(words, _NAMED_BY))


def _lasting(fields: Mapping[str, object]) -> str:
    """Write out an alert without a title, but for what changes while it stays the same alert."""
    passing = {*_STATE, *_SEVERITY, *_START, *_END, "resolved", "firing"}
    return text_of({field: fields[field] for field in sorted(fields) if field not in passing})


def _as_text(entry: Mapping[str, object], fields: Mapping[str, object]) -> str:
    """Show an alert without any text field as what it is, so that a person can read it."""
    return "" if _text(fields, (*_TITLE, *_DESCRIPTION)) else text_of(entry)
