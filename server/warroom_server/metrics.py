"""What the server counts, for `/metrics`: names, labels and the text they are served as.

Owns one registry of its own. No incident id, title, token or path is ever a label: sources are
token names, which an admin chose. Units are in the names; seconds are floats.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from warroom_incident.alerts import AlertRecord
from warroom_incident.sync.wire import Summary

_OPENMETRICS = "application/openmetrics-text; version=1.0.0"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Traffic(NamedTuple):
    """What the fan-out has done: frames passed on, consoles cut because they read nothing."""

    delivered: int
    cut: int


class Metrics:
    """Every number the server gives out. Attributes are the metrics, used directly."""

    def __init__(self, version: str) -> None:
        """Register all metrics for a server of this version."""
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(namespace="warroom", registry=self.registry)
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        seconds = partial(Histogram, buckets=_SECONDS, registry=self.registry)
        build = gauge("warroom_build_info", "The running version.", ["version"])
        build.labels(version).set(1)
        self.alerts_received = counter(
            "warroom_alerts_received_total",
            "Alert signals by what became of them.",
            ["source", "outcome"],
        )
        self.ingest_request_seconds = seconds(
            "warroom_ingest_request_seconds",
            "Time to take in one body, durable storage included.",
            ["source", "code"],
        )
        self.ingest_queue_length = gauge(
            "warroom_ingest_queue_length", "Bodies stored and not yet read."
        )
        self.source_last_seen = gauge(
            "warroom_source_last_seen_timestamp_seconds",
            "When a source was last heard from.",
            ["source"],
        )
        self.ws_connections = gauge("warroom_ws_connections", "Consoles connected.", ["role"])
        self.incidents_declared = counter(
            "warroom_incidents_declared_total",
            "Incidents declared, drills left out.",
            ["severity"],
        )
        self.db_size_bytes = gauge("warroom_db_size_bytes", "Size of a database file.", ["db"])
        self.db_write_seconds = seconds(
            "warroom_db_write_seconds", "Time of one durable commit.", ["db"]
        )

    def count_signal(self, source: str, outcome: str) -> None:
        """Count one signal; fits `Board(on_outcome=...)`."""
        self.alerts_received.labels(source, outcome).inc()

    def watch_board(self, records: Callable[[], Iterable[AlertRecord]]) -> None:
        """Serve `warroom_alerts` from the open records at the moment of each scrape."""
        self.registry.register(_BoardCollector(records))

    def watch_consoles(self, count: Callable[[], Traffic]) -> None:
        """Serve what the fan-out has done so far, at the moment of each scrape."""
        self.registry.register(_TrafficCollector(count))

    def watch_incidents(self, lines: Callable[[], Iterable[Summary]]) -> None:
        """Serve `warroom_incidents_open` from the incidents at the moment of each scrape."""
        self.registry.register(_IncidentCollector(lines))

    def watch_files(self, files: Mapping[str, Path]) -> None:
        """Serve the sizes of database files by their names."""
        for name, path in files.items():
            size = partial(_size_of, path)
            self.db_size_bytes.labels(name).set_function(size)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the text for a scraper's Accept header, and its content type."""
        # The library answers with the version it was asked for, so only one is ever asked for.
        wants = "application/openmetrics-text" in accept
        encode, content_type = choose_encoder(_OPENMETRICS if wants else "")
        return encode(self.registry), content_type


class _TrafficCollector(Collector):
    def __init__(self, count: Callable[[], Traffic]) -> None:
        self._count = count

    def collect(self) -> Iterator[Metric]:
        traffic = self._count()
        sent = "Frames of events passed to consoles."
        yield CounterMetricFamily("warroom_ws_deliveries", sent, value=traffic.delivered)
        dropped = CounterMetricFamily(
            "warroom_ws_dropped", "Connections ended by the server.", labels=["reason"]
        )
        dropped.add_metric(["stalled"], traffic.cut)
        yield dropped


class _IncidentCollector(Collector):
    def __init__(self, lines: Callable[[], Iterable[Summary]]) -> None:
        self._lines = lines

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "warroom_incidents_open",
            "Incidents not closed, drills left out.",
            labels=["severity", "phase"],
        )
        still = (line for line in self._lines() if line.status != "closed" and not line.drill)
        for labels, count in sorted(Tally((s.severity, s.status) for s in still).items()):
            family.add_metric(labels, count)
        yield family


def _size_of(path: Path) -> float:
    try:
        return float(path.stat().st_size)
    except OSError:
        return 0.0


class _BoardCollector(Collector):
    def __init__(self, records: Callable[[], Iterable[AlertRecord]]) -> None:
        self._records = records

    def describe(self) -> Iterator[Metric]:
        yield self._family()

    def collect(self) -> Iterator[Metric]:
        family = self._family()
        tally = Tally((r.source, r.severity, r.state) for r in self._records())
        for labels, count in sorted(tally.items()):
            family.add_metric(labels, count)
        yield family

    @staticmethod
    def _family() -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "warroom_alerts",
            "Open alert episodes on the board.",
            labels=["source", "severity", "state"],
        )
