"""Which runbook on the shelf is for an alert: the one that is named like its rule or service."""

from __future__ import annotations

import re
from collections.abc import Collection

from warroom_console.shelf import library
from warroom_incident.alerts import AlertRecord

_BETWEEN = re.compile(r"[^a-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def matching_runbook(record: AlertRecord, server_has: Collection[str] = ()) -> str:
    """The name of the runbook for an alert, empty where there is none.

    Args:
        record: The alert.
        server_has: The names of the server's own runbooks.

    A runbook is for an alert when its file is named like the alert's rule, else like its service:
    `high-error-rate.md` for `HighErrorRate`, `checkout.md` for the service checkout.
    """
    names = {_plain(name): name for name in (*library().names("runbooks"), *server_has)}
    for word in (record.labels.get("alertname", ""), record.title, record.service):
        if word and (found := names.get(_plain(word))) is not None:
            return found
    return ""


def _plain(word: str) -> str:
    return _BETWEEN.sub("-", _HUMP.sub("-", word).casefold()).strip("-")
