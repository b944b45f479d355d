"""Matchers are read as people write them, and written so that they are read the same."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from warroom_incident.fields import Matcher
from warroom_incident.matching import MOST, parse_matchers, show_matchers


def test_matchers_are_read_with_or_without_commas_and_quotes() -> None:
    expected = (
        Matcher("alertname", "HighErrors"),
        Matcher("zone", "eu-.*", "=~"),
        Matcher("team", "pay, ments", "!="),
    )
    assert parse_matchers('alertname=HighErrors, zone=~"eu-.*" team!="pay, ments"') == expected
    assert parse_matchers('{alertname="HighErrors",zone=~eu-.*,team!="pay, ments"}') == expected


def test_a_brace_at_the_end_belongs_to_the_pattern_unless_one_opened_the_matchers() -> None:
    expected = (Matcher("host", "web[0-9]{2}", "=~"),)
    assert parse_matchers("host=~web[0-9]{2}") == expected
    assert parse_matchers("{ host=~web[0-9]{2} }") == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "at least one"),
        ("everything", "is no matcher"),
        ('a="open', "is no matcher"),
        (" ".join(f"a{n}=b" for n in range(MOST + 1)), "too many"),
        (f"a={'x' * 1001}", "too long"),
    ],
)
def test_what_is_no_matcher_says_what_to_write(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        parse_matchers(text)


def test_a_value_that_begins_with_a_tilde_makes_no_pattern_of_its_matcher() -> None:
    home = [Matcher("path", "~ana/data")]
    assert show_matchers(home) == 'path="~ana/data"'
    assert list(parse_matchers(show_matchers(home))) == home


NAMES = st.text(
    st.characters(exclude_characters='=!~,"{}', exclude_categories=["Cs", "Z", "C"]),
    min_size=1,
    max_size=20,
)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(
    st.lists(
        st.builds(Matcher, NAMES, VALUES, st.sampled_from(["=", "!=", "=~", "!~"])),
        min_size=1,
        max_size=5,
    )
)
def test_what_was_written_is_read_the_same(matchers: list[Matcher]) -> None:
    assert list(parse_matchers(show_matchers(matchers))) == matchers
