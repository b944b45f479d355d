"""What monitoring systems put into the environment, as an alert."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.console.posted import Server
from warroom_console.commands import call
from warroom_console.monitored import alert_of, find

NAGIOS = {
    "NAGIOS_NOTIFICATIONTYPE": "PROBLEM",
    "NAGIOS_HOSTNAME": "db1",
    "NAGIOS_SERVICEDESC": "Disk /",
    "NAGIOS_SERVICESTATE": "CRITICAL",
    "NAGIOS_SERVICESTATETYPE": "HARD",
    "NAGIOS_SERVICEOUTPUT": "DISK CRITICAL - 97% \"used\" '$(rm -rf)'",
    "NAGIOS_HOSTADDRESS": "192.0.2.1",
    "NAGIOS_SERVICENOTESURL": "$SERVICENOTESURL$",
}


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def told(environ: Mapping[str, str]) -> dict[str, object] | None:
    said = find(environ)
    assert said is not None
    return alert_of(said)


@pytest.mark.parametrize("prefix", ["NAGIOS_", "ICINGA_", "NOTIFY_", ""])
def test_a_problem_is_read_whatever_the_prefix(prefix: str) -> None:
    environ = {name.replace("NAGIOS_", prefix): value for name, value in NAGIOS.items()}
    assert told(environ) == {
        "key": "db1!Disk /",
        "title": "db1 Disk / is CRITICAL",
        "status": "firing",
        "severity": "SEV1",
        "summary": NAGIOS["NAGIOS_SERVICEOUTPUT"],
        "labels": {"host": "db1", "service": "Disk /", "address": "192.0.2.1"},
    }


@pytest.mark.parametrize(
    ("word", "severity"), [("CRIT", "SEV1"), ("WARN", "SEV3"), ("UNKN", "SEV3"), ("PENDING", None)]
)
def test_the_short_words_for_a_state_are_understood_as_well(
    word: str, severity: str | None
) -> None:
    body = told({**NAGIOS, "NAGIOS_SERVICESTATE": word})
    assert body is not None
    assert body.get("severity") == severity


@pytest.mark.parametrize(
    ("kind", "state"),
    [("RECOVERY", "resolved"), ("ACKNOWLEDGEMENT", "acknowledged"), ("DOWNTIMESTART", "mute")],
)
def test_the_end_of_a_problem_has_its_key_and_no_severity(kind: str, state: str) -> None:
    body = told({**NAGIOS, "NAGIOS_NOTIFICATIONTYPE": kind, "NAGIOS_SERVICESTATE": "OK"})
    assert body is not None
    assert (body["key"], body["status"]) == ("db1!Disk /", state)
    assert "severity" not in body


@pytest.mark.parametrize("kind", ["DOWNTIMEEND", "DOWNTIMECANCELLED", "DOWNTIMEREMOVED"])
@pytest.mark.parametrize(
    ("word", "state"), [("CRITICAL", "unmute"), ("UNKNOWN", "unmute"), ("OK", "resolved")]
)
def test_the_end_of_a_downtime_says_whether_what_it_muted_is_over(
    kind: str, word: str, state: str
) -> None:
    body = told({**NAGIOS, "NAGIOS_NOTIFICATIONTYPE": kind, "NAGIOS_SERVICESTATE": word,
                 "NAGIOS_SERVICESTATETYPE": "SOFT"})  # fmt: skip
    assert body is not None
    assert (body["key"], body["status"]) == ("db1!Disk /", state)
    assert "severity" not in body


def test_a_host_is_read_without_a_service() -> None:
    body = told(
        {
            "NOTIFY_NOTIFICATIONTYPE": "PROBLEM",
            "NOTIFY_HOSTNAME": "db1",
            "NOTIFY_HOSTSTATE": "DOWN",
            "NOTIFY_HOSTOUTPUT": "no ping",
            "NOTIFY_OMD_SITE": "prod",
        }
    )
    assert body is not None
    assert (body["key"], body["title"], body["severity"]) == ("prod!db1", "db1 is DOWN", "SEV1")


@pytest.mark.parametrize(
    "change",
    [
        {"NAGIOS_SERVICESTATETYPE": "SOFT"},
        {"NAGIOS_NOTIFICATIONTYPE": "CUSTOM"},
        {"NAGIOS_NOTIFICATIONTYPE": "FLAPPINGSTART"},
        {"NAGIOS_NOTIFICATIONTYPE": "FLAPPINGSTOP"},
    ],
)
def test_what_is_no_alert_is_not_sent(
    change: dict[str, str], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**NAGIOS, **change}.items():
        monkeypatch.setenv(name, value)
    assert call(["notify", "--to", server.url()]) == 0
    assert server.posts == []


def test_the_command_reads_its_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NAGIOS.items():
        monkeypatch.setenv(name, value)
    assert call(["notify", "--to", server.url(), "--severity", "SEV2"]) == 0
    assert [(b["key"], b["severity"]) for b in server.bodies] == [("db1!Disk /", "SEV2")]
