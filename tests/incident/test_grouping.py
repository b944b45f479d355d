"""Open alerts fold into lines by plain rules, the same for everybody."""

from random import Random

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.incident.making import NOW, alert_record
from warroom_incident.alerts import AlertRecord
from warroom_incident.board import Window
from warroom_incident.grouping import SERIES, STORM, STORM_MS, Group, fold_alerts

MINUTE = 60_000


def lines(records: list[AlertRecord], **hidden: Window) -> list[tuple[str, str, tuple[str, ...]]]:
    """What the lines are: kind, name, alerts."""
    return [(g.kind, g.name, g.uids) for g in fold_alerts(records, NOW, hidden)]


def test_no_alerts_are_no_lines_and_what_is_over_has_none() -> None:
    assert lines([]) == []
    assert lines([alert_record("a", state="resolved")]) == []


def test_alerts_of_the_senders_group_are_one_line_named_by_their_rule() -> None:
    labels = {"alertname": "DiskFull"}
    records = [
        alert_record("a", group="g", title="db1 full", labels=labels, severity="SEV3"),
        alert_record("b", group="g", title="db2 full", labels=labels),
        alert_record("c", group="g", source="other", title="alone"),
    ]
    assert lines(records) == [
        ("single", "alone", ("c",)),
        ("sender", "DiskFull", ("b", "a")),
    ]


def test_alerts_without_a_group_share_a_service_in_one_environment_then_a_cluster() -> None:
    records = [
        alert_record("a", service="checkout", env="prod", severity="SEV1"),
        alert_record("b", service="checkout", env="prod"),
        alert_record("c", service="checkout", env="test", labels={"cluster": "eu"}),
        alert_record("d", service="search", labels={"k8s_cluster": "eu"}),
    ]
    assert lines(records) == [
        ("service", "checkout (prod)", ("a", "b")),
        ("cluster", "cluster eu", ("c", "d")),
    ]


def test_a_line_tells_the_worst_severity_its_services_and_its_rate() -> None:
    records = [
        alert_record("a", group="g", service="web", severity="SEV3", first_seen=NOW - 3 * MINUTE),
        alert_record("b", group="g", service="web", first_seen=NOW, source="prometheus"),
        alert_record("c", group="g", service="db", first_seen=NOW - 60 * MINUTE),
        alert_record("d", group="g", first_seen=NOW + 5),
    ]
    (line,) = fold_alerts(records, NOW)
    assert (line.severity, line.count) == ("SEV2", 4)
    assert line.services == (("web", 2), ("db", 1))
    assert len(line.series) == SERIES
    assert line.series[-4:] == (1, 0, 0, 2)
    assert sum(line.series) == 3
    assert (line.first_seen, line.newest) == (NOW - 60 * MINUTE, NOW + 5)


def storm(count: int, **fields: object) -> list[AlertRecord]:
    """Alerts of many services that began within a minute."""
    return [
        alert_record(
            f"s{n:05}", first_seen=NOW - MINUTE + n, service=f"web-{n % 7}", group=f"g{n}", **fields
        )
        for n in range(count)
    ]


def test_a_storm_of_one_source_is_one_line_whatever_else_its_alerts_share() -> None:
    calm = alert_record("calm", group="g1", first_seen=NOW - 60 * MINUTE)
    other = alert_record("other", source="zabbix")
    found = fold_alerts([*storm(STORM), calm, other], NOW)
    assert [(g.kind, g.count) for g in found] == [("single", 1), ("storm", STORM), ("single", 1)]
    line = next(g for g in found if g.kind == "storm")
    assert line.name == "storm from prometheus"
    assert [count for _, count in line.services] == [8, 7, 7, 7, 7, 7, 7]


def test_one_alert_less_than_a_storm_is_none() -> None:
    assert {g.kind for g in fold_alerts(storm(STORM - 1), NOW)} == {"service"}


def test_a_storm_goes_on_as_long_as_its_alerts_keep_coming() -> None:
    step = STORM_MS // (STORM - 1)
    records = [alert_record(f"{n:04}", first_seen=NOW + n * step) for n in range(3 * STORM)]
    (line,) = fold_alerts(records, NOW)
    assert (line.kind, line.count) == ("storm", 3 * STORM)
    slow = [alert_record(f"{n:04}", first_seen=NOW + n * (step + 9)) for n in range(3 * STORM)]
    assert {g.kind for g in fold_alerts(slow, NOW)} == {"single"}


@pytest.mark.parametrize("ago", [16_000, MINUTE, 2 * MINUTE, STORM_MS - MINUTE])
def test_what_began_before_a_burst_is_not_lost_in_its_storm(ago: int) -> None:
    burst = storm(40 * STORM, severity="SEV3")
    begin = burst[0].first_seen
    before = [
        alert_record(f"early{n}", severity="SEV1", service="pay", first_seen=begin - ago - n)
        for n in range(3)
    ]
    found = fold_alerts([*before, *burst], NOW)
    assert [(g.kind, g.count, g.severities) for g in found] == [
        ("service", 3, (("SEV1", 3),)),
        ("storm", 40 * STORM, (("SEV3", 40 * STORM),)),
    ]


def test_a_steady_trickle_before_a_burst_stays_out_of_its_storm_but_for_its_end() -> None:
    burst = storm(2 * STORM)
    begin = burst[0].first_seen
    trickle = [
        alert_record(f"t{n:02}", service="pay", first_seen=begin - 10_000 * n) for n in range(1, 25)
    ]
    storms = [g for g in fold_alerts([*trickle, *burst], NOW) if g.kind == "storm"]
    assert len(storms) == 1
    assert 2 * STORM <= storms[0].count <= 2 * STORM + 6


def test_two_storms_of_a_source_are_one_line_without_what_lies_between_them() -> None:
    later = [
        msgspec.structs.replace(r, uid=f"l{r.uid}", first_seen=r.first_seen + 60 * MINUTE)
        for r in storm(STORM)
    ]
    between = alert_record("between", first_seen=later[0].first_seen - 2 * MINUTE)
    found = fold_alerts([*storm(STORM), between, *later], NOW + 60 * MINUTE)
    assert sorted((g.kind, g.count) for g in found) == [("single", 1), ("storm", 2 * STORM)]


def test_the_severities_in_a_storm_are_counted_the_worst_first() -> None:
    some = storm(STORM, severity="SEV3")
    worse = [msgspec.structs.replace(r, severity="SEV1") for r in some[:3]]
    (line,) = fold_alerts([*worse, *some[3:]], NOW)
    assert line.severities == (("SEV1", 3), ("SEV3", STORM - 3))


def test_the_id_of_a_storm_stays_when_alerts_come_and_go() -> None:
    records = storm(2 * STORM)
    ids = {fold_alerts(part, NOW)[0].id for part in (records, records[:-20], records[20:])}
    assert len(ids) == 1


def test_what_a_window_hides_or_the_source_silences_is_counted_on_lines_of_its_own() -> None:
    window = Window("w", "maintenance", "new switch", (), NOW, NOW + 1, "ana", NOW)
    records = [
        alert_record("a", severity="SEV1"),
        alert_record("b", severity="SEV1", state="suppressed"),
        alert_record("c"),
    ]
    assert lines(records, a=window) == [
        ("single", "alert c", ("c",)),
        ("maintenance", "new switch", ("a",)),
        ("suppressed", "muted at prometheus", ("b",)),
    ]


RECORDS = st.builds(
    lambda n, age, service, group, cluster, source, severity, state: alert_record(
        f"u{n}",
        first_seen=NOW - age * MINUTE,
        service=service,
        group=group,
        labels={"cluster": cluster},
        source=source,
        severity=severity,
        state=state,
    ),
    st.integers(0, 10_000),
    st.integers(0, 90),
    *[st.sampled_from(["", "a", "b"]) for _ in range(3)],
    st.sampled_from(["am", "zabbix"]),
    st.sampled_from(["SEV1", "SEV2", "SEV3", "odd"]),
    st.sampled_from(["firing", "suppressed", "nodata", "resolved"]),
)


@given(st.lists(RECORDS, max_size=80, unique_by=lambda r: r.uid), st.randoms(use_true_random=False))
def test_every_open_alert_is_on_exactly_one_line_in_any_order(
    records: list[AlertRecord], random: Random
) -> None:
    found = fold_alerts(records, NOW)
    shown = [uid for line in found for uid in line.uids]
    assert sorted(shown) == sorted(r.uid for r in records if r.is_open)
    assert len({line.id for line in found}) == len(found)
    mixed = list(records)
    random.shuffle(mixed)
    assert fold_alerts(mixed, NOW) == found


def test_thousands_of_alerts_fold_into_few_lines() -> None:
    found: list[Group] = fold_alerts(storm(15_000), NOW)
    assert [line.count for line in found] == [15_000]
