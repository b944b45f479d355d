"""Times as rows, titles and headers show them."""

import pytest
from hypothesis import given, strategies as st

from warroom_console.times import DAY, HOUR, MINUTE, SECOND, age, clock, day, elapsed, short, stamp

AT = 1_700_000_000_000


def test_a_moment_has_its_forms() -> None:
    assert clock(AT) == "22:13"
    assert day(AT) == "Tue 14 Nov 2023"
    assert stamp(AT) == "2023-11-14 22:13:20Z"


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (0, "0s"),
        (59 * SECOND, "59s"),
        (MINUTE, "1m"),
        (90 * MINUTE, "1h"),
        (3 * DAY, "3d"),
        (999 * DAY, "999d"),
        (1000 * DAY, "2y"),
        (3391 * DAY, "9y"),
    ],
)
def test_a_length_is_told_in_its_largest_unit(ms: int, shown: str) -> None:
    assert short(ms) == shown


def test_an_age_changes_once_a_minute_at_the_most() -> None:
    assert age(59 * SECOND) == "<1m"
    assert age(MINUTE) == age(2 * MINUTE - 1) == "1m"


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (-5, "00:00:00"),
        (42 * MINUTE + 10 * SECOND, "00:42:10"),
        (95 * HOUR, "95:00:00"),
        (100 * HOUR + 5 * MINUTE, "4d 04:05"),
    ],
)
def test_a_running_clock(ms: int, shown: str) -> None:
    assert elapsed(ms) == shown


@given(st.integers(-(2**60), 2**60))
def test_no_time_is_too_strange_to_show(ms: int) -> None:
    for shown in (clock(ms), day(ms), stamp(ms), short(ms), age(ms), elapsed(ms)):
        assert shown.isascii()
