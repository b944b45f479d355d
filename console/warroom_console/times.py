"""Times as people read and type them. All of them are UTC, in milliseconds since the epoch."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from warroom_incident.clean import clean_line

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_LAST = 253_402_300_799_000
"""The last second of the year 9999: no calendar here goes further."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AGO = re.compile(r"-?((?P<d>\d{1,4})d)?((?P<h>\d{1,5})h)?((?P<m>\d{1,6})m)?((?P<s>\d{1,7})s)?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?z?")
_FORMS = "say 14:02, -20m, -1h30m or 2026-11-21T14:02Z"


def moment(ms: int) -> datetime:
    """The calendar's view of a time; one beyond the year 9999 is its end."""
    return datetime.fromtimestamp(min(max(0, ms), _LAST) / 1000, UTC)


def clock(ms: int) -> str:
    """`14:02`."""
    return f"{moment(ms):%H:%M}"


def day(ms: int) -> str:
    """`Sat 21 Nov 2026`."""
    when = moment(ms)
    return f"{_DAYS[when.weekday()]} {when.day} {_MONTHS[when.month - 1]} {when.year:04}"


def stamp(ms: int) -> str:
    """`2026-11-21 14:02:07Z`."""
    return f"{moment(ms):%Y-%m-%d %H:%M:%S}Z"


def short(ms: int) -> str:
    """A length of time in its largest unit: `40s`, `12m`, `3h`, `2d`."""
    ms = max(0, ms)
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if ms >= size:
            return f"{ms // size}{unit}"
    return f"{ms // SECOND}s"


def age(ms: int) -> str:
    """A length of time that changes once a minute at the most: `<1m`, `12m`, `3h`, `2d`."""
    return short(ms) if ms >= MINUTE else "<1m"


def elapsed(ms: int) -> str:
    """A running clock: `00:42:10`, and after four days `4d 03:10`."""
    seconds = max(0, ms) // SECOND
    hours, rest = divmod(seconds, 3600)
    if hours >= 96:
        return f"{hours // 24}d {hours % 24:02}:{rest // 60:02}"
    return f"{hours:02}:{rest // 60:02}:{rest % 60:02}"


def parse_when(text: str, now: int) -> int:
    """The time that a person means by `14:02`, `-20m`, `1h30m ago`, `now` or a full date.

    A time of day that is still to come today is yesterday's.

    Raises:
        ValueError: It is none, or lies in the future; the message says what to type.
    """
    word = text.strip().casefold()
    found = _ago(word, now) or _time_of_day(word, now) or _date(word)
    if found is None:
        raise ValueError(f"“{clean_line(text.strip(), 30)}” is no time: {_FORMS}.")
    if found > now + MINUTE:
        raise ValueError(f"{stamp(found)} is still to come: {_FORMS}.")
    if found < 0:
        raise ValueError(f"“{clean_line(text.strip(), 30)}” is too long ago: {_FORMS}.")
    return found


def _ago(word: str, now: int) -> int | None:
    if word in ("now", "0"):
        return now
    plain = word.removesuffix("ago").replace(" ", "")
    match = _AGO.fullmatch(plain)
    if match is None or not any(match.groupdict().values()):
        return None
    sizes = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
    past = sum(int(match[unit] or 0) * size for unit, size in sizes.items())
    return now - past if past <= now else -1


def _time_of_day(word: str, now: int) -> int | None:
    match = _TIME.fullmatch(word)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    when = moment(now).replace(hour=hour, minute=minute, second=second, microsecond=0)
    if _ms(when) > now + MINUTE:
        when -= timedelta(days=1)
    return _ms(when)


def _date(word: str) -> int | None:
    try:
        when = datetime.fromisoformat(word.upper())
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    try:
        return _ms(when)
    except OverflowError:
        return None


def _ms(when: datetime) -> int:
    return round(when.timestamp() * 1000)
