"""How the severity of an alert is read from its sender's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Severity = Literal["SEV1", "SEV2", "SEV3", "SEV4"]

UNKNOWN_SEVERITY: Severity = "SEV3"
"""What an alert without a severity, or with one nobody knows, is taken for."""

_WORDS: dict[str, Severity] = {
    **dict.fromkeys(("critical", "crit", "page", "emergency", "disaster", "fatal"), "SEV1"),
    **dict.fromkeys(("error", "high", "major"), "SEV2"),
    **dict.fromkeys(("warning", "warn", "medium", "average", "minor"), "SEV3"),
    **dict.fromkeys(("info", "low", "notice", "none", "debug", "ok"), "SEV4"),
    **dict.fromkeys(("information", "informational"), "SEV4"),
}
_NUMBERED = re.compile(r"(?:sev|severity|p)[ _-]?([0-5])")
_BY_NUMBER: tuple[Severity, ...] = ("SEV1", "SEV1", "SEV2", "SEV3", "SEV4", "SEV4")
_SEVERITIES: dict[str, Severity] = {s.casefold(): s for s in _BY_NUMBER}


def severity_of(word: str, own: Mapping[str, str] | None = None) -> Severity | None:
    """Read one word, first by the token's `own` map (case-folded word to SEV1..SEV4)."""
    folded = word[:64].strip().casefold()
    mapped = own.get(folded) if own else None
    if mapped is not None and (known := _SEVERITIES.get(mapped.casefold())) is not None:
        return known
    if (known := _WORDS.get(folded)) is not None:
        return known
    numbered = _NUMBERED.fullmatch(folded)
    return _BY_NUMBER[int(numbered[1])] if numbered else None


def read_severity(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    vendor: str | None = None,
    *,
    own: Mapping[str, str] | None = None,
    default: str | None = None,
) -> Severity:
    """Find an alert's severity: the first of these places that holds a word we understand.

    `labels.severity`, then `labels.priority`, `level`, `urgency`, then `annotations.severity`,
    then the `vendor` field, then the token's `default`, then SEV3.
    """
    for name in ("severity", "priority", "level", "urgency"):
        if name in labels and (found := severity_of(labels[name], own)) is not None:
            return found
    for word in (annotations.get("severity"), vendor, default):
        if word and (found := severity_of(word, own)) is not None:
            return found
    return UNKNOWN_SEVERITY
