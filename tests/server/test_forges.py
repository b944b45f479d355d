"""What forges tell of branches that run nowhere is no change of a service."""

from __future__ import annotations

import json
from typing import Any

import pytest

from warroom_incident.changes import Change
from warroom_server.intake.changes import read_changes
from warroom_server.intake.post import Post
from warroom_server.intake.source import Source

RECEIVED = 1_790_000_000_000
REPOSITORY = {"name": "checkout", "full_name": "acme/checkout", "default_branch": "main"}
PROJECT = {"name": "checkout", "default_branch": "main"}
MERGED = {"id": 5, "number": 31, "title": "Retry", "merged": True}


def read(body: object, **headers: str) -> list[Change]:
    """The changes of a body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_changes(Post(json.dumps(body).encode(), RECEIVED, named), Source("ci", "change"))


def run(event: str, branch: str) -> dict[str, Any]:
    """A workflow of GitHub's that ended."""
    facts = {"id": 7, "name": "CI", "event": event, "head_branch": branch, "conclusion": "failure"}
    return {"action": "completed", "workflow_run": facts, "repository": REPOSITORY}


def pipeline(source: str) -> dict[str, Any]:
    """A pipeline of GitLab's that ended."""
    facts = {"id": 7, "ref": "main", "source": source, "status": "success"}
    return {"object_kind": "pipeline", "object_attributes": facts, "project": PROJECT}


def merge(branch: str) -> dict[str, Any]:
    """A merge request of GitLab's that was merged."""
    facts = {"id": 9, "iid": 1, "action": "merge", "title": "x", "target_branch": branch}
    return {"object_kind": "merge_request", "object_attributes": facts, "project": PROJECT}


def push(**fields: object) -> dict[str, Any]:
    """A push to GitHub's main branch."""
    return {"ref": "refs/heads/main", "after": "0" * 40, "commits": [], "repository": REPOSITORY,
            **fields}  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        run("pull_request", "feature"),
        run("pull_request_target", "main"),
        {"pull_request": {**MERGED, "base": {"ref": "feature"}}, "repository": REPOSITORY},
        push(deleted=True, head_commit=None),
        pipeline("merge_request_event"),
        merge("feature"),
        {"object_kind": "release", "action": "delete", "id": 1, "tag": "v1", "project": PROJECT},
    ],
)
def test_what_is_not_merged_yet_or_was_taken_away_is_no_change(body: object) -> None:
    assert read(body) == []


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (run("push", "main"), "CI on main"),
        (run("workflow_dispatch", "v8"), "CI on v8"),
        ({"pull_request": {**MERGED, "base": {"ref": "main"}}, "repository": REPOSITORY},
         "#31 Retry"),
        (push(head_commit={"message": "fix"}), "fix"),
        (pipeline("push"), "pipeline on main"),
        (merge("main"), "!1 x"),
        ({"object_kind": "release", "action": "create", "tag": "v1", "project": PROJECT}, "v1"),
    ],
)  # fmt: skip
def test_what_is_merged_or_released_is_a_change(body: object, title: str) -> None:
    assert [change.title for change in read(body)] == [title]


def test_an_event_of_githubs_that_is_about_no_repository_is_no_change() -> None:
    body = {"action": "member_added", "organization": {"login": "acme"}}
    assert read(body, x_github_event="organization") == []


def test_an_application_of_several_sources_is_told_by_its_first() -> None:
    operation = {
        "phase": "Succeeded",
        "operation": {"initiatedBy": {"automated": True}},
        "syncResult": {"revisions": ["a84d88e7554fc1fa", "b"]},
    }
    spec = {"sources": [{"repoURL": "https://git/a"}, {"repoURL": "https://git/b"}]}
    app = {"metadata": {"name": "shop"}, "spec": spec, "status": {"operationState": operation}}
    (change,) = read({"app": app})
    assert (change.title, change.by) == ("shop to a84d88e7554f", "Argo CD")
    assert change.link == "https://git/a"
