"""The kinds of senders: for each, what reads one of its bodies.

A kind is one entry in `KINDS`. Its reader yields signals one by one, so that a large body can be
read in slices, and raises `Unreadable` at the point where it must give up; what it has yielded
until then counts. Reading is tolerant: unknown fields are ignored, odd types become text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from warroom_incident.alerts import Signal

from ..source import Source
from . import alertmanager, generic

Parse = Callable[[bytes, Source, int], Iterator[Signal]]
"""Body, its source, when it was received (ms) to signals. Raises Unreadable and nothing else."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sender: how its bodies are read and how large one may be, in bytes."""

    parse: Parse
    max_bytes: int


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "alertmanager": Kind(alertmanager.parse, 4 << 20),
        "generic": Kind(generic.parse, 256 << 10),
    }
)
