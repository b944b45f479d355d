"""What `warroom.toml` says about alerts: heartbeats, patience, Alertmanagers, declaring rules."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from warroom_incident.vocabulary import SeverityName

Duration = Annotated[str, Meta(pattern=r"\A[0-9]{1,6}(s|m|h|d)\Z")]
"""A length of time as people write it: `90s`, `5m`, `9h`, `2d`."""

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_QUIET = re.compile(r"\A([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])\Z")

Label = Annotated[str, Meta(min_length=1, max_length=200)]
PlaceName = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,40}\Z")]
ApiUrl = Annotated[str, Meta(pattern=r"\Ahttps?://[^\s@/?#]+(/[^\s@?#]*)?\Z")]

NEVER_REPEAT = frozenset(
    ("datadog", "pingdom", "sentry", "uptime-kuma", "uptimerobot", "cloudevents", "change")
)
"""Kinds of senders that speak once when an alert begins and once when it ends."""


def duration_ms(text: str) -> int:
    """A length of time in milliseconds."""
    return int(text[:-1]) * _UNITS[text[-1]]


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[alerts]`: which alerts prove that the path works, and how long senders may be quiet.

    `heartbeats` are alert names and how long each may be silent before that is an alert itself;
    `dropped` are names of alerts that say nothing. `stale_after` holds for all senders but those
    that never repeat, `stale_after_of` for single tokens by their names; `0s` is never.
    """

    heartbeats: dict[Label, Duration] = msgspec.field(default_factory=lambda: {"Watchdog": "9h"})
    dropped: Annotated[tuple[Label, ...], Meta(max_length=100)] = ("InfoInhibitor",)
    stale_after: Duration = "9h"
    stale_after_of: dict[Label, Duration] = {}

    def patience(self, source: str, kind: str) -> int:
        """How long a sender may be quiet about an open alert, in milliseconds; 0 for ever."""
        own = self.stale_after_of.get(source)
        if own is not None:
            return duration_ms(own)
        return 0 if kind in NEVER_REPEAT or kind == "warroom" else duration_ms(self.stale_after)


class AlertmanagerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[alertmanager]]`: where the truth about a sender's alerts is asked, and silences are made.

    `source` is the name of the token that its alerts come with; `token_file`, beside
    `warroom.toml` and with mode 0600, holds what the API is asked with. Only alerts for the
    `receiver` are taken over; without one, for those that our alerts were sent to. It is asked
    `every` so often; for the time `settle` after its own start it is not believed that an alert
    is over, because its Prometheus has to tell it everything again.
    """

    name: PlaceName
    url: ApiUrl
    source: Annotated[str, Meta(max_length=80)] = ""
    kind: Literal["alertmanager", "grafana"] = "alertmanager"
    token_file: str = ""
    receiver: Annotated[str, Meta(max_length=200)] = ""
    every: Duration = "60s"
    settle: Duration = "3m"


class DeclareRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[declare]]`: a rule that declares an incident by itself.

    So many open alerts (`threshold`) that fit all of `matchers`, begun within `window` and alike
    in the labels of `group_by`, are one. Within `quiet_hours` (`22:00-06:00`, UTC) and past
    `at_most` an hour nothing is declared. Without a `severity` it is what the alerts say; SEV1
    always needs two sources.
    """

    name: PlaceName
    matchers: Annotated[str, Meta(min_length=1, max_length=2000)]
    threshold: Annotated[int, Meta(ge=1, le=1000)] = 2
    window: Duration = "10m"
    group_by: Annotated[tuple[Label, ...], Meta(max_length=8)] = ("service",)
    quiet_hours: tuple[Annotated[str, Meta(pattern=_QUIET.pattern)], ...] = ()
    severity: SeverityName | None = None
    at_most: Annotated[int, Meta(ge=1, le=60)] = 3

    def is_quiet(self, now: int) -> bool:
        """Whether nothing is declared at a time (ms)."""
        minute = now // 60_000 % 1440
        return any(_within(span, minute) for span in self.quiet_hours)


def _within(span: str, minute: int) -> bool:
    found = _QUIET.match(span)
    assert found is not None
    hours = [int(part) for part in found.groups()]
    begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if begin <= end:
        return begin <= minute < end
    return minute >= begin or minute < end
