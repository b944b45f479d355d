"""Reading kept bodies: in order, exactly once, in slices, whatever fails in between."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest

from warroom_incident.alerts import AlertRecord, Signal
from warroom_server.board import Board, Unsaved
from warroom_server.intake import worker as worker_module
from warroom_server.intake.kinds import Kind
from warroom_server.intake.post import Post
from warroom_server.intake.rows import Reading
from warroom_server.intake.source import Source
from warroom_server.intake.store import IntakeStore, IntakeUnavailable
from warroom_server.intake.unreadable import Unreadable
from warroom_server.intake.worker import IntakeWorker
from warroom_server.metrics import Metrics

NOON = 1_795_262_400_000
DAY = 86_400_000


@dataclass
class Desk:
    store: IntakeStore
    board: Board
    worker: IntakeWorker
    metrics: Metrics

    async def post(self, value: object, kind: str = "generic", at: int = NOON) -> int:
        raw_id = await self.store.keep(kind, "gen", {}, json.dumps(value).encode(), at)
        self.worker.wake()
        return raw_id

    async def end(self) -> None:
        await self.worker.stop()
        await self.store.close()


async def open_desk(path: Path) -> Desk:
    store = await IntakeStore.open(path)
    metrics = Metrics("0")
    board = Board(await store.load_board(), on_outcome=metrics.count_signal)
    return Desk(store, board, IntakeWorker(store, board, metrics, now=lambda: NOON), metrics)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = await open_desk(tmp_path / "intake.db")
    desk.worker.start()
    yield desk
    await desk.end()


def group(count: int) -> dict[str, object]:
    return {"alerts": [{"labels": {"i": str(i)}, "status": "firing"} for i in range(count)]}


async def test_bodies_are_read_in_the_order_they_came(desk: Desk) -> None:
    for i, state in enumerate(("firing", "ok", "firing", "ok")):
        await desk.post({"key": "a", "title": f"{i}", "status": state}, at=NOON + i)
    await desk.worker.idle()
    (record,) = desk.board.ordered()
    assert (record.state, record.flaps, record.count, record.last_seen) == (
        "resolved",
        1,
        2,
        NOON + 3,
    )


async def test_a_start_reads_what_an_earlier_run_left_unread(tmp_path: Path) -> None:
    before = await open_desk(tmp_path / "intake.db")
    for key in "abc":
        await before.post({"key": key})
    await before.end()

    after = await open_desk(tmp_path / "intake.db")
    assert after.store.unparsed_count == 3
    after.worker.start()
    await after.worker.idle()
    assert sorted(r.key for r in after.board.open()) == ["a", "b", "c"]
    assert {r.first_seen for r in after.board.open()} == {NOON}
    await after.end()


async def test_a_restart_counts_nothing_twice(tmp_path: Path) -> None:
    seen: list[int] = []
    for _ in range(3):
        desk = await open_desk(tmp_path / "intake.db")
        desk.worker.start()
        await desk.post({"key": "a"})
        await desk.worker.idle()
        seen.append(desk.board.open()[0].count)
        await desk.end()
    assert seen == [1, 2, 3]


async def test_a_save_that_fails_is_tried_again_without_reading_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker_module, "_RETRY_SECONDS", 0.0)
    save = desk.store.save
    failures = 3

    async def failing(readings: Sequence[Reading], board: Unsaved) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise IntakeUnavailable("the disk is full")
        await save(readings, board)

    monkeypatch.setattr(desk.store, "save", failing)
    await desk.post({"key": "a"})
    await desk.worker.idle()
    assert [r.count for r in desk.board.open()] == [1]
    assert (await desk.store.load_board()).records == tuple(desk.board.open())
    assert "Alerts wait to be read: the disk is full" in caplog.text


async def test_a_long_body_leaves_turns_to_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "SLICE_SECONDS", 0.0)
    sizes: list[int] = []
    desk.board.on_change(lambda records: sizes.append(len(records)))
    turns: list[int] = []

    async def somebody_else() -> None:
        while len(desk.board) < 300:
            turns.append(len(desk.board))
            await asyncio.sleep(0)

    await desk.post(group(300), "alertmanager")
    await somebody_else()
    assert len(set(turns)) > 100
    assert max(sizes) <= 50
    await desk.worker.idle()


async def test_short_bodies_together_leave_turns_to_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: next(ticks) / 1000, monotonic=time.monotonic)
    monkeypatch.setattr(worker_module, "time", clock)
    await asyncio.gather(*(desk.post({"key": str(i)}) for i in range(60)))
    turns: set[int] = set()
    while len(desk.board) < 60:
        turns.add(len(desk.board))
        await asyncio.sleep(0)
    assert len(turns) > 10
    await desk.worker.idle()


def broken(post: Post, source: Source) -> Iterator[Signal]:
    yield Signal(
        source=source.name,
        kind="odd",
        key="k",
        state="firing",
        title="before",
        received=post.received,
    )
    raise ZeroDivisionError(f"secret {post.body!r}")


def refused(post: Post, source: Source) -> Iterator[Signal]:
    raise Unreadable("it is odd")
    yield


async def test_a_reader_that_fails_becomes_a_card_and_its_text_stays_out_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = await open_desk(tmp_path / "intake.db")
    kinds = MappingProxyType({"odd": Kind(broken, 1000), "other": Kind(refused, 1000)})
    worker = IntakeWorker(desk.store, desk.board, desk.metrics, kinds=lambda: kinds)
    desk.worker = worker
    worker.start()
    await desk.post("body text", "odd")
    await worker.idle()
    titles = sorted(r.title for r in desk.board.open())
    assert titles == ["before", "unparsed from gen"]
    assert await desk.store.unreadable("gen") == [(1, "reading it failed (ZeroDivisionError)")]
    assert "Raw body 1: its reader failed" in caplog.text
    assert "body text" not in caplog.text
    await desk.end()


async def test_a_body_of_a_kind_that_is_gone_becomes_a_card(desk: Desk) -> None:
    await desk.post({}, "carrier-pigeon")
    await desk.worker.idle()
    (card,) = desk.board.open()
    assert 'no kind "carrier-pigeon"' in card.summary


async def test_a_sources_settings_at_reading_time_are_used(tmp_path: Path) -> None:
    desk = await open_desk(tmp_path / "intake.db")
    desk.worker = IntakeWorker(
        desk.store,
        desk.board,
        desk.metrics,
        find_source=lambda name, kind: Source(name, kind, {"purple": "SEV1"}),
    )
    desk.worker.start()
    await desk.post({"title": "x", "severity": "purple"})
    await desk.worker.idle()
    assert [r.severity for r in desk.board.open()] == ["SEV1"]
    await desk.end()


async def test_old_bodies_and_old_episodes_go_at_the_next_start(tmp_path: Path) -> None:
    before = await open_desk(tmp_path / "intake.db")
    before.worker.start()
    for key, state in (("over", "firing"), ("over", "ok"), ("open", "firing"), ("last", "ok")):
        await before.post({"key": key, "status": state}, at=NOON - 40 * DAY)
    await before.worker.idle()
    assert len(before.board) == 2
    await before.end()

    after = await open_desk(tmp_path / "intake.db")
    after.worker.start()
    await after.worker.idle()
    assert [r.key for r in after.board.ordered()] == ["open"]
    assert [await after.store.body(i) is not None for i in (1, 2, 3, 4)] == [False] * 3 + [True]
    assert [r.key for r in (await after.store.load_board()).records] == ["open"]
    await after.end()


async def test_a_stop_in_the_middle_leaves_the_rest_for_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    first = await open_desk(path)
    for i in range(200):
        await first.post({"key": str(i)})
    stop = asyncio.Event()

    def on_change(records: Sequence[AlertRecord]) -> None:
        if len(first.board) >= 100:
            stop.set()

    first.board.on_change(on_change)
    first.worker.start()
    await stop.wait()
    await first.end()

    second = await open_desk(path)
    second.worker.start()
    await second.worker.idle()
    assert len(second.board) == 200
    assert {r.count for r in second.board.open()} == {1}
    await second.end()
