"""The door for Opsgenie's clients: alerts through their life, requests, lists."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.server.bodies import payload
from tests.server.doors_house import OG, PD, House, doors
from warroom_server.alerting.heartbeats import Heartbeats
from warroom_server.alerting.settings import AlertSettings


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with doors(tmp_path / "intake.db") as house:
        yield house


async def test_an_opsgenie_alert_goes_through_its_life(house: House) -> None:
    alert = {"message": "disk full", "alias": "db1/disk", "priority": "P1", "tags": ["env:prod"]}
    answer = await house.opsgenie("POST", "/v2/alerts", alert)
    assert answer.status_code == 202
    assert answer.json()["result"] == "Request will be processed"
    assert isinstance(answer.json()["took"], float)
    assert (house.only().severity, house.only().env) == ("SEV1", "prod")
    at = "/v2/alerts/db1%2Fdisk/{}?identifierType=alias"
    for action, state in (
        ("acknowledge", "acknowledged"),
        ("unacknowledge", "firing"),
        ("close", "resolved"),
    ):
        answer = await house.opsgenie("POST", at.format(action), {"source": "me"})
        assert (answer.status_code, house.only().state) == (202, state)
    assert house.only().title == "disk full"
    assert house.only().count == 1


async def test_words_of_an_open_opsgenie_alert_are_changed_and_nothing_else(house: House) -> None:
    alert = {"message": "disk full", "alias": "d", "priority": "P3", "description": "90 %"}
    await house.opsgenie("POST", "/v2/alerts", alert)
    await house.opsgenie("POST", "/v2/alerts/d/acknowledge")
    for method, action, body in (
        ("PUT", "message", {"message": "disk is full"}),
        ("PUT", "description", {"description": "99 %"}),
        ("PUT", "priority", {"priority": "P2"}),
        ("POST", "notes", {"note": "looking"}),
        ("POST", "tags", {"tags": ["team:db"]}),
        ("POST", "snooze", {"endTime": "2026-11-21T12:00:00Z"}),
        ("POST", "assign", {"owner": {"username": "ana"}}),
    ):
        answer = await house.opsgenie(method, f"/v2/alerts/d/{action}", body)
        assert answer.status_code == 202
    record = house.only()
    assert (record.state, record.title, record.description) == (
        "acknowledged",
        "disk is full",
        "99 %",
    )
    assert (record.severity, record.annotations, record.labels) == (
        "SEV2",
        {"note": "looking", "snoozed until": "2026-11-21T12:00:00Z"},
        {"team": "db"},
    )


async def test_calls_for_an_alert_nobody_opened_open_none(house: House) -> None:
    for action in ("acknowledge", "close", "notes", "message", "unacknowledge"):
        body = {"note": "x", "message": "y"}
        await house.opsgenie("POST", f"/v2/alerts/ghost/{action}", body)
    assert house.board.open() == []


async def test_an_opsgenie_request_tells_which_alert_it_made(house: House) -> None:
    made = await house.opsgenie("POST", "/v2/alerts", {"message": "no alias"})
    request_id = made.json()["requestId"]
    status = (await house.opsgenie("GET", f"/v2/alerts/requests/{request_id}")).json()
    assert status["data"]["isSuccess"] is True
    alert_id = status["data"]["alertId"]
    found = (await house.opsgenie("GET", f"/v2/alerts/{alert_id}")).json()["data"]
    assert (found["message"], found["status"], found["priority"]) == ("no alias", "open", "P3")
    listed = (await house.opsgenie("GET", "/v2/alerts?query=status:open")).json()["data"]
    assert [alert["id"] for alert in listed] == [alert_id]
    assert (await house.opsgenie("GET", "/v2/alerts/count")).json()["data"] == {"count": 1}
    await house.opsgenie("DELETE", f"/v2/alerts/{alert_id}")
    assert house.only().state == "resolved"


async def test_an_alert_is_found_and_closed_by_its_tiny_id(house: House) -> None:
    for alias in ("db1/disk", "other"):
        await house.opsgenie("POST", "/v2/alerts", {"message": alias, "alias": alias})
    tiny = (await house.opsgenie("GET", "/v2/alerts/db1%2Fdisk")).json()["data"]["tinyId"]
    found = await house.opsgenie("GET", f"/v2/alerts/{tiny}?identifierType=tiny")
    assert found.json()["data"]["alias"] == "db1/disk"
    answer = await house.opsgenie("POST", f"/v2/alerts/{tiny}/close?identifierType=tiny", {})
    assert answer.status_code == 202
    assert [r.key for r in house.board.open()] == ["other"]
    for method, path in (("GET", "/v2/alerts/0000"), ("POST", "/v2/alerts/0000/close")):
        answer = await house.opsgenie(method, f"{path}?identifierType=tiny", {})
        assert answer.status_code == 404


async def test_a_request_tells_what_became_of_it(house: House) -> None:
    async def status(method: str, path: str, body: object) -> tuple[bool, str]:
        made = (await house.opsgenie(method, path, body)).json()["requestId"]
        told = (await house.opsgenie("GET", f"/v2/alerts/requests/{made}")).json()["data"]
        assert told["success"] is told["isSuccess"]
        return told["success"], told["status"]

    assert await status("POST", "/v2/alerts", {"message": "x", "alias": "a"}) == (
        True,
        "Created alert",
    )
    assert await status("POST", "/v2/alerts/a/close", {}) == (True, "Close was processed")
    assert await status("POST", "/v2/alerts/ghost/close", {}) == (False, "Alert does not exist")
    done, said = await status("POST", "/v2/alerts", {"priority": "P1"})
    assert not done
    assert 'it has no "message"' in said


async def test_a_request_that_is_not_processed_yet_is_not_found(house: House) -> None:
    await house.worker.stop()
    headers = {"authorization": f"GenieKey {OG}"}
    made = await house.client.post("/v2/alerts", json={"message": "x"}, headers=headers)
    path = f"/v2/alerts/requests/{made.json()['requestId']}"
    answer = await house.client.get(path, headers=headers)
    assert answer.status_code == 404
    assert "not processed yet" in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/alerts/a/actions/restart"),
        ("POST", "/v2/alerts/a/attachments"),
        ("DELETE", "/v2/alerts/a/attachments/7"),
        ("DELETE", "/v2/alerts/a/tags?tags=x"),
    ],
)
async def test_calls_that_mean_nothing_here_are_taken_and_change_nothing(
    house: House, method: str, path: str
) -> None:
    await house.opsgenie("POST", "/v2/alerts", {"message": "x", "alias": "a"})
    before = house.only()
    assert (await house.opsgenie(method, path, {})).status_code == 202
    assert house.only() == before


@pytest.mark.parametrize("part", ["notes", "logs", "recipients", "attachments"])
async def test_what_an_alert_does_not_have_here_is_named(house: House, part: str) -> None:
    await house.opsgenie("POST", "/v2/alerts", {"message": "x", "alias": "a/b"})
    answer = await house.opsgenie("GET", f"/v2/alerts/a%2Fb/{part}?identifierType=alias")
    assert answer.status_code == 404
    assert answer.json()["message"] == f"The {part} of an alert cannot be read here."


@pytest.mark.parametrize(
    "path",
    ["/v2/alerts/ghost", "/v2/alerts/requests/nonsense", f"/v2/alerts/requests/{OG}"],
)
async def test_what_opsgenie_does_not_have_is_not_found(house: House, path: str) -> None:
    answer = await house.opsgenie("GET", path)
    assert answer.status_code == 404
    assert answer.json()["message"]


async def test_a_wrong_geniekey_sees_and_writes_nothing(house: House) -> None:
    await house.opsgenie("POST", "/v2/alerts", {"message": "secret", "alias": "s"})
    for method, path in (("GET", "/v2/alerts/s"), ("GET", "/v2/alerts"), ("POST", "/v2/alerts")):
        answer = await house.opsgenie(method, path, {"message": "x"}, key="wrong")
        assert answer.status_code == 401
        assert "secret" not in answer.text
    assert (await house.opsgenie("GET", "/v2/alerts", key=PD)).status_code == 404
    assert len(house.board) == 1


async def test_what_alertmanager_sends_to_opsgenie_opens_and_closes(house: House) -> None:
    alert = {
        "alias": "fd24bf7b",
        "message": "[FIRING:1] OgTrig (checkout critical og)",
        "description": "checkout 5xx above 5%",
        "details": {"alertname": "OgTrig", "service": "checkout", "severity": "critical"},
        "source": "http://vm:19093/#/alerts?receiver=og",
        "responders": [{"name": "SRE", "type": "team"}],
        "priority": "P2",
    }
    await house.opsgenie("POST", "/v2/alerts", alert)
    assert (house.only().severity, house.only().service) == ("SEV1", "checkout")
    close = json.loads(payload("15-opsgenie-close-by-alertmanager"))
    await house.opsgenie("POST", "/v2/alerts/fd24bf7b/close?identifierType=alias", close)
    assert house.only().state == "resolved"


async def test_an_alert_is_listed_by_its_alias_however_that_is_written(house: House) -> None:
    for alias in ("disk full", "cpu"):
        await house.opsgenie("POST", "/v2/alerts", {"message": "m", "alias": alias})
    for query, found in (
        ("alias:cpu", ["cpu"]),
        ('alias = "disk full" ', ["disk full"]),
        ("  alias: disk full  ", ["disk full"]),
        ("status:open alias:" + " " * 900 + '""', ["cpu", "disk full"]),
    ):
        answer = await house.opsgenie("GET", f"/v2/alerts?query={quote(query)}")
        assert sorted(alert["alias"] for alert in answer.json()["data"]) == found


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
async def test_a_ping_of_an_opsgenie_heartbeat_is_one_where_it_is_watched(
    house: House, method: str
) -> None:
    answer = await house.opsgenie(method, "/v2/heartbeats/nightly%20backup/ping")
    assert (answer.status_code, answer.json()["result"]) == (202, "PONG - Heartbeat received")
    assert house.board.ordered() == [], "nobody watches it, and it is no alert"
    settings = AlertSettings(heartbeats={"nightly backup": "26h"})
    house.board.sift = Heartbeats(house.board, settings).take
    await house.opsgenie(method, "/v2/heartbeats/nightly%20backup/ping")
    assert list(house.board.beside.beats) == ["og/nightly backup"]
    assert house.board.ordered() == []


@pytest.mark.parametrize("path", ["", "/nightly", "/nightly/enable", "/a/b/ping"])
async def test_what_opsgenie_does_with_heartbeats_besides_is_refused_in_its_shape(
    house: House, path: str
) -> None:
    answer = await house.opsgenie("GET", f"/v2/heartbeats{path}")
    assert answer.status_code == 404
    assert "/v2/heartbeats/NAME/ping" in answer.json()["message"]
    assert set(answer.json()) == {"message", "took", "requestId"}
    wrong = await house.opsgenie("POST", "/v2/heartbeats/x/ping", key="nobody")
    assert (wrong.status_code, set(wrong.json())) == (401, {"message", "took", "requestId"})
