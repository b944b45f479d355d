"""Sentry: the webhooks of its internal integrations, and of the older plugin.

The header `Sentry-Hook-Resource` says what a body is about. An alert about an event has the key of
its issue, so that the issue's later end closes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from warroom_incident.alerts import Says, Signal, State

from ..post import Post
from ..reading.body import read_json, text_of
from ..reading.telling import label_map, told
from ..source import Source
from ..unreadable import Unreadable

_ACTIONS: dict[str, State] = {
    "resolved": "resolved",
    "ignored": "suppressed",
    "archived": "suppressed",
}
_SAYS: dict[str, Says] = {"ignored": "state", "archived": "state", "assigned": "words"}
"""What says nothing of an issue that is not open: that somebody has it does not say it fires."""

_LEVELS = {
    "fatal": "SEV1",
    "critical": "SEV1",
    "error": "SEV2",
    "warning": "SEV3",
    "info": "SEV4",
    "debug": "SEV4",
}
_NO_ALERTS = ("comment", "installation", "seer", "preprod_artifact")


def parse(post: Post, source: Source) -> Iterator[Signal]:
    """Yield the alert of a body, none for what is not about one. Raises Unreadable."""
    body = read_json(post.body)
    if not isinstance(body, dict):
        raise Unreadable("it is not a body of Sentry: it is no object")
    resource = post.headers.get("sentry-hook-resource", "").casefold()
    if resource in _NO_ALERTS:
        return
    action = text_of(body.get("action")).casefold()
    data = _object(body.get("data"))
    if isinstance(metric := data.get("metric_alert"), dict):
        yield _metric(metric, data, action, post, source)
    elif isinstance(issue := data.get("issue"), dict):
        yield _issue(issue, text_of(issue.get("id")), action, post, source)
    elif isinstance(event := data.get("event", data.get("error")), dict):
        told_by = {**event, "rule": data.get("triggered_rule")}
        yield _issue(told_by, text_of(event.get("issue_id")), action, post, source)
    elif "project" in body or "event" in body:
        yield _issue(
            {**_object(body.get("event")), **body}, text_of(body.get("id")), "", post, source
        )
    else:
        raise Unreadable("it is about no issue, event or metric alert of Sentry")


def _issue(
    issue: Mapping[str, object], key: str, action: str, post: Post, source: Source
) -> Signal:
    labels = label_map(issue.get("tags"))
    project = issue.get("project")
    name = project.get("slug") or project.get("name") if isinstance(project, dict) else project
    for label, value in (
        ("project", issue.get("project_slug") or name),
        ("environment", issue.get("environment")),
        ("release", issue.get("release")),
        ("culprit", issue.get("culprit")),
        ("short_id", issue.get("shortId")),
        ("rule", issue.get("rule")),
    ):
        if isinstance(value, str) and value:
            labels.setdefault(label, value)
    message = text_of(issue.get("message"))
    return told(
        post,
        source,
        key=key,
        state=_ACTIONS.get(action, "firing"),
        says=_SAYS.get(action, "all"),
        title=text_of(issue.get("title")) or message.split("\n")[0],
        severity=_LEVELS.get(text_of(issue.get("level")).casefold(), ""),
        summary=text_of(issue.get("culprit")),
        description=message,
        service=labels.get("service", "") or labels.get("project", ""),
        labels=labels,
        links=[
            ("sentry", text_of(issue.get(name)))
            for name in ("web_url", "permalink", "url")
            if issue.get(name)
        ][:1],
    )


def _metric(
    metric: Mapping[str, object],
    data: Mapping[str, object],
    action: str,
    post: Post,
    source: Source,
) -> Signal:
    rule = _object(metric.get("alert_rule"))
    projects = metric.get("projects")
    project = text_of(projects[0]) if isinstance(projects, list) and projects else ""
    return told(
        post,
        source,
        key=f"metric:{text_of(metric.get('id'))}",
        state=_ACTIONS.get(action, "firing"),
        title=text_of(data.get("description_title")) or text_of(metric.get("title")),
        severity=_LEVELS.get(action, ""),
        summary=text_of(data.get("description_text")),
        service=project,
        labels={"rule": text_of(rule.get("name")), "project": project},
        links=[("sentry", text_of(data.get("web_url")))],
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
