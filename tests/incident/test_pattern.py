"""Patterns fit what Python's fit, and take no longer for hostile text."""

import re

import pytest
from hypothesis import given, strategies as st

from warroom_incident.pattern import MAX_PATTERN, BadPattern, pattern

_atoms = st.sampled_from(
    ["a", "b", "-", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\s", r"\.", r"\S", "[]a]", "[b-]"]
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.builds(
            lambda part, mark: f"(?:{part}){mark}",
            inner,
            st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"]),
        ),
    )


patterns = st.recursive(_atoms, _larger, max_leaves=8)


@given(patterns, st.text("abcd-. 1\n", max_size=8), st.booleans())
def test_a_pattern_fits_what_pythons_own_fits(text: str, value: str, folds: bool) -> None:
    text = f"(?i){text}" if folds else text
    value = value.upper() if folds else value
    expected = re.fullmatch(text, value, re.DOTALL | re.ASCII) is not None
    assert pattern(text).fits(value) is expected


@pytest.mark.parametrize(
    ("text", "value", "fits"),
    [
        ("check.*", "checkout", True),
        ("check", "checkout", False),
        ("^web-[0-9]+$", "web-12", True),
        ("api|web", "web", True),
        ("", "", True),
        ("(?i)WEB", "web", True),
        (r"a\$", "a$", True),
        ("a|", "", True),
    ],
)
def test_a_pattern_fits_the_whole_value(text: str, value: str, fits: bool) -> None:
    assert pattern(text).fits(value) is fits


@pytest.mark.parametrize(
    "text",
    ["(", ")", "a**", "*", "[a", "a{2", "a{x}", "[b-a]", "(?=a)", r"\1", "a{3,1}", "\\", "[[:x:]]",
     "a^b", "(((a{9}){9}){9}){9}", "a" * (MAX_PATTERN + 1), "(" * 60 + ")" * 60, "a{99999999}"],
)  # fmt: skip
def test_what_is_no_pattern_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadPattern, match="pattern"):
        pattern(text)


def test_the_steps_for_a_hostile_text_are_as_many_as_its_characters() -> None:
    # Python's own engine needs 2^40 steps for the first of these.
    assert not pattern("(a+)+b").fits("a" * 40)
    assert not pattern(".*.*.*.*.*x").fits("a" * 10_000)


@given(st.text(max_size=30))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        pattern(text).fits("anything")
    except BadPattern:
        return
