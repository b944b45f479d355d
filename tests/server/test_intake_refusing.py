"""What the HTTP door refuses, with which answer, and when senders have to wait."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from tests.server.intake_house import AM, GEN, GEN_TOKEN, SOURCES, House, build, intake
from warroom_server.intake import (
    app as app_module,
    visit as visit_module,
)
from warroom_server.intake.app import IntakeDeps, intake_app


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with intake(tmp_path / "intake.db") as house:
        yield house


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/in/generic/wrong", 401, "Unknown token"),
        ("/in/generic", 401, "Unknown token"),
        (f"/in/carrier-pigeon/{GEN_TOKEN}", 404, "kinds: alertmanager, "),
        (f"/in/alertmanager/{GEN_TOKEN}", 404, "This token is for /in/generic/"),
        ("/in/generic/", 401, "Unknown token"),
        ("/elsewhere", 404, "POST to /in/KIND/TOKEN"),
        ("/healthz", 405, "POST"),
    ],
)
async def test_a_wrong_address_gets_one_clear_sentence(
    house: House, path: str, status: int, sentence: str
) -> None:
    answer = await house.post(path, b'{"title": "x"}')
    assert answer.status_code == status
    if status != 405:
        assert sentence in answer.json()["error"]
    assert await house.store.unparsed() == []


async def test_looking_at_an_intake_address_says_how_to_use_it(house: House) -> None:
    answer = await house.client.get(GEN)
    assert (answer.status_code, answer.json()["error"]) == (405, "Send alerts with POST.")


async def chunks(size: int, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


async def test_a_body_that_is_too_large_is_refused_declared_or_not(house: House) -> None:
    limit = 256 << 10
    assert (await house.post(GEN, b" " * limit)).status_code == 202
    declared = await house.post(GEN, b" " * (limit + 1))
    assert declared.status_code == 413
    assert "262,144 bytes" in declared.json()["error"]
    streamed = await house.client.post(GEN, content=chunks(32 << 10, 9))
    assert streamed.status_code == 413
    assert (await house.post(AM, b" " * (limit + 1))).status_code == 202
    assert (await house.post(AM, b" " * (4 << 20))).status_code == 202
    assert (await house.post(AM, b" " * ((4 << 20) + 1))).status_code == 413
    lie = f"POST {GEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {'9' * 19}"
    answer = await house.raw(lie.encode() + b"\r\n\r\n")
    assert b" 413 " in answer


def send_all_first(house: House, path: str, body: bytes | Iterator[bytes]) -> tuple[int, bytes]:
    """Post as urllib does: look for the answer, its status and words, when all is sent."""
    line = HTTPConnection(house.http.address, timeout=20)
    try:
        line.request("POST", path, body, {"Connection": "close"})
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


@pytest.mark.parametrize("in_chunks", [False, True])
async def test_a_sender_that_looks_for_its_answer_when_all_is_sent_gets_it(
    house: House, in_chunks: bool
) -> None:
    parts = [b"x" * (1 << 20)] * 12
    body = iter(parts) if in_chunks else b"".join(parts)
    status, said = await asyncio.to_thread(send_all_first, house, GEN, body)
    assert status == 413
    assert b"262,144 bytes" in said


async def test_a_sender_whose_token_is_unknown_hears_so_behind_a_large_body(house: House) -> None:
    parts = iter([b"x" * (16 << 10)] * 192)
    status, said = await asyncio.to_thread(send_all_first, house, "/in/generic/nobody", parts)
    assert status == 401
    assert b"Unknown token" in said


async def test_a_sender_that_asks_before_it_sends_is_told_at_once(house: House) -> None:
    head = f"POST {GEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 300000"
    answer = await house.raw(head.encode() + b"\r\nExpect: 100-continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_packed_body_is_kept_as_what_it_unpacks_to(house: House) -> None:
    packed = gzip.compress(b'{"title": "packed"}')
    answer = await house.post(GEN, packed, **{"content-encoding": "gzip"})
    assert answer.status_code == 202
    raw = await house.store.body(1)
    assert raw is not None
    assert (raw.body, raw.headers["content-encoding"]) == (b'{"title": "packed"}', "gzip")


async def test_a_packed_bomb_is_refused_at_the_size_of_its_kind(house: House) -> None:
    bomb = gzip.compress(b" " * (64 << 20))
    assert len(bomb) < 256 << 10
    tracemalloc.start()
    answer = await house.post(GEN, bomb, **{"content-encoding": "gzip"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 413
    assert peak < 8 << 20


@pytest.mark.parametrize("body", [b"not packed at all", gzip.compress(b"{}", mtime=0)[:-4]])
async def test_a_broken_packed_body_is_kept_as_it_came(house: House, body: bytes) -> None:
    answer = await house.post(GEN, body, **{"content-encoding": "gzip"})
    assert answer.status_code == 202
    await house.read_all()
    assert [r.title for r in house.board.open()] == ["unparsed from gen"]


async def assert_told_to_retry(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "Try again." in answer.json()["error"]


async def test_senders_wait_while_people_need_the_machine(house: House) -> None:
    house.busy.append(True)
    await assert_told_to_retry(await house.post(GEN, b"{}"))
    house.busy.clear()
    assert (await house.post(GEN, b"{}")).status_code == 202


async def test_senders_wait_while_too_much_is_unread(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.worker.stop()
    monkeypatch.setattr(visit_module, "MAX_UNREAD", 2)
    assert [(await house.post(GEN, b"{}")).status_code for _ in range(2)] == [202, 202]
    await assert_told_to_retry(await house.post(GEN, b"{}"))
    house.worker.start()
    await house.read_all()
    assert (await house.post(GEN, b"{}")).status_code == 202


async def test_senders_wait_while_requests_hold_too_much_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "MAX_HELD_BYTES", 1000)
    store, _board, worker, metrics = await build(tmp_path / "intake.db")
    app = intake_app(IntakeDeps(SOURCES.get, store, worker, metrics))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
        await assert_told_to_retry(await client.post(GEN, content=b" " * 1001))
        for _ in range(3):
            assert (await client.post(GEN, content=b" " * 900)).status_code == 202
    await store.close()


async def test_a_disk_that_takes_nothing_is_a_reason_to_try_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    def pragma(text: str) -> Callable[[sqlite3.Connection], object]:
        return lambda db: db.execute(f"PRAGMA {text}").fetchone()

    await house.store._run(pragma("query_only = 1"))
    await assert_told_to_retry(await house.post(GEN, b"{}"))
    assert "could not be stored" in caplog.text
    await house.store._run(pragma("query_only = 0"))
    assert (await house.post(GEN, b"{}")).status_code == 202


async def test_a_failure_nobody_foresaw_is_a_reason_to_try_again(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> Awaitable[int]:
        raise RuntimeError(f"leaks {GEN_TOKEN}")

    monkeypatch.setattr(house.store, "keep", fails)
    answer = await house.post(GEN, b"{}")
    assert answer.status_code == 500
    assert "RuntimeError" in caplog.text
    assert GEN_TOKEN not in caplog.text + answer.text
