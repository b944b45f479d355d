"""Hostile text loses every power over a terminal and keeps every letter."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given, strategies as st

from warroom_incident import clean as module
from warroom_incident.clean import cells, clean, clean_line

# Arbitrary code points, lone surrogates included, with the dangerous ones drawn often.
_NASTY = "\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\x9d\u200b\u200d\u200e\u202e\u2028\u2066\ufeff"
_NASTY += "\ud800\udfff\u0301\u0308\u20dd\u0e49\u1161\ufe0f\U000e0041\U0001f3fd"
hostile = st.text(
    st.one_of(st.characters(), st.characters(categories=["Cs"]), st.sampled_from(_NASTY))
)


@given(hostile, st.booleans())
def test_cleaning_twice_is_cleaning_once(text: str, newlines: bool) -> None:
    once = clean(text, newlines=newlines)
    assert clean(once, newlines=newlines) == once


@given(hostile, st.booleans())
def test_nothing_that_a_terminal_obeys_comes_through(text: str, newlines: bool) -> None:
    allowed = "\n\t" if newlines else ""
    for character in clean(text, newlines=newlines):
        assert character in allowed or unicodedata.category(character) not in (
            "Cc",
            "Cs",
            "Zl",
            "Zp",
        )
        assert unicodedata.bidirectional(character) not in (
            *("LRE", "RLE", "LRO", "RLO", "PDF"),
            *("LRI", "RLI", "FSI", "PDI"),
        )


@given(hostile, st.booleans())
def test_clean_text_always_encodes(text: str, newlines: bool) -> None:
    clean(text, newlines=newlines).encode()


@given(hostile)
def test_a_cleaned_line_is_one_line(text: str) -> None:
    assert len(clean_line(text).splitlines()) <= 1


@given(hostile, st.integers(0, 40))
def test_a_cut_line_never_exceeds_its_width(text: str, width: int) -> None:
    assert cells(clean_line(text, width)) <= width


@given(hostile)
def test_no_letter_carries_more_than_three_marks(text: str) -> None:
    run = 0
    for character in clean(text):
        run = run + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        assert run <= 3


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_untouched(text: str) -> None:
    assert clean(text) == text
    assert clean(text, newlines=False) == text


@pytest.mark.parametrize(
    "text",
    [
        "größe, naïve, señor, Łódź",
        "ошибка оплаты",
        "支払いエラー・決済",
        "결제 오류",
        "नमस्ते दुनिया",
        "ข้อผิดพลาดที่เซิร์ฟเวอร์",
        "שָׁלוֹם",
        "└─ ● ○ ◉ ▲ ✓ ␛ 🔥",
        "e\u0301 o\u0308\u0323",
        "x[prod] y[/b] [bold red]",
    ],
)
def test_the_languages_people_write_in_are_untouched(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("dirty", "shown"),
    [
        ("\x1b]52;c;cm0=\x07", "␛]52;c;cm0=␇"),
        ("\x1b[31mred", "␛[31mred"),
        ("\x9b31mred", "\ufffd31mred"),
        ("a\x00b\x08c\x7f", "a␀b␈c␡"),
        ("one\r\ntwo\rthree", "one\ntwo␍three"),
        ("one\u2028two\u2029three\x85four", "one\ntwo\nthree\nfour"),
        ("rm \u202efr- /\u202c", "rm fr- /"),
        ("ad\u200bmin\ufeff\u2060", "admin"),
        ("tag\U000e0001\U000e0041ged", "tagged"),
        ("half \ud83d here", "half \ufffd here"),
        ("z\u0301\u0302\u0303\u0304\u0305!", "z\u0301\u0302\u0303!"),
        ("\u0301\u0302start", "start"),
        ("line\n\u0301two", "line\ntwo"),
        ("a\u0301\u200b\u0302\u200b\u0303\u200b\u0304", "a\u0301\u0302\u0303"),
        ("\u2764\ufe0f \U0001f44d\U0001f3fd", "\u2764 \U0001f44d"),
    ],
)
def test_each_kind_of_hostile_text_is_shown_harmless(dirty: str, shown: str) -> None:
    assert clean(dirty) == shown


@pytest.mark.parametrize(
    ("dirty", "shown"),
    [
        ("one\ntwo", "one two"),
        ("one\r\n\r\n\ttwo", "one two"),
        ("\tindented", " indented"),
        ("one\u2028two", "one two"),
        ("plain", "plain"),
    ],
)
def test_a_line_shows_each_break_as_one_space(dirty: str, shown: str) -> None:
    assert clean_line(dirty) == clean(dirty, newlines=False) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("checkout is down", None, "checkout is down"),
        ("checkout is down", 16, "checkout is down"),
        ("checkout is down", 10, "checkout…"),
        ("支払いエラー", 6, "支払…"),
        ("支払いエラー", 12, "支払いエラー"),
        ("a\u0301b\u0301c\u0301d", 3, "a\u0301b\u0301…"),
        ("anything", 1, "…"),
        ("anything", 0, ""),
        ("", 0, ""),
    ],
)
def test_a_line_is_cut_by_cells_and_says_so(text: str, width: int | None, shown: str) -> None:
    assert clean_line(text, width) == shown


def test_every_mark_of_this_unicode_version_is_noticed() -> None:
    unnoticed = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Mn", "Me")
        and not re.search(module._SUSPECT, chr(code))
    ]
    assert unnoticed == []


@pytest.mark.parametrize("parts", ["\u1112\u1161\u11ab", "\u1112\ud7b0\ud7cb"])
def test_a_syllable_of_several_letters_takes_the_cells_of_one(parts: str) -> None:
    assert cells(parts) == cells("한") == 2
