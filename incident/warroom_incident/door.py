"""The door check: what any text must pass before it is written anywhere as an event.

JSON parsers differ on NaN, duplicate keys, lone surrogates, huge integers and deep nesting. An
event that one replica stores and another cannot read would be undeliverable, so all of these
are refused here, by the author too.
"""

from __future__ import annotations

import re

import msgspec

MAX_EVENT_BYTES = 48 * 1024
"""Head and body of one event together, encoded."""

MAX_DEPTH = 32
MAX_INTEGER = 2**53

_LARGE = re.compile(rb"[:,\[\s]-?[0-9](?:[0-9]{15}|[0-9.]*[eE])")
"""How a number past 2^53 within a list or object begins; text that looks so is looked at too."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class DoorError(ValueError):
    """The text may not be written; the message is one sentence that says why."""


def check_json(raw: bytes) -> object:
    """Return the value of strict JSON text, or raise `DoorError`.

    Text that a compact encoder would write again byte for byte has no duplicate keys; only
    other spellings take the slow look.
    """
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _check_depth(raw)
    try:
        value = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DoorError(f"This is not strict JSON: {error}.") from error
    if _LARGE.search(raw) or raw[:1] not in b"{[":
        _check_numbers(value)
    if _encode(value) != raw:
        _check_keys(raw)
    return value


def _check_depth(raw: bytes) -> None:
    depth = 0
    quoted = escaped = False
    for byte in raw:
        if escaped:
            escaped = False
        elif byte == 0x5C:
            escaped = quoted
        elif byte == 0x22:
            quoted = not quoted
        elif not quoted and byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise DoorError(f"JSON may nest {MAX_DEPTH} levels at the most.")
        elif not quoted and byte in b"]}":
            depth -= 1


def _check_numbers(value: object) -> None:
    match value:
        case int() | float() if abs(value) > MAX_INTEGER:
            raise DoorError("A number may not pass 2^53, or other readers would round it.")
        case list():
            for item in value:
                _check_numbers(item)
        case dict():
            for item in value.values():
                _check_numbers(item)
        case _:
            return


def _check_keys(raw: bytes) -> None:
    import json  # hardly ever needed: authors write compactly

    def unique(pairs: list[tuple[str, object]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            raise DoorError("A JSON object names the same key twice.")

    json.loads(raw, object_pairs_hook=unique)
