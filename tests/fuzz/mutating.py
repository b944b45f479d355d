"""Changes inputs where they are JSON: bytes changed at random hardly ever stay a body."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1 << 53, 10**30, 1e308, float("nan"), float("inf"), 1_795_262_400,
    "", " ", "\0", "\x1b]52;c;eA==\x07", "\ud83d", "\u202e", "é" * 700, "\x01" * 900, "{}", "[[]]",
    "resolved", "firing", "2026-11-21T12:00:00+14:00", "0001-01-01T00:00:00Z", "9" * 400,
    "https://x.invalid/" + "a" * 590, [], {}, [None], {"": ""}, [[["a", "b"]]], {"name": "a"},
    ["a:b", "=", ":"], [{"key": "a", "value": {"b": 1}}], {"\0": "\0"},
)  # fmt: skip
"""What careless and hostile encoders put where something else is expected."""

Plain = Callable[[bytes, int], bytes]
"""How bytes are changed at random: the bytes, and how many there may be."""


def mutate(data: bytes, most: int, seed: int, plain: Plain) -> bytes:
    """Change an input: one value of its JSON, or any bytes where there is none."""
    chance = Random(seed)
    starts = [at for at in (data.find(b"{"), data.find(b"[")) if at >= 0]
    if not starts or chance.random() < 0.4:
        return plain(data, most)
    at = min(starts)
    try:
        value = json.loads(data[at:])
        changed = json.dumps(_changed(value, chance), separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return plain(data, most)
    return data[:at] + changed if at + len(changed) <= most else plain(data, most)


def _changed(value: Any, chance: Random) -> Any:
    """A copy of a value with one place in it changed."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        return _object_changed(dict(value), chance)
    if isinstance(value, list) and value and chance.random() < 0.85:
        copy = list(value)
        at = chance.randrange(len(copy))
        match chance.randrange(8):
            case 0:
                copy.insert(at, copy[at])
            case 1:
                del copy[at]
            case _:
                copy[at] = _changed(copy[at], chance)
        return copy
    if isinstance(value, int) and not isinstance(value, bool) and chance.random() < 0.5:
        return value + chance.choice((-1, 1, 1 << 20, -(1 << 40)))
    if isinstance(value, str) and value and chance.random() < 0.4:
        return _text_changed(value, chance)
    return chance.choice(NASTY)


def _object_changed(value: dict[str, Any], chance: Random) -> dict[str, Any]:
    name = chance.choice(list(value))
    match chance.randrange(10):
        case 0:
            del value[name]
        case 1:
            value[chance.choice(list(value))] = value[name]
        case 2:
            value[_text_changed(name, chance) if name else "x"] = value.pop(name)
        case _:
            value[name] = _changed(value[name], chance)
    return value


def _text_changed(text: str, chance: Random) -> str:
    at = chance.randrange(len(text))
    piece = chance.choice(("\0", "\x1b", "\ud83d", "é", ":", "=", "[", "${", "9" * 30, "\n", " "))
    match chance.randrange(3):
        case 0:
            return text[:at] + piece + text[at:]
        case 1:
            return text[:at] + text[at + 1 :]
        case _:
            return (text * chance.choice((2, 40)))[:4000]
