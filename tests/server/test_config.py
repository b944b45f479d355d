"""`warroom.toml`, and where everything lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from warroom_console.own_defaults import practice_toml
from warroom_incident.practice.custom import SHIPPED, practice_of
from warroom_incident.practice.severity import SEVERITIES
from warroom_server.config import (
    Config,
    ConfigError,
    config_directory,
    data_directory,
    read_config,
    socket_path,
)


def test_without_a_file_the_defaults_hold(home: Path) -> None:
    assert read_config(home) == Config()
    assert Config().access.default == "responder"
    assert Config().socket.mode is None


def test_the_file_is_read(home: Path) -> None:
    (home / "warroom.toml").write_text(
        'urls = ["wss://shop:8764"]\n[access]\ndefault = "viewer"\n[socket]\nmode = "0660"\n'
    )
    config = read_config(home)
    assert config.urls == ("wss://shop:8764",)
    assert (config.access.default, config.socket.mode) == ("viewer", "0660")


ALERTS = """
[alerts]
heartbeats = { Watchdog = "5m", "nightly backup" = "26h" }
stale_after = "4h"
stale_after_of = { zabbix = "0s" }
[[alertmanager]]
name = "am1"
url = "https://am1.example.com:9093/alertmanager"
source = "prometheus"
token_file = "am1.token"
[[alertmanager]]
name = "grafana"
kind = "grafana"
url = "https://grafana.example.com"
[[declare]]
name = "checkout"
matchers = 'service="checkout", severity=~"critical|page"'
threshold = 3
window = "5m"
quiet_hours = ["22:00-06:00"]
"""


def test_what_it_says_about_alerts_is_read(home: Path) -> None:
    (home / "warroom.toml").write_text(ALERTS)
    config = read_config(home)
    assert config.alerts.heartbeats == {"Watchdog": "5m", "nightly backup": "26h"}
    assert config.alerts.patience("prometheus", "alertmanager") == 4 * 3_600_000
    assert config.alerts.patience("zabbix", "zabbix") == 0
    assert config.alerts.patience("dd", "datadog") == 0
    assert Config().alerts.patience("prometheus", "alertmanager") == 9 * 3_600_000
    assert [place.name for place in config.alertmanager] == ["am1", "grafana"]
    (rule,) = config.declare
    assert (rule.threshold, rule.is_quiet(0), rule.is_quiet(6 * 3_600_000)) == (3, True, False)
    assert rule.is_quiet(22 * 3_600_000)


@pytest.mark.parametrize(
    "text",
    [
        '[alerts]\nheartbeats = { Watchdog = "soon" }',
        '[[alertmanager]]\nname = "am1"\nurl = "am1:9093"',
        '[[alertmanager]]\nname = "am1"\nurl = "http://user:password@am1"',
        '[[alertmanager]]\nname = "am 1"\nurl = "http://am1"',
        '[[declare]]\nname = "r"\nmatchers = "a=b"\nquiet_hours = ["22-6"]',
        '[[declare]]\nname = "r"\nmatchers = "a=b"\nthreshold = 0',
        '[[declare]]\nname = "r"',
        "[access]\ndefault = 'king'",
        "[access]\ndefualt = 'viewer'",
        "[socket]\nmode = '999'",
        "[socket]\nmode = '7777777'",
        "[socket]\nmode = 660",
        "urls = ''",
        "peers = [1]",
        "access = 3",
        "not toml",
        "x = [" * 5000,
    ],
)
def test_a_file_that_does_not_fit_is_told_in_one_sentence(home: Path, text: str) -> None:
    path = home / "warroom.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as told:
        read_config(home)
    assert str(told.value).startswith(f"{path} cannot be used: ")
    assert "\n" not in str(told.value)


def test_a_file_of_other_bytes_is_told_too(home: Path) -> None:
    (home / "warroom.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError):
        read_config(home)
    (home / "warroom.toml").unlink()
    (home / "warroom.toml").mkdir()
    with pytest.raises(ConfigError):
        read_config(home)


def test_places_follow_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_directory() == home / "config" / "warroom"
    assert data_directory(None) == home / "data" / "warroom"
    assert socket_path(None) == home / "run" / "warroom" / "socket"
    monkeypatch.setenv("WARROOM_CONFIG", str(home / "etc" / "warroom.toml"))
    assert config_directory() == home / "etc"
    monkeypatch.setenv("WARROOM_CONFIG", "~/etc")
    assert config_directory() == home / "etc"
    monkeypatch.setenv("WARROOM_DATA", str(home / "elsewhere"))
    assert data_directory(None) == home / "elsewhere"
    assert data_directory("~/here") == home / "here"
    assert socket_path("unix:///run/x") == Path("/run/x")
    assert socket_path("~/s") == home / "s"


def test_the_practice_that_init_writes_is_the_shipped_one(home: Path) -> None:
    (home / "warroom.toml").write_text(practice_toml())
    practice = read_config(home).practice
    assert practice_of(practice.severity, practice.cadence) == SHIPPED
    assert set(practice.severity) == {severity.id for severity in SEVERITIES}


@pytest.mark.parametrize(
    "line",
    ['severity.SEV9 = { name = "x" }', "cadence.customers = -1", "severity.SEV1 = { x = 1 }"],
)
def test_a_practice_that_does_not_fit_is_refused(home: Path, line: str) -> None:
    (home / "warroom.toml").write_text(f"[practice]\n{line}\n")
    with pytest.raises(ConfigError, match=r"warroom\.toml cannot be used"):
        read_config(home)
