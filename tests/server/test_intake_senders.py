"""Senders whose bodies need more than renaming: what each of them means, body by body."""

from __future__ import annotations

import json

import pytest

from tests.server.bodies import NOON, only, read
from warroom_incident.alerts import fold_signal
from warroom_server.intake.kinds.aws_sns import is_amazons
from warroom_server.intake.unreadable import Unreadable

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"


# --- Grafana ---


def grafana(**alert: object) -> dict[str, object]:
    one = {
        "status": "firing",
        "labels": {"alertname": "TestAlert", "service": "checkout"},
        "annotations": {"summary": "5xx above 5 %"},
        "startsAt": "2026-11-21T10:00:00.62281314Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "c4edaaf9f9f839b0",
        "generatorURL": "?orgId=1",
        "dashboardURL": "https://grafana.example.com/d/1",
        "imageURL": "https://grafana.example.com/i.png",
        "valueString": "[ var='B' value=22 ]",
        **alert,
    }
    whole = {"receiver": "w", "status": "firing", "alerts": [one], "version": "1", "orgId": 1}
    return {**whole, "externalURL": "https://grafana.example.com/", "groupKey": "g", "title": "t"}


def test_a_grafana_alert_is_read_with_its_values_and_the_links_that_lead_somewhere() -> None:
    signal = only("grafana", grafana())
    assert (signal.key, signal.severity, signal.service) == (
        "c4edaaf9f9f839b0",
        "SEV3",
        "checkout",
    )
    assert signal.annotations == {"values": "[ var='B' value=22 ]"}
    assert dict(signal.links) == {
        "dashboard": "https://grafana.example.com/d/1",
        "image": "https://grafana.example.com/i.png",
        "grafana": "https://grafana.example.com/",
    }
    assert signal.starts_at == 1_795_255_200_622


def test_what_grafana_tells_for_itself_is_no_label_and_no_annotation() -> None:
    labels = {"alertname": "x", "__alert_rule_uid__": "u"}
    signal = only("grafana", grafana(labels=labels, annotations={"__values__": "{}", "a": "b"}))
    assert signal.labels == {"alertname": "x"}
    assert signal.annotations == {"a": "b", "values": "[ var='B' value=22 ]"}


def test_grafana_being_blind_is_no_data() -> None:
    signal = only("grafana", grafana(labels={"alertname": "DatasourceNoData", "rulename": "x"}))
    assert signal.state == "nodata"


@pytest.mark.parametrize(
    ("word", "state"),
    [("alerting", "firing"), ("ok", "resolved"), ("no_data", "nodata"), ("paused", "suppressed")],
)
def test_an_old_grafanas_rule_is_the_same_alert_with_and_without_matches(
    word: str, state: str
) -> None:
    matches = [{"metric": "user", "value": 97.0}] if word == "alerting" else []
    rule = {"ruleId": 7, "ruleName": "CPU", "state": word, "evalMatches": matches, "message": "m"}
    signal = only("grafana", {**rule, "title": f"[{word}] CPU", "tags": {"severity": "critical"}})
    assert (signal.key, signal.title, signal.state) == ("7", "CPU", state)
    assert signal.severity == (None if state == "resolved" else "SEV1")


# --- Datadog ---

TEMPLATE = {
    "alert_cycle_key": "8487",
    "alert_id": "123",
    "alert_title": "CPU is high on web-1",
    "alert_transition": "Triggered",
    "alert_priority": "P2",
    "alert_type": "error",
    "body": "%%%\nCPU is over 90\n%%%",
    "tags": "env:prod,service:checkout,monitor",
    "link": "https://app.datadoghq.com/monitors/123",
    "snapshot": "$SNAPSHOT",
}


def test_the_datadog_template_of_the_documentation_is_read() -> None:
    signal = only("datadog", TEMPLATE)
    assert (signal.key, signal.state, signal.severity) == ("8487", "firing", "SEV2")
    assert (signal.service, signal.env) == ("checkout", "prod")
    assert signal.description == "\nCPU is over 90\n"
    assert signal.links == (("monitor", "https://app.datadoghq.com/monitors/123"),)


@pytest.mark.parametrize(
    ("transition", "state"),
    [
        ("Re-Triggered", "firing"),
        ("Warn", "firing"),
        ("No Data", "nodata"),
        ("Re-No Data", "nodata"),
        ("Recovered", "resolved"),
        ("Muted", "suppressed"),
    ],
)
def test_datadogs_transitions_are_states(transition: str, state: str) -> None:
    assert only("datadog", {**TEMPLATE, "alert_transition": transition}).state == state


def test_variables_that_datadog_left_as_they_are_count_as_nothing() -> None:
    body = {**TEMPLATE, "alert_cycle_key": "$ALERT_CYCLE_KEY", "alert_priority": "null"}
    signal = only("datadog", body)
    assert (signal.key, signal.severity) == ("123/", "SEV2")


def test_datadogs_default_body_is_known_by_its_title_without_the_brackets() -> None:
    fired = {"id": "1", "title": "[P1] [Triggered on {host:a}] CPU [high]", "event_type": "e"}
    over = {"id": "2", "title": "[P1] [Recovered on {host:a}] CPU [high]"}
    first, last = only("datadog", fired), only("datadog", over)
    assert first.key == last.key == "title:CPU [high]"
    assert (first.state, first.severity, last.state) == ("firing", "SEV1", "resolved")


# --- AWS ---


def alarm(state: str = "ALARM", before: str = "OK", **fields: object) -> dict[str, object]:
    return {
        "AlarmName": "5xx",
        "AlarmArn": "arn:aws:cloudwatch:eu-west-1:1:alarm:5xx",
        "AWSAccountId": "1",
        "NewStateValue": state,
        "OldStateValue": before,
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": "2026-11-21T10:00:00.093+0000",
        "Region": "EU (Ireland)",
        "Trigger": {
            "MetricName": "5XXError",
            "Namespace": "AWS/ApiGateway",
            "Dimensions": [{"name": "Stage", "value": "prod"}],
        },
        **fields,
    }


def sns(message: object, kind: str = "Notification", **fields: object) -> dict[str, object]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"Type": kind, "MessageId": "m", "TopicArn": TOPIC, "Message": text, **fields}


def test_a_cloudwatch_alarm_inside_a_notification_is_read() -> None:
    confirmed, signal = read("aws-sns", sns(alarm()))
    assert (confirmed.key, confirmed.state) == (f"sns:subscription:{TOPIC}", "resolved")
    assert signal.key == "arn:aws:cloudwatch:eu-west-1:1:alarm:5xx"
    assert (signal.title, signal.state, signal.severity) == ("5xx", "firing", "SEV3")
    assert signal.starts_at == 1_795_255_200_093
    assert signal.labels["Stage"] == "prod"


def test_an_alarm_that_is_blind_for_a_while_is_the_same_episode() -> None:
    blind = read("aws-sns", sns(alarm("INSUFFICIENT_DATA", "ALARM")))[1]
    again = read("aws-sns", sns(alarm("ALARM", "INSUFFICIENT_DATA")))[1]
    assert (blind.state, blind.starts_at) == ("nodata", None)
    assert (again.state, again.starts_at) == ("firing", None)
    over = read("aws-sns", sns(alarm("OK", "ALARM")))[1]
    assert (over.state, over.ends_at) == ("resolved", 1_795_255_200_093)


def test_an_alarm_without_its_envelope_and_from_eventbridge_is_the_same() -> None:
    raw = only("aws-sns", alarm(), {"x-amz-sns-rawdelivery": "true"})
    bridge = {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "account": "1",
        "region": "eu-west-1",
        "resources": ["arn:aws:cloudwatch:eu-west-1:1:alarm:5xx"],
        "detail": {
            "alarmName": "5xx",
            "state": {"value": "ALARM", "reason": "r", "timestamp": "2026-11-21T10:00:00.093+0000"},
            "previousState": {"value": "OK"},
        },
    }
    event = only("aws-sns", bridge)
    assert (raw.key, raw.state, raw.starts_at) == (event.key, event.state, event.starts_at)


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t", True),
        ("https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription", True),
        ("http://sns.eu-west-1.amazonaws.com/?x", False),
        ("https://sns.eu-west-1.amazonaws.com.evil.example/?x", False),
        ("https://sns.eu-west-1.amazonaws.com@evil.example/?x", False),
        ("https://sns.eu-west-1.amazonaws.com:8443/?x", False),
        ("https://evil.example/sns.eu-west-1.amazonaws.com", False),
        ("https://sns.eu-west-1.amazonaws.com\\@evil.example/", False),
        ("https://[::1", False),
        ("javascript:alert(1)", False),
    ],
)
def test_a_subscription_is_a_card_whose_address_is_amazons_or_missing(
    address: str, linked: bool
) -> None:
    body = sns("You have chosen …", "SubscriptionConfirmation", SubscribeURL=address, Token="t")
    signal = only("aws-sns", body)
    assert is_amazons(address) == linked
    assert signal.links == ((("confirm", address),) if linked else ())
    assert (signal.state, signal.severity) == ("firing", "SEV3")
    assert ("do not open it" in signal.summary) != linked
    # A notification proves that somebody has confirmed.
    assert read("aws-sns", sns(alarm()))[0].key == signal.key


def test_a_topic_that_a_token_may_not_send_is_refused() -> None:
    assert len(read("aws-sns", sns(alarm()), topics=(TOPIC,))) == 2
    with pytest.raises(Unreadable, match="is none that this token may send"):
        read("aws-sns", sns(alarm()), topics=("arn:aws:sns:eu-west-1:1:other",))


def test_anything_else_in_a_notification_is_read_as_json_or_as_a_text() -> None:
    said = read("aws-sns", sns({"title": "backup failed", "key": "b", "severity": "critical"}))[1]
    assert (said.key, said.severity) == ("b", "SEV1")
    text = read("aws-sns", sns("the disk is full\nnow", Subject="Disk"))[1]
    assert (text.title, text.description) == ("Disk", "the disk is full\nnow")


# --- Sentry ---


def test_an_alert_about_an_event_is_closed_by_its_issue() -> None:
    event = {"event_id": "e", "issue_id": "42", "title": "KeyError", "level": "fatal"}
    alert = {"action": "triggered", "data": {"event": event, "triggered_rule": "r"}}
    fired = only("sentry", alert, {"sentry-hook-resource": "event_alert"})
    assert (fired.key, fired.state, fired.severity) == ("42", "firing", "SEV1")
    assert fired.labels["rule"] == "r"
    issue = {"id": "42", "title": "KeyError", "project": {"slug": "shop"}, "level": "error"}
    for action, state in (
        ("resolved", "resolved"),
        ("ignored", "suppressed"),
        ("archived", "suppressed"),
        ("unresolved", "firing"),
        ("created", "firing"),
    ):
        body = {"action": action, "data": {"issue": issue}}
        signal = only("sentry", body, {"sentry-hook-resource": "issue"})
        assert (signal.key, signal.state, signal.service) == ("42", state, "shop")


def test_what_is_done_to_a_sentry_issue_opens_no_alert() -> None:
    issue = {"id": "42", "title": "KeyError", "project": {"slug": "shop"}, "level": "error"}
    for action in ("assigned", "ignored", "archived"):
        signal = only("sentry", {"action": action, "data": {"issue": issue}})
        assert fold_signal(None, signal, NOON).changed == ()
    opened = only("sentry", {"action": "created", "data": {"issue": issue}})
    assert len(fold_signal(None, opened, NOON).changed) == 1


def test_a_metric_alert_has_the_severity_of_its_action() -> None:
    data = {
        "metric_alert": {"id": "5", "projects": ["shop"], "alert_rule": {"name": "errors"}},
        "description_title": "Critical: errors",
        "description_text": "12 events",
        "web_url": "https://sentry.io/organizations/x/alerts/5/",
    }
    for action, severity, state in (
        ("critical", "SEV1", "firing"),
        ("warning", "SEV3", "firing"),
        ("resolved", None, "resolved"),
    ):
        signal = only("sentry", {"action": action, "data": data})
        assert (signal.key, signal.state, signal.severity) == ("metric:5", state, severity)


def test_the_body_of_sentrys_older_plugin_is_read() -> None:
    body = {
        "id": "541485531",
        "project": "shop",
        "level": "error",
        "message": "This is an example",
        "culprit": "main",
        "url": "https://sentry.io/acme/shop/issues/541485531/",
        "event": {"tags": [["browser", "Firefox"]], "environment": "prod", "id": "other"},
    }
    signal = only("sentry", body)
    assert (signal.key, signal.title, signal.env) == ("541485531", "This is an example", "prod")
    assert signal.labels["browser"] == "Firefox"


def test_what_sentry_says_of_comments_and_installations_is_no_alert() -> None:
    for resource in ("comment", "installation"):
        assert read("sentry", {"action": "created"}, {"sentry-hook-resource": resource}) == []


# --- PagerDuty's and Opsgenie's own webhooks ---


def test_an_incident_of_pagerduty_is_read_from_its_webhooks() -> None:
    incident = {
        "id": "PIJ90N7",
        "number": 2,
        "status": "acknowledged",
        "urgency": "high",
        "priority": {"summary": "P1"},
        "title": "checkout is down",
        "service": {"summary": "checkout"},
        "html_url": "https://acme.pagerduty.com/incidents/PIJ90N7",
    }
    third = {"event": {"event_type": "incident.acknowledged", "data": incident}}
    signal = only("pagerduty", third)
    assert (signal.key, signal.state, signal.service) == ("PIJ90N7", "acknowledged", "checkout")
    fired = {"event": {"event_type": "incident.priority_updated", "data": incident}}
    assert only("pagerduty", fired).state == "acknowledged"
    second = {"messages": [{"event": "incident.resolve", "incident": incident}]}
    first = {"messages": [{"type": "incident.resolve", "data": {"incident": incident}}]}
    for body in (first, second):
        assert only("pagerduty", body).state == "resolved"
    with pytest.raises(Unreadable, match="names no incident"):
        read("pagerduty", {"messages": [{"event": "incident.resolve"}]})


@pytest.mark.parametrize(
    ("action", "priority", "state", "severity"),
    [
        ("Create", "P2", "firing", "SEV2"),
        ("Create", 1, "firing", "SEV1"),
        ("Acknowledge", "P2", "acknowledged", None),
        ("Close", "P2", "resolved", None),
    ],
)
def test_opsgenies_own_webhook_is_read(
    action: str, priority: object, state: str, severity: str | None
) -> None:
    alert = {
        "alertId": "7e0-1",
        "alias": "db1/disk",
        "message": "disk full",
        "priority": priority,
        "createdAt": 1795262400000,
        "updatedAt": 1795262400000000000,
    }
    signal = only("opsgenie", {"action": action, "alert": alert})
    assert (signal.key, signal.state, signal.severity) == ("db1/disk", state, severity)


def test_a_note_in_opsgenie_is_no_alert() -> None:
    assert read("opsgenie", {"action": "AddNote", "alert": {"alias": "a", "message": "m"}}) == []
