"""The examples of a mapping: bodies, and what must become of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import msgspec

from warroom_incident.alerts import Signal

from ..post import Post
from ..source import Source
from ..unreadable import Unreadable
from .file import Example, MappingFile
from .reader import Mapped

RECEIVED = 1_795_262_400_000


def mistakes(file: MappingFile, mapping: Mapped) -> Iterator[str]:
    """Say in one sentence for each example that goes wrong what is not as it should be."""
    for example in file.example:
        headers = {name.casefold(): value for name, value in example.headers.items()}
        post = Post(example.body.encode(), RECEIVED, headers)
        try:
            signals = list(mapping.parse(post, Source("example", file.kind)))
        except Unreadable as error:
            yield f'example "{example.name}" cannot be read: {error}'
            continue
        wrong = difference(example, signals)
        if wrong:
            yield f'example "{example.name}": {wrong}'


def difference(example: Example, signals: list[Signal]) -> str:
    """Return what differs first, empty where everything is as expected."""
    if len(signals) != len(example.signals):
        return f"it makes {len(signals)} alerts, not {len(example.signals)}"
    for number, (expected, signal) in enumerate(zip_longest(example.signals, signals), 1):
        found: dict[str, object] = msgspec.to_builtins(signal)
        for field, wanted in expected.items():
            if field not in Signal.__struct_fields__:
                return f'an alert has no field "{field}"'
            default = msgspec.to_builtins(getattr(signal, field))
            got = dict(signal.links) if field == "links" else found.get(field, default)
            if isinstance(wanted, dict) and isinstance(got, dict):
                got = {name: got.get(name) for name in wanted}
            if got != wanted:
                return f"alert {number} has {field} {got!r:.120}, not {wanted!r:.120}"
    return ""
