"""The HTTP door over real loopback sockets: what is taken in, what is refused and how."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import logging
import signal
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings, strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from starlette.applications import Starlette

from tests.waiting import wait_for
from warroom_server.board import Board
from warroom_server.intake import (
    app as app_module,
    deliveries as deliveries_module,
    request as request_module,
    serve as serve_module,
    visit as visit_module,
)
from warroom_server.intake.app import IntakeDeps, intake_app
from warroom_server.intake.serve import CannotListen, HttpServer, serve_http
from warroom_server.intake.source import Source
from warroom_server.intake.store import IntakeStore
from warroom_server.intake.worker import IntakeWorker
from warroom_server.metrics import Metrics

PAYLOADS = Path(__file__).parent / "payloads"
AM_TOKEN, GEN_TOKEN = "am-secret-7f3a9c", "gen-secret-51b2e8"
SOURCES = {AM_TOKEN: Source("am", "alertmanager"), GEN_TOKEN: Source("gen", "generic")}
AM, GEN = f"/in/alertmanager/{AM_TOKEN}", f"/in/generic/{GEN_TOKEN}"


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


@dataclass
class House:
    """A whole intake with its listener and one client."""

    store: IntakeStore
    board: Board
    worker: IntakeWorker
    metrics: Metrics
    http: HttpServer
    client: httpx.AsyncClient
    complaint: list[str] = field(default_factory=list)
    busy: list[bool] = field(default_factory=list)

    async def post(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        return await self.client.post(path, content=body, headers=headers)

    async def raw(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own and return all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.http.port)
        writer.write(data)
        answer = await reader.read()
        writer.close()
        return answer

    async def read_all(self) -> None:
        await self.worker.idle()


async def build(path: Path) -> tuple[IntakeStore, Board, IntakeWorker, Metrics]:
    store = await IntakeStore.open(path)
    metrics = Metrics("0.1.0")
    board = Board(await store.load_board(), on_outcome=metrics.count_signal)
    metrics.watch_board(board.open)
    return store, board, IntakeWorker(store, board, metrics), metrics


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store, board, worker, metrics = await build(tmp_path / "intake.db")
    complaint: list[str] = []
    busy: list[bool] = []

    async def ready() -> str | None:
        return complaint[0] if complaint else None

    deps = IntakeDeps(
        authenticate=SOURCES.get,
        store=store,
        worker=worker,
        metrics=metrics,
        ready=ready,
        busy=lambda: bool(busy),
    )
    worker.start()
    http = await serve_http(intake_app(deps), "127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://{http.address}", trust_env=False) as client:
        yield House(store, board, worker, metrics, http, client, complaint, busy)
    await http.stop()
    await worker.stop()
    await store.close()


# --- taking in ---


@pytest.mark.parametrize("name", sorted(p.stem for p in PAYLOADS.glob("*.json")))
async def test_every_body_a_real_alertmanager_sent_is_kept_and_shown(
    house: House, name: str
) -> None:
    answer = await house.post(AM, payload(name))
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "id": 1})
    raw = await house.store.body(1)
    assert raw is not None
    assert raw.body == payload(name)
    await house.read_all()
    # A body of nothing but ends opens nothing; every other leaves something to look at.
    assert bool(house.board.open()) == (name != "06-all-resolved")
    assert await house.store.unparsed() == []


async def test_a_recorded_outage_ends_as_it_did(house: House) -> None:
    story = ("01-fire-single", "02-fire-group-of-3", "04-partial-resolve-mixed-status")
    for name in story:
        await house.post(AM, payload(name))
    await house.read_all()
    assert sorted(r.state for r in house.board.ordered()) == ["firing", "firing", "resolved"]
    await house.post(AM, payload("06-all-resolved"))
    await house.read_all()
    assert [(r.state, r.resolved_by) for r in house.board.ordered()] == [("resolved", "source")] * 3


async def test_a_token_may_come_in_a_bearer_header_instead_of_the_path(house: House) -> None:
    answer = await house.post("/in/generic", b'{"title": "x"}', authorization=f"Bearer {GEN_TOKEN}")
    assert answer.status_code == 202
    refused = await house.post("/in/generic", b"{}", authorization=f"Basic {GEN_TOKEN}")
    assert refused.status_code == 401


async def test_headers_are_kept_but_never_a_credential(house: House) -> None:
    await house.post(
        GEN,
        b"{}",
        authorization="Bearer other-secret",
        cookie="session=secret",
        **{"user-agent": "Alertmanager/0.25.0", "ce-id": "7", "x-odd": "secret"},
    )
    raw = await house.store.body(1)
    assert raw is not None
    assert raw.headers == {"user-agent": "Alertmanager/0.25.0", "ce-id": "7"}


async def test_an_asynchronous_token_check_is_awaited(tmp_path: Path) -> None:
    store, _board, worker, metrics = await build(tmp_path / "intake.db")

    async def authenticate(token: str) -> Source | None:
        return SOURCES.get(token)

    app = intake_app(IntakeDeps(authenticate, store, worker, metrics))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
        assert (await client.post(GEN, content=b"{}")).status_code == 202
        assert (await client.post("/in/generic/nobody", content=b"{}")).status_code == 401
    await store.close()


HOSTILE = {
    "not JSON": b"the disk is full",
    "empty": b"",
    "deep": b"[" * 10_000,
    "deep objects": b'{"a":' * 10_000,
    "NaN": b'{"title": "nan", "value": NaN}',
    "past 2^63": b'{"title": "big", "value": 9223372036854775808, "id": 1' + b"0" * 4500 + b"}",
    "lone surrogate": b'{"title": "\\ud83d"}',
    "duplicate keys": b'{"title": "a", "title": "b"}',
    "latin-1": b'{"title": "caf\xe9"}',
    "NUL": b'{"title": "a\\u0000b\x00"}',
    "escapes": b'{"title": "\\u001b]52;c;ZXZpbA==\\u0007", "labels": {"[/b]": "[prod]"}}',
    "long": b'{"title": "x", "description": "' + b"y" * 200_000 + b'"}',
    "many labels": json.dumps(
        {"title": "x", "labels": {str(i): "v" for i in range(9999)}}
    ).encode(),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
async def test_hostile_content_is_kept_and_shown_and_the_server_stays_up(
    house: House, name: str
) -> None:
    assert (await house.post(GEN, HOSTILE[name])).status_code == 202
    await house.read_all()
    assert len(house.board.open()) == 1
    raw = await house.store.body(1)
    assert raw is not None
    assert raw.body == HOSTILE[name]
    assert (await house.client.get("/healthz")).text == "ok\n"


async def test_what_cannot_be_read_becomes_one_card_that_names_the_newest_body(
    house: House,
) -> None:
    for body in (b"first nonsense", b"second nonsense"):
        await house.post(AM, body)
    await house.read_all()
    (card,) = house.board.open()
    assert (card.title, card.severity, card.state) == (
        "unparsed from am",
        "SEV3",
        "firing",
    )
    assert card.summary.startswith("Raw body 2 was kept, but it is not JSON")
    assert "second nonsense" in card.description
    assert card.count == 2
    assert [raw_id for raw_id, _ in await house.store.unreadable("am")] == [2, 1]


# --- refusing ---


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/in/generic/wrong", 401, "Unknown token"),
        ("/in/generic", 401, "Unknown token"),
        (f"/in/carrier-pigeon/{GEN_TOKEN}", 404, "kinds: alertmanager, "),
        (f"/in/alertmanager/{GEN_TOKEN}", 404, "This token is for /in/generic/"),
        ("/in/generic/", 404, "POST to /in/KIND/TOKEN"),
        (f"{GEN}/", 404, "POST to /in/KIND/TOKEN"),
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


@pytest.mark.parametrize("in_chunks", [False, True])
async def test_a_sender_that_looks_for_its_answer_when_all_is_sent_gets_it(
    house: House, in_chunks: bool
) -> None:
    def send() -> tuple[int, bytes]:
        line = HTTPConnection(house.http.address, timeout=20)
        try:
            parts = (b"x" * (1 << 20) for _ in range(12))
            body = parts if in_chunks else b"".join(parts)
            line.request("POST", GEN, body, {"Connection": "close"})  # as urllib does
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    status, said = await asyncio.to_thread(send)
    assert status == 413
    assert b"262,144 bytes" in said


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


@pytest.mark.parametrize("body", [b"not packed at all", gzip.compress(b"{}")[:-4]])
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


# --- slow and broken connections ---


async def test_a_body_that_trickles_in_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_module, "READ_SECONDS", 0.05)
    head = f"POST {GEN} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nConnection: close\r\n\r\n"
    answer = await house.raw(head.encode() + b"123")
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert await house.store.unparsed() == []


async def test_a_head_that_trickles_in_ends_the_connection(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_module, "REQUEST_SECONDS", 0.05)
    assert await house.raw(b"POST /in/gen") == b""
    assert await house.raw(b"") == b""


async def test_a_head_that_is_too_long_is_refused(house: House) -> None:
    answer = await house.raw(b"GET /healthz HTTP/1.1\r\nX: " + b"x" * (17 << 10))
    assert answer.startswith(b"HTTP/1.1 4")
    assert (await house.client.get("/healthz")).status_code == 200


async def test_noise_on_the_wire_ends_that_connection_only(house: House) -> None:
    answer = await house.raw(b"\x16\x03\x01 this is TLS or worse\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert (await house.post(GEN, b"{}")).status_code == 202


async def test_a_sender_that_hangs_up_in_its_body_leaves_nothing_behind(house: House) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", house.http.port)
    writer.write(f"POST {GEN} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123".encode())
    await writer.drain()
    writer.close()
    await wait_for(lambda: requests_seen(house, "400"), "the request to be given up")
    assert await house.store.unparsed() == []


def requests_seen(house: House, code: str) -> float:
    return sum(
        s.value
        for s in samples(house)
        if s.name == "warroom_ingest_request_seconds_count" and s.labels["code"] == code
    )


def samples(house: House) -> list[Sample]:
    text = house.metrics.render("application/openmetrics-text")[0].decode()
    families: Iterable[Metric] = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return [s for family in families for s in family.samples]


# --- looking in from outside ---


async def test_readiness_repeats_the_servers_complaint(house: House) -> None:
    assert (await house.client.get("/readyz")).text == "ready\n"
    house.complaint.append("The disk is full.")
    answer = await house.client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "The disk is full.\n")
    assert (await house.client.get("/healthz")).status_code == 200


async def test_metrics_are_served_in_both_formats_and_count_what_came(house: House) -> None:
    await house.post(AM, payload("02-fire-group-of-3"))
    await house.post(AM, b"nonsense")
    await house.read_all()
    modern = await house.client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert modern.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert modern.text.endswith("# EOF\n")
    found = {(s.name, *sorted(s.labels.values())): s.value for s in samples(house)}
    assert found["warroom_alerts", "SEV1", "am", "firing"] == 3
    assert found["warroom_alerts_received_total", "am", "new"] == 4
    assert found["warroom_alerts_received_total", "am", "unparsed"] == 1
    assert found["warroom_ingest_request_seconds_count", "202", "am"] == 2
    assert found["warroom_ingest_queue_length",] == 0
    older = await house.client.get("/metrics")
    assert older.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_metrics_can_be_closed(tmp_path: Path) -> None:
    store, _board, worker, metrics = await build(tmp_path / "intake.db")
    app = intake_app(IntakeDeps(SOURCES.get, store, worker, metrics, open_metrics=False))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
        assert (await client.get("/metrics")).status_code == 404
    await store.close()


async def test_no_token_reaches_a_log_a_metric_or_an_answer(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "warroom_server")
    caplog.set_level(logging.DEBUG, "uvicorn")
    answers = [
        await house.post(GEN, b"nonsense"),
        await house.post(GEN, b" " * (300 << 10)),
        await house.post(f"/in/alertmanager/{GEN_TOKEN}", b"{}"),
        await house.post(f"/in/pigeon/{GEN_TOKEN}", b"{}"),
        await house.client.get(GEN),
        await house.client.put(GEN, content=b"{}"),
        await house.client.get(f"/{GEN_TOKEN}"),
    ]
    await house.raw(f"POST {GEN} HTTP/1.1\r\nno colon here\r\n\r\n".encode())
    await house.read_all()
    seen = caplog.text + house.metrics.render("")[0].decode()
    seen += "".join(f"{a.text}{a.headers}" for a in answers)
    seen += "".join(str(record) for record in house.board.ordered())
    assert GEN_TOKEN not in seen


# --- the listener ---


async def test_signals_stay_with_whoever_had_them(house: House) -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert (await house.client.get("/healthz")).status_code == 200
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


async def test_an_address_in_use_is_named_in_one_sentence(house: House) -> None:
    with pytest.raises(CannotListen, match=rf"127\.0\.0\.1:{house.http.port}: .*in use"):
        await serve_http(intake_app_of(house), "127.0.0.1", house.http.port)


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 0), ("127.0.0.1", 70_000)])
async def test_an_impossible_address_is_named_in_one_sentence(
    house: House, host: str, port: int
) -> None:
    with pytest.raises(CannotListen, match=f"Cannot listen on {host}:{port}"):
        await serve_http(intake_app_of(house), host, port)


def intake_app_of(house: House) -> Starlette:
    return intake_app(IntakeDeps(SOURCES.get, house.store, house.worker, house.metrics))


async def test_stopping_frees_the_address_at_once(house: House) -> None:
    other = await serve_http(intake_app_of(house), "127.0.0.1", 0)
    await other.stop()
    again = await serve_http(intake_app_of(house), "127.0.0.1", other.port)
    assert again.address == other.address
    await again.stop()


async def test_stopping_cuts_who_never_finishes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_module, "STOP_SECONDS", 0)
    other = await serve_http(intake_app_of(house), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", other.port)
    writer.write(f"POST {GEN} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1".encode())
    await writer.drain()
    await other.stop()
    await reader.read()
    writer.close()


# --- fuzz ---


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from((AM, GEN)), st.binary(max_size=500)), max_size=10))
def test_any_bytes_are_accepted_kept_the_same_and_read(
    tmp_path_factory: pytest.TempPathFactory, posts: list[tuple[str, bytes]]
) -> None:
    async def send() -> None:
        store, _board, worker, metrics = await build(tmp_path_factory.mktemp("h") / "intake.db")
        worker.start()
        app = intake_app(IntakeDeps(SOURCES.get, store, worker, metrics))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
            for path, body in posts:
                answer = await client.post(path, content=body)
                assert answer.status_code == 202
                raw = await store.body(answer.json()["id"])
                assert raw is not None
                assert raw.body == body
        await worker.idle()
        assert store.unparsed_count == 0
        await worker.stop()
        await store.close()

    asyncio.run(send())


# --- other ways in ---


async def test_a_token_may_be_the_password_of_basic_authentication(house: House) -> None:
    named = base64.b64encode(f"anything:{GEN_TOKEN}".encode()).decode()
    for value, status in (
        (f"Basic {named}", 202),
        ("Basic !!!", 401),
        ("Basic " + base64.b64encode(b"nobody:wrong").decode(), 401),
        ("Digest x", 401),
    ):
        answer = await house.post("/in/generic", b'{"title": "x"}', authorization=value)
        assert answer.status_code == status


async def test_put_is_taken_like_post(house: House) -> None:
    assert (await house.client.put(GEN, content=b'{"title": "x"}')).status_code == 202


async def test_what_is_behind_the_question_mark_is_an_alert_where_a_kind_allows_it(
    house: House,
) -> None:
    answer = await house.client.get(f"{GEN}?title=disk+full&key=d&severity=critical")
    assert answer.status_code == 202
    await house.read_all()
    (record,) = house.board.open()
    assert (record.title, record.severity) == ("disk full", "SEV1")
    for request in (house.client.head(f"{GEN}?title=x"), house.client.get(f"{AM}?title=x")):
        assert (await request).status_code == 405
    assert len(house.board) == 1


SECRET = b"shared secret"


def signed(body: bytes, stamp: bytes = b"") -> str:
    return hmac.new(SECRET, stamp + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("kind", "header", "value"),
    [
        ("sentry", "Sentry-Hook-Signature", "{}"),
        ("grafana", "X-Grafana-Alerting-Signature", "{}"),
        ("pagerduty", "X-PagerDuty-Signature", "v1=" + "0" * 64 + ",v1={}"),
        ("generic", "X-Warroom-Signature", "sha256={}"),
        ("azure", "X-Hub-Signature-256", "sha256={}"),
    ],
)
async def test_a_token_with_a_secret_takes_only_what_is_signed_with_it(
    tmp_path: Path, kind: str, header: str, value: str
) -> None:
    store, _board, worker, metrics = await build(tmp_path / "intake.db")
    source = Source("s", kind, secret=SECRET)
    app = intake_app(IntakeDeps({"t": source}.get, store, worker, metrics))
    body = gzip.compress(b'{"title": "x"}')
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://w") as client:
        for signature, status in (
            (value.format(signed(body)), 202),
            (value.format(signed(body).upper()), 202),
            (value.format(signed(body + b" ")), 401),
            ("", 401),
            ("nonsense", 401),
        ):
            headers = {header: signature, "content-encoding": "gzip"}
            answer = await client.post(f"/in/{kind}/t", content=body, headers=headers)
            assert answer.status_code == status
        assert SECRET.decode() not in answer.text + repr(source)
        stamped = {header: value.format(signed(body, b"17:")), "content-encoding": "gzip"}
        stamped["X-Grafana-Alerting-Signature-Timestamp"] = "17"
        answer = await client.post(f"/in/{kind}/t", content=body, headers=stamped)
        assert answer.status_code == 202
        if kind == "generic":
            assert (await client.get(f"/in/{kind}/t?title=x")).status_code == 401
    await store.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-sns-message-id": "m1"},
        {"ce-source": "/shop", "ce-id": "1", "ce-type": "t"},
        {"request-id": "r1", "sentry-hook-resource": "issue"},
    ],
)
async def test_a_delivery_that_is_sent_again_counts_once(
    house: House, headers: dict[str, str]
) -> None:
    for _ in range(3):
        answer = await house.post(GEN, b'{"title": "x", "key": "k"}', **headers)
        assert (answer.status_code, answer.json()["id"]) == (202, 1)
    first = next(iter(headers))
    await house.post(GEN, b'{"title": "x", "key": "k"}', **{**headers, first: "another"})
    await house.read_all()
    assert [r.count for r in house.board.open()] == [2]


def test_deliveries_are_forgotten_in_time_and_told_apart_by_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliveries_module, "MOST", 2)
    deliveries = deliveries_module.Deliveries()
    for number in range(3):
        deliveries.note("s", {"x-amz-sns-message-id": str(number)}, 1000, number)
    found = [deliveries.find("s", {"x-amz-sns-message-id": str(n)}, 2000) for n in range(3)]
    assert found == [None, 1, 2]
    assert deliveries.find("other", {"x-amz-sns-message-id": "2"}, 2000) is None
    assert deliveries.find("s", {"x-amz-sns-message-id": "2"}, 1001 + 10 * 60 * 1000) is None
    assert deliveries.find("s", {"ce-id": "2"}, 2000) is None
