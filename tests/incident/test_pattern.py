"""Patterns fit what Python's fit, and take no longer for hostile text."""

import re
import sys
import tracemalloc

import pytest
from hypothesis import given, strategies as st

from warroom_incident.pattern import MAX_PATTERN, BadPattern, Pattern, pattern

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
     "a^b", "(((a{9}){9}){9}){9}", "a" * (MAX_PATTERN + 1), "(" * 60 + ")" * 60, "a{99999999}",
     "a{1,²}", "a{²}", "((){9999}){999}"],
)  # fmt: skip
def test_what_is_no_pattern_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadPattern, match="pattern"):
        pattern(text)


def test_the_steps_for_a_hostile_text_are_as_many_as_its_characters() -> None:
    # Python's own engine needs 2^40 steps for the first of these.
    assert not pattern("(a+)+b").fits("a" * 40)
    assert not pattern(".*.*.*.*.*x").fits("a" * 10_000)


def strange(count: int) -> str:
    return "".join(chr(0x4E00 + 3 * place) for place in range(count))


def calls_of(text: str, value: str) -> int:
    """How many functions are called to fit a value."""
    ready = Pattern(text)
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event.endswith("call")

    sys.setprofile(count)
    try:
        ready.fits(value)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    "text",
    [
        f".*[^{strange(400)}]{{240}}",
        f"(?i).*[^{'-'.join(strange(230))}]{{200}}",
    ],
)
def test_a_large_class_is_asked_once_for_a_character_however_often_it_repeats(text: str) -> None:
    value = "".join(chr(0x100 + place) for place in range(100))

    assert calls_of(text, value) < 3_000 * len(value)


def test_what_is_remembered_of_hostile_texts_stays_small() -> None:
    ready = Pattern(".*.{240}")
    tracemalloc.start()
    try:
        for place in range(3):
            ready.fits(strange(1000)[place:])
        assert tracemalloc.get_traced_memory()[0] < 8 << 20
    finally:
        tracemalloc.stop()


@given(st.text(max_size=30))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        pattern(text).fits("anything")
    except BadPattern:
        return
