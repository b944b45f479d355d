"""Times as people write them."""

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from warroom_console.when import age, clock, parse_span, parse_when

NOON = 1_795_262_400_000 + 0
"""2026-11-21T12:00:00Z."""


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("11:50", 600),
        ("11:50Z", 600),
        ("11:50:30", 570),
        ("12:00", 0),
        ("12:01", 24 * 3600 - 60),
        ("-10m", 600),
        ("-90s", 90),
        ("-1h30m", 5400),
        ("-2d", 2 * 86400),
        ("2026-11-21T11:50:00Z", 600),
        ("2026-11-21T12:50:00+01:00", 600),
        ("2026-11-21 11:50", 600),
        ("2026-11-20", 36 * 3600),
        (" 11:50 ", 600),
    ],
)
def test_a_time_is_read_as_utc_and_in_the_past(text: str, ago: int) -> None:
    assert parse_when(text, NOON) == NOON - ago * 1000


@pytest.mark.parametrize(
    "text",
    ["", "-", "-m", "10m", "25:00", "12:60", "yesterday", "2026-13-01", "2026-11-21T12:00:01Z",
     "9999-12-31T23:59:59Z", "1950-01-01", "-999999d", "٣:٠٠", "\x1b[31m", "\udcff", "1e9", "12"],
)  # fmt: skip
def test_anything_else_gets_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        parse_when(text, NOON)
    assert "\x1b" not in str(caught.value)


def sentence(read: Callable[[], int]) -> str | None:
    """What is said of a text that cannot be read; what can be read is never below zero."""
    try:
        assert read() >= 0
    except ValueError as error:
        return str(error)
    return None


@given(st.text(max_size=40))
def test_no_text_does_worse_than_a_sentence(text: str) -> None:
    said = sentence(lambda: parse_when(text, NOON))
    assert said is None or said.endswith(".")


@given(st.text(max_size=40))
def test_no_length_of_time_does_worse_than_a_sentence(text: str) -> None:
    said = sentence(lambda: parse_span(text))
    assert said is None or said.endswith(".")


def test_a_clock_shows_the_date_only_of_other_days() -> None:
    assert clock(NOON, NOON) == "12:00:00Z"
    assert clock(NOON - 86_400_000, NOON) == "2026-11-20 12:00:00Z"
    assert clock(2**60, NOON) == "9999-12-31 23:59:59Z"
    assert clock(-1, NOON) == "1970-01-01 00:00:00Z"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h 00m"),
     (11_100, "3h 05m"), (86_400, "1d 0h"), (187_200, "2d 4h")],
)  # fmt: skip
def test_an_age_has_at_most_two_units(seconds: int, shown: str) -> None:
    assert age(seconds * 1000) == shown
