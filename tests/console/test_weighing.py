"""What a storm makes slow comes a moment later, and holds nothing up."""

from __future__ import annotations

from functools import partial
from itertools import count
from operator import truediv
from threading import Event

import pytest

from tests.console.still_desk import MINUTE, alert
from tests.incident.making import NOW
from tests.waiting import wait_for
from warroom_console.weighing import FEW, Weighing
from warroom_incident.suggesting import Suggestions, suggest


def test_few_are_weighed_at_once_and_once() -> None:
    worked = count(1)
    weighing = Weighing[int](lambda: None)
    for key, expected in (("a", 1), ("a", 1), ("b", 2)):
        assert weighing.get(key, FEW, NOW, lambda: lambda: next(worked)) == expected


async def test_of_many_the_last_result_serves_until_theirs_has_come() -> None:
    told: list[bool] = []
    go = Event()
    weighing = Weighing[str](lambda: told.append(True))
    assert weighing.get("a", FEW + 1, NOW, lambda: lambda: "first") == "first"
    for _ in range(3):
        assert (
            weighing.get("b", FEW + 1, NOW, lambda: lambda: "second" if go.wait(30) else "")
            == "first"
        )
    go.set()
    await wait_for(lambda: told, "the second result")
    assert weighing.get("b", FEW + 1, NOW, lambda: lambda: "third") == "second"
    assert told == [True]


async def test_another_result_is_begun_only_when_the_last_one_has_rested() -> None:
    told: list[bool] = []
    weighing = Weighing[int](lambda: told.append(True), MINUTE)
    weighing.get(1, FEW + 1, NOW, lambda: lambda: 1)
    weighing.get(2, FEW + 1, NOW, lambda: lambda: 2)
    await wait_for(lambda: told, "the second result")
    assert weighing.get(3, FEW + 1, NOW + MINUTE - 1, lambda: lambda: 3) == 2
    weighing.get(3, FEW + 1, NOW + MINUTE, lambda: lambda: 3)
    await wait_for(lambda: len(told) == 2, "the third result")
    assert weighing.get(3, FEW + 1, NOW + MINUTE, lambda: lambda: 4) == 3


def test_without_a_loop_many_are_weighed_at_once() -> None:
    records = [alert(f"c{n}", f"{n} is slow", service="cart") for n in range(FEW + 1)]
    weighing = Weighing[Suggestions](lambda: None)
    for key in ("a", "b"):
        found = weighing.get(key, len(records), NOW, lambda: lambda: suggest(records, {}, NOW))
        assert [len(one.uids) for one in found.candidates] == [FEW + 1]


async def test_work_that_fails_is_noted_and_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[str] = []
    monkeypatch.setattr("warroom_console.weighing.record", lambda error: noted.append(str(error)))
    weighing = Weighing[float](lambda: None)
    weighing.get("a", FEW + 1, NOW, lambda: lambda: 1.0)
    weighing.get("b", FEW + 1, NOW, lambda: partial(truediv, 1, 0))
    await wait_for(lambda: noted, "the note")
    assert noted == ["division by zero"]
    assert weighing.get("b", FEW + 1, NOW, lambda: lambda: 2.0) == 1.0
    await wait_for(lambda: weighing.get("b", FEW + 1, NOW, lambda: lambda: 2.0) == 2.0, "2")
