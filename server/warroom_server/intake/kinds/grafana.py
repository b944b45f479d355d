"""Grafana: unified alerting (from version 8 on), and the dashboard alerts of older versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from warroom_incident.alerts import Signal, State

from ..post import Post
from ..reading.body import read_json, text_map, text_of
from ..reading.telling import told
from ..source import Source
from ..unreadable import Unreadable
from . import alertmanager

_LEGACY: dict[str, State] = {"ok": "resolved", "no_data": "nodata", "paused": "suppressed"}


def parse(post: Post, source: Source) -> Iterator[Signal]:
    """Yield one signal for each alert, or for the rule of an older version. Raises Unreadable."""
    body = read_json(post.body)
    if not isinstance(body, dict):
        raise Unreadable("it is not a body of Grafana: it is no object")
    if isinstance(body.get("alerts"), list):
        yield from alertmanager.read(body, post, source, "grafana")
    elif "ruleId" in body or "ruleName" in body:
        yield _legacy(body, post, source)
    else:
        raise Unreadable('it is not a body of Grafana: there is no list "alerts" and no "ruleId"')


def _legacy(body: Mapping[str, object], post: Post, source: Source) -> Signal:
    """Read a rule: an end has no matches any more, so that only the rule itself names it."""
    rule = text_of(body.get("ruleId"))
    org = text_of(body.get("orgId"))
    name = text_of(body.get("ruleName"))
    labels = text_map(body.get("tags"))
    return told(
        post,
        source,
        key=f"{org}/{rule}" if rule and org else rule or name,
        state=_LEGACY.get(text_of(body.get("state")).casefold(), "firing"),
        title=name or text_of(body.get("title")),
        summary=text_of(body.get("message")),
        labels=labels,
        annotations=dict(_values(body.get("evalMatches"))),
        links=[
            ("rule", text_of(body.get("ruleUrl"))),
            ("image", text_of(body.get("imageUrl"))),
        ],
    )


def _values(matches: object) -> Iterator[tuple[str, str]]:
    for match in matches if isinstance(matches, list) else ():
        if isinstance(match, dict):
            yield text_of(match.get("metric")) or "value", text_of(match.get("value"))
