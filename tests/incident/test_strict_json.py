"""The door reads strict JSON only: what every reader takes for the same."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from warroom_incident.door import MAX_INTEGER, DoorError, check_json


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"  ",
        b"NaN",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e400}',
        b'{"a":-1e400}',
        b'{"a":01}',
        b'{"a":0x1}',
        b"{'a':1}",
        b'{"a":1,}',
        b"{} {}",
        b"\xef\xbb\xbf{}",
        b'{"a":"\x00"}',
        b'{"a":"\n"}',
        b'{"a":"\xff"}',
        b'{"\xff":1}',
        b'{"a":"\xc0\x80"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"\\ud800":1}',
        b'{"a":1' + b"0" * 5000 + b"}",
    ],
)
def test_what_is_not_strict_json_stays_out(raw: bytes) -> None:
    with pytest.raises(DoorError, match="strict JSON"):
        check_json(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"a":{"b":[{"c":1,"c":2}]}}',
        b'{"a":1,"\\u0061":2}',
        b'{"\\u00e9":1,"\xc3\xa9":2}',
        b'{"/":1,"\\/":2}',
        b'[ {"a" : 1, "b" : 2, "a" : 3} ]',
    ],
)
def test_a_key_named_twice_stays_out_however_it_is_spelled(raw: bytes) -> None:
    with pytest.raises(DoorError, match="twice"):
        check_json(raw)


@pytest.mark.parametrize(
    "number",
    [
        b"9007199254740993",
        b"-9007199254740993",
        b"18446744073709551616",
        b"1" + b"0" * 400,
        b"-1" + b"0" * 400,
        b"1e16",
        b"-1E16",
        b"1.5e300",
        b"9007199254740994.0",
        b"9.1e+15",
        b"90071992547409930e0",
    ],
)
@pytest.mark.parametrize(
    "frame", [b"%s", b'{"a":%s}', b'{"a": %s}', b"[%s]", b'[[1,{"a":[0,%s]}]]', b"[\n%s]"]
)
def test_a_number_past_two_to_the_53_stays_out_in_any_nesting(frame: bytes, number: bytes) -> None:
    with pytest.raises(DoorError, match=r"2\^53|strict JSON"):
        check_json(frame % number)


@pytest.mark.parametrize("number", [MAX_INTEGER, -MAX_INTEGER, 0, 1.5, -1e15, 1e-300, True])
def test_a_number_that_every_reader_keeps_comes_in(number: float) -> None:
    assert check_json(json.dumps({"a": [number]}).encode()) == {"a": [number]}


def test_a_long_number_within_a_text_is_text() -> None:
    text = {"a": "order 99999999999999999999, 1e99 of them", "b": [1, "2", None, False]}
    assert check_json(json.dumps(text).encode()) == text


@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_thirty_two_levels_come_in_and_thirty_three_stay_out(opens: bytes, closes: bytes) -> None:
    check_json(opens * 31 + b"[]" + closes * 31)
    for depth in (32, 9_999):
        with pytest.raises(DoorError, match="32 levels"):
            check_json(opens * depth + b"[]" + closes * depth)


def test_ten_thousand_brackets_that_never_close_stay_out() -> None:
    with pytest.raises(DoorError, match="32 levels"):
        check_json(b"[" * 10_000)


def test_brackets_within_a_text_nest_nothing() -> None:
    text = '[[{{"\\' * 100
    assert check_json(json.dumps([text]).encode()) == [text]


def test_many_small_lists_side_by_side_are_not_deep() -> None:
    assert check_json(b"[" + b",".join([b"[]"] * 200) + b"]") == [[]] * 200


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_a_sentence(raw: bytes) -> None:
    with suppress(DoorError):
        assert check_json(raw) == json.loads(raw)
