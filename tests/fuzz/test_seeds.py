"""What the fuzzer begins with is survived, and reaches every target."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz.mutating import mutate
from tests.fuzz.parts import put_together, take_apart
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import NAMES, reach


@pytest.fixture(scope="module")
def inputs() -> list[bytes]:
    return list(seeds())


def test_every_seed_is_survived_and_every_target_has_some(inputs: list[bytes]) -> None:
    for data in inputs:
        reach(data)
    assert {NAMES[data[0] % len(NAMES)] for data in inputs} == set(NAMES)


def test_changed_seeds_are_survived(inputs: list[bytes]) -> None:
    chance = Random(1)
    for number in range(500):
        data = mutate(chance.choice(inputs), 8192, number, lambda data, most: data[: most // 2])
        reach(data)


def test_an_input_is_taken_apart_as_it_was_put_together() -> None:
    headers = {"ce-type": "disk.full", ":path": "/x"}
    parts = take_apart(put_together(5, b"\n\nbody", headers))
    assert (parts.choice, parts.body, parts.headers) == (5, b"\n\nbody", headers)
    assert take_apart(put_together(5, b"body")).body == b"body"
    assert take_apart(b"").body == b""
