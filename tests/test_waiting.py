"""The tests' own patience: it ends with the condition, or with a sentence at the deadline."""

import pytest

from tests.waiting import wait_for, wait_until


async def test_waiting_returns_what_came() -> None:
    looks = iter([None, "", "here"])
    assert await wait_for(lambda: next(looks)) == "here"


def test_waiting_without_a_loop_returns_what_came() -> None:
    looks = iter([0, 7])
    assert wait_until(lambda: next(looks)) == 7


async def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(AssertionError, match="the server to be ready: not within 0 s"):
        await wait_for(lambda: False, "the server to be ready", within=0)
    with pytest.raises(AssertionError, match="lambda"):
        wait_until(lambda: False, within=0)
