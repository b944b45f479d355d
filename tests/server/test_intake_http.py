"""The HTTP door over real loopback sockets: what is taken in, what is refused and how."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings, strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from tests.server.bodies import PAYLOADS, payload
from tests.server.intake_house import AM, GEN, GEN_TOKEN, SOURCES, House, build, intake
from tests.waiting import wait_for
from warroom_server.intake import (
    request as request_module,
    serve as serve_module,
)
from warroom_server.intake.app import IntakeDeps, intake_app
from warroom_server.intake.serve import CannotListen, serve_http
from warroom_server.intake.source import Source

# --- taking in ---


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with intake(tmp_path / "intake.db") as house:
        yield house


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


# --- slow and broken connections ---


async def test_a_body_that_trickles_in_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_module, "READ_SECONDS", 0.05)
    head = f"POST {GEN} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nConnection: close\r\n\r\n"
    answer = await house.raw(head.encode() + b"123")
    assert b" 503 " in answer.split(b"\r\n")[0], "after 408 Alertmanager gives up"
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


async def test_however_many_ask_the_server_looks_once_at_a_time_whether_it_can_write(
    tmp_path: Path,
) -> None:
    store, _board, worker, metrics = await build(tmp_path / "intake.db")
    looks, looked, came = list[int](), asyncio.Event(), list[int]()

    async def look() -> str | None:
        looks.append(1)
        await looked.wait()
        return None

    app = intake_app(IntakeDeps(SOURCES.get, store, worker, metrics, ready=look))

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        came.append(1)
        await app(scope, receive, send)

    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
        asked = [asyncio.ensure_future(client.get("/readyz")) for _ in range(20)]
        await wait_for(lambda: len(came) == 20, "all of them")
        asked[0].cancel()
        looked.set()
        answers = await asyncio.gather(*asked[1:])
        assert {answer.text for answer in answers} == {"ready\n"}
        assert len(looks) == 1
        assert (await client.get("/readyz")).status_code == 200
        assert len(looks) == 2
    await store.close()


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
