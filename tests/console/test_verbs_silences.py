"""Silencing at the source, and what an alert's page tells of its past."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.console.at_console import at_console
from tests.console.still_desk import MINUTE, StillDesk, alert, tell_story
from tests.incident.making import NOW, STREAM
from warroom_console.link import LinkState
from warroom_incident.board import Silence
from warroom_incident.changes import Change
from warroom_incident.episodes import Episode, RuleNoise
from warroom_incident.event import BOARD
from warroom_incident.matching import show_matchers
from warroom_incident.sync.asking import FIRED_BEFORE, NOISE, SILENCE_PREVIEW, Answer, Ask
from warroom_incident.vocabulary import SilenceAnswered


class AskedDesk(StillDesk):
    """Answers questions as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        tell_story(self)
        self.model.alertmanagers = ["main"]
        self.answers: dict[str, Answer] = {
            SILENCE_PREVIEW: Answer(1, count=3, titles=["orders: replica lags 40 s"]),
            FIRED_BEFORE: Answer(1),
        }
        self.asked: list[Ask] = []

    async def ask(self, question: Ask) -> Answer:
        self.asked.append(question)
        return self.answers[question.about]


@pytest.fixture
def desk() -> AskedDesk:
    return AskedDesk()


def silences(desk: AskedDesk) -> Sequence[Silence]:
    return desk.model.board.silences()


async def test_a_silence_shows_what_it_hides_and_wants_its_target_typed(desk: AskedDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "g", "!", "s")
        assert "silence: alertname=Api5xx, zone=b" in console.prompt
        await console.press("enter", "h")
        assert "Hides 3 alerts at main until 23:23Z. Type main:" in console.prompt
        await console.type("yes", "enter")
        assert silences(desk) == []
        await console.press("ctrl+u")
        await console.type("main", "enter")
        (one,) = silences(desk)
        assert (one.alertmanager, one.state, one.incident) == ("main", "asked", STREAM)
        assert one.comment.startswith("INC-42 ")
        assert one.ends_at == desk.clock.now + 30 * MINUTE
        assert show_matchers(one.matchers) == "alertname=Api5xx, zone=b"
        assert show_matchers(desk.asked[0].matchers) == "alertname=Api5xx, zone=b"


async def test_a_source_that_cannot_be_asked_leaves_everything_as_it_was(desk: AskedDesk) -> None:
    desk.answers[SILENCE_PREVIEW] = Answer(1, error="main does not answer.")
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "g", "!", "s", "enter", "h")
        assert console.prompt == "Not silenced: main does not answer."
        assert silences(desk) == []


async def test_without_a_server_or_a_source_the_menu_says_why_not(desk: AskedDesk) -> None:
    desk.model.alertmanagers = []
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "g", "!", "s")
        assert "names no [[alertmanager]]" in console.text
        await console.press("escape")
        desk.link_is(LinkState("retrying", next_try_at=None, heard_at=NOW))
        await console.settle()
        await console.press("!", "s")
        assert "no server is reachable" in console.text


async def test_ours_are_ended_after_a_question(desk: AskedDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "g", "!", "s", "enter", "h")
        await console.type("main", "enter")
        answer = SilenceAnswered(silence=silences(desk)[0].silence, state="active", source_id="x1")
        desk.says("warroom", answer, stream=BOARD)
        await console.press("!", "e", "enter", "y")
        assert [one.state for one in silences(desk)] == ["ending"]
        await console.press("!", "e")
        assert "no silence was placed from here" in console.text


async def test_an_alerts_page_tells_whether_it_fired_before_and_what_changed(
    desk: AskedDesk,
) -> None:
    past = Episode("e1", "orders", "SEV1", NOW - 26 * 60 * MINUTE, NOW - 25 * 60 * MINUTE,
                   incidents=["INC-7"])  # fmt: skip
    desk.answers[FIRED_BEFORE] = Answer(1, count=1, episodes=[past])
    near = Change(uid="c1", service="cart", kind="deploy", title="cart 3f2c", by="bo",
                  at=NOW - 10 * MINUTE)  # fmt: skip
    old = Change(uid="c2", service="orders", kind="flag", title="new-replica on",
                 at=NOW - 30 * 60 * MINUTE)  # fmt: skip
    desk.model.changes = {"c1": near, "c2": old}
    async with at_console(desk, (100, 40), stream=STREAM) as console:
        await console.press("1", "j", "enter")
        assert (desk.asked[0].source, desk.asked[0].key) == ("alertmanager", "a2")
        assert "SEV1 for 1h, led to INC-7" in console.text
        assert "deploy cart: cart 3f2c by bo, 7m before it began" in console.text
        assert "last of orders: flag orders: new-replica on, 1d before it began" in console.text


async def test_an_alert_that_never_fired_before_says_so(desk: AskedDesk) -> None:
    async with at_console(desk, (100, 40), stream=STREAM) as console:
        await console.press("1", "j", "enter")
        assert "it has not fired before" in console.text


async def test_the_runbook_that_is_named_like_the_rule_is_offered(desk: AskedDesk) -> None:
    desk.fires(alert("r1", "x", "SEV1", labels={"alertname": "IcChecklist"}))
    desk.model.runbooks = {"orders": "When orders are stuck"}
    async with at_console(desk, (100, 40), stream=STREAM) as console:
        await console.press("1", "j", "enter")
        assert "ic-checklist: A in the Runbook panel attaches it" in console.text
        await console.press("escape", "j", "enter")
        assert "orders: A in the Runbook panel attaches it" in console.text


async def test_the_noise_report_tells_the_noisiest_rules_first(desk: AskedDesk) -> None:
    rules = [
        RuleNoise("am", "DiskWillFill", 12, false_positive=9, poor_details=1),
        RuleNoise("am", "Api5xx", 3, led=3),
    ]
    desk.answers[NOISE] = Answer(1, rules=rules)
    async with at_console(desk, (100, 40), stream=STREAM) as console:
        await console.press(":")
        await console.type("noise", "enter")
        assert "DiskWillFill (am)" in console.text
        assert "9 false positive, 1 poor details" in console.text
        await console.press("escape")
        desk.answers[NOISE] = Answer(1, error="There is no server to ask now.")
        await console.press(":")
        await console.type("noise", "enter")
        assert console.prompt == "There is no server to ask now."
