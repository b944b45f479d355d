"""The numbers a monitoring system scrapes: names, formats, labels."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from warroom_incident.alerts import AlertRecord
from warroom_server.metrics import Metrics

NAMES = {
    "warroom_alerts",
    "warroom_alerts_received",
    "warroom_build_info",
    "warroom_db_size_bytes",
    "warroom_db_write_seconds",
    "warroom_incidents_declared",
    "warroom_ingest_queue_length",
    "warroom_ingest_request_seconds",
    "warroom_source_last_seen_timestamp_seconds",
    "warroom_ws_connections",
}


def families(metrics: Metrics) -> dict[str, Metric]:
    text = metrics.render("application/openmetrics-text")[0].decode()
    found: Iterable[Metric] = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return {family.name: family for family in found}


def record(uid: str, severity: str, state: str) -> AlertRecord:
    return AlertRecord(
        uid=uid,
        key=uid,
        source="am",
        kind="alertmanager",
        episode=1,
        title="x",
        severity=severity,
        state=state,
        first_seen=1,
        last_seen=1,
        starts_at=1,
    )


def test_every_documented_name_is_served_and_parses_as_openmetrics() -> None:
    metrics = Metrics("1.2.3")
    metrics.watch_board(lambda: ())
    found = families(metrics)
    process = {name for name in found if name.startswith("warroom_process_")}
    assert set(found) == NAMES | process
    assert [s.labels for s in found["warroom_build_info"].samples] == [{"version": "1.2.3"}]


def test_the_board_is_counted_at_the_moment_of_each_scrape() -> None:
    board = [record("a", "SEV1", "firing"), record("b", "SEV1", "firing")]
    metrics = Metrics("0")
    metrics.watch_board(lambda: board)
    board.append(record("c", "SEV3", "suppressed"))
    samples = families(metrics)["warroom_alerts"].samples
    assert {(s.labels["severity"], s.labels["state"]): s.value for s in samples} == {
        ("SEV1", "firing"): 2,
        ("SEV3", "suppressed"): 1,
    }


def test_signals_are_counted_by_source_and_outcome() -> None:
    metrics = Metrics("0")
    for outcome in ("new", "repeat", "repeat"):
        metrics.count_signal("am", outcome)
    samples = families(metrics)["warroom_alerts_received"].samples
    totals = {s.labels["outcome"]: s.value for s in samples if s.name.endswith("_total")}
    assert totals == {"new": 1, "repeat": 2}


def test_two_servers_in_one_process_share_nothing() -> None:
    one, other = Metrics("0"), Metrics("0")
    one.count_signal("am", "new")
    assert families(other)["warroom_alerts_received"].samples == []


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version="),
        ("text/html, application/openmetrics-text;q=0.9", "application/openmetrics-text; version="),
        (
            "application/openmetrics-text; version=\r\nevil",
            "application/openmetrics-text; version=",
        ),
        ("application/openmetrics-text; version=x.y", "application/openmetrics-text; version="),
        ("text/plain; version=nonsense", "text/plain; version=0.0.4"),
        ("", "text/plain; version=0.0.4"),
    ],
)
def test_the_format_follows_what_the_scraper_accepts(accept: str, content_type: str) -> None:
    body, served = Metrics("0").render(accept)
    assert served.startswith(content_type)
    assert "evil" not in served
    assert body.endswith(b"# EOF\n") == served.startswith("application/openmetrics-text")
