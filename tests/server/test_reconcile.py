"""The board says what the Alertmanager says, names it, and guesses nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from tests.server.fake_alertmanager import FakeAlertmanager, alert_there, newest, signal_of
from warroom_server.alerting.groups import labels_of
from warroom_server.alerting.heartbeats import Heartbeats
from warroom_server.alerting.reconcile import JUST_ENDED_MS, LATE_AFTER, Reconciler
from warroom_server.alerting.settings import AlertmanagerSettings, AlertSettings
from warroom_server.board import Board, SavedBoard
from warroom_server.intake.source import Source

START = 1_790_000_000_000


class Place:
    """A board, an Alertmanager, and a clock between them."""

    def __init__(self, **settings: Any) -> None:
        self.board = Board(SavedBoard("b", 0))
        self.there = FakeAlertmanager()
        self.present: dict[str, Collection[str]] = {}
        self.now = START
        self.saves = 0
        config = AlertmanagerSettings(name="am1", url="http://am1", source="prom", **settings)
        self.heartbeats = Heartbeats(self.board, AlertSettings(heartbeats={"Watchdog": "5m"}))
        self.heartbeats.look(START)
        self.board.sift = self.heartbeats.take
        self.reconciler = Reconciler(
            self.there.api(),
            config,
            self.board,
            lambda: Source("prom", "alertmanager"),
            self.heartbeats.is_alert,
            self.present,
            lambda: self.now,
            self._save,
        )

    def _save(self) -> None:
        self.saves += 1

    def fire(self, *keys: str, **fields: object) -> None:
        """A webhook brings alerts."""
        self.board.apply([signal_of(key, self.now, **fields) for key in keys])

    async def look(self, after: int = 60_000) -> None:
        """The next question to the API."""
        self.now += after
        await self.reconciler.look()


@pytest.fixture
def place() -> Place:
    """A quiet place."""
    return Place()


async def test_what_ended_under_a_silence_is_over_after_two_answers_without_it(
    place: Place,
) -> None:
    place.fire("a", "b")
    place.there.alerts = [alert_there("b")]
    await place.look()
    assert newest(place.board, "a").is_open
    await place.look()
    over = newest(place.board, "a")
    assert (over.state, over.resolved_by, over.told_by) == ("resolved", "reconcile", "am1")
    assert over.ends_at == place.now
    assert newest(place.board, "b").is_open
    assert place.saves == 1


async def test_an_alert_that_is_in_one_of_two_answers_goes_on(place: Place) -> None:
    place.fire("a")
    await place.look()
    place.there.alerts = [alert_there("a")]
    await place.look()
    place.there.alerts = []
    await place.look()
    assert newest(place.board, "a").is_open


async def test_what_was_heard_of_since_the_question_is_not_ended(place: Place) -> None:
    place.fire("a")
    await place.look()
    place.now += 60_000
    place.fire("a")
    await place.look(after=0)
    assert newest(place.board, "a").is_open


async def test_an_alertmanager_that_has_just_started_is_not_believed_that_all_is_over(
    place: Place,
) -> None:
    place.fire("a")
    place.there.since = datetime.fromtimestamp(START / 1000, UTC)
    for _ in range(3):
        await place.look(after=59_000)
    assert newest(place.board, "a").is_open
    await place.look()
    assert newest(place.board, "a").is_open
    await place.look()
    assert not newest(place.board, "a").is_open


async def test_what_the_other_one_of_a_pair_still_has_goes_on(place: Place) -> None:
    place.fire("a")
    place.present["am2"] = {"a"}
    for _ in range(3):
        await place.look()
    assert newest(place.board, "a").is_open
    del place.present["am2"]
    await place.look()
    await place.look()
    assert not newest(place.board, "a").is_open


async def test_what_was_heard_while_an_answer_is_read_stays(place: Place) -> None:
    place.fire("a")
    old = newest(place.board, "a")
    place.fire("a", severity="SEV1")
    place.board.revise([msgspec.structs.replace(old, state="suppressed")])
    record = newest(place.board, "a")
    assert (record.state, record.severity) == ("firing", "SEV1")


async def test_alerts_of_other_senders_are_left_alone(place: Place) -> None:
    place.fire("a", source="other")
    await place.look()
    await place.look()
    assert newest(place.board, "a", "other").is_open


async def test_what_is_silenced_or_inhibited_says_so_and_by_whom(place: Place) -> None:
    place.fire("a", "b")
    place.there.alerts = [
        alert_there("a", silenced=("s1", "s2")),
        alert_there("b", inhibited=("f",)),
    ]
    await place.look()
    a, b = newest(place.board, "a"), newest(place.board, "b")
    assert (a.state, a.silenced, a.inhibited, a.told_by) == ("suppressed", 2, 0, "am1")
    assert (b.state, b.silenced, b.inhibited, b.told_by) == ("suppressed", 0, 1, "am1")
    rev = place.board.rev
    place.there.alerts = [alert_there("a"), alert_there("b", inhibited=("f",))]
    await place.look()
    a = newest(place.board, "a")
    assert (a.state, a.silenced, a.told_by) == ("firing", 0, "am1")
    assert newest(place.board, "b").rev <= rev


async def test_what_does_not_change_is_not_told_again(place: Place) -> None:
    place.fire("a")
    place.there.alerts = [alert_there("a")]
    await place.look()
    record = newest(place.board, "a")
    await place.look()
    assert newest(place.board, "a") == record


async def test_an_alert_that_the_api_confirms_does_not_become_stale(place: Place) -> None:
    place.board.stale_after = lambda _source, _kind: 600_000
    place.fire("a")
    place.there.alerts = [alert_there("a")]
    for _ in range(20):
        await place.look()
    record = newest(place.board, "a")
    assert not record.is_stale(place.now)
    assert record.count == 1


async def test_what_a_cut_notification_left_out_is_completed(place: Place) -> None:
    place.fire("a", missing=2, group='{}/{x="y"}:{severity="critical"}')
    place.there.alerts = [
        alert_there("a"),
        alert_there("b", severity="critical", service="checkout"),
        alert_there("c", silenced=("s",)),
        alert_there("elsewhere", receiver="other"),
    ]
    await place.look()
    b, c = newest(place.board, "b"), newest(place.board, "c")
    assert (b.state, b.severity, b.service, b.told_by) == ("firing", "SEV1", "checkout", "am1")
    assert (b.title, b.count) == ("b fires", 1)
    assert b.group == newest(place.board, "a").group
    assert c.group == ""
    assert (c.state, c.silenced, c.told_by) == ("suppressed", 1, "am1")
    assert place.board.newest("prom", "elsewhere") is None
    place.fire("b", starts_at=1_000_000_000_000)
    assert len(place.board.open()) == 3
    assert newest(place.board, "b").told_by == ""


@pytest.mark.parametrize(
    ("group", "labels"),
    [
        ('{}:{alertname="Disk"}', {"alertname": "Disk"}),
        ('{}/{a="b"}:{alertname="Disk", zone="eu"}', {"alertname": "Disk", "zone": "eu"}),
        ('{}:{x="say \\"hi\\", {b}"}', {"x": 'say "hi", {b}'}),
        ("{}:{}", {}),
        ("", {}),
        ("my group", {}),
        ("{}:{a=b}", {}),
        ('{}:{a="b}', {}),
    ],
)
def test_the_key_of_a_group_tells_what_its_alerts_share(group: str, labels: dict[str, str]) -> None:
    assert labels_of(group) == labels


async def test_with_a_receiver_all_of_its_alerts_are_taken_over_without_a_webhook() -> None:
    place = Place(receiver="warroom")
    place.there.alerts = [alert_there("a"), alert_there("b", receiver="other")]
    await place.look()
    assert [record.key for record in place.board.open()] == ["a"]


async def test_a_heartbeat_in_the_api_proves_nothing_about_the_way_to_us() -> None:
    place = Place(receiver="warroom")
    place.there.alerts = [alert_there("Watchdog"), alert_there("InfoInhibitor")]
    await place.look()
    assert place.board.open() == []
    assert [beat.name for beat in place.board.beside.beats.values()] == ["API"]


async def test_what_has_just_ended_is_not_brought_back_by_a_late_answer() -> None:
    place = Place(receiver="warroom")
    place.fire("a")
    place.fire("a", state="resolved", severity=None, ends_at=place.now)
    place.there.alerts = [alert_there("a")]
    await place.look(after=JUST_ENDED_MS - 1)
    assert not newest(place.board, "a").is_open
    await place.look(after=1)
    assert newest(place.board, "a").is_open


async def test_what_fires_again_under_a_silence_is_taken_over_at_once() -> None:
    place = Place(receiver="warroom")
    place.fire("a")
    place.fire("a", state="resolved", severity=None, ends_at=place.now)
    place.there.alerts = [alert_there("a", silenced=("s",), starts_at=place.now + 1)]
    await place.look(after=1_000)
    assert newest(place.board, "a").state == "suppressed"


async def test_an_api_that_cannot_be_reached_is_said_and_nothing_is_guessed(place: Place) -> None:
    place.fire("a")
    place.there.alerts = [alert_there("a")]
    await place.look()
    seen = place.now
    place.there.failure = httpx.ConnectError("refused")
    for _ in range(LATE_AFTER):
        await place.look()
    (beat,) = place.board.beside.beats.values()
    assert (beat.kind, beat.last_seen) == ("poll", seen)
    assert "refused" in beat.trouble
    assert not beat.is_late(place.now)
    await place.look(after=1)
    assert beat.is_late(place.now)
    place.heartbeats.look(place.now)
    (card,) = [r for r in place.board.open() if r.source == "warroom"]
    assert (card.severity, "no answer of API from am1" in card.title) == ("SEV3", True)
    assert "refused" in card.summary
    place.there.failure = None
    await place.look()
    place.heartbeats.look(place.now)
    assert [r.key for r in place.board.open()] == ["a"]


async def test_an_api_that_never_answered_is_late_from_the_start(place: Place) -> None:
    place.there.failure = httpx.Response(401)
    await place.look()
    await place.look(after=1)
    (beat,) = place.board.beside.beats.values()
    assert beat.is_late(place.now)
    assert "token" in beat.trouble


async def test_absence_before_and_after_an_outage_is_not_two_answers(place: Place) -> None:
    place.fire("a")
    await place.look()
    place.there.failure = httpx.Response(503)
    await place.look()
    place.there.failure = None
    await place.look()
    assert newest(place.board, "a").is_open
