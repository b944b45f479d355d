"""The kinds of senders: for each, what reads one of its bodies.

A kind is one entry in `KINDS`: a coded one, or one of the mappings that warroom brings. Its reader
yields signals one by one, so that a large body can be read in slices, and raises `Unreadable` at
the point where it must give up; what it has yielded until then counts. Reading is tolerant:
unknown fields are ignored, odd types become text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from warroom_incident.alerts import Signal

from ..mappings.file import MappingFile
from ..mappings.reader import Mapped
from ..mappings.shelf import find, shipped
from ..post import Post
from ..source import Source
from ..unreadable import Unreadable
from . import (
    alertmanager,
    aws_sns,
    cloudevents,
    datadog,
    generic,
    grafana,
    opsgenie,
    pagerduty,
    sentry,
    victorops,
)

MAX_ALERTS = 2_000
"""How many alerts of one body are read."""

Parse = Callable[[Post, Source], Iterator[Signal]]
"""A body and its source to signals. Raises Unreadable and nothing else."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sender: its name, how its bodies are read, how large one may be (bytes).

    `takes_query` lets a sender put everything behind the `?` of an address that it only GETs.
    """

    parse: Parse
    max_bytes: int
    sender: str = ""
    takes_query: bool = False

    def read(self, post: Post, source: Source) -> Iterator[Signal]:
        """Yield the first `MAX_ALERTS` signals of a body. Raises Unreadable, also for more."""
        signals = self.parse(post, source)
        yield from islice(signals, MAX_ALERTS)
        if next(signals, None) is not None:
            raise Unreadable(f"it holds more than {MAX_ALERTS:,} alerts: the rest is not shown")


CHANGE = "change"
"""The kind whose bodies tell of changes, not of alerts: the worker reads those itself."""

_QUERIED = frozenset(("generic", "uptime-kuma", "uptimerobot"))


def no_alerts(_post: Post, _source: Source) -> Iterator[Signal]:
    """Read a body in which there is no alert."""
    yield from ()


CODED: Mapping[str, Kind] = MappingProxyType(
    {
        "alertmanager": Kind(alertmanager.parse, 4 << 20, "Prometheus Alertmanager"),
        CHANGE: Kind(no_alerts, 1 << 20, "GitHub, GitLab, Argo CD and `warroom change`"),
        "aws-sns": Kind(aws_sns.parse, 512 << 10, "AWS SNS, with CloudWatch"),
        "cloudevents": Kind(cloudevents.parse, 1 << 20, "CloudEvents"),
        "datadog": Kind(datadog.parse, 1 << 20, "Datadog"),
        "generic": Kind(generic.parse, 256 << 10, "any JSON", takes_query=True),
        "grafana": Kind(grafana.parse, 4 << 20, "Grafana"),
        "opsgenie": Kind(opsgenie.parse, 1 << 20, "Opsgenie"),
        "pagerduty": Kind(pagerduty.parse, 1 << 20, "PagerDuty"),
        "sentry": Kind(sentry.parse, 4 << 20, "Sentry"),
        "victorops": Kind(victorops.parse, 1 << 20, "VictorOps (Splunk On-Call)"),
    }
)


def _with(mappings: Mapping[str, tuple[MappingFile, Mapped]]) -> Mapping[str, Kind]:
    kinds = dict(CODED)
    for name, (file, mapping) in mappings.items():
        kinds[name] = Kind(mapping.parse, file.max_bytes, file.sender, name in _QUERIED)
    return MappingProxyType(kinds)


KINDS: Mapping[str, Kind] = _with(shipped())


def find_kinds(directories: Iterable[Path]) -> tuple[Mapping[str, Kind], tuple[str, ...]]:
    """All kinds with those of an operator's own files, and a sentence for each that is not right.

    Args:
        directories: Where a directory `intake` with `*.toml` may be.
    """
    shelf = find(directories, CODED)
    return _with(shelf.mappings), shelf.complaints
