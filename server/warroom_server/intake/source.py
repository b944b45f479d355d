"""Who sends alerts: a token's name and kind, and how what it sends is to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Source:
    """A sender that is let in. `name` is the token's name, never the token.

    `severities` maps a sender's own words (case-folded) to SEV1..SEV4 and goes before the common
    table; `default_severity` is for alerts that name none. `secret` is what it signs its bodies
    with, None for one that does not sign. `topics` are the SNS topics it may send, empty for any.
    """

    name: str
    kind: str
    severities: Mapping[str, str] = field(default_factory=dict)
    default_severity: str | None = None
    secret: bytes | None = field(default=None, repr=False)
    topics: tuple[str, ...] = ()
