"""Bodies that no reader was made for: those in Slack's shape, and alerts without a title."""

from __future__ import annotations

import json

import pytest

from tests.server.bodies import only, payload


def test_a_body_in_slacks_shape_is_titled_by_its_first_attachment() -> None:
    attachment = {
        "fallback": "[FIRING] disk full on db1",
        "title": "disk full on db1",
        "title_link": "https://x.y/1",
        "text": "97 % used",
        "color": "danger",
    }
    signal = only("generic", {"channel": "#ops", "text": "", "attachments": [attachment]})
    assert (signal.title, signal.description) == ("disk full on db1", "97 % used")
    assert [address for _, address in signal.links] == ["https://x.y/1"]
    del attachment["title"]
    signal = only("generic", {"username": "bot", "attachments": [attachment, {}]})
    assert signal.title == "disk full on db1"
    assert only("generic", {"title": "own", "attachments": [attachment]}).title == "own"
    for odd in ("x", [], ["x"], [{"title": 7}]):
        assert only("generic", {"title": "own", "attachments": odd}).title == "own"


@pytest.mark.parametrize(
    ("title", "state", "rest"),
    [
        ("[FIRING:2] disk full", "firing", "disk full"),
        ("[RESOLVED] disk full", "resolved", "disk full"),
        ("[OK] disk full", "resolved", "disk full"),
        ("[No Data] disk full", "nodata", "disk full"),
        ("[prod] disk full", "firing", "[prod] disk full"),
        ("[RESOLVED]", "firing", "[RESOLVED]"),
        ("disk full [OK]", "firing", "disk full [OK]"),
    ],
)
def test_a_state_in_brackets_before_a_title_in_slacks_shape_is_read(
    title: str, state: str, rest: str
) -> None:
    signal = only("generic", {"channel": "#ops", "attachments": [{"title": title}]})
    assert (signal.state, signal.title) == (state, rest)


def test_what_alertmanagers_slack_receiver_says_of_an_end_has_the_key_of_the_beginning() -> None:
    beginning = json.loads(payload("22-slack-webhook-firing"))
    end = json.loads(json.dumps(beginning).replace("[FIRING:1]", "[RESOLVED]"))
    one, other = only("generic", beginning), only("generic", end)
    assert (one.state, other.state) == ("firing", "resolved")
    assert one.key == other.key


def test_brackets_in_a_title_of_any_other_shape_are_left_alone() -> None:
    signal = only("generic", {"title": "[OK] is not what it says"})
    assert (signal.state, signal.title) == ("firing", "[OK] is not what it says")


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ({"host": "db1", "service": "shop", "state": "critical", "details": "slow\nvery"}, "slow"),
        (
            {"event": "created", "at": "2026-11-21", "model": "site", "by": "ana", "why": "x"},
            "event=created, model=site, by=ana",
        ),
        ({"when": 17}, "alert from am"),
    ],
)
def test_an_alert_without_a_title_is_called_by_what_it_says(
    body: dict[str, object], title: str
) -> None:
    assert only("generic", body).title == title
