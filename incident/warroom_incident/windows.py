"""Which window hides which alert: maintenance windows, suppression rules and their matchers.

What a window hides is counted and can be looked at, never dropped. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .alerts import AlertRecord
from .board import Window
from .fields import Matcher

MAX_VALUE = 1000
"""A label's value is fitted up to so many characters."""


def value_of(record: AlertRecord, name: str) -> str:
    """What a matcher's name stands for: a label, or else a fact of the alert; else empty."""
    found = record.labels.get(name)
    if found is None:
        match name:
            case "source":
                found = record.source
            case "service":
                found = record.service
            case "env":
                found = record.env
            case "severity":
                found = record.severity
            case _:
                found = ""
    return found[:MAX_VALUE]


def fits_value(matcher: Matcher, value: str) -> bool:
    """Whether a value is as a matcher wants it; a pattern that is none fits nothing."""
    match matcher.op:
        case "=":
            return value == matcher.value
        case "!=":
            return value != matcher.value
        case "=~" | "!~":
            from .pattern import BadPattern, pattern  # few matchers need it

            try:
                return pattern(matcher.value).fits(value) == (matcher.op == "=~")
            except BadPattern:
                return False


def fits(matchers: Iterable[Matcher], record: AlertRecord) -> bool:
    """Whether an alert fits all matchers."""
    return all(fits_value(matcher, value_of(record, matcher.name)) for matcher in matchers)


def check_matchers(matchers: Sequence[Matcher]) -> str | None:
    """Why matchers cannot be used, in one sentence; None if they can.

    As at an Alertmanager, one of them has to ask for something: matchers which an alert without
    any labels fits would hide everything.
    """
    for matcher in matchers:
        if matcher.op in ("=~", "!~"):
            from .pattern import BadPattern, pattern

            try:
                pattern(matcher.value)
            except BadPattern as error:
                return f"{matcher.name}{matcher.op}: {error}"
    if all(fits_value(matcher, "") for matcher in matchers):
        return "at least one matcher must ask for a value that is not empty"
    return None


class Windows:
    """The windows that hold at one moment."""

    def __init__(self, windows: Iterable[Window], now: int) -> None:
        self._holding = tuple(window for window in windows if window.holds(now))

    def __bool__(self) -> bool:
        """Whether any window holds."""
        return bool(self._holding)

    def hiding(self, record: AlertRecord) -> Window | None:
        """The window that hides an alert, the one that ends first if there are more."""
        for window in self._holding:
            if fits(window.matchers, record):
                return window
        return None

    def hidden(self, records: Iterable[AlertRecord]) -> dict[str, Window]:
        """The open alerts that are hidden, by their uid."""
        if not self._holding:
            return {}
        return {
            record.uid: window
            for record in records
            if record.is_open and (window := self.hiding(record)) is not None
        }
