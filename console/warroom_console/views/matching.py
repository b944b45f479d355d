"""Which runbook on the shelf is for an alert: the one that is called like its rule or service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from warroom_console.shelf import library
from warroom_incident.alerts import AlertRecord

_BETWEEN = re.compile(r"[\W_]+")


def matching_runbook(record: AlertRecord, server_has: Mapping[str, str]) -> str:
    """The name of the runbook for an alert, empty where there is none.

    Args:
        record: The alert.
        server_has: The titles of the server's own runbooks, by their names.

    A runbook is for an alert when its file or its title is called like the alert's rule, else like
    the page that the alert names as its runbook, like its title or like its service:
    `high-error-rate.md` for `HighErrorRate`, `checkout.md` for the service checkout.
    """
    called = {_plain(title): name for name, title in server_has.items()}
    called |= {_plain(name): name for name in (*library().names("runbooks"), *server_has)}
    words = filter(None, map(_plain, _words(record)))
    return next((called[word] for word in words if word in called), "")


def _words(record: AlertRecord) -> Iterator[str]:
    yield record.labels.get("alertname", "")
    for name, address in (*record.links, *record.annotations.items()):
        if name.casefold().startswith("runbook"):
            page = re.split(r"[?#]", address.rstrip("/"))[0].rpartition("/")[2]
            yield page.removesuffix(".md").removesuffix(".html")
    yield record.title
    yield record.service


def _plain(word: str) -> str:
    """A word without all that people write differently."""
    return _BETWEEN.sub("", word.casefold())
