"""What GitHub and GitLab tell of changes: deployments, releases, pipelines, merges and flags.

Each reader gets a decoded body and returns what it says as plain fields, or None where the body
is of some other event, which is no change of anything that runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .reading.body import text_of


@dataclass(frozen=True, slots=True)
class Told:
    """A change as its sender tells it, unlimited and uncleaned. `at` is as it came."""

    name: str
    service: str
    kind: str
    title: str
    at: object = None
    by: str = ""
    link: str = ""
    env: str = ""
    state: str = ""


Object = Mapping[str, object]


def part(value: Object, *path: str) -> Object:
    """An object inside an object; empty where there is none."""
    for name in path:
        inner = value.get(name)
        value = inner if isinstance(inner, dict) else {}
    return value


def text(value: Object, *names: str) -> str:
    """The first of these fields that says something."""
    return next((found for name in names if (found := text_of(value.get(name)).strip())), "")


def _first_line(words: str) -> str:
    return words.strip().partition("\n")[0]


# GitHub ------------------------------------------------------------------------------------


def is_github(body: Object) -> bool:
    """Whether a body looks like GitHub's."""
    repository = part(body, "repository")
    return "full_name" in repository or "zen" in body


def read_github(body: Object) -> Told | None:
    """Read one event of a repository."""
    if "deployment" in body:
        return _github_deployment(body)
    if "workflow_run" in body:
        return _github_run(body)
    if "release" in body:
        return _github_release(body)
    if "pull_request" in body:
        return _github_merge(body)
    if "commits" in body and "ref" in body:
        return _github_push(body)
    return None


def _service(body: Object) -> str:
    return text(part(body, "repository"), "name", "full_name")


def _github_deployment(body: Object) -> Told:
    deployment, status = part(body, "deployment"), part(body, "deployment_status")
    env = text(status, "environment") or text(deployment, "environment")
    what = text(deployment, "ref") or text(deployment, "sha")[:8]
    said = text(status, "description") or text(deployment, "description")
    title = f"{what} to {env}" if env else what
    return Told(
        f"deployment {text(deployment, 'id')}",
        _service(body),
        text(deployment, "task") or "deploy",
        f"{title}: {said}" if said else title,
        status.get("updated_at") or status.get("created_at") or deployment.get("created_at"),
        text(part(deployment, "creator"), "login") or text(part(body, "sender"), "login"),
        text(status, "environment_url", "log_url", "target_url")
        or text(part(body, "repository"), "html_url"),
        env,
        text(status, "state") or "pending",
    )


def _github_run(body: Object) -> Told:
    run = part(body, "workflow_run")
    branch = text(run, "head_branch")
    title = text(run, "name", "display_title") or "workflow"
    return Told(
        f"run {text(run, 'id')}",
        _service(body),
        "pipeline",
        f"{title} on {branch}" if branch else title,
        run.get("updated_at") or run.get("created_at"),
        text(part(run, "actor"), "login") or text(part(body, "sender"), "login"),
        text(run, "html_url"),
        "",
        text(run, "conclusion", "status"),
    )


def _github_release(body: Object) -> Told | None:
    release = part(body, "release")
    if text(body, "action") not in ("published", "released", ""):
        return None
    tag, name = text(release, "tag_name"), text(release, "name")
    return Told(
        f"release {text(release, 'id')}",
        _service(body),
        "release",
        f"{tag} {name}".strip() if name != tag else tag,
        release.get("published_at"),
        text(part(release, "author"), "login"),
        text(release, "html_url"),
    )


def _github_merge(body: Object) -> Told | None:
    request = part(body, "pull_request")
    if request.get("merged") is not True:
        return None
    return Told(
        f"pull {text(request, 'id', 'number')}",
        _service(body),
        "merge",
        f"#{text(request, 'number')} {text(request, 'title')}",
        request.get("merged_at"),
        text(part(request, "merged_by"), "login"),
        text(request, "html_url"),
    )


def _github_push(body: Object) -> Told | None:
    branch = text(part(body, "repository"), "default_branch")
    if text(body, "ref") != f"refs/heads/{branch}":
        return None
    head = part(body, "head_commit")
    return Told(
        f"push {text(body, 'after') or text(head, 'id')}",
        _service(body),
        "merge",
        _first_line(text(head, "message")) or f"push to {branch}",
        head.get("timestamp"),
        text(part(body, "pusher"), "name"),
        text(body, "compare"),
    )


# GitLab ------------------------------------------------------------------------------------


def is_gitlab(body: Object) -> bool:
    """Whether a body looks like GitLab's."""
    return "object_kind" in body


def read_gitlab(body: Object) -> Told | None:
    """Read one event of a project."""
    project, facts = part(body, "project"), part(body, "object_attributes")
    service = text(project, "name", "path_with_namespace")
    by = text(part(body, "user"), "username", "name") or text(body, "user_username", "user_name")
    match text(body, "object_kind"):
        case "deployment":
            env = text(body, "environment")
            what = text(body, "commit_title") or text(body, "ref", "short_sha")
            return Told(
                f"deployment {text(body, 'deployment_id')}",
                service,
                "deploy",
                f"{what} to {env}" if env else what,
                body.get("status_changed_at"),
                by,
                text(body, "deployable_url", "commit_url"),
                env,
                text(body, "status"),
            )
        case "pipeline":
            return Told(
                f"pipeline {text(facts, 'id')}",
                service,
                "pipeline",
                f"{text(facts, 'name') or 'pipeline'} on {text(facts, 'ref')}",
                facts.get("finished_at") or facts.get("created_at"),
                by,
                text(facts, "url") or text(project, "web_url"),
                "",
                text(facts, "status"),
            )
        case "release":
            name = f"release {text(body, 'id', 'tag')}"
            at = body.get("released_at")
            title = text(body, "name", "tag")
            return Told(name, service, "release", title, at, by, text(body, "url"))
        case "merge_request" if text(facts, "action") == "merge":
            name, title = (
                f"merge {text(facts, 'id')}",
                f"!{text(facts, 'iid')} {text(facts, 'title')}",
            )
            return Told(
                name, service, "merge", title, facts.get("updated_at"), by, text(facts, "url")
            )
        case "feature_flag":
            state = "on" if facts.get("active") is True else "off"
            flag = text(facts, "name")
            link = text(project, "web_url")
            return Told("", service, "flag", f"{flag} is {state}", None, by, link, "", state)
        case "push":
            return _gitlab_push(body, service, by)
        case _:
            return None


def _gitlab_push(body: Object, service: str, by: str) -> Told | None:
    project = part(body, "project")
    if text(body, "ref") != f"refs/heads/{text(project, 'default_branch')}":
        return None
    commits = body.get("commits")
    last = commits[-1] if isinstance(commits, list) and commits else {}
    commit = last if isinstance(last, dict) else {}
    return Told(
        f"push {text(body, 'after')}",
        service,
        "merge",
        _first_line(text(commit, "title", "message")) or "push",
        commit.get("timestamp"),
        by,
        text(commit, "url") or text(project, "web_url"),
    )
