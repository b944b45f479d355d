"""Bodies of every kind become signals, or a sentence that says why not; never anything else."""

from __future__ import annotations

import json
import sys

import msgspec
import pytest

from tests.server.bodies import NASTY, NOON, notification, only, payload, read
from warroom_incident.alerts import Signal
from warroom_server.intake.kinds import CHANGE, KINDS, alertmanager
from warroom_server.intake.kinds.alertmanager import fingerprint
from warroom_server.intake.post import Post
from warroom_server.intake.reading.body import read_time, text_of
from warroom_server.intake.source import Source
from warroom_server.intake.unreadable import Unreadable

# --- Alertmanager ---


def test_a_single_alert_is_read_with_its_labels_links_and_times() -> None:
    signal = only("alertmanager", payload("01-fire-single"))
    assert signal.title == signal.summary == "checkout-api on 127.0.0.1:19813 is down"
    assert (signal.key, signal.state, signal.severity) == ("fc28154ffdd3d25b", "firing", "SEV1")
    assert (signal.service, signal.env) == ("checkout", "prod")
    assert (signal.starts_at, signal.ends_at) == (1_795_244_655_704, None)
    assert signal.group == '{}:{alertname="TargetDown", cluster="eu-west-1"}'
    assert dict(signal.links) == {
        "dashboard_url": "http://127.0.0.1:3000/d/checkout",
        "runbook_url": "https://runbooks.example.invalid/runbooks/checkout/targetdown",
        "generator": "http://127.0.0.1:19090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        "alertmanager": "http://vm:19093",
    }
    assert not signal.truncated


def test_a_partial_resolve_is_read_alert_by_alert() -> None:
    signals = read("alertmanager", payload("04-partial-resolve-mixed-status"))
    assert [s.state for s in signals] == ["firing", "resolved", "firing"]
    assert [s.severity for s in signals] == ["SEV1", None, "SEV1"]
    assert signals[1].ends_at == 1_795_244_694_704


def test_a_fingerprint_that_was_not_sent_is_computed_like_alertmanager_does() -> None:
    for name in ("02-fire-group-of-3", NASTY, "09-no-alertname-no-annotations"):
        for alert in json.loads(payload(name))["alerts"]:
            assert fingerprint(alert["labels"]) == alert["fingerprint"]
            told = alert.pop("fingerprint")
            assert only("alertmanager", notification(alert)).key == told


def test_version_3_with_an_integer_group_and_local_time_is_read() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "Failed", "severity": "critical", "environment": "Production"},
        "annotations": {"summary": "connecting fails"},
        "startsAt": "2026-08-01T13:27:08.008+03:00",
        "endsAt": "0001-01-01T00:00:00Z",
    }
    signal = only("alertmanager", notification(alert, version="3", groupKey=5615590933959184469))
    assert signal.group == "5615590933959184469"
    assert signal.starts_at == 1_785_580_028_008
    assert (signal.env, signal.ends_at) == ("Production", None)


def test_an_alert_without_name_and_annotations_is_titled_by_its_labels() -> None:
    signal = only("alertmanager", payload("09-no-alertname-no-annotations"))
    assert signal.title == "job=batch, severity=critical"
    assert only("alertmanager", notification({})).title == "unnamed alert"


def test_severity_in_annotations_counts() -> None:
    alert = {"labels": {"alertname": "x"}, "annotations": {"severity": "critical"}}
    assert only("alertmanager", notification(alert)).severity == "SEV1"


def test_a_sources_own_severities_and_default_are_used() -> None:
    alert = {"labels": {"severity": "customers"}}
    body = notification(alert)
    assert only("alertmanager", body, severities={"customers": "SEV1"}).severity == "SEV1"
    assert only("alertmanager", body, default_severity="SEV4").severity == "SEV4"


def test_alerts_that_the_sender_left_out_are_noted() -> None:
    signal = only("alertmanager", notification({"labels": {"a": "b"}}, truncatedAlerts=3))
    assert signal.missing == 3


@pytest.mark.parametrize("count", [True, -1, 2.5, "3", None, 1 << 60])
def test_a_count_that_is_none_is_no_count(count: object) -> None:
    signal = only("alertmanager", notification({"labels": {"a": "b"}}, truncatedAlerts=count))
    assert msgspec.json.encode(signal.missing) == b"0"


def test_two_alerts_with_equal_labels_and_different_fingerprints_stay_two() -> None:
    alerts = [{"labels": {"a": "b"}, "fingerprint": f} for f in ("f1", "f2")]
    assert [s.key for s in read("alertmanager", notification(*alerts))] == ["f1", "f2"]


def test_hostile_text_arrives_raw_and_a_huge_annotation_is_cut_honestly() -> None:
    signal = only("alertmanager", payload(NASTY))
    assert "\x1b[31mCPU" in signal.title
    assert signal.annotations["bell"] == "\x07\x08� nul"
    assert signal.description.endswith("… (cut, 54000 characters; the whole body is kept)")
    assert signal.truncated


@pytest.mark.parametrize(
    "name",
    [
        "12-pagerduty-events-v2-trigger-by-alertmanager",
        "15-opsgenie-close-by-alertmanager",
        "20-victorops-firing",
        "22-slack-webhook-firing",
    ],
)
def test_a_body_of_another_shape_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(Unreadable, match='no list "alerts"'):
        read("alertmanager", payload(name))


def test_the_alerts_that_can_be_read_are_read_before_the_rest_is_reported() -> None:
    body = json.dumps(notification({"labels": {"a": "b"}}, "nonsense", 7)).encode()
    signals = KINDS["alertmanager"].read(Post(body, NOON), Source("am", "alertmanager"))
    assert next(signals).labels == {"a": "b"}
    with pytest.raises(Unreadable, match="2 of its 3 alerts"):
        next(signals)


# --- generic ---


def test_the_documented_fields_of_a_generic_alert_are_read() -> None:
    signal = only(
        "generic",
        {
            "title": "checkout is slow",
            "key": "checkout-latency",
            "status": "firing",
            "severity": "high",
            "service": "checkout",
            "env": "prod",
            "description": "p99 above 2 s",
            "url": "https://grafana.example.invalid/d/1",
            "labels": {"team": "shop"},
            "starts_at": "2026-11-21T12:00:00Z",
            "host": "web-1",
            "value": 2.5,
        },
    )
    assert (signal.title, signal.key, signal.state) == (
        "checkout is slow",
        "checkout-latency",
        "firing",
    )
    assert (signal.severity, signal.service, signal.env) == ("SEV2", "checkout", "prod")
    assert (signal.description, signal.starts_at) == ("p99 above 2 s", NOON)
    assert signal.links == (("url", "https://grafana.example.invalid/d/1"),)
    assert signal.labels["team"] == "shop"
    assert (signal.labels["host"], signal.labels["value"]) == ("web-1", "2.5")
    assert not signal.weak_key


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("ok", "resolved"),
        ("RECOVERED", "resolved"),
        ("closed", "resolved"),
        ("No Data", "nodata"),
        ("INSUFFICIENT_DATA", "nodata"),
        ("ack", "acknowledged"),
        ("maintenance", "suppressed"),
        ("whatever", "firing"),
        ("", "firing"),
    ],
)
def test_a_generic_state_is_read_in_the_words_people_use(word: str, state: str) -> None:
    assert only("generic", {"title": "x", "status": word}).state == state


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("generic", {"title": "x", "status": "un-acknowledged"}),
        ("opsgenie", {"action": "UnAcknowledge", "alert": {"alias": "x", "message": "x"}}),
        ("pagerduty", {"event": {"event_type": "incident.unacknowledged", "data": {"id": "P1"}}}),
    ],
)
def test_who_takes_an_acknowledgement_back_says_so(kind: str, body: dict[str, object]) -> None:
    signal = only(kind, body)
    assert (signal.state, signal.unacks) == ("firing", True)


@pytest.mark.parametrize(("word", "state"), [("mute", "suppressed"), ("unmute", "firing")])
def test_what_mutes_an_open_alert_or_ends_that_tells_nothing_else(word: str, state: str) -> None:
    signal = only("generic", {"title": "x", "key": "k", "status": word})
    assert (signal.says, signal.state) == ("state", state)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"resolved": True}, "resolved"),
        ({"resolved": False, "status": "ok"}, "firing"),
        ({"firing": False}, "resolved"),
        ({"state": 0}, "firing"),
    ],
)
def test_a_generic_state_may_be_a_flag(fields: dict[str, object], state: str) -> None:
    assert only("generic", {"title": "x", **fields}).state == state


def test_a_list_and_an_object_with_a_list_hold_several_alerts() -> None:
    assert [s.key for s in read("generic", [{"id": 1}, {"id": 2}])] == ["1", "2"]
    wrapped = {"id": "outer", "service": "shop", "alerts": [{"id": 1}, {"id": 2, "service": "x"}]}
    signals = read("generic", wrapped)
    assert [(s.key, s.service) for s in signals] == [("1", "shop"), ("2", "x")]


def test_labels_too_large_for_every_alert_of_a_list_are_left_out_and_said() -> None:
    tags = [f"tag{number}:x" for number in range(1000)]
    body = json.dumps({"env": "prod", "tags": tags, "alerts": [{"id": 1}, {"id": 2}]}).encode()
    signals = KINDS["generic"].read(Post(body, NOON), Source("am", "generic"))
    assert [next(signals).env, next(signals).env] == ["prod", "prod"]
    with pytest.raises(Unreadable, match="beside its list is too much"):
        next(signals)


def test_what_no_alert_tells_may_be_as_large_as_it_likes_beside_a_list() -> None:
    body = {"context": ["x" * 50] * 1000, "alerts": [{"id": 1, "title": "t"}]}
    assert only("generic", body).title == "t"


def calls_of(kind: str, body: object) -> int:
    """How many functions are called to read a body."""
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event.endswith("call")

    sys.setprofile(count)
    try:
        read(kind, body)
    finally:
        sys.setprofile(None)
    return calls


def test_what_stands_beside_a_list_is_not_read_in_full_for_every_alert() -> None:
    alerts = [{"id": number} for number in range(100)]
    beside = {f"field{number}": 1 for number in range(3000)}
    assert calls_of("generic", {**beside, "alerts": alerts}) < 300_000


def test_a_group_of_any_size_is_written_as_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[object] = []

    def heard(value: object) -> str:
        written.append(value)
        return text_of(value)

    monkeypatch.setattr(alertmanager, "text_of", heard)
    group = {"a": ["b"]}
    alerts = [{"labels": {"n": str(number)}} for number in range(9)]
    signals = read("alertmanager", notification(*alerts, groupKey=group, status=group))
    assert {signal.group for signal in signals} == {'{"a": ["b"]}'}
    assert written.count(group) == 1


def test_a_guessed_key_ignores_numbers_and_is_marked() -> None:
    one, other, third = (
        only("generic", {"title": title, "host": "db1"})
        for title in ("disk 91 % full", "disk 97 % full", "disk is gone")
    )
    assert one.key == other.key != third.key
    assert one.weak_key


def test_alerts_without_any_known_field_are_told_apart_by_their_words() -> None:
    one = only("generic", {"probe": {"at": "eu"}, "when": 17})
    other = only("generic", {"probe": {"at": "us"}, "when": 17})
    again = only("generic", {"probe": {"at": "eu"}, "when": 99, "state": "ok"})
    assert one.key == again.key != other.key
    assert one.title == "alert from am"
    assert '"probe": {"at": "eu"}' in one.description


def test_a_plain_sentence_is_an_alert() -> None:
    signal = only("generic", b'"the tape robot fell over\\nagain"')
    assert signal.title == "the tape robot fell over"
    assert signal.description == "the tape robot fell over\nagain"


@pytest.mark.parametrize("tags", [["team:shop", "prod"], "team:shop, prod", {"team": "shop"}])
def test_tags_become_labels_however_they_are_written(tags: object) -> None:
    assert only("generic", {"title": "x", "tags": tags}).labels["team"] == "shop"


def test_links_may_be_objects_and_only_web_addresses_are_links() -> None:
    hostile = "https://x.invalid/\x1b]0;owned"
    links = [{"title": "graph", "href": "https://g.invalid/1"}, "javascript:alert(1)", 7, hostile]
    assert only("generic", {"title": "x", "links": links}).links == (
        ("graph", "https://g.invalid/1"),
    )


@pytest.mark.parametrize("body", [b"7", b"null", b"true", b'""', b"[3]", b"NaN"])
def test_a_value_that_tells_nothing_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(Unreadable, match="tell nothing"):
        read("generic", body)


# --- what careless and hostile encoders send ---


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b'{"title": "a", "value": NaN}', "a"),
        (b'{"title": "lone \\ud83d surrogate"}', "lone � surrogate"),
        (b'{"title": "first", "title": "last"}', "last"),
        (b'{"title": "latin \xe9"}', "latin �"),
        (b'\xef\xbb\xbf{"title": "with a mark"}', "with a mark"),
        (b'{"title": "nul \\u0000 here"}', "nul � here"),
        (b'{"title": "raw \x01 control"}', "raw \x01 control"),
        (b'{"title": "two\\nlines"}', "two lines"),
    ],
)
def test_what_other_parsers_choke_on_is_still_read(body: bytes, title: str) -> None:
    signal = only("generic", body)
    assert signal.title == title
    assert msgspec.json.decode(msgspec.json.encode(signal), type=Signal) == signal


@pytest.mark.parametrize("digits", ["9223372036854775808", "9" * 400, "1" + "0" * 5000])
def test_integers_of_any_size_are_text(digits: str) -> None:
    signal = only("generic", b'{"title": "x", "id": ' + digits.encode() + b"}")
    assert signal.key.startswith(digits[:100])


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {CHANGE}))
@pytest.mark.parametrize(
    "body",
    [b"", b"disk full", b"[" * 10_000, b'{"a":' * 10_000, b'{"title": "x"', b"\xff\xfe\x00"],
)
def test_what_is_not_json_is_refused_with_a_reason(kind: str, body: bytes) -> None:
    with pytest.raises(Unreadable, match=r"not JSON|nested too deeply"):
        read(kind, body)


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        ("2026-11-21T12:00:00Z", NOON),
        ("2026-11-21T12:00:00.123456789Z", NOON + 123),
        ("2026-11-21T13:00:00+0100", NOON),
        ("2026-11-21 12:00:00", NOON),
        (NOON // 1000, NOON),
        (NOON, NOON),
        (NOON * 1000, NOON),
        (NOON * 1_000_000, NOON),
        (str(NOON // 1000), NOON),
        (NOON / 1000 + 0.5, NOON + 500),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-23:59", None),
        (0, None),
        (-5, None),
        (float("nan"), None),
        (10**30, None),
        ("9" * 60, None),
        ("yesterday", None),
        (True, None),
        (None, None),
        ([NOON], None),
    ],
)
def test_times_are_read_in_every_usual_spelling(value: object, ms: int | None) -> None:
    assert read_time(value) == ms


def test_a_number_beyond_any_float_is_no_time() -> None:
    assert read_time(10**400) is None
