"""From bytes to plain values: JSON, text and times as careless senders write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec

from ..unreadable import Unreadable

MAX_DEPTH = 64
"""A body may nest lists and objects this deep."""

_LONGEST_INT = 25
_EARLIEST = 31_536_000_000  # 1971: senders write year 1 or the epoch for "no time".
_LATEST = 253_402_300_799_999


def read_json(body: bytes) -> object:
    """Decode a body as JSON, tolerating what common encoders get wrong.

    Bytes that are not UTF-8, NaN, lone surrogates, duplicate keys (the last counts) and integers
    of any length are taken. Raises Unreadable for everything else.
    """
    value = _decode(body)
    # Few brackets cannot be deep; counting them is much quicker than walking through values.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise Unreadable(f"it is nested too deeply: more than {MAX_DEPTH} levels")
    return value


def _is_deeper(value: object, depth: int) -> bool:
    level: list[object] = [value]
    for _ in range(depth):
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(v for v in each.values() if isinstance(v, dict | list))
            elif isinstance(each, list):
                inner.extend(v for v in each if isinstance(v, dict | list))
        if not inner:
            return False
        level = inner
    return True


def _decode(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    text = body.decode("utf-8-sig", "replace")
    try:
        value: object = json.loads(text, strict=False, parse_int=_int_or_text)
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except ValueError as error:
        raise Unreadable(f"it is not JSON ({error})") from None
    return value


def _int_or_text(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INT else digits


def text_of(value: object) -> str:
    """Write a value as text: scalars as JSON would, None as nothing, the rest as compact JSON."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            try:
                return json.dumps(value, ensure_ascii=False, default=str)
            except (RecursionError, ValueError):
                return "(too deeply nested to show)"


def text_map(value: object) -> dict[str, str]:
    """Read an object of texts; anything else is empty."""
    if not isinstance(value, dict):
        return {}
    return {text_of(name): text_of(entry) for name, entry in value.items()}


def read_time(value: object) -> int | None:
    """Read a time as milliseconds: RFC 3339 (UTC if no zone is given), or a number since 1970.

    A number's unit (s, ms, us, ns) follows from its size. No time, year 1 and 0 are None.
    """
    match value:
        case bool():
            return None
        case int() | float():
            return _number_time(value)
        case str():
            return _text_time(value.strip())
        case _:
            return None


def _text_time(text: str) -> int | None:
    if not text or len(text) > 64:
        return None
    try:
        return _number_time(float(text)) if text.isascii() and text.isdigit() else _iso_time(text)
    except (ValueError, OverflowError):
        return None


def _iso_time(text: str) -> int | None:
    # Go prints "2025-02-15 14:59:03.26 +0000 UTC", others "2025-03-24 17:28:40 UTC".
    bare = text.removesuffix(" UTC")
    try:
        moment = datetime.fromisoformat(bare.replace(" +", "+") if bare != text else text)
    except ValueError:
        moment = datetime.strptime(text, "%a %b %d %H:%M:%S UTC %Y").replace(tzinfo=UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return _sane(since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000)


def _number_time(number: int | float) -> int | None:
    size = abs(number)
    if not size <= 1e21:  # NaN is not, either.
        return None
    if size >= 1e17:
        return _sane(int(number // 1_000_000))
    if size >= 1e14:
        return _sane(int(number // 1000))
    return _sane(int(number if size >= 1e11 else number * 1000))


def _sane(ms: int) -> int | None:
    return ms if _EARLIEST <= ms <= _LATEST else None
