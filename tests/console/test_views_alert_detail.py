"""An alert's page says where the truth about it comes from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.still_desk import Reader, StillDesk, alert, tell_story
from warroom_console.views.alerts import AlertsView
from warroom_console.widgets.spans import plain


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    tell_story(desk)
    return desk


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"told_by": "am1", "state": "resolved", "resolved_by": "reconcile"},
         ("ended by reconcile", "told by am1, which was asked")),
        ({"silenced": 2, "inhibited": 1, "state": "suppressed"},
         ("quieted by 2 silences, 1 other alert",)),
        ({"missing": 3}, ("its sender left 3 alerts out of the same notification",)),
        ({"weak_key": True}, ("what is the same alert is guessed from its words",)),
        ({"truncated": True}, ("its texts were too long and have been cut",)),
    ],
)  # fmt: skip
def test_where_the_truth_about_an_alert_comes_from_is_told(
    desk: StillDesk, fields: dict[str, Any], said: tuple[str, ...]
) -> None:
    desk.fires(alert("q1", "quiet", "SEV2", **fields))
    draw = AlertsView().detail(Reader(desk), "q1")
    assert draw is not None
    text = " ".join(" ".join(plain(line) for line in draw(90)).split())
    for words in said:
        assert words in text
    told = AlertsView().detail(Reader(desk), "a2")
    assert told is not None
    plainly = " ".join(plain(line) for line in told(90))
    assert not any(words in plainly for words in ("told by", "quieted", "guessed", "left out"))
