"""Bodies that tell of changes, posted to `/in/change/TOKEN`: what was deployed, set or merged.

GitHub's and GitLab's webhooks, Argo CD's (an `Application`, or a template that sends one under
`app`), PagerDuty's change events, and plain JSON: `{"title", "service", "kind", "by", "at",
"url"}`, one or a list of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs

from warroom_incident.changes import Change, change_uid

from .forges import Object, Told, is_github, is_gitlab, part, read_github, read_gitlab, text
from .post import Post
from .reading.body import read_json, read_time
from .reading.fit import storable
from .source import Source
from .unreadable import Unreadable

MAX_CHANGES = 500
"""How many changes one body may tell of."""

_TITLE, _SERVICE, _KIND, _BY, _LINK, _ENV = 300, 120, 40, 80, 600, 60


def read_changes(post: Post, source: Source) -> list[Change]:
    """The changes that a body tells of: none where it is of some other event.

    Raises:
        Unreadable: It tells of nothing that is known.
    """
    body = read_json(_unwrapped(post.body))
    many = body.get("changes") if isinstance(body, dict) else body
    bodies = many if isinstance(many, list) else [body]
    if len(bodies) > MAX_CHANGES:
        raise Unreadable(f"it tells of more than {MAX_CHANGES} changes")
    found = []
    for each in bodies:
        if not isinstance(each, dict):
            raise Unreadable("it is no object that tells of a change")
        found += [_change(told, post, source) for told in _told(each, post)]
    return found


def _unwrapped(body: bytes) -> bytes:
    """GitHub may send its JSON as a form."""
    if not body.startswith(b"payload="):
        return body
    try:
        fields = parse_qs(body.decode("ascii", "replace"), max_num_fields=8)
    except ValueError:
        raise Unreadable("its form has more than 8 fields") from None
    return fields.get("payload", [""])[0].encode("utf-8", "surrogatepass")


def _told(body: Object, post: Post) -> Iterator[Told]:
    if is_gitlab(body):
        told = read_gitlab(body)
    elif is_github(body) or "x-github-event" in post.headers:
        told = read_github(body)
    elif "metadata" in part(body, "app") or body.get("kind") == "Application":
        told = _argo(part(body, "app") or body)
    elif text(part(body, "payload"), "summary"):
        told = _pagerduty(body, part(body, "payload"))
    else:
        told = _plain(body)
    if told is not None:
        yield told


def _argo(app: Object) -> Told:
    operation = part(app, "status", "operationState")
    sync = part(app, "status", "sync")
    name = text(part(app, "metadata"), "name")
    result = part(operation, "syncResult")
    revision = next((r for r in (_revision(result), _revision(sync)) if r), "")
    began = part(operation, "operation", "initiatedBy")
    started = operation.get("startedAt")
    return Told(
        name=f"{name} {revision} {text(operation, 'startedAt')}",
        service=name,
        kind="deploy",
        title=f"{name} to {revision[:12]}" if revision else name,
        at=operation.get("finishedAt") or started,
        by=text(began, "username") or ("Argo CD" if began.get("automated") is True else ""),
        link=text(part(app, "spec", "source") or _first(part(app, "spec"), "sources"), "repoURL"),
        env=text(part(app, "spec", "destination"), "namespace"),
        state=text(operation, "phase") or text(sync, "status"),
    )


def _revision(value: Object) -> str:
    """What was synced; of an application with several sources, the first's."""
    several = value.get("revisions")
    first = several[0] if isinstance(several, list) and several else ""
    return text(value, "revision") or (first if isinstance(first, str) else "")


def _first(value: Object, field: str) -> Object:
    several = value.get(field)
    first = several[0] if isinstance(several, list) and several else {}
    return first if isinstance(first, dict) else {}


def _pagerduty(body: Object, payload: Object) -> Told:
    details = part(payload, "custom_details")
    links = body.get("links")
    link = links[0] if isinstance(links, list) and links else None
    return Told(
        name="",
        service=text(details, "service", "app", "application")
        or text(payload, "component", "source"),
        kind=text(details, "kind", "type") or "change",
        title=text(payload, "summary"),
        at=payload.get("timestamp"),
        by=text(details, "by", "user", "author"),
        link=text(link, "href") if isinstance(link, dict) else "",
        env=text(details, "env", "environment"),
        state=text(details, "state", "status"),
    )


def _plain(body: Object) -> Told:
    title = text(body, "title", "message", "summary", "text", "description", "name")
    if not title:
        raise Unreadable('it tells of no change: a "title" is missing')
    return Told(
        name=text(body, "id", "uid"),
        service=text(body, "service", "app", "application", "project"),
        kind=text(body, "kind", "type") or "change",
        title=title,
        at=next((body[n] for n in ("at", "time", "timestamp", "date") if body.get(n)), None),
        by=text(body, "by", "user", "author"),
        link=text(body, "url", "link"),
        env=text(body, "env", "environment"),
        state=text(body, "state", "status"),
    )


def _change(told: Told, post: Post, source: Source) -> Change:
    at = read_time(told.at)
    when = post.received if at is None else min(at, post.received)
    named = told.name or _digest(told, when)
    return Change(
        uid=change_uid(source.name, f"{told.service} {named}"),
        service=_cut(told.service, _SERVICE),
        kind=_cut(told.kind.casefold(), _KIND),
        title=_cut(told.title, _TITLE) or "a change",
        at=when,
        by=_cut(told.by, _BY),
        link=_cut(told.link, _LINK) if told.link.startswith(("http://", "https://")) else "",
        source=source.name,
        env=_cut(told.env, _ENV),
        state=_cut(told.state.casefold(), _KIND),
    )


def _digest(told: Told, when: int) -> str:
    """A name for a change without one: sent twice with its time, it is the same."""
    said = "\0".join((told.kind, told.title, told.by, told.env, str(when)))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _cut(words: str, most: int) -> str:
    words = storable(words).strip()
    return words if len(words) <= most else words[: most - 1] + "…"
