"""Other ways in by HTTP: passwords, PUT, addresses, signatures, deliveries."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.server.intake_house import AM, GEN, GEN_TOKEN, House, build, intake
from warroom_server.intake import deliveries as deliveries_module
from warroom_server.intake.app import IntakeDeps, intake_app
from warroom_server.intake.source import Source


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with intake(tmp_path / "intake.db") as house:
        yield house


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


async def test_no_header_that_carries_a_credential_is_kept(house: House) -> None:
    told = {"x-gitlab-event": "Pipeline Hook", "x-github-event": "push", "ce-type": "a.b"}
    secret = {
        "x-gitlab-token": "hunter2",
        "x-github-authorization": "hunter2",
        "sentry-hook-signature": "hunter2",
        "ce-apikey": "hunter2",
        "cookie": "hunter2",
        "authorization": f"Bearer {GEN_TOKEN}",
    }
    answer = await house.post("/in/generic", b'{"title": "x"}', **told, **secret)
    assert answer.status_code == 202
    raw = await house.store.body(answer.json()["id"])
    assert raw is not None
    assert told.items() <= raw.headers.items()
    assert "hunter2" not in str(raw.headers)
    assert GEN_TOKEN not in str(raw.headers)
