"""CloudEvents 1.0: structured, in a batch, or with its attributes in `ce-` headers.

The envelope is taken off; what is inside is read like any JSON. An event that names no key of its
own is known by its source and subject, and its type may say what happened: `….resolved`.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping

from warroom_incident.alerts import Signal

from ..post import Post
from ..reading.body import read_json, text_of
from ..reading.telling import state_of
from ..source import Source
from ..unreadable import Unreadable
from . import generic

_ATTRIBUTES = ("id", "source", "type", "subject", "time")
_KEYS = ("key", "dedup_key", "dedupKey", "fingerprint", "alias")
_STATES = ("status", "state", "resolved", "firing", "event_action")


def parse(post: Post, source: Source) -> Iterator[Signal]:
    """Yield the alerts of an event, or of a batch. Raises Unreadable."""
    if "ce-type" in post.headers or "ce-id" in post.headers:
        attributes = {n: post.headers.get(f"ce-{n}", "") for n in _ATTRIBUTES}
        yield from _event(attributes, _decoded(post.body), post, source)
        return
    body = read_json(post.body)
    odd = 0
    for event in body if isinstance(body, list) else [body]:
        if isinstance(event, dict) and ("type" in event or "specversion" in event):
            attributes = {n: text_of(event.get(n)) for n in _ATTRIBUTES}
            yield from _event(attributes, _data(event), post, source)
        else:
            odd += 1
    if odd:
        raise Unreadable(f"{odd} of its values are no CloudEvents: they have no type")


def _data(event: Mapping[str, object]) -> object:
    data = event.get("data")
    if data is None and isinstance(encoded := event.get("data_base64"), str):
        try:
            return _decoded(b64decode(encoded, validate=True))
        except ValueError:
            return encoded
    return data


def _decoded(data: bytes) -> object:
    try:
        return read_json(data) if data.strip() else None
    except Unreadable:
        return data.decode("utf-8", "replace")


def _event(
    attributes: Mapping[str, str], data: object, post: Post, source: Source
) -> Iterator[Signal]:
    entry: dict[str, object] = dict(data) if isinstance(data, dict) else {}
    if not isinstance(data, dict) and data is not None:
        entry["message"] = data if isinstance(data, str) else text_of(data)
    origin, subject = attributes["source"], attributes["subject"]
    if not any(name in entry for name in _KEYS) and (subject or "id" not in entry):
        entry["key"] = f"{origin} {subject or attributes['type']}"
    happened = attributes["type"].rpartition(".")[2]
    if state_of(happened) and not any(name in entry for name in _STATES):
        entry["status"] = happened
    if not any(name in entry for name in ("title", "summary", "name", "message")):
        entry["title"] = " ".join(filter(None, (attributes["type"], subject)))
    entry.setdefault("ce_source", origin)
    entry.setdefault("ce_type", attributes["type"])
    yield from generic.read(entry, post, source)
