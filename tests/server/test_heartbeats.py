"""Heartbeats prove the path; a late one is an alert of our own, which ends when it is back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.fake_alertmanager import signal_of
from warroom_server.alerting.heartbeats import ENDED, Heartbeats
from warroom_server.alerting.settings import AlertSettings
from warroom_server.board import Board, SavedBoard

MINUTE = 60_000
START = 1_790_000_000_000


class Place:
    """A board that is watched."""

    def __init__(self) -> None:
        self.board = Board(SavedBoard("b", 0))
        settings = AlertSettings(heartbeats={"Watchdog": "5m", "nightly backup": "1d"})
        self.saves = 0
        self.heartbeats = Heartbeats(self.board, settings, self._save)
        self.board.sift = self.heartbeats.take
        self.heartbeats.look(START)

    def _save(self) -> None:
        self.saves += 1

    def hear(self, name: str, at: int, **fields: Any) -> None:
        """A sender speaks."""
        labels = {"alertname": name} | fields.pop("labels", {})
        self.board.apply([signal_of(name, at, labels=labels, **fields)])

    def cards(self) -> list[str]:
        """Our own alerts that are open."""
        return [record.title for record in self.board.open() if record.source == "warroom"]


@pytest.fixture
def place() -> Place:
    """A board that is watched."""
    return Place()


def test_a_heartbeat_is_no_alert_and_what_says_nothing_is_dropped(place: Place) -> None:
    place.hear("Watchdog", START)
    place.hear("InfoInhibitor", START)
    place.hear("DiskFull", START)
    assert [record.key for record in place.board.open()] == ["DiskFull"]
    (beat,) = place.board.beside.beats.values()
    assert (beat.source, beat.name, beat.last_seen, beat.every) == (
        "prom",
        "Watchdog",
        START,
        5 * MINUTE,
    )


def test_a_late_heartbeat_is_an_alert_until_it_is_back(place: Place) -> None:
    place.hear("Watchdog", START)
    place.heartbeats.look(START + 5 * MINUTE)
    assert (place.cards(), place.saves) == ([], 0)
    place.heartbeats.look(START + 5 * MINUTE + 1)
    place.heartbeats.look(START + 6 * MINUTE)
    (card,) = place.cards()
    assert card == "alert path is quiet: no heartbeat of Watchdog from prom"
    assert place.saves == 1
    place.hear("Watchdog", START + 7 * MINUTE)
    place.heartbeats.look(START + 7 * MINUTE)
    assert (place.cards(), place.saves) == ([], 2)


def test_a_server_that_was_down_itself_gives_heartbeats_their_time(place: Place) -> None:
    place.hear("Watchdog", START)
    back = START + 60 * MINUTE
    again = Heartbeats(place.board, AlertSettings(heartbeats={"Watchdog": "5m"}))
    again.look(back)
    again.look(back + 5 * MINUTE)
    assert place.cards() == []
    again.look(back + 5 * MINUTE + 1)
    assert len(place.cards()) == 1


def test_a_heartbeat_that_its_sender_ends_is_late_at_once(place: Place) -> None:
    place.hear("Watchdog", START)
    place.hear("Watchdog", START + MINUTE, state="resolved", severity=None)
    (beat,) = place.board.beside.beats.values()
    assert (beat.trouble, beat.last_seen) == (ENDED, START)
    place.heartbeats.look(START + MINUTE)
    assert len(place.cards()) == 1
    place.hear("Watchdog", START + 2 * MINUTE)
    place.heartbeats.look(START + 2 * MINUTE)
    assert place.cards() == []


def test_two_prometheis_on_one_token_are_two_paths(place: Place) -> None:
    place.hear("Watchdog", START, labels={"cluster": "eu"})
    place.hear("Watchdog", START + 9 * MINUTE, labels={"cluster": "us"})
    place.heartbeats.look(START + 9 * MINUTE)
    assert place.cards() == ["alert path is quiet: no heartbeat of Watchdog eu from prom"]


def test_a_sender_without_alert_names_proves_its_path_by_a_title(place: Place) -> None:
    place.board.apply([signal_of("k", START, labels={}, title="nightly backup")])
    assert [beat.name for beat in place.board.beside.beats.values()] == ["nightly backup"]


def test_what_is_configured_no_longer_is_watched_no_longer(place: Place) -> None:
    place.hear("Watchdog", START, labels={"cluster": "eu"})
    place.heartbeats.forget_unknown(set())
    (beat,) = place.board.beside.beats.values()
    assert beat.is_watched
    later = Heartbeats(place.board, AlertSettings(heartbeats={}))
    later.forget_unknown(set())
    (beat,) = place.board.beside.beats.values()
    assert not beat.is_watched
    later.look(START + 24 * 60 * MINUTE)
    assert place.cards() == []
    assert place.board.take_unsaved().beside_gone == ("prom/Watchdog eu",)


def test_how_long_senders_may_be_quiet_follows_the_configuration(place: Place) -> None:
    place.hear("DiskFull", START)
    (record,) = place.board.open()
    assert (record.stale_after, record.is_stale(START + 10**12)) == (0, False)
    settings = AlertSettings(stale_after="4h", stale_after_of={"quiet": "0s"})
    place.board.stale_after = settings.patience
    place.board.be_patient()
    place.hear("Quiet", START, source="quiet")
    (record, quiet) = sorted(place.board.open(), key=lambda r: r.key)
    assert record.stale_after == 4 * 60 * MINUTE
    assert not record.is_stale(START + 4 * 60 * MINUTE)
    assert record.is_stale(START + 4 * 60 * MINUTE + 1)
    assert record.is_open
    assert quiet.stale_after == 0
    rev = place.board.rev
    place.board.be_patient()
    assert place.board.rev == rev


def test_the_words_of_a_heartbeat_are_cleaned(place: Place) -> None:
    place.hear("Watchdog", START, labels={"cluster": "eu\x1b]0;owned\x07"})
    (beat,) = place.board.beside.beats.values()
    assert "\x1b" not in beat.name
