"""What is kept on disk: bodies byte for byte, the board, and what a crash leaves of both."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from warroom_incident.alerts import Signal
from warroom_server.board import Board, Unsaved
from warroom_server.intake.rows import RESTART_GAP, Reading
from warroom_server.intake.store import IntakeStore, IntakeUnavailable

NOON = 1_795_262_400_000
DAY = 86_400_000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[IntakeStore]:
    opened = await IntakeStore.open(tmp_path / "intake.db")
    yield opened
    await opened.close()


async def keep(store: IntakeStore, body: bytes = b"{}", received: int = NOON) -> int:
    return await store.keep("generic", "gen", {"content-type": "text/plain"}, body, received)


async def leave_once_waiting(store: IntakeStore, sender: asyncio.Task[int]) -> None:
    assert len(store._waiting) == 2
    sender.cancel()


def nothing(rev: int = 0) -> Unsaved:
    return Unsaved((), (), rev)


def as_a_crash_leaves_it(path: Path) -> Path:
    copy = path.parent / "crashed"
    copy.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        (copy / file.name).write_bytes(file.read_bytes())
    return copy / path.name


def firing(key: str) -> Signal:
    return Signal(
        source="gen", kind="generic", key=key, state="firing", title="é\x1b", received=NOON
    )


async def test_a_body_is_kept_byte_for_byte_with_what_came_with_it(store: IntakeStore) -> None:
    body = bytes(range(256)) + b"\0" * 10
    raw_id = await keep(store, body)
    raw = await store.body(raw_id)
    assert raw is not None
    assert (raw.body, raw.kind, raw.source, raw.received) == (body, "generic", "gen", NOON)
    assert raw.headers == {"content-type": "text/plain"}
    assert await store.body(raw_id + 1) is None


async def test_a_kept_body_can_be_read_by_another_connection_at_once(store: IntakeStore) -> None:
    raw_id = await keep(store, b"durable")
    with sqlite3.connect(f"file:{store.path}?mode=ro", uri=True) as other:
        rows = other.execute("SELECT id, body FROM raw").fetchall()
    other.close()
    assert rows == [(raw_id, b"durable")]


async def test_the_file_is_for_its_owner_alone(store: IntakeStore) -> None:
    await keep(store)
    files = list(store.path.parent.glob("intake.db*"))
    assert {f.name for f in files} == {"intake.db", "intake.db-wal", "intake.db-shm"}
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


async def test_every_commit_reaches_the_disk(store: IntakeStore) -> None:
    def pragmas(db: sqlite3.Connection) -> list[object]:
        return [db.execute(f"PRAGMA {p}").fetchone()[0] for p in ("journal_mode", "synchronous")]

    assert await store._run(pragmas) == ["wal", 2]


async def test_bodies_that_arrive_during_a_commit_share_the_next_one(tmp_path: Path) -> None:
    commits: list[float] = []
    store = await IntakeStore.open(tmp_path / "intake.db", on_commit=commits.append)
    ids = await asyncio.gather(*(keep(store, str(i).encode()) for i in range(40)))
    assert ids == list(range(1, 41))
    assert len(commits) <= 3
    assert min(commits) > 0
    assert (store.unparsed_count, store.unparsed_bytes) == (40, 70)
    await store.close()


async def test_a_sender_that_leaves_does_not_take_others_bodies_along(store: IntakeStore) -> None:
    async with asyncio.TaskGroup() as senders:
        gone = senders.create_task(keep(store, b"gone"))
        stays = senders.create_task(keep(store, b"stays"))
        senders.create_task(leave_once_waiting(store, gone))
    assert stays.result() == 2
    assert [raw.body for raw in await store.unparsed()] == [b"gone", b"stays"]


async def test_unread_bodies_come_oldest_first_and_within_a_limit(store: IntakeStore) -> None:
    for i in range(5):
        await keep(store, b"x" * (i + 1))
    assert [raw.id for raw in await store.unparsed(limit=2)] == [1, 2]
    assert [raw.id for raw in await store.unparsed(max_bytes=3)] == [1, 2]
    assert [raw.id for raw in await store.unparsed(max_bytes=1)] == [1]


async def test_what_was_read_and_what_it_changed_are_saved_together(store: IntakeStore) -> None:
    board = Board(await store.load_board())
    raw_id = await keep(store)
    (record,) = board.apply([firing("a")])
    await store.save([Reading(raw_id, NOON, 1)], board.take_unsaved())
    assert await store.unparsed() == []
    assert (store.unparsed_count, store.unparsed_bytes) == (0, 0)
    assert (await store.load_board()).records == (record,)


async def test_marking_a_body_as_read_twice_counts_once(store: IntakeStore) -> None:
    first, _second = await keep(store), await keep(store)
    await store.save([Reading(first, NOON, 1)], nothing())
    await store.save([Reading(first, NOON, 1)], nothing())
    assert store.unparsed_count == 1


async def test_a_deleted_record_stays_deleted(store: IntakeStore) -> None:
    board = Board(await store.load_board())
    (record,) = board.apply([firing("a")])
    await store.save([], board.take_unsaved())
    await store.save([], Unsaved((), (record.uid,), board.rev))
    assert (await store.load_board()).records == ()


async def test_bodies_that_could_not_be_read_are_listed_with_the_reason(
    store: IntakeStore,
) -> None:
    ids = [await keep(store) for _ in range(3)]
    readings = [
        Reading(ids[0], NOON, 0, "no"),
        Reading(ids[1], NOON, 1),
        Reading(ids[2], 0, 0, "b"),
    ]
    await store.save(readings, nothing())
    assert await store.unreadable("gen") == [(3, "b"), (1, "no")]
    assert await store.unreadable("other") == []


async def test_an_unclean_end_loses_no_body_and_no_record(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    store = await IntakeStore.open(path)
    board = Board(await store.load_board())
    read, _ = await keep(store, b"read"), await keep(store, b"unread")
    board.apply([firing("a")])
    await store.save([Reading(read, NOON, 1)], board.take_unsaved())
    crashed = as_a_crash_leaves_it(path)
    await store.close()

    after = await IntakeStore.open(crashed)
    assert [raw.body for raw in await after.unparsed()] == [b"unread"]
    assert (after.unparsed_count, after.unparsed_bytes) == (1, 6)
    assert [r.key for r in (await after.load_board()).records] == ["a"]
    await after.close()


async def test_a_board_keeps_its_id_and_never_gives_a_revision_twice(tmp_path: Path) -> None:
    first = await IntakeStore.open(tmp_path / "intake.db")
    fresh = await first.load_board()
    board = Board(fresh)
    board.apply([firing("shown but never saved")])
    await first.close()
    second = await IntakeStore.open(tmp_path / "intake.db")
    again = await second.load_board()
    await second.close()
    assert again.board_id == fresh.board_id
    assert len(fresh.board_id) == 16
    assert again.rev == fresh.rev + RESTART_GAP > board.rev


async def test_old_bodies_are_pruned_and_unread_ones_never(store: IntakeStore) -> None:
    ids = [await keep(store, b"x", NOON + i * DAY) for i in range(40)]
    await store.save([Reading(i, NOON, 1) for i in ids[1:]], nothing())
    assert await store.prune(NOON + 40 * DAY, days=30) == 9
    left = [i for i in ids if await store.body(i) is not None]
    assert left == [ids[0], *ids[10:]]


async def test_bodies_are_pruned_oldest_first_down_to_a_size(store: IntakeStore) -> None:
    ids = [await keep(store, b"x" * 100, NOON + i) for i in range(10)]
    await store.save([Reading(i, NOON, 1) for i in ids], nothing())
    assert await store.prune(NOON, max_bytes=350) == 7
    assert [i for i in ids if await store.body(i) is not None] == ids[7:]


async def test_an_id_is_never_given_to_another_body_even_when_all_are_pruned(
    store: IntakeStore,
) -> None:
    ids = [await keep(store) for _ in range(3)]
    await store.save([Reading(i, NOON, 1) for i in ids], nothing())
    await store.prune(NOON + 100 * DAY)
    assert await keep(store) == 4


async def test_pruning_goes_on_past_its_first_slice(store: IntakeStore) -> None:
    ids = await asyncio.gather(*(keep(store) for _ in range(1205)))
    await store.save([Reading(i, NOON, 1) for i in ids], nothing())
    assert await store.prune(NOON + 100 * DAY) == 1204


async def test_a_full_disk_is_said_and_everything_kept_before_stays(store: IntakeStore) -> None:
    await keep(store, b"before")

    def shrink(db: sqlite3.Connection) -> int:
        db.execute("PRAGMA max_page_count = 1")
        return int(db.execute("PRAGMA page_count").fetchone()[0])

    await store._run(shrink)
    with pytest.raises(IntakeUnavailable, match=r"intake\.db: database or disk is full"):
        await keep(store, b"x" * 100_000)
    assert [raw.body for raw in await store.unparsed()] == [b"before"]
    await store._run(lambda db: db.execute("PRAGMA max_page_count = 1000000").fetchone())
    assert await keep(store, b"after") == 2


async def test_the_check_writes(store: IntakeStore) -> None:
    await store.check()
    await store._run(lambda db: db.execute("PRAGMA query_only = 1").fetchone())
    with pytest.raises(IntakeUnavailable, match="readonly"):
        await store.check()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await IntakeStore.open(tmp_path / "intake.db")
    await store.close()
    with pytest.raises(IntakeUnavailable, match="closed"):
        await keep(store)


async def test_a_file_that_is_no_database_is_named_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    path.write_bytes(b"these are not the pages you are looking for" * 100)
    with pytest.raises(IntakeUnavailable, match=r"intake\.db: file is not a database"):
        await IntakeStore.open(path)


async def test_a_directory_that_is_missing_is_named_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(IntakeUnavailable, match="No such file"):
        await IntakeStore.open(tmp_path / "nowhere" / "intake.db")


@given(bodies=st.lists(st.binary(max_size=300), max_size=8))
def test_any_bytes_are_kept_and_come_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes]
) -> None:
    async def round_trip() -> list[bytes]:
        store = await IntakeStore.open(tmp_path_factory.mktemp("s") / "intake.db")
        try:
            for body in bodies:
                await keep(store, body)
            return [raw.body for raw in await store.unparsed()]
        finally:
            await store.close()

    assert asyncio.run(round_trip()) == bodies
