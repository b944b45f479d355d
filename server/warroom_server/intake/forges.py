"""What GitHub and GitLab tell of changes: deployments, releases, pipelines, merges and flags.

Each reader gets a decoded body and returns what it says as plain fields, or None where the body
is of some other event, which is no change of anything that runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .reading.body import text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A change as its sender tells it, unlimited and uncleaned.

    `name` tells it from others of its sender, empty where nothing does; `at` is as it came.
    """

    name: str
    service: str
    kind: str
    title: str
    at: object = None
    by: str = ""
    link: str = ""
    env: str = ""
    state: str = ""


_ON_REQUESTS = ("merge_request_event", "external_pull_request_event")
"""Pipelines of what is not merged yet."""

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


def _is_main(branch: str, repository: Object) -> bool:
    """Whether what is on a branch runs somewhere: where nothing else is told, it does."""
    main = text(repository, "default_branch")
    return not branch or not main or branch == main


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
        name=f"deployment {text(deployment, 'id')}",
        service=_service(body),
        kind=text(deployment, "task") or "deploy",
        title=f"{title}: {said}" if said else title,
        at=status.get("updated_at") or status.get("created_at") or deployment.get("created_at"),
        by=text(part(deployment, "creator"), "login") or text(part(body, "sender"), "login"),
        link=text(status, "environment_url", "log_url", "target_url")
        or text(part(body, "repository"), "html_url"),
        env=env,
        state=text(status, "state") or "pending",
    )


def _github_run(body: Object) -> Told | None:
    run = part(body, "workflow_run")
    if text(run, "event").startswith("pull_request"):
        return None
    branch = text(run, "head_branch")
    title = text(run, "name", "display_title") or "workflow"
    return Told(
        name=f"run {text(run, 'id')}",
        service=_service(body),
        kind="pipeline",
        title=f"{title} on {branch}" if branch else title,
        at=run.get("updated_at") or run.get("created_at"),
        by=text(part(run, "actor"), "login") or text(part(body, "sender"), "login"),
        link=text(run, "html_url"),
        state=text(run, "conclusion", "status"),
    )


def _github_release(body: Object) -> Told | None:
    release = part(body, "release")
    if text(body, "action") not in ("published", "released", ""):
        return None
    tag, name = text(release, "tag_name"), text(release, "name")
    return Told(
        name=f"release {text(release, 'id')}",
        service=_service(body),
        kind="release",
        title=f"{tag} {name}".strip() if name != tag else tag,
        at=release.get("published_at"),
        by=text(part(release, "author"), "login"),
        link=text(release, "html_url"),
    )


def _github_merge(body: Object) -> Told | None:
    request = part(body, "pull_request")
    if request.get("merged") is not True or not _is_main(
        text(part(request, "base"), "ref"), part(body, "repository")
    ):
        return None
    return Told(
        name=f"pull {text(request, 'id', 'number')}",
        service=_service(body),
        kind="merge",
        title=f"#{text(request, 'number')} {text(request, 'title')}",
        at=request.get("merged_at"),
        by=text(part(request, "merged_by"), "login"),
        link=text(request, "html_url"),
    )


def _github_push(body: Object) -> Told | None:
    branch = text(part(body, "repository"), "default_branch")
    if text(body, "ref") != f"refs/heads/{branch}" or body.get("deleted") is True:
        return None
    head = part(body, "head_commit")
    return Told(
        name=f"push {text(body, 'after') or text(head, 'id')}",
        service=_service(body),
        kind="merge",
        title=_first_line(text(head, "message")) or f"push to {branch}",
        at=head.get("timestamp"),
        by=text(part(body, "pusher"), "name"),
        link=text(body, "compare"),
    )


# GitLab ------------------------------------------------------------------------------------


def is_gitlab(body: Object) -> bool:
    """Whether a body looks like GitLab's."""
    return "object_kind" in body


def read_gitlab(body: Object) -> Told | None:
    """Read one event of a project."""
    match text(body, "object_kind"):
        case "deployment":
            return _gitlab_deployment(body)
        case "pipeline":
            return _gitlab_pipeline(body)
        case "release":
            return _gitlab_release(body)
        case "merge_request":
            return _gitlab_merge(body)
        case "feature_flag":
            return _gitlab_flag(body)
        case "push":
            return _gitlab_push(body)
        case _:
            return None


def _project_name(body: Object) -> str:
    return text(part(body, "project"), "name", "path_with_namespace")


def _user(body: Object) -> str:
    return text(part(body, "user"), "username", "name") or text(body, "user_username", "user_name")


def _gitlab_deployment(body: Object) -> Told:
    env = text(body, "environment")
    what = text(body, "commit_title") or text(body, "ref", "short_sha")
    return Told(
        name=f"deployment {text(body, 'deployment_id')}",
        service=_project_name(body),
        kind="deploy",
        title=f"{what} to {env}" if env else what,
        at=body.get("status_changed_at"),
        by=_user(body),
        link=text(body, "deployable_url", "commit_url"),
        env=env,
        state=text(body, "status"),
    )


def _gitlab_pipeline(body: Object) -> Told | None:
    facts = part(body, "object_attributes")
    if text(facts, "source") in _ON_REQUESTS:
        return None
    return Told(
        name=f"pipeline {text(facts, 'id')}",
        service=_project_name(body),
        kind="pipeline",
        title=f"{text(facts, 'name') or 'pipeline'} on {text(facts, 'ref')}",
        at=facts.get("finished_at") or facts.get("created_at"),
        by=_user(body),
        link=text(facts, "url") or text(part(body, "project"), "web_url"),
        state=text(facts, "status"),
    )


def _gitlab_release(body: Object) -> Told | None:
    if text(body, "action") == "delete":
        return None
    return Told(
        name=f"release {text(body, 'id', 'tag')}",
        service=_project_name(body),
        kind="release",
        title=text(body, "name", "tag"),
        at=body.get("released_at"),
        by=_user(body),
        link=text(body, "url"),
    )


def _gitlab_merge(body: Object) -> Told | None:
    facts = part(body, "object_attributes")
    if text(facts, "action") != "merge" or not _is_main(
        text(facts, "target_branch"), part(body, "project")
    ):
        return None
    return Told(
        name=f"merge {text(facts, 'id')}",
        service=_project_name(body),
        kind="merge",
        title=f"!{text(facts, 'iid')} {text(facts, 'title')}",
        at=facts.get("updated_at"),
        by=_user(body),
        link=text(facts, "url"),
    )


def _gitlab_flag(body: Object) -> Told:
    facts = part(body, "object_attributes")
    state = "on" if facts.get("active") is True else "off"
    return Told(
        name="",
        service=_project_name(body),
        kind="flag",
        title=f"{text(facts, 'name')} is {state}",
        by=_user(body),
        link=text(part(body, "project"), "web_url"),
        state=state,
    )


def _gitlab_push(body: Object) -> Told | None:
    project = part(body, "project")
    if text(body, "ref") != f"refs/heads/{text(project, 'default_branch')}":
        return None
    commits = body.get("commits")
    last = commits[-1] if isinstance(commits, list) and commits else {}
    commit = last if isinstance(last, dict) else {}
    return Told(
        name=f"push {text(body, 'after')}",
        service=_project_name(body),
        kind="merge",
        title=_first_line(text(commit, "title", "message")) or "push",
        at=commit.get("timestamp"),
        by=_user(body),
        link=text(commit, "url") or text(project, "web_url"),
    )
