"""Alerts that belong together are offered as one incident; a person decides."""

import pytest

from tests.incident.making import NOW, STREAM, alert_record
from warroom_incident.alerts import AlertRecord
from warroom_incident.suggesting import (
    RECENT_MS,
    TOGETHER_MS,
    Candidate,
    proposed_severity,
    suggest,
)

MINUTE = 60_000


def candidates(records: list[AlertRecord], now: int = NOW, **hidden: object) -> list[Candidate]:
    """What looks like one incident."""
    return list(suggest(records, {}, now, hidden=list(hidden)).candidates)


def test_two_alerts_of_a_service_within_ten_minutes_are_one_candidate() -> None:
    records = [
        alert_record("a", service="checkout", title="latency", first_seen=NOW - TOGETHER_MS),
        alert_record("b", service="checkout", title="errors"),
        alert_record("c", service="search"),
    ]
    (found,) = candidates(records)
    assert (found.id, found.uids) == ("a", ("a", "b"))
    assert found.title == "checkout: latency"
    assert (found.shared, found.services) == ("the service checkout", ("checkout",))


def test_alerts_further_apart_are_none() -> None:
    records = [
        alert_record("a", service="checkout", first_seen=NOW - TOGETHER_MS - 1),
        alert_record("b", service="checkout"),
    ]
    assert candidates(records) == []


def test_a_chain_of_alerts_that_share_something_in_turn_is_one_candidate() -> None:
    records = [
        alert_record("a", group="g", first_seen=NOW - 15 * MINUTE),
        alert_record("b", group="g", service="web", first_seen=NOW - 8 * MINUTE),
        alert_record("c", service="web", labels={"cluster": "eu"}, source="zabbix"),
        alert_record("d", labels={"cluster": "eu"}, source="zabbix"),
    ]
    (found,) = candidates(records)
    assert found.uids == ("a", "b", "c", "d")
    assert found.sources == ("prometheus", "zabbix")


@pytest.mark.parametrize("state", ["suppressed", "resolved"])
def test_what_is_quiet_over_or_hidden_is_not_suggested(state: str) -> None:
    loud = alert_record("a", service="web")
    assert candidates([loud, alert_record("b", service="web", state=state)]) == []
    assert candidates([loud, alert_record("b", service="web")], b=True) == []


def test_what_has_gone_on_for_long_is_not_suggested_any_more() -> None:
    records = [alert_record("a", service="web"), alert_record("b", service="web")]
    assert candidates(records, NOW + RECENT_MS)
    assert not candidates(records, NOW + RECENT_MS + 1)


def test_alerts_that_only_inform_are_no_incident() -> None:
    records = [alert_record(uid, service="web", severity="SEV4") for uid in "ab"]
    assert candidates(records) == []


@pytest.mark.parametrize(
    ("severities", "person", "rule"),
    [
        (["SEV3", "SEV4"], "SEV?", "SEV?"),
        (["odd", "SEV3"], "SEV?", "SEV?"),
        (["SEV2", "SEV3"], "SEV2", "SEV2"),
        (["SEV1", "SEV3"], "SEV1", "SEV2"),
    ],
)
def test_a_proposed_severity_is_undetermined_unless_alerts_say_more(
    severities: list[str], person: str, rule: str
) -> None:
    records = [alert_record(str(n), severity=s) for n, s in enumerate(severities)]
    assert proposed_severity(records) == person
    assert proposed_severity(records, by_itself=True) == rule


def test_sev1_without_a_person_needs_two_sources_that_say_it() -> None:
    one = alert_record("a", severity="SEV1")
    same = alert_record("b", severity="SEV1")
    other = alert_record("c", severity="SEV1", source="zabbix")
    weaker = alert_record("d", severity="SEV2", source="zabbix")
    assert proposed_severity([one, same, weaker], by_itself=True) == "SEV2"
    assert proposed_severity([one, other], by_itself=True) == "SEV1"


def test_a_new_alert_is_offered_to_the_incident_whose_alerts_it_resembles() -> None:
    old = alert_record("a", service="web", first_seen=NOW - 60 * MINUTE)
    records = [old, alert_record("b", service="web"), alert_record("c", service="web")]
    found = suggest(records, {STREAM: {"a"}}, NOW)
    assert found.candidates == ()
    (offer,) = found.offers
    assert (offer.stream, offer.uids, offer.shared) == (STREAM, ("b", "c"), "the service web")


def test_nothing_is_offered_long_after_the_incidents_alerts_were_over() -> None:
    over = alert_record(
        "a",
        service="web",
        state="resolved",
        first_seen=NOW - 60 * MINUTE,
        ends_at=NOW - TOGETHER_MS - 1,
    )
    records = [over, alert_record("b", service="web")]
    assert suggest(records, {STREAM: {"a"}}, NOW).offers == ()


def test_linked_alerts_are_not_suggested_again() -> None:
    records = [alert_record("a", service="web"), alert_record("b", service="web")]
    assert suggest(records, {STREAM: {"a", "b"}}, NOW) == suggest([], {}, NOW)


def test_thousands_of_alerts_of_one_service_are_offered_at_once() -> None:
    records = [alert_record(f"{n:05}", service="web") for n in range(10_000)]
    linked = {STREAM: {record.uid for record in records[:5_000]}}
    (offer,) = suggest(records, linked, NOW).offers
    assert len(offer.uids) == 5_000
