"""Which of the sender's groups an alert is in that came without one.

An Alertmanager's API names no groups, but the key of a group ends in the labels that its alerts
share: `{}/{severity="page"}:{alertname="Disk", zone="eu"}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from warroom_incident.alerts import AlertRecord

_LABELS = re.compile(r'\{((?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}\Z', re.DOTALL)
_PAIR = re.compile(r'\s*([^\s=,"]+)="((?:[^"\\]|\\.)*)"\s*(?:,|\Z)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r"}


class SenderGroups:
    """The groups of some alerts, found by labels."""

    def __init__(self, records: Iterable[AlertRecord]) -> None:
        self._by_names: dict[tuple[str, ...], dict[tuple[str, ...], str]] = {}
        for group in {record.group for record in records}:
            labels = labels_of(group)
            if labels:
                names = tuple(sorted(labels))
                values = tuple(labels[name] for name in names)
                self._by_names.setdefault(names, {})[values] = group

    def find(self, labels: Mapping[str, str]) -> str:
        """The group whose labels an alert has, the one with the most; empty for none."""
        for names in sorted(self._by_names, key=lambda names: (-len(names), names)):
            values = tuple(labels.get(name, "") for name in names)
            if group := self._by_names[names].get(values):
                return group
        return ""


def labels_of(group: str) -> dict[str, str]:
    """The labels that a group's alerts share, as its key tells; none where it is no such key."""
    found = _LABELS.search(group)
    if found is None:
        return {}
    labels: dict[str, str] = {}
    at = 0
    while at < len(found[1]):
        pair = _PAIR.match(found[1], at)
        if pair is None:
            return {}
        labels[pair[1]] = _ESCAPED.sub(lambda m: _PLAIN.get(m[1], m[1]), pair[2])
        at = pair.end()
    return labels
