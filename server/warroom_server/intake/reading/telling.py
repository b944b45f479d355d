"""The one way in which every reader makes a signal of what a sender told."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from warroom_incident.alerts import Says, Severity, Signal, State, read_severity

from ..post import Post
from ..source import Source
from .body import text_map, text_of
from .fit import fit, storable

SERVICE_LABELS = ("service", "app", "application", "job", "namespace", "host")
ENV_LABELS = ("env", "environment", "stage")

STATES: dict[str, State] = {
    **dict.fromkeys(("acknowledged", "acknowledge", "ack", "acked"), "acknowledged"),
    **dict.fromkeys(("suppressed", "silenced", "muted", "mute", "paused", "ignored"), "suppressed"),
    **dict.fromkeys(("maintenance", "inhibited", "snoozed", "archived"), "suppressed"),
    **dict.fromkeys(("nodata", "insufficientdata", "stale"), "nodata"),
    **dict.fromkeys(("resolved", "resolve", "ok", "up", "closed", "close", "clear"), "resolved"),
    **dict.fromkeys(("cleared", "recovery", "recovered", "normal", "fixed"), "resolved"),
    **dict.fromkeys(("success", "healthy", "inactive", "green", "deactivated"), "resolved"),
}
_NOT_LETTERS = re.compile(r"[^a-z]+")
_VOLATILE = re.compile(r"[0-9]+")
UNACKNOWLEDGED = frozenset(("unacknowledged", "unacknowledge", "unacked", "unack"))
_QUIET = ("resolved", "acknowledged")


def state_of(word: str) -> State | None:
    """Read a state in the words that senders use; None for a word that says nothing."""
    return STATES.get(_NOT_LETTERS.sub("", word[:64].casefold()))


def first_of(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the first of these labels that says something."""
    return next((labels[n] for n in names if labels.get(n)), "")


def label_map(value: object) -> dict[str, str]:
    """Read labels in the spellings that senders use.

    An object of texts, a list of `name:value`, `name=value`, pairs, or objects with `key`,
    `name` or `tag` and `value`, or a text of those with commas between them.
    """
    if isinstance(value, dict):
        return text_map(value)
    parts: Iterable[object] = ()
    if isinstance(value, str | list):
        parts = value.split(",") if isinstance(value, str) else value
    return dict(filter(None, map(_label, parts)))


def _label(value: object) -> tuple[str, str] | None:
    if isinstance(value, dict):
        name = value.get("key", value.get("name", value.get("tag")))
        return (text_of(name), text_of(value.get("value"))) if name else None
    if isinstance(value, list):
        return (text_of(value[0]), text_of(value[1])) if len(value) == 2 else None
    text = text_of(value).strip()
    at = min((i for i in (text.find(":"), text.find("=")) if i > 0), default=len(text))
    return (text[:at].strip(), text[at + 1 :].strip()) if text else None


def guessed_key(title: str, service: str, labels: Mapping[str, str]) -> str:
    """Name an alert that has no key: by its words without their numbers, service and host."""
    words = _VOLATILE.sub("#", title.casefold())
    where = first_of(labels, ("host", "hostname", "instance", "device"))
    guessed = storable("\n".join((words, service, where)))
    return "guessed:" + hashlib.sha256(guessed.encode()).hexdigest()[:24]


def told(
    post: Post,
    source: Source,
    *,
    key: str,
    state: State,
    title: str,
    severity: str = "",
    summary: str = "",
    description: str = "",
    service: str = "",
    env: str = "",
    group: str = "",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    links: Iterable[tuple[str, str]] = (),
    starts_at: int | None = None,
    ends_at: int | None = None,
    missing: int = 0,
    says: Says = "all",
    unacks: bool = False,
) -> Signal:
    """Make a signal that fits the board.

    Args:
        post: The body it comes from.
        source: Who sent it.
        key: Its identity; empty for one that must be guessed.
        state: What the sender says of it.
        title: Its line on the board; what is missing is put in.
        severity: The sender's own word, which counts after the labels.
        summary, description, service, env, group: As told; service and env else from labels.
        labels, annotations, links: As told.
        starts_at, ends_at: As told, in ms; an end counts only for what is over.
        missing: How many alerts the sender left out of the body.
        says: Whether it tells all, or nothing but the state or some words of an open alert.
        unacks: Whether it says that an acknowledgement counts no longer.
    """
    labels = dict(labels or {})
    annotations = dict(annotations or {})
    service = service or first_of(labels, SERVICE_LABELS)
    unnamed = "" if says == "words" else f"alert from {source.name}"
    title = title.strip() or summary.strip() or unnamed
    if state == "resolved" and starts_at and ends_at and starts_at >= ends_at:
        starts_at = None  # It is when the end began, not the alert.
    is_graded = state not in _QUIET and (says == "all" or severity)
    return fit(
        Signal(
            source=source.name,
            kind=source.kind,
            key=key or guessed_key(title, service, labels),
            state=state,
            title=title,
            received=post.received,
            severity=_graded(source, labels, annotations, severity) if is_graded else None,
            service=service,
            env=env or first_of(labels, ENV_LABELS),
            summary="" if summary == title else summary,
            description="" if description in (summary, title) else description,
            labels=labels,
            annotations={n: t for n, t in annotations.items() if t not in (summary, description)},
            links=tuple(links),
            group=group,
            starts_at=starts_at,
            ends_at=ends_at if state == "resolved" else None,
            weak_key=not key,
            missing=missing,
            says=says,
            unacks=unacks,
        )
    )


def _graded(
    source: Source, labels: Mapping[str, str], annotations: Mapping[str, str], severity: str
) -> Severity:
    return read_severity(
        labels, annotations, severity, own=source.severities, default=source.default_severity
    )
