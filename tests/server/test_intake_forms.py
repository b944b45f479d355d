"""CloudEvents, forms, any JSON, and bodies that broke other readers."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.server.bodies import NOON, only, read
from warroom_incident.alerts import RECORD_BYTES
from warroom_server.intake.kinds import KINDS, MAX_ALERTS
from warroom_server.intake.post import Post
from warroom_server.intake.source import Source
from warroom_server.intake.unreadable import Unreadable

# --- CloudEvents ---

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "subject": "checkout",
    "type": "com.example.alert.firing",
    "data": {"title": "checkout is slow", "severity": "high"},
}


def test_a_structured_event_is_known_by_its_source_and_subject() -> None:
    fired = only("cloudevents", EVENT)
    over = only("cloudevents", {**EVENT, "id": "2", "type": "com.example.alert.resolved"})
    assert (fired.key, fired.state, fired.severity) == ("/shop checkout", "firing", "SEV2")
    assert (over.key, over.state) == (fired.key, "resolved")


def test_a_batch_holds_several_events_and_odd_values_are_reported_after_them() -> None:
    batch = [EVENT, {**EVENT, "subject": "cart"}, 7]
    signals = KINDS["cloudevents"].read(
        Post(json.dumps(batch).encode(), NOON), Source("x", "cloudevents")
    )
    assert [next(signals).key, next(signals).key] == ["/shop checkout", "/shop cart"]
    with pytest.raises(Unreadable, match="no CloudEvents"):
        next(signals)


def test_attributes_may_be_headers_and_data_anything() -> None:
    headers = {"ce-id": "1", "ce-source": "/shop", "ce-type": "disk.full", "ce-subject": "db1"}
    for data, title in ((b'{"summary": "full"}', "full"), (b"it is full", "it is full")):
        signal = only("cloudevents", data, headers)
        assert (signal.key, signal.title) == ("/shop db1", title)
    assert only("cloudevents", b"", headers).title == "disk.full db1"
    encoded = {**EVENT, "data": None, "data_base64": "eyJ0aXRsZSI6ICJmdWxsIn0="}
    assert only("cloudevents", encoded).title == "full"


def test_data_with_a_key_of_its_own_keeps_it() -> None:
    assert only("cloudevents", {**EVENT, "data": {"title": "x", "key": "k"}}).key == "k"


# --- any JSON ---


def test_a_form_is_read_like_the_json_it_holds_or_by_its_fields() -> None:
    encoded = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert only("generic", b"title=disk+full&severity=critical", encoded).severity == "SEV1"
    assert only("generic", b"payload=%7B%22title%22%3A%22x%22%7D", encoded).title == "x"
    # Some clients, curl among them, call JSON a form.
    assert only("generic", b'{"title": "y"}', encoded).title == "y"
    parts = (
        b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\n{"title": "z"}\r\n'
        b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n--b--\r\n'
    )
    assert only("generic", parts, {"content-type": "multipart/form-data; boundary=b"}).title == "z"


def test_more_alerts_than_are_read_from_one_body_are_said_to_be_left_out() -> None:
    body = json.dumps([{"title": "x", "key": str(i)} for i in range(MAX_ALERTS + 5)]).encode()
    signals = KINDS["generic"].read(Post(body, NOON), Source("x", "generic"))
    assert [next(signals).key for _ in range(MAX_ALERTS)][-1] == str(MAX_ALERTS - 1)
    with pytest.raises(Unreadable, match="more than 2,000 alerts"):
        next(signals)


def test_a_body_may_nest_64_levels_and_no_more() -> None:
    def nested(depth: int) -> bytes:
        return b'{"title": "x", "deep": ' + b"[" * depth + b"]" * depth + b"}"

    assert only("generic", nested(63)).title == "x"
    with pytest.raises(Unreadable, match="nested too deeply"):
        read("generic", nested(64))


# --- bodies that real senders have posted, and that broke other readers ---


def test_a_grafana_alert_without_any_field_is_still_an_alert() -> None:
    signal = only("grafana", {"alerts": [{}]})
    assert (signal.title, signal.state, signal.severity) == ("unnamed alert", "firing", "SEV3")


def test_a_grafana_body_without_labels_tells_ends_first_and_what_it_left_out() -> None:
    alerts = [{"status": "resolved", "fingerprint": "a"}, {"status": "firing", "fingerprint": "b"}]
    signals = read("grafana", {"status": "firing", "alerts": alerts, "truncatedAlerts": 10})
    assert [(s.key, s.state, s.missing) for s in signals] == [
        ("a", "resolved", 10),
        ("b", "firing", 10),
    ]


@pytest.mark.parametrize("at", [10**30, -1, "soon", [], {"s": 1}, 1e400, True])
def test_a_time_beyond_all_clocks_is_no_time(at: object) -> None:
    body = {"id": "1", "title": "t", "state": "ACTIVATED", "createdAt": at, "updatedAt": at}
    assert only("newrelic", body).starts_at is None


def test_a_newrelic_body_with_no_known_field_is_refused_with_a_reason() -> None:
    with pytest.raises(Unreadable, match="none of the bodies that New Relic sends"):
        read("newrelic", {"hello": "world"})


def test_a_recovery_that_checkmk_sends_through_pagerduty_is_an_end_whatever_it_lacks() -> None:
    event = {
        "routing_key": "(routing key)",
        "event_action": "resolve",
        "dedup_key": "server1:",
        "payload": {
            "summary": "server1 is UP",
            "severity": "info",
            "source": "",
            "component": "server1",
            "custom_details": {"info": "", "host": "server1", "host_address": ""},
        },
        "client": "Check_MK",
        "client_url": "",
    }
    signal = only("pagerduty", event)
    assert (signal.key, signal.state, signal.severity) == ("server1:", "resolved", None)
    assert signal.labels == {"host": "server1", "component": "server1"}


def test_equal_labels_with_different_fingerprints_are_two_alerts() -> None:
    two = [{"labels": {"alertname": "a"}, "fingerprint": f} for f in ("1", "2")]
    assert [s.key for s in read("alertmanager", {"alerts": two})] == ["1", "2"]


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    "value",
    [
        "\x1b]0;owned\x07\u202e\x00\ud83d[/b]{0.__class__}%s${jndi}",
        "x" * 54_000,
        9223372036854775808,
        float("nan"),
        [["deep"] * 3] * 3,
    ],
)
def test_hostile_values_in_every_field_of_a_kind_leave_a_bounded_signal(
    kind: str, value: object
) -> None:
    for body in FILLED:
        hostile = json.dumps(_filled(body, value)).encode()
        try:
            signals = read(kind, hostile)
        except Unreadable:
            continue
        for signal in signals:
            assert len(msgspec.json.encode(signal)) <= RECORD_BYTES
            assert "\0" not in signal.title + signal.key


FILLED: list[dict[str, Any]] = [
    {"title": "", "key": "", "labels": {"a": "", "severity": ""}, "links": [""], "tags": [""]},
    {"alerts": [{"labels": {"a": ""}, "annotations": {"b": ""}, "fingerprint": ""}]},
    {"event_action": "trigger", "dedup_key": "", "payload": {"summary": "", "custom_details": ""}},
    {"message_type": "CRITICAL", "entity_id": "", "state_message": "", "entity_display_name": ""},
    {"message": "", "alias": "", "details": {"a": ""}, "tags": "", "priority": ""},
    {"Type": "Notification", "TopicArn": "", "Message": "", "Subject": ""},
    {"data": {"issue": {"id": "", "title": "", "tags": [["a", ""]]}}, "action": ""},
    {"type": "", "source": "", "subject": "", "data": {"title": ""}},
]


def _filled(body: Any, value: object) -> Any:
    match body:
        case dict():
            return {name: _filled(inner, value) for name, inner in body.items()}
        case list():
            return [_filled(inner, value) for inner in body]
        case "":
            return value
        case _:
            return body


FORMS = (
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    'multipart/form-data; boundary="',
    "multipart/form-data; boundary=b; charset=nonsense",
    "application/x-www-form-urlencoded",
)
PIECES = (
    *(b"--b", b"--b--", b"\r\n", b"\n", b":", b'"data"', b'{"title": "x"}', b"--c", b"\x00\xff"),
    *(b"Content-Disposition: form-data; name=", b"Content-Transfer-Encoding: base64"),
    *(b"Content-Type: text/plain; charset=x", b"Content-Type: multipart/mixed; boundary=c"),
)


@given(
    st.sampled_from(FORMS),
    st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join),
)
def test_any_form_is_read_or_refused_with_a_reason(content_type: str, body: bytes) -> None:
    for kind in ("generic", "uptime-kuma", "datadog"):
        with contextlib.suppress(Unreadable):
            read(kind, body, {"content-type": content_type})
