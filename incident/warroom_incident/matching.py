"""Matchers as people write them: `alertname=HighErrors, zone=~"eu-.*"`.

The language is that of Alertmanager's matchers: a name, one of `=`, `!=`, `=~`, `!~`, and a value,
quoted where it holds a blank, a comma or a quote, or begins with a tilde. Commas between them may
be left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from .fields import Matcher

MOST = 20
"""How many matchers may stand together."""

_MATCHER = re.compile(
    r"""\s*(?P<name>[^\s=!~,"]+)\s*(?P<op>=~|!=|!~|=)\s*(?P<value>"(?:[^"\\]|\\.)*"|[^\s,"]*)\s*,?"""
)
_ESCAPED = re.compile(r"\\(.)")
_PLAIN = re.compile(r"[^~\s,\"\\{}][^\s,\"\\{}]*")  # with a tilde first, `=` would become `=~`


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read matchers.

    Raises:
        ValueError: They are none; the message is one sentence that says what to write.
    """
    text = text.strip()
    if text.startswith("{") and text.endswith("}"):  # an end alone may be that of web[0-9]{2}
        text = text[1:-1].strip()
    found: list[Matcher] = []
    at = 0
    while at < len(text):
        match = _MATCHER.match(text, at)
        if match is None:
            rest = text[at : at + 30]
            raise ValueError(f'“{rest}” is no matcher: write name=value or name=~"a.*".')
        found.append(_matcher(match))
        at = match.end()
    if not found:
        raise ValueError("Write at least one matcher, such as alertname=HighErrors.")
    if len(found) > MOST:
        raise ValueError(f"{len(found)} matchers are too many: {MOST} may stand together.")
    return tuple(found)


def _matcher(match: re.Match[str]) -> Matcher:
    value = match["value"]
    if value.startswith('"'):
        value = _ESCAPED.sub(r"\1", value[1:-1])
    try:
        return msgspec.convert({"name": match["name"], "op": match["op"], "value": value}, Matcher)
    except msgspec.ValidationError:
        raise ValueError(f"The matcher for {match['name'][:40]} is too long.") from None


def show_matchers(matchers: Iterable[Matcher]) -> str:
    """Write matchers so that `parse_matchers` reads them."""
    return ", ".join(f"{m.name}{m.op}{_shown(m.value)}" for m in matchers)


def _shown(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
