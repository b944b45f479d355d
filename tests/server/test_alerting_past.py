"""Past episodes are remembered and told: fired before, and which rules were noise."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest
from sqlite_utils import Database

from tests.e2e.console_client import Console, new_author
from tests.server.fake_alertmanager import signal_of
from tests.server.running import InProcess, server_in_process
from tests.waiting import wait_for
from warroom_incident.author import new_stream
from warroom_incident.event import BOARD
from warroom_incident.linking import copy_of
from warroom_incident.log import Entry
from warroom_incident.reducers import Body
from warroom_incident.sync.asking import FIRED_BEFORE, NOISE
from warroom_incident.sync.wire import Answer, Ask, encode
from warroom_incident.vocabulary import AlertLinked, AlertMarked, IncidentDeclared
from warroom_server.identity import Caller
from warroom_server.intake import past
from warroom_server.intake.schema import migrations
from warroom_server.intake.store import IntakeStore
from warroom_server.server import now_ms

HOUR = 3_600_000
DAY = 24 * HOUR


class Place:
    """A server with a past."""

    def __init__(self, running: InProcess) -> None:
        self.server = running.server
        self.now = now_ms()

    @classmethod
    async def of(cls, running: InProcess) -> Self:
        """A server whose upkeep after its start is done: it forgets what ended long ago."""
        await running.server.worker.idle()
        return cls(running)

    def episode(self, key: str, ago: int, lasted: int | None = HOUR, **fields: Any) -> str:
        """An alert that fired so long ago; its uid."""
        start = self.now - ago
        board = self.server.board
        board.apply([signal_of(key, start, starts_at=start, **fields)])
        if lasted is not None:
            over = start + lasted
            said = {"state": "resolved", "severity": None, "starts_at": start, "ends_at": over}
            board.apply([signal_of(key, over, **fields | said)])
        record = board.newest("prom", key)
        assert record is not None
        return record.uid

    async def save(self) -> None:
        """Have the board saved."""
        self.server.worker.save()
        await self.server.worker.idle()

    async def write(self, stream: str, *bodies: Body) -> None:
        """Somebody writes."""
        author = new_author()
        await self.server.room.commit(
            [Entry(*author.write(stream, "ana", body)) for body in bodies]
        )

    async def ask(self, about: str, **fields: object) -> Answer:
        """Ask the server."""
        question = msgspec.convert({"t": "ask", "id": 5, "about": about, **fields}, Ask)
        return await self.server.hub.asks.answer(question, Caller("ana"))


@pytest.fixture
async def place(home: Path) -> AsyncIterator[Place]:
    """A running server."""
    async with server_in_process(home) as running:
        yield await Place.of(running)


async def test_an_alert_that_fired_before_says_when_for_how_long_and_what_it_led_to(
    place: Place,
) -> None:
    first = place.episode("disk", 30 * DAY)
    place.episode("other", 3 * DAY)
    place.episode("disk", 2 * DAY, 2 * HOUR)
    last = place.episode("disk", HOUR, None)
    await place.save()
    stream = new_stream(bytes)
    record = place.server.board.get(last)
    assert record is not None
    await place.write(
        stream,
        IncidentDeclared(title="t"),
        AlertLinked(uid=first, alert=copy_of(record)),
    )
    await place.server.duties.finish()
    answer = await place.ask(FIRED_BEFORE, source="prom", key="disk")
    assert (answer.error, answer.count) == ("", 3)
    assert [each.lasted(place.now) for each in answer.episodes] == [HOUR, 2 * HOUR, HOUR]
    assert answer.episodes[0].ends_at is None
    assert answer.episodes[2].uid == first
    assert answer.episodes[2].incidents == ["INC-1"]
    assert answer.episodes[2].severity == "SEV2"


async def test_an_incident_that_one_may_not_read_is_not_named(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = place.episode("disk", HOUR, None)
    record = place.server.board.get(uid)
    assert record is not None
    stream = new_stream(bytes)
    await place.write(
        stream, IncidentDeclared(title="t"), AlertLinked(uid=uid, alert=copy_of(record))
    )
    monkeypatch.setattr(place.server.room, "may_read", lambda _caller, _stream: False)
    answer = await place.ask(FIRED_BEFORE, source="prom", key="disk")
    assert [each.incidents for each in answer.episodes] == [[]]


async def test_an_alert_that_never_fired_has_no_past(place: Place) -> None:
    answer = await place.ask(FIRED_BEFORE, source="prom", key="x")
    assert (answer.error, answer.count, answer.episodes) == ("", 0, [])


async def test_an_episode_that_flaps_is_remembered_once_as_it_ended_last(place: Place) -> None:
    place.episode("disk", 3 * HOUR, HOUR)
    await place.save()
    place.server.board.apply(
        [signal_of("disk", place.now - 2 * HOUR + 60_000, starts_at=place.now - 2 * HOUR + 60_000)]
    )
    await place.save()
    answer = await place.ask(FIRED_BEFORE, source="prom", key="disk")
    assert (answer.count, answer.episodes[0].flaps, answer.episodes[0].ends_at) == (1, 1, None)
    report = await place.ask(NOISE)
    assert [(rule.episodes, rule.flaps) for rule in report.rules] == [(1, 0)]


async def test_the_noise_report_counts_what_people_said_per_rule(place: Place) -> None:
    noisy: dict[str, Any] = {"labels": {"alertname": "Flappy"}}
    uids = [place.episode(f"n{n}", (n + 1) * HOUR * 2, **noisy) for n in range(3)]
    still = place.episode("n9", HOUR, None, **noisy)
    good = place.episode("good", 5 * HOUR)
    place.episode("old", 60 * DAY)
    await place.save()
    await place.write(
        BOARD,
        AlertMarked(uid=uids[0], noise="false_positive"),
        AlertMarked(uid=uids[1], noise="not_actionable"),
        AlertMarked(uid=still, noise="not_actionable"),
        AlertMarked(uid=good, noise=""),
    )
    answer = await place.ask(NOISE, days=7)
    assert [(rule.rule, rule.episodes, rule.noise) for rule in answer.rules] == [
        ("Flappy", 4, 3),
        ("good", 1, 0),
    ]
    flappy = answer.rules[0]
    assert (flappy.false_positive, flappy.not_actionable, flappy.source) == (1, 2, "prom")
    assert flappy.open_ms >= 4 * HOUR
    assert answer.count == 2


async def test_what_cannot_be_asked_is_a_sentence(place: Place) -> None:
    assert "does not know" in (await place.ask("weather")).error
    assert "silence_preview" not in place.server.hub.asks.known


async def test_the_past_outlives_the_board_and_ends_after_four_hundred_days(home: Path) -> None:
    async with server_in_process(home) as running:
        place = await Place.of(running)
        place.episode("disk", 399 * DAY)
        place.episode("disk", 401 * DAY)
        place.episode("new", DAY)
        await place.save()
        running.server.board.forget(place.now)
        await place.save()
    store = await IntakeStore.open(home / "room" / "intake.db")
    await store.prune(now_ms())
    found = await store.ask(lambda db: past.select_of_key(db, "prom", "disk", 9))
    assert found[0] == 1
    await store.close()


async def test_the_file_of_an_older_version_learns_to_remember(home: Path) -> None:
    path = home / "intake.db"
    older = sqlite3.connect(path, isolation_level=None)
    migrations.apply(
        Database(older, execute_plugins=False),
        stop_before="past_episodes_and_what_is_beside_alerts",
    )
    older.execute("INSERT INTO meta VALUES ('board_id', 'b1'), ('rev', '7')")
    older.close()
    store = await IntakeStore.open(path)
    saved = await store.load_board()
    assert (saved.board_id, saved.beats, saved.changes) == ("b1", (), ())
    assert await store.ask(lambda db: past.select_of_key(db, "prom", "disk", 9)) == (0, [])
    await store.close()


async def test_a_question_over_the_line_is_answered_with_its_number(home: Path) -> None:
    async with server_in_process(home) as running:
        place = await Place.of(running)
        place.episode("disk", HOUR)
        await place.save()
        console = await Console(user="ana").join(running.socket)
        try:
            welcome = console.end.welcome
            assert welcome is not None
            assert {FIRED_BEFORE, NOISE} <= set(welcome.answers)
            for number in range(1, 30):
                ask = Ask(number, FIRED_BEFORE, source="prom", key="disk")
                await console.ws.send(encode(ask), text=True)

            def answers() -> list[Answer]:
                return [m for m in console.heard if isinstance(m, Answer)]

            await wait_for(lambda: len(answers()) == 29, "an answer to every question")
            assert {answer.id for answer in answers()} == set(range(1, 30))
            good = [answer for answer in answers() if not answer.error]
            assert good
            assert {answer.count for answer in good} == {1}
        finally:
            await console.leave()
