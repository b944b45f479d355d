"""Kept bodies read again: what a mended reader makes of them takes the place of what was there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from warroom_incident.alerts import AlertRecord, Signal
from warroom_server.board import Board, SavedBoard
from warroom_server.intake.kinds import KINDS, Kind
from warroom_server.intake.post import Post
from warroom_server.intake.replay import Wish
from warroom_server.intake.rows import RawBody
from warroom_server.intake.source import Source
from warroom_server.intake.store import IntakeStore
from warroom_server.intake.unreadable import Unreadable
from warroom_server.intake.worker import IntakeWorker
from warroom_server.metrics import Metrics

NOON = 1_795_262_400_000
MINUTE = 60_000
HOUR = 60 * MINUTE


def unreadable(post: Post, source: Source) -> Iterator[Signal]:
    raise Unreadable("nobody has described it yet")
    yield


class Desk:
    """A worker over a store, whose kinds a test may mend."""

    def __init__(self, store: IntakeStore, board: Board) -> None:
        self.store, self.board = store, board
        self.kinds = dict(KINDS)
        self.refreshed = 0
        self.worker = IntakeWorker(
            store,
            board,
            Metrics("0"),
            kinds=lambda: self.kinds,
            now=lambda: NOON + 24 * HOUR,
            refresh=self._refresh,
        )

    def _refresh(self) -> None:
        self.refreshed += 1

    async def post(self, value: object, at: int, kind: str = "generic", source: str = "s") -> None:
        await self.store.keep(kind, source, {}, json.dumps(value).encode(), at)
        self.worker.wake()
        await self.worker.idle()

    def shown(self) -> list[AlertRecord]:
        """All episodes, without what only says when they were written."""
        plain = (msgspec.structs.replace(r, rev=0, edition=0) for r in self.board.ordered())
        return sorted(plain, key=lambda r: r.uid)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await IntakeStore.open(tmp_path / "intake.db")
    desk = Desk(store, Board(await store.load_board()))
    desk.worker.start()
    await desk.worker.idle()
    yield desk
    await desk.worker.stop()
    await store.close()


async def story(desk: Desk, source: str = "s") -> None:
    """An alert that flaps, ends and fires again, and one that stays."""
    for minutes, status in ((0, "firing"), (1, "firing"), (2, "ok"), (4, "firing"), (5, "ok")):
        body = {"title": "disk full", "key": "d", "status": status, "severity": "high"}
        await desk.post(body, NOON + minutes * MINUTE, source=source)
    await desk.post({"title": "disk full", "key": "d"}, NOON + HOUR, source=source)
    await desk.post({"title": "load", "key": "l"}, NOON + HOUR + 1, source=source)


async def test_reading_again_without_a_change_changes_nothing(desk: Desk) -> None:
    await story(desk)
    before, rev = desk.shown(), desk.board.rev
    assert [
        (r.key, r.state, r.count, r.flaps) for r in sorted(before, key=lambda r: r.episode)
    ] == [
        ("d", "resolved", 3, 1),
        ("d", "firing", 1, 0),
        ("l", "firing", 1, 0),
    ]
    for since in (0, NOON + 3 * MINUTE, NOON + 30 * MINUTE, NOON + 2 * HOUR):
        done = await desk.worker.replay(Wish(since=since))
        assert (done.changed, done.ended) == (0, 0)
        assert desk.shown() == before
    assert desk.board.rev == rev
    assert desk.refreshed == 4


async def test_what_could_not_be_read_becomes_alerts_and_its_card_ends(desk: Desk) -> None:
    desk.kinds["new"] = Kind(unreadable, 1000)
    await desk.post({"title": "disk full", "key": "d"}, NOON, "new")
    await desk.post({"title": "disk full", "key": "d", "status": "ok"}, NOON + MINUTE, "new")
    await desk.post({"title": "load", "key": "l"}, NOON + MINUTE, "new")
    assert [r.title for r in desk.board.open()] == ["unparsed from s"]
    desk.kinds["new"] = KINDS["generic"]
    done = await desk.worker.replay(Wish())
    assert str(done) == (
        "Read 3 kept bodies with 3 alerts again: 2 episodes changed, 1 ended, 0 bodies cannot be "
        "read."
    )
    states = {r.title: (r.state, r.first_seen) for r in desk.board.ordered()}
    assert states["disk full"] == ("resolved", NOON)
    assert states["load"] == ("firing", NOON + MINUTE)
    assert states["unparsed from s"][0] == "resolved"
    assert await desk.store.unreadable("s") == []
    again = await desk.worker.replay(Wish())
    assert (again.changed, again.ended) == (0, 0)


async def test_a_reader_that_names_alerts_otherwise_ends_those_of_before(desk: Desk) -> None:
    def renaming(post: Post, source: Source) -> Iterator[Signal]:
        for signal in KINDS["generic"].read(post, source):
            yield msgspec.structs.replace(signal, key="better", title="better", severity="SEV1")

    await desk.post({"title": "worse", "key": "w"}, NOON)
    desk.kinds["generic"] = Kind(renaming, 1000)
    await desk.worker.replay(Wish())
    shown = {r.key: (r.state, r.resolved_by, r.severity) for r in desk.board.ordered()}
    assert shown == {"w": ("resolved", "superseded", "SEV3"), "better": ("firing", "", "SEV1")}


async def test_a_better_title_keeps_the_episode_and_its_counts(desk: Desk) -> None:
    def titled(post: Post, source: Source) -> Iterator[Signal]:
        for signal in KINDS["generic"].read(post, source):
            yield msgspec.structs.replace(signal, title=signal.title.upper())

    await story(desk)
    before = desk.shown()
    desk.kinds["generic"] = Kind(titled, 1000)
    await desk.worker.replay(Wish())
    assert desk.shown() == [msgspec.structs.replace(r, title=r.title.upper()) for r in before]


async def test_alerts_that_come_meanwhile_are_shown_at_once_and_stay(desk: Desk) -> None:
    for number in range(200):
        await desk.store.keep(
            "generic", "s", {}, json.dumps({"title": "x", "key": str(number)}).encode(), NOON
        )
    desk.worker.wake()
    await desk.worker.idle()
    begun, wait = asyncio.Event(), asyncio.Event()
    read_bodies = desk.store.read_bodies

    async def slowly(source: str, since: int, after: int, limit: int) -> list[RawBody]:
        bodies = await read_bodies(source, since, after, limit)
        if after and not wait.is_set():
            begun.set()
            async with asyncio.timeout(30):
                await wait.wait()
        return bodies

    desk.store.read_bodies = slowly  # type: ignore[method-assign]
    replaying = asyncio.create_task(desk.worker.replay(Wish()))
    async with asyncio.timeout(30):
        await begun.wait()
        await desk.post({"title": "meanwhile", "key": "m"}, NOON + MINUTE)
    assert "meanwhile" in {r.title for r in desk.board.open()}
    wait.set()
    done = await replaying
    assert (done.bodies, done.changed, done.ended) == (201, 0, 0)
    assert len(desk.board.open()) == 201


async def test_only_the_wished_source_is_read_again(desk: Desk) -> None:
    await story(desk)
    await story(desk, "other")
    done = await desk.worker.replay(Wish("other"))
    assert done.bodies == 7
    assert (await desk.worker.replay(Wish("nobody"))).bodies == 0
    assert (await desk.worker.replay(Wish())).bodies == 14


async def test_an_episode_older_than_what_is_kept_stays_as_it_is(desk: Desk) -> None:
    await desk.post({"title": "old", "key": "o"}, NOON)
    await desk.post({"title": "old", "key": "o"}, NOON + MINUTE)
    await desk.post({"title": "new", "key": "n"}, NOON + 2 * MINUTE)
    before = desk.shown()
    assert await desk.store.prune(NOON + 30 * 86_400_000 + 30_000) == 1
    done = await desk.worker.replay(Wish())
    assert (done.bodies, done.changed, done.ended) == (2, 0, 0)
    assert desk.shown() == before


async def test_what_somebody_else_ended_stays_ended(desk: Desk) -> None:
    await desk.post({"title": "x", "key": "k"}, NOON)
    (record,) = desk.board.open()
    desk.board.close(record.uid, "reconcile", NOON + HOUR)
    before = desk.shown()
    assert before[0].resolved_by == "reconcile"
    await desk.worker.replay(Wish())
    (after,) = desk.board.ordered()
    assert (after.state, after.resolved_by, after.ends_at) == ("resolved", "reconcile", NOON + HOUR)


async def test_what_is_no_alert_stays_none(desk: Desk) -> None:
    desk.board.sift = lambda signal: signal.title == "Watchdog"
    await desk.post({"title": "Watchdog", "key": "w"}, NOON)
    await desk.worker.replay(Wish())
    assert desk.shown() == []


async def test_what_came_out_is_there_after_a_restart(tmp_path: Path) -> None:
    for renamed in ("x", "X"):
        store = await IntakeStore.open(tmp_path / "intake.db")
        desk = Desk(store, Board(await store.load_board()))
        desk.worker.start()
        await desk.worker.idle()
        assert [r.title for r in desk.board.ordered()] == ([] if renamed == "x" else ["X"])
        if renamed == "x":
            await desk.post({"title": "x", "key": "k"}, NOON)

            def titled(post: Post, source: Source) -> Iterator[Signal]:
                for signal in KINDS["generic"].read(post, source):
                    yield msgspec.structs.replace(signal, title="X")

            desk.kinds["generic"] = Kind(titled, 1000)
            await desk.worker.replay(Wish())
        await desk.worker.stop()
        await store.close()


async def test_what_another_server_heard_is_left_as_it_is(desk: Desk) -> None:
    await story(desk)
    other = Board(SavedBoard("other", 0))
    other.adopt(desk.board.ordered(), NOON + HOUR)
    elsewhere = Signal(
        source="s",
        kind="generic",
        key="x",
        state="firing",
        title="came in there",
        received=NOON + HOUR,
    )
    over = msgspec.structs.replace(elsewhere, key="l", state="resolved")
    other.apply([elsewhere, msgspec.structs.replace(over, received=NOON + HOUR + MINUTE)])
    desk.board.adopt(other.ordered(), NOON + HOUR)
    before = desk.shown()
    assert {r.key for r in before if r.is_open} == {"d", "x"}
    done = await desk.worker.replay(Wish())
    assert (done.changed, done.ended) == (0, 0)
    assert desk.shown() == before
