"""Times as people write and read them: `14:02`, `-10m`, RFC 3339; ages like `3h 05m`.

Milliseconds since the epoch inside; everything that people read is UTC and says so.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from warroom_incident.clean import clean_line

_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?[zZ]?"
_SPAN = r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m(?:in)?)?(?:(\d{1,7})s)?"
_FORMS = "14:02, -10m or 2026-11-21T14:02:00Z"
_DAY = 24 * 60 * 60 * 1000
_LAST = 253_402_300_799_999


def parse_when(text: str, now: int) -> int:
    """Read when something happened.

    Args:
        text: `14:02` is the last time it was 14:02 UTC, `-10m` ten minutes ago.
        now: The time, in milliseconds.

    Raises:
        ValueError: It is no time, or lies ahead; the message is one sentence.
    """
    said = text.strip()
    if clock := re.fullmatch(_CLOCK, said):
        at = now - now % _DAY + _clock_ms(clock)
        return at if at <= now else at - _DAY
    at = now - parse_span(said[1:]) if said.startswith("-") else _absolute(said)
    if at > now:
        raise ValueError(f"“{_shown(text)}” lies ahead: give the time at which it happened.")
    if at < 0:
        raise ValueError(f"“{_shown(text)}” is too long ago.")
    return at


def parse_span(text: str) -> int:
    """Read a length of time such as `10m`, `1h30m` or `30d`, in milliseconds.

    Raises:
        ValueError: It is none; the message is one sentence.
    """
    found = re.fullmatch(_SPAN, text.strip().lower())
    if found is None or not any(found.groups()):
        raise ValueError(f"“{_shown(text)}” is no length of time: write 90s, 10m, 1h30m or 30d.")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return round(span.total_seconds() * 1000)


def span_within(text: str, longest: int, sentence: str) -> int:
    """Read a length of time from a minute to `longest` milliseconds.

    Raises:
        ValueError: It is none, or another one: then with the `sentence` that says what may be.
    """
    span = parse_span(text)
    if not 60_000 <= span <= longest:
        raise ValueError(sentence)
    return span


def _clock_ms(clock: re.Match[str]) -> int:
    hours, minutes, seconds = (int(part or 0) for part in clock.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


def _absolute(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        if "-" not in text[1:8]:
            raise ValueError("too short for a date")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ValueError(f"“{_shown(text)}” is no time: write {_FORMS}.") from None


def _shown(text: str) -> str:
    return clean_line(text.strip(), 40)


def clock(ms: int, now: int) -> str:
    """A time of day in UTC, with its date when it is not today's: `14:02:07Z`."""
    moment = datetime.fromtimestamp(min(max(ms, 0), _LAST) / 1000, UTC)
    today = datetime.fromtimestamp(min(max(now, 0), _LAST) / 1000, UTC).date()
    return f"{moment:%H:%M:%SZ}" if moment.date() == today else f"{moment:%Y-%m-%d %H:%M:%SZ}"


def age(ms: int) -> str:
    """A length of time in milliseconds in at most two units: `42s`, `5m`, `3h 05m`, `2d 4h`."""
    seconds = max(0, ms) // 1000
    if seconds < 60:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if hours < 1:
        return f"{minutes}m"
    if days < 1:
        return f"{hours}h {minutes % 60:02}m"
    return f"{days}d {hours % 24}h"
