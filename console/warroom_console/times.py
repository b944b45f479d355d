"""Times in rows, titles and headers. All of them are UTC, in milliseconds since the epoch."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY

_LAST = 253_402_300_799_000
"""The last second of the year 9999: no calendar here goes further."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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


def dated(ms: int, now: int) -> str:
    """`14:02`, with its day before it where that is not today: `Fri 20 Nov 2026 14:02`."""
    return clock(ms) if ms // DAY == now // DAY else f"{day(ms)} {clock(ms)}"


def stamp(ms: int) -> str:
    """`2026-11-21 14:02:07Z`."""
    return f"{moment(ms):%Y-%m-%d %H:%M:%S}Z"


def short(ms: int) -> str:
    """A length of time in its largest unit: `40s`, `12m`, `3h`, `2d`, and after 999 days `3y`."""
    ms = max(0, ms)
    if ms >= 1000 * DAY:
        return f"{ms // YEAR}y"
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
