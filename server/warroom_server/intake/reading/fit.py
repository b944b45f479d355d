"""Cut a signal to the size that the board promises, and say so where it was cut.

Nothing is lost by it: the whole body is kept. Texts stay raw, but for what cannot be stored or
encoded at all: NUL and lone surrogates become U+FFFD.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from warroom_incident.alerts import RECORD_BYTES, Signal

SIGNAL_BYTES = RECORD_BYTES - 2048
"""What is left for one signal's words, beside counters, times and what a record keeps of others."""

NAME_CHARS = 128
"""Keys and groups longer than this are cut and told apart by a hash of the whole."""

_TITLE, _SUMMARY, _DESCRIPTION, _WORD = 160, 500, 2000, 64
_LABELS, _LABEL, _ANNOTATIONS, _ANNOTATION = 32, 200, 16, 500
_LINKS, _URL = 6, 600
_OPENABLE = ("http://", "https://")
_SHARES = (1, 2, 4, 16)
_FIRST = ("alertname", "severity", "service", "job", "namespace", "cluster", "env", "instance")


def storable(text: str) -> str:
    """Replace what no JSON text or SQLite column can hold; everything else stays as it is."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def cut(text: str, limit: int) -> str:
    """Cut a text to `limit` characters and say how long it was."""
    text = storable(text)
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… (cut, {len(text)} characters; the whole body is kept)"


def name(text: str) -> str:
    """Cut a key or group so that different ones stay different."""
    text = storable(text)
    if len(text) <= NAME_CHARS:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text[: NAME_CHARS - 17]}~{digest}"


def fit(signal: Signal) -> Signal:
    """Return the signal within `SIGNAL_BYTES` as JSON, `truncated` if words were cut for it."""
    fitted = signal
    for share in _SHARES:
        fitted = _cut_to(signal, share)
        if len(msgspec.json.encode(fitted)) <= SIGNAL_BYTES:
            break
    return fitted


def _cut_to(signal: Signal, share: int) -> Signal:
    title = storable(" ".join(signal.title.split()))
    texts = {
        "title": cut(title, _TITLE) or ("" if signal.says == "words" else "unnamed alert"),
        "summary": cut(signal.summary, _SUMMARY // share),
        "description": cut(signal.description, _DESCRIPTION // share),
        "service": cut(signal.service, _WORD),
        "env": cut(signal.env, _WORD),
    }
    labels = _cut_map(signal.labels, _LABELS // share, _LABEL // share)
    annotations = _cut_map(signal.annotations, _ANNOTATIONS // share, _ANNOTATION // share)
    links = tuple(_links(signal.links))[: _LINKS // share]
    fitted = msgspec.structs.replace(
        signal,
        key=name(signal.key),
        group=name(signal.group),
        labels=labels,
        annotations=annotations,
        links=links,
        **texts,
    )
    openable = tuple(link for link in signal.links if link[1].startswith(_OPENABLE))
    whole = (signal.summary, signal.description, signal.labels, signal.annotations, openable)
    kept = (fitted.summary, fitted.description, labels, annotations, links)
    lost = len(title) > _TITLE or whole != kept
    return msgspec.structs.replace(fitted, truncated=signal.truncated or lost)


def _cut_map(texts: dict[str, str], entries: int, chars: int) -> dict[str, str]:
    names: Iterable[str] = texts
    if len(texts) > entries:
        known = [n for n in _FIRST if n in texts]
        names = [*known, *(n for n in texts if n not in _FIRST)][:entries]
    return {cut(n, _WORD): cut(texts[n], chars) for n in names}


def _links(links: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Keep what a person could open: a cut address leads nowhere."""
    for title, url in links:
        if url.startswith(_OPENABLE) and len(url) <= _URL and url.isprintable():
            yield cut(title, _WORD), url
