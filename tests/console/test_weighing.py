"""Suggestions in a storm come a moment later, and hold nothing up."""

from __future__ import annotations

from tests.console.still_desk import MINUTE, alert
from tests.incident.making import NOW
from tests.waiting import wait_for
from warroom_console.weighing import AGAIN_MS, FEW, Weighing
from warroom_incident.alerts import AlertRecord


def storm(count: int, service: str = "cart") -> list[AlertRecord]:
    return [alert(f"{service}{n}", f"{n} is slow", service=service) for n in range(count)]


async def test_few_alerts_are_weighed_at_once() -> None:
    told: list[bool] = []
    weighing = Weighing(lambda: told.append(True))
    found = weighing.suggestions(storm(3), {}, NOW, ())
    assert [len(one.uids) for one in found.candidates] == [3]
    assert told == []


async def test_a_storm_is_weighed_beside_and_a_small_incident_is_not_lost_in_it() -> None:
    told: list[bool] = []
    weighing = Weighing(lambda: told.append(True))
    records = [*storm(FEW + 10), *storm(2, "orders")]
    assert weighing.suggestions(records, {}, NOW, ()).candidates == ()
    await wait_for(lambda: told, "the suggestions")
    found = weighing.suggestions(records, {}, NOW + AGAIN_MS - 1, ())
    assert sorted(len(one.uids) for one in found.candidates) == [2, FEW + 10]
    assert told == [True]


async def test_a_storm_is_weighed_again_when_the_last_result_is_old() -> None:
    told: list[bool] = []
    weighing = Weighing(lambda: told.append(True))
    weighing.suggestions(storm(FEW + 1), {}, NOW, ())
    await wait_for(lambda: told, "the first suggestions")
    weighing.suggestions(storm(FEW + 2), {}, NOW + MINUTE, ())
    await wait_for(lambda: len(told) == 2, "the next suggestions")


def test_without_a_loop_a_storm_is_weighed_at_once() -> None:
    weighing = Weighing(lambda: None)
    found = weighing.suggestions(storm(FEW + 1), {}, NOW, ())
    assert [len(one.uids) for one in found.candidates] == [FEW + 1]
