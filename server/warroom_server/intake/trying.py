"""`warroom intake try`: shows what a body becomes, with a kind that is read or a mapping file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from warroom_incident.alerts import Signal
from warroom_incident.clean import clean_line

from .changes import read_changes
from .kinds import CHANGE, Kind
from .mappings.examples import mistakes
from .mappings.file import BadMapping
from .mappings.shelf import load
from .post import Post
from .saying import Problem, out, out_json
from .senders import Senders
from .source import Source
from .unreadable import Unreadable

_LARGEST = 4 << 20


def tried(kind: str, file: str, headers: Iterable[str], senders: Senders, *, as_json: bool) -> int:
    """Show what a body becomes; 1 where it cannot be read, or not all of it.

    `kind` is one of those that are read, or a mapping file.
    """
    reader, name = _reader(kind, senders)
    post = Post(
        _content(file, reader.max_bytes), time.time_ns() // 1_000_000, dict(_headers(headers))
    )
    if name == CHANGE:
        return _tried_change(post, senders.source("try", name), as_json=as_json)
    signals: list[Signal] = []
    reason = ""
    try:
        for signal in reader.read(post, senders.source("try", name)):
            signals.append(signal)
    except Unreadable as error:
        reason = str(error)
    if as_json:
        told = [msgspec.to_builtins(signal) for signal in signals]
        out_json({"kind": name, "signals": told, "unreadable": reason or None})
    else:
        for signal in signals:
            out("\n".join(_lines(signal)) + "\n")
        told_of = f"{len(signals)} alert" + ("" if len(signals) == 1 else "s")
        out(f"{told_of}; the rest cannot be read: {reason}." if reason else f"{told_of}.")
    return 1 if reason else 0


def _tried_change(post: Post, source: Source, *, as_json: bool) -> int:
    """Show the changes that a body tells of."""
    reason = ""
    changes = []
    try:
        changes = read_changes(post, source)
    except Unreadable as error:
        reason = str(error)
    told = [msgspec.to_builtins(change) for change in changes]
    if as_json:
        out_json({"kind": CHANGE, "changes": told, "unreadable": reason or None})
        return 1 if reason else 0
    for change in told:
        out("\n".join(f"{n:12} {clean_line(str(v))}" for n, v in change.items() if v) + "\n")
    counted = f"{len(told)} change" + ("" if len(told) == 1 else "s")
    out(f"It cannot be read: {reason}." if reason else f"{counted}.")
    return 1 if reason else 0


def _reader(kind: str, senders: Senders) -> tuple[Kind, str]:
    path = Path(kind).expanduser()
    if not kind.endswith(".toml") and "/" not in kind:
        if kind not in senders.kinds:
            known = ", ".join(sorted(senders.kinds))
            raise Problem(f"There is no kind {clean_line(kind, 40)}; there are {known}.")
        return senders.kinds[kind], kind
    try:
        file, mapping = load(path)
    except BadMapping as error:
        raise Problem(f"{path} cannot be used: {error}.") from None
    for wrong in mistakes(file, mapping):
        sys.stderr.write(clean_line(f"{path}: {wrong}") + "\n")
    return Kind(mapping.parse, file.max_bytes, file.sender), file.kind


def _content(file: str, limit: int) -> bytes:
    try:
        if file == "-":
            body = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with Path(file).expanduser().open("rb") as opened:
                body = opened.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise Problem(f"{clean_line(file, 100)} cannot be read: {why}.") from None
    if len(body) > limit:
        raise Problem(f"The body is larger than {limit:,} bytes, which this kind may have.")
    return body


def _headers(given: Iterable[str]) -> Iterator[tuple[str, str]]:
    for header in given:
        # A name of ours begins with a colon, as in `:path:/v2/alerts/a/close`.
        name, colon, value = header[1:].partition(":")
        if not colon:
            raise Problem("A header is written NAME:VALUE.")
        yield (header[:1] + name).strip().casefold(), value.strip()


def _lines(signal: Signal) -> Iterator[str]:
    yield f"title        {clean_line(signal.title)}"
    told: Mapping[str, object] = msgspec.to_builtins(signal)
    for field, value in told.items():
        if field in ("title", "source", "kind", "received"):
            continue
        if isinstance(value, dict):
            for name, text in value.items():
                yield f"{field:12} {clean_line(name)}={clean_line(str(text))}"
        elif field == "links":
            for title, address in signal.links:
                yield f"{'link':12} {clean_line(title)} {clean_line(address)}"
        else:
            yield f"{field:12} {clean_line(str(value))}"
