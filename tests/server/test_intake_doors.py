"""Doors of other vendors' shape: their clients change an address, and get the answers they know."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.server.bodies import payload
from tests.server.doors_house import OG, PD, SOURCES, VO, VO_DOOR, House, doors
from warroom_server.board import Board
from warroom_server.intake.app import IntakeDeps, intake_app
from warroom_server.intake.store import IntakeStore
from warroom_server.intake.worker import IntakeWorker
from warroom_server.metrics import Metrics


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with doors(tmp_path / "intake.db") as house:
        yield house


PROBLEM = {"summary": "checkout is down", "source": "web-1", "severity": "critical"}


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/v2/enqueue/", {},
         {"routing_key": PD, "event_action": "trigger", "payload": PROBLEM}, 202),
        ("/generic/2010-04-15/create_event.json/", {},
         {"service_key": PD, "event_type": "trigger", "description": "x"}, 200),
        ("/v2/alerts/", {"authorization": f"GenieKey {OG}"}, {"message": "x"}, 202),
        (f"{VO_DOOR}/", {}, {"message_type": "CRITICAL", "entity_id": "x"}, 200),
        ("/in/generic/gen/", {}, {"title": "x"}, 202),
    ],
)  # fmt: skip
async def test_a_slash_at_the_end_of_an_address_makes_no_difference(
    house: House, path: str, headers: dict[str, str], body: object, status: int
) -> None:
    answer = await house.client.post(path, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    await house.worker.idle()
    assert house.only().is_open


# --- PagerDuty ---


async def test_a_pagerduty_event_is_triggered_acknowledged_and_resolved(house: House) -> None:
    answer = await house.pagerduty(dedup_key="c1", payload=PROBLEM, client="Nagios")
    assert answer.status_code == 202
    assert answer.json() == {
        "status": "success",
        "message": "Event processed",
        "dedup_key": "c1",
    }
    record = house.only()
    assert (record.source, record.title, record.severity) == ("pd", "checkout is down", "SEV1")
    await house.pagerduty("acknowledge", dedup_key="c1")
    assert house.only().state == "acknowledged"
    assert house.only().title == "checkout is down"
    # Checkmk sends a severity with an end; it must not count.
    await house.pagerduty("resolve", dedup_key="c1", payload={**PROBLEM, "severity": "info"})
    assert (house.only().state, house.only().severity) == ("resolved", "SEV1")


async def test_a_trigger_that_is_repeated_stays_acknowledged_as_at_pagerduty(house: House) -> None:
    for action in ("trigger", "acknowledge", "trigger"):
        await house.pagerduty(action, dedup_key="c1", payload=PROBLEM)
    assert (house.only().state, house.only().count) == ("acknowledged", 2)
    await house.pagerduty("resolve", dedup_key="c1")
    await house.pagerduty("trigger", dedup_key="c1", payload=PROBLEM)
    assert house.only().state == "firing"


async def test_an_event_without_a_key_is_given_one_that_ends_it(house: House) -> None:
    answer = await house.pagerduty(payload=PROBLEM)
    key = answer.json()["dedup_key"]
    assert len(key) == 32
    await house.pagerduty("resolve", dedup_key=key)
    assert house.only().state == "resolved"


async def test_the_routing_key_is_not_in_what_is_kept(house: House) -> None:
    escaped = PD.replace("a", "\\u0061", 1)
    plain = b'{"routing_key": "%s", "x": "\\ud83d"}'
    for key in (PD, escaped):
        answer = await house.client.post("/v2/enqueue", content=plain % key.encode())
        assert answer.status_code == 202
    await house.worker.idle()
    for raw_id in (1, 2):
        raw = await house.store.body(raw_id)
        assert raw is not None
        assert PD.encode() not in raw.body
        assert json.loads(raw.body) == {"routing_key": "(routing key)", "x": "\ud83d"}
    assert PD not in str(house.board.ordered())


async def test_a_routing_key_written_twice_and_in_two_ways_is_not_kept_either(house: House) -> None:
    escaped = PD.replace("a", "\\u0061", 1)
    body = '{"client": "%s", "custom": {"%s": ["%s"]}, "routing_key": "%s"}'
    answer = await house.client.post("/v2/enqueue", content=body % (PD, escaped, escaped, escaped))
    assert answer.status_code == 202
    raw = await house.store.body(1)
    assert raw is not None
    hidden = "(routing key)"
    told = {"client": hidden, "custom": {hidden: [hidden]}, "routing_key": hidden}
    assert json.loads(raw.body) == told


@pytest.mark.parametrize("key", ["b" * 32, "gen", None, 7, ["a"]])
async def test_a_wrong_routing_key_is_an_invalid_event(house: House, key: object) -> None:
    answer = await house.pagerduty(routing_key=key, payload=PROBLEM)
    assert answer.status_code == 400
    assert answer.json()["status"] == "invalid event"
    assert len(answer.json()["errors"]) == 1
    assert len(house.board) == 0


async def test_a_key_that_no_text_can_hold_is_answered_and_kept(house: House) -> None:
    odd = b'"\\ud83d\\u0000"'
    for door, body in (
        ("/v2/enqueue", b'{"event_action": "trigger", "dedup_key": %s}'),
        ("/generic/2010-04-15/create_event.json", b'{"event_type": "trigger", "incident_key": %s}'),
        (f"{VO_DOOR}/x", b'{"message_type": "INFO", "entity_id": %s}'),
        ("/v2/alerts", b'{"message": "m", "alias": %s}'),
    ):
        headers = {"x-routing-key": PD, "authorization": f"GenieKey {OG}"}
        answer = await house.client.post(door, content=body % odd, headers=headers)
        assert answer.status_code in (200, 202)
        if request_id := answer.json().get("requestId"):
            answer = await house.client.get(f"/v2/alerts/requests/{request_id}", headers=headers)
            assert answer.json()["data"]["alias"] == "\ufffd\ufffd"
    await house.worker.idle()
    assert {r.key for r in house.board.open()} == {"\ufffd\ufffd"}


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[]", b"[" * 5000])
async def test_an_event_that_names_nobody_is_invalid(house: House, body: bytes) -> None:
    answer = await house.client.post("/v2/enqueue", content=body)
    assert (answer.status_code, answer.json()["status"]) == (400, "invalid event")


async def test_an_event_with_an_unknown_action_is_kept_and_shown(house: House) -> None:
    assert (await house.pagerduty("explode", payload=PROBLEM)).status_code == 202
    assert house.only().title == "unparsed from pd"
    assert '"event_action" is none of' in house.only().summary


async def test_a_busy_server_asks_pagerdutys_clients_to_try_again(house: House) -> None:
    house.busy = True
    answer = await house.pagerduty(payload=PROBLEM)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_version_1_of_the_events_is_taken_too(house: House) -> None:
    event = {
        "service_key": PD,
        "event_type": "trigger",
        "incident_key": "srv01/HTTP",
        "description": "FAILURE for production/HTTP on machine srv01",
        "details": {"ping": "1500ms", "load": 0.75},
    }
    door = "/generic/2010-04-15/create_event.json"
    answer = await house.client.post(door, json=event)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "success",
        "message": "Event processed",
        "incident_key": "srv01/HTTP",
    }
    await house.worker.idle()
    assert (house.only().severity, house.only().labels["load"]) == ("SEV2", "0.75")
    await house.client.post(door, json={**event, "event_type": "resolve"})
    await house.worker.idle()
    assert house.only().state == "resolved"


async def test_a_change_event_of_pagerduty_is_a_change_and_no_alert(house: House) -> None:
    event = {
        "routing_key": PD,
        "payload": {
            "summary": "checkout 1.4.2 deployed",
            "timestamp": "2026-11-21T10:00:00Z",
            "source": "ci",
            "custom_details": {"service": "checkout", "user": "ana", "kind": "deploy"},
        },
        "links": [{"href": "https://ci.example/1", "text": "build"}],
    }
    answer = await house.client.post("/v2/change/enqueue", json=event)
    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Change event processed"}
    await house.worker.idle()
    (change,) = house.board.beside.changes.values()
    assert (change.title, change.service, change.by) == (
        "checkout 1.4.2 deployed",
        "checkout",
        "ana",
    )
    assert (change.kind, change.link, change.source) == ("deploy", "https://ci.example/1", "pd")
    assert len(house.board) == 0
    wrong = await house.client.post("/v2/change/enqueue", json={**event, "routing_key": "x"})
    assert wrong.status_code == 400


async def test_what_alertmanager_sends_to_pagerduty_is_read(house: House) -> None:
    event = json.loads(payload("12-pagerduty-events-v2-trigger-by-alertmanager"))
    await house.client.post("/v2/enqueue", json={**event, "routing_key": PD})
    await house.worker.idle()
    record = house.only()
    assert record.title == "[FIRING:1] PdTrig (checkout critical pd)"
    assert record.description.startswith("Labels:\n - alertname = PdTrig")
    assert record.key == event["dedup_key"]


# --- VictorOps ---


async def test_a_victorops_entity_goes_critical_is_acknowledged_and_recovers(house: House) -> None:
    alert = json.loads(payload("20-victorops-firing"))
    answer = await house.victorops(**alert)
    assert answer.status_code == 200
    assert answer.json() == {"result": "success", "entity_id": alert["entity_id"]}
    record = house.only()
    assert (record.severity, record.labels["routing_key"]) == ("SEV1", "sre")
    assert record.title.startswith("[FIRING:1] CheckoutErrors")
    for kind, state in (("ACKNOWLEDGEMENT", "acknowledged"), ("RECOVERY", "resolved")):
        await house.victorops(entity_id=alert["entity_id"], message_type=kind)
        assert house.only().state == state


async def test_a_victorops_message_without_an_entity_is_given_one(house: House) -> None:
    made = await house.victorops(message_type="WARNING", state_message="load is high\nvery")
    assert made.json()["entity_id"] == house.only().key
    assert (house.only().title, house.only().severity) == ("load is high", "SEV3")


async def test_a_wrong_victorops_key_is_refused_in_their_words(house: House) -> None:
    door = VO_DOOR.replace(VO, "wrong")
    answer = await house.client.post(door, json={"message_type": "CRITICAL"})
    assert answer.status_code == 401
    assert answer.json()["result"] == "failure"


async def test_a_victorops_body_of_no_known_shape_becomes_a_card(house: House) -> None:
    await house.victorops(message_type="EXPLODED")
    assert house.only().title == "unparsed from vo"


# --- anything at all ---


def _encoded(value: object) -> bytes:
    return json.dumps(value).encode()


DOORS = (
    "/v2/enqueue",
    "/v2/change/enqueue",
    "/generic/2010-04-15/create_event.json",
    "/v2/alerts",
    "/v2/alerts/%2F/close",
    "/v2/alerts/%FF/notes",
    f"{VO_DOOR}/%00",
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.just("\ud83d"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("payload", "dedup_key", "event_action", "alias", "entity_id", "x")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=60) | ANYTHING.map(_encoded), min_size=1, max_size=5))
def test_any_body_at_any_door_is_answered_and_never_a_failure(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes]
) -> None:
    async def post_all(path: Path) -> None:
        store = await IntakeStore.open(path / "intake.db")
        board = Board(await store.load_board())
        metrics = Metrics("0")
        worker = IntakeWorker(store, board, metrics)
        worker.start()
        app = intake_app(IntakeDeps(SOURCES.get, store, worker, metrics, newest=board.newest))
        headers = {"authorization": f"GenieKey {OG}", "x-routing-key": PD}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://w"
        ) as client:
            for door in DOORS:
                for body in bodies:
                    answer = await client.post(door, content=body, headers=headers)
                    assert answer.status_code in (200, 202, 400), answer.text
        await worker.idle()
        assert await store.unparsed() == []
        await worker.stop()
        await store.close()

    asyncio.run(post_all(tmp_path_factory.mktemp("doors")))
