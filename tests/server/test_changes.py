"""What GitHub, GitLab, Argo CD and scripts tell of changes becomes one line each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from hypothesis import given, strategies as st

from tests.e2e.console_client import Console
from tests.server.running import server_in_process
from tests.waiting import wait_for
from warroom_incident.changes import Change
from warroom_incident.event import ROOM
from warroom_incident.room import hash_token
from warroom_incident.sync.wire import Records
from warroom_incident.vocabulary import TokenCreated
from warroom_server.intake.changes import MAX_CHANGES, read_changes
from warroom_server.intake.post import Post
from warroom_server.intake.source import Source
from warroom_server.intake.unreadable import Unreadable

RECEIVED = 1_790_000_000_000
SOURCE = Source("ci", "change")
AT = "2026-09-21T14:00:00Z"
AT_MS = 1_789_999_200_000
REPOSITORY = {
    "name": "checkout",
    "full_name": "acme/checkout",
    "html_url": "https://github.com/acme/checkout",
    "default_branch": "main",
}
PROJECT = {
    "name": "checkout",
    "path_with_namespace": "acme/checkout",
    "web_url": "https://gitlab.com/acme/checkout",
    "default_branch": "main",
}


def read(body: object, source: Source = SOURCE) -> list[Change]:
    """The changes of a body."""
    return read_changes(Post(json.dumps(body).encode(), RECEIVED), source)


def deployment_status(state: str) -> dict[str, Any]:
    """What GitHub sends as a deployment goes on."""
    return {
        "action": "created",
        "deployment_status": {
            "id": 77,
            "state": state,
            "environment": "production",
            "description": "",
            "updated_at": AT,
            "environment_url": "https://shop.example.com",
        },
        "deployment": {
            "id": 4242,
            "ref": "v812",
            "sha": "a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d",
            "task": "deploy",
            "environment": "production",
            "created_at": "2026-09-21T13:58:00Z",
            "creator": {"login": "ana"},
        },
        "repository": REPOSITORY,
        "sender": {"login": "robot"},
    }


CASES: list[tuple[object, tuple[str, str, str, str, str, str]]] = [
    (
        deployment_status("success"),
        ("checkout", "deploy", "v812 to production", "ana", "production", "success"),
    ),
    (
        {
            "action": "completed",
            "workflow_run": {
                "id": 9,
                "name": "deploy",
                "head_branch": "main",
                "conclusion": "failure",
                "updated_at": AT,
                "actor": {"login": "bo"},
                "html_url": "https://github.com/acme/checkout/actions/runs/9",
            },
            "repository": REPOSITORY,
        },
        ("checkout", "pipeline", "deploy on main", "bo", "", "failure"),
    ),
    (
        {
            "action": "published",
            "release": {
                "id": 1,
                "tag_name": "v812",
                "name": "Autumn",
                "published_at": AT,
                "author": {"login": "ana"},
                "html_url": "https://github.com/acme/checkout/releases/v812",
            },
            "repository": REPOSITORY,
        },
        ("checkout", "release", "v812 Autumn", "ana", "", ""),
    ),
    (
        {
            "action": "closed",
            "pull_request": {
                "id": 5,
                "number": 31,
                "title": "Retry payments",
                "merged": True,
                "merged_at": AT,
                "merged_by": {"login": "cy"},
                "html_url": "https://github.com/acme/checkout/pull/31",
            },
            "repository": REPOSITORY,
        },
        ("checkout", "merge", "#31 Retry payments", "cy", "", ""),
    ),
    (
        {
            "ref": "refs/heads/main",
            "after": "ff" * 20,
            "commits": [{}],
            "head_commit": {"id": "f", "message": "Cache prices\n\nlong", "timestamp": AT},
            "pusher": {"name": "ana"},
            "compare": "https://github.com/acme/checkout/compare/a...b",
            "repository": REPOSITORY,
        },
        ("checkout", "merge", "Cache prices", "ana", "", ""),
    ),
    (
        {
            "object_kind": "deployment",
            "status": "success",
            "status_changed_at": "2026-09-21 16:00:00 +0200",
            "deployment_id": 15,
            "deployable_url": "https://gitlab.com/acme/checkout/-/jobs/1",
            "environment": "staging",
            "project": PROJECT,
            "user": {"username": "bo"},
            "commit_title": "Add a feature",
        },
        ("checkout", "deploy", "Add a feature to staging", "bo", "staging", "success"),
    ),
    (
        {
            "object_kind": "pipeline",
            "object_attributes": {
                "id": 31,
                "ref": "main",
                "status": "success",
                "finished_at": "2026-09-21 14:00:00 UTC",
                "url": "https://gitlab.com/acme/checkout/-/pipelines/31",
            },
            "project": PROJECT,
            "user": {"username": "bo"},
        },
        ("checkout", "pipeline", "pipeline on main", "bo", "", "success"),
    ),
    (
        {
            "object_kind": "merge_request",
            "object_attributes": {
                "id": 99,
                "iid": 1,
                "action": "merge",
                "title": "MS-Viewport",
                "updated_at": "2026-09-21 14:00:00 UTC",
                "url": "https://gitlab.com/acme/checkout/-/merge_requests/1",
            },
            "project": PROJECT,
            "user": {"username": "cy"},
        },
        ("checkout", "merge", "!1 MS-Viewport", "cy", "", ""),
    ),
    (
        {
            "app": {
                "metadata": {"name": "checkout"},
                "spec": {"destination": {"namespace": "prod"}, "source": {"repoURL": "https://g"}},
                "status": {
                    "operationState": {
                        "phase": "Succeeded",
                        "startedAt": "2026-09-21T13:59:00Z",
                        "finishedAt": AT,
                        "syncResult": {"revision": "a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d"},
                        "operation": {"initiatedBy": {"username": "ana"}},
                    }
                },
            }
        },
        ("checkout", "deploy", "checkout to a84d88e7554f", "ana", "prod", "succeeded"),
    ),
    (
        {
            "title": "checkout v812",
            "service": "checkout",
            "kind": "deploy",
            "by": "ana",
            "at": AT,
            "url": "https://ci/9",
        },
        ("checkout", "deploy", "checkout v812", "ana", "", ""),
    ),
]


@pytest.mark.parametrize(("body", "wanted"), CASES, ids=range(len(CASES)))
def test_a_change_is_told_by_its_sender(
    body: object, wanted: tuple[str, str, str, str, str, str]
) -> None:
    (change,) = read(body)
    told = (change.service, change.kind, change.title, change.by, change.env, change.state)
    assert told == wanted
    assert change.at == AT_MS
    assert change.source == "ci"
    assert change.link.startswith("https://")


def test_a_deployment_that_goes_on_is_one_change() -> None:
    (pending,) = read(deployment_status("in_progress"))
    (done,) = read(deployment_status("success"))
    assert (pending.uid, pending.state) == (done.uid, "in_progress")


def test_a_flag_is_told_with_the_time_of_its_receipt() -> None:
    body = {
        "object_kind": "feature_flag",
        "object_attributes": {"id": 6, "name": "new-checkout", "active": True},
        "project": PROJECT,
        "user": {"username": "ana"},
    }
    (change,) = read(body)
    assert (change.kind, change.title, change.at) == ("flag", "new-checkout is on", RECEIVED)


@pytest.mark.parametrize(
    "body",
    [
        {"zen": "Keep it logically awesome.", "hook_id": 1, "repository": REPOSITORY},
        {"action": "opened", "issue": {}, "repository": REPOSITORY},
        {"ref": "refs/heads/feature", "commits": [], "repository": REPOSITORY},
        {"action": "closed", "pull_request": {"merged": False}, "repository": REPOSITORY},
        {"object_kind": "note", "project": PROJECT},
        {"object_kind": "push", "ref": "refs/heads/x", "project": PROJECT},
        [],
        {"changes": []},
    ],
)
def test_what_changes_nothing_that_runs_is_no_change(body: object) -> None:
    assert read(body) == []


def test_github_may_send_a_form() -> None:
    form = b"payload=" + quote_plus(json.dumps(deployment_status("success"))).encode()
    (change,) = read_changes(Post(form, RECEIVED), SOURCE)
    assert change.title == "v812 to production"


def test_a_form_of_many_fields_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="more than 8 fields"):
        read_changes(Post(b"payload=" + b"&a=b" * 9, RECEIVED), SOURCE)


def test_several_changes_come_in_one_body_and_a_repeat_is_the_same() -> None:
    changes = [{"title": f"flag {n}", "at": AT} for n in range(3)]
    first, again = read({"changes": changes}), read(changes)
    assert first == again
    assert len({change.uid for change in first}) == 3
    assert (
        read([{"title": "t", "id": "run-9"}])[0].uid == read([{"title": "u", "id": "run-9"}])[0].uid
    )


def test_a_time_in_the_future_is_the_time_of_receipt_and_texts_are_cut() -> None:
    (change,) = read(
        {"title": "x" * 5000 + "\0", "at": RECEIVED + 99_000, "url": "javascript:alert(1)"}
    )
    assert (change.at, len(change.title), change.link) == (RECEIVED, 300, "")


@pytest.mark.parametrize(
    "body",
    [{}, {"service": "x"}, [1], "text", 5, {"changes": [[]]}, [{"title": "t"}] * (MAX_CHANGES + 1)],
)
def test_what_tells_of_nothing_is_unreadable_and_no_loss(body: object) -> None:
    with pytest.raises(Unreadable):
        read(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["title", "app", "metadata", "object_kind", "repository", "full_name", "deployment",
             "kind", "at", "changes", "object_attributes", "commits", "ref", "project", "x"]
        ),
        inner | st.sampled_from(["push", "deployment", "pipeline", "Application"]),
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@given(_JSON)
def test_any_json_is_changes_or_unreadable(body: object) -> None:
    raw = json.dumps(body).encode("utf-8", "surrogatepass")
    try:
        changes = read_changes(Post(raw, RECEIVED), SOURCE)
    except Unreadable:
        return
    for change in changes:
        assert change.title
        assert change.at <= RECEIVED
        change.title.encode()


async def test_a_posted_change_reaches_a_console_and_outlives_a_restart(home: Path) -> None:
    token = "c" * 64
    async with server_in_process(home, http=True) as house:
        ana = await Console(user="ana").join(house.socket)
        made = TokenCreated(name="ci", hash=hash_token(token), kind="change")
        await ana.put(ROOM, made)
        url = f"http://{house.ready.http}/in/change/{token}"
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(url, json={"title": "v812", "service": "checkout"})
            assert answer.status_code == 202
            assert (await client.post(url, json={"nothing": 1})).status_code == 202

        def changes() -> list[Change]:
            return [change for frame in ana.of(Records) for change in frame.changes]

        await wait_for(changes, "the change")
        assert [(change.title, change.source) for change in changes()] == [("v812", "ci")]
        await wait_for(house.server.board.open, "the card of the body that tells of nothing")
        await house.server.worker.idle()
        await ana.leave()
    async with server_in_process(home) as house:
        assert [c.title for c in house.server.board.beside.changes.values()] == ["v812"]
