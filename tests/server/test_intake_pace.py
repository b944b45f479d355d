"""A sender that never stops waits by itself; all others are taken in."""

from __future__ import annotations

from pathlib import Path

import httpx
from hypothesis import given, strategies as st

from tests.server.intake_house import build
from warroom_server.intake.app import IntakeDeps, intake_app
from warroom_server.intake.pace import BURST, LOOK, PER_SECOND, UNIT_BYTES, Pace, cost_of
from warroom_server.intake.source import Source
from warroom_server.intake.visit import MAX_UNREAD, MAX_UNREAD_BYTES

SOURCES = {
    "loud": Source("loud", "generic"),
    "calm": Source("calm", "generic"),
    "og": Source("og", "opsgenie"),
}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_sender_waits_when_its_credit_is_spent_and_no_longer() -> None:
    clock = Clock()
    pace = Pace(burst=2, per_second=0.5, clock=clock)
    for _ in range(2):
        assert pace.wait("loud") == 0
        pace.spend("loud", 1)
    assert pace.wait("loud") == 2
    assert pace.wait("calm") == 0
    clock.now += 2
    assert pace.wait("loud") == 0
    clock.now += 1_000_000
    for _ in range(2):
        pace.spend("loud", 1)
    assert pace.wait("loud") > 0, "credit does not grow past what a burst may be"


def test_a_large_body_costs_more_than_a_small_one() -> None:
    pace = Pace(burst=5, per_second=1, clock=Clock())
    pace.spend("loud", cost_of(10 * UNIT_BYTES))
    assert pace.wait("loud") == 7


@given(st.integers(0, 4 << 20))
def test_no_sender_alone_fills_the_place_of_all(size: int) -> None:
    pace = Pace(clock=Clock())
    bodies = 0
    while pace.wait("loud") == 0:
        pace.spend("loud", cost_of(size))
        bodies += 1
    assert bodies <= BURST < MAX_UNREAD
    assert bodies * size < MAX_UNREAD_BYTES


def test_a_storm_in_bodies_of_a_hundred_alerts_is_taken_at_once() -> None:
    pace = Pace(clock=Clock())
    for _ in range(100):
        assert pace.wait("storm") == 0
        pace.spend("storm", cost_of(80_000))
    assert PER_SECOND >= 50


async def test_who_sends_too_much_is_asked_to_try_again_and_nobody_else_is(tmp_path: Path) -> None:
    store, _, worker, metrics = await build(tmp_path / "intake.db")
    pace = Pace(burst=2, per_second=0.1, clock=Clock())
    app = intake_app(IntakeDeps(SOURCES.get, store, worker, metrics, pace=pace))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://warroom") as client:
        answers = [await client.post("/in/generic/loud", json={"title": "x"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 503]
        assert answers[2].headers["retry-after"] == "10"
        assert "its share" in answers[2].json()["error"]
        for _ in range(3):
            assert (await client.post("/in/generic/nobody", json={})).status_code == 401
        assert (await client.post("/in/generic/calm", json={"title": "y"})).status_code == 202
    assert store.unparsed_count == 3
    await store.close()


async def test_who_asks_for_all_alerts_again_and_again_waits_as_well(tmp_path: Path) -> None:
    store, _, worker, metrics = await build(tmp_path / "intake.db")
    pace = Pace(burst=LOOK + 1, per_second=1, clock=Clock())
    app = intake_app(IntakeDeps(SOURCES.get, store, worker, metrics, pace=pace))
    transport, key = httpx.ASGITransport(app), {"authorization": "GenieKey og"}
    async with httpx.AsyncClient(transport=transport, base_url="http://warroom") as client:
        first, second = [await client.get("/v2/alerts", headers=key) for _ in range(2)]
        assert (first.status_code, second.status_code) == (200, 503)
        assert "its share" in second.json()["message"]
        assert second.headers["retry-after"] == "1"
    await store.close()
