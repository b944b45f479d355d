"""Debian's own Alertmanager posts to a running server, and two consoles see it."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.e2e.houses import desk_at, make_token
from tests.server.running import server_process
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.linking import copy_of
from warroom_incident.vocabulary import AlertLinked

PROGRAM = shutil.which("prometheus-alertmanager")

CONFIG = """
route:
  receiver: warroom
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: warroom
"""

RECEIVERS = {
    "alertmanager": """
    webhook_configs:
      - url: http://{http}/in/alertmanager/{token}
        send_resolved: true
""",
    "pagerduty": """
    pagerduty_configs:
      - routing_key: {token}
        url: http://{http}/v2/enqueue
        severity: '{{{{ .CommonLabels.severity }}}}'
""",
    "opsgenie": """
    opsgenie_configs:
      - api_key: {token}
        api_url: http://{http}/
        update_alerts: true
        priority: P1
""",
    "victorops": """
    victorops_configs:
      - api_key: {token}
        api_url: http://{http}/integrations/generic/20131114/alert/
        routing_key: sre
""",
}
"""The one setting that differs between the doors, as docs/alerts.md gives it."""


@pytest.fixture
def alertmanager_program() -> str:
    """The real program; a machine without it fails, it does not pass the test over."""
    assert PROGRAM, "install prometheus-alertmanager: this test drives the real one"
    return PROGRAM


@asynccontextmanager
async def alertmanager(
    program: str, root: Path, http: str, token: str, door: str = "alertmanager"
) -> AsyncIterator[str]:
    """A real Alertmanager that posts to the server; yields its own API's address."""
    config = root / "alertmanager.yml"
    config.write_text(CONFIG + RECEIVERS[door].strip("\n").format(http=http, token=token))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={config}",
        f"--storage.path={root / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _answers(f"http://{address}/-/ready")
        yield f"http://{address}/api/v2/alerts"
    finally:
        process.terminate()
        await process.wait()


async def _answers(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        ready = asyncio.Event()

        async def knock() -> None:
            while not ready.is_set():
                try:
                    if (await client.get(url)).status_code == 200:
                        ready.set()
                except httpx.TransportError:
                    await asyncio.sleep(0)

        async with asyncio.timeout(30):
            await knock()


def board_states(desk: Desk) -> list[str]:
    """The states of the alerts on a console's board."""
    return [record.state for record in desk.model.records.values()]


def has_ended(desk: Desk, stream: str) -> bool:
    """Whether a console sees the alert's end, on the board and in the incident's own record."""
    linked = [link.alert.state for link in desk.model.incident(stream).links()]
    return board_states(desk) == linked == ["resolved"]


def alert(name: str, *, over: bool = False) -> dict[str, object]:
    """An alert as Prometheus posts it."""
    now = datetime.now(UTC)
    return {
        "labels": {"alertname": name, "service": "checkout", "severity": "critical"},
        "annotations": {"summary": f"{name} \x1b]0;owned\x07 x[prod] y[/b]"},
        "startsAt": (now - timedelta(minutes=2)).isoformat(),
        "endsAt": (now if over else now + timedelta(hours=1)).isoformat(),
    }


async def test_a_real_alertmanagers_alerts_reach_two_consoles_fire_and_end(
    home: Path, alertmanager_program: str
) -> None:
    async with (
        server_process(home) as server,
        desk_at(server, home, "ana") as ana,
        desk_at(server, home, "bo") as bo,
    ):
        await ana.ready()
        await bo.ready()
        token = await make_token(ana, "alertmanager")
        async with (
            alertmanager(alertmanager_program, home, server.ready.http, token) as api,
            httpx.AsyncClient(trust_env=False) as prometheus,
        ):
            (await prometheus.post(api, json=[alert("CheckoutErrors")])).raise_for_status()
            for desk in (ana, bo):
                await wait_for(partial(board_states, desk), "the alert on the board")
            (record,) = bo.model.records.values()
            assert (record.state, record.severity, record.service) == (
                "firing",
                "SEV1",
                "checkout",
            )
            assert record.kind == "alertmanager"

            stream = ana.declare("checkout answers 5xx", "SEV2")
            ana.write(stream, AlertLinked(uid=record.uid, alert=copy_of(record)))
            await bo.open(stream)
            await wait_for(lambda: bo.model.incident(stream).links(), "the link")

            ended = alert("CheckoutErrors", over=True)
            (await prometheus.post(api, json=[ended])).raise_for_status()
            for desk in (ana, bo):
                await wait_for(partial(has_ended, desk, stream), "the end on board and record")
    assert token.encode() not in server.output


async def test_an_alertmanager_that_finds_no_server_delivers_when_it_is_back(
    home: Path, alertmanager_program: str
) -> None:
    port = 0
    async with server_process(home) as server, desk_at(server, home, "ana") as ana:
        await ana.ready()
        token = await make_token(ana, "alertmanager")
        port = int(server.ready.http.rpartition(":")[2])
        async with (
            alertmanager(alertmanager_program, home, server.ready.http, token) as api,
            httpx.AsyncClient(trust_env=False) as prometheus,
        ):
            await server.kill()
            (await prometheus.post(api, json=[alert("DiskFull")])).raise_for_status()
            server.arguments = ("--http", f"127.0.0.1:{port}")
            await server.start()
            await wait_for(lambda: ana.model.records, "the alert after the restart", within=40)


@pytest.mark.parametrize("door", ["pagerduty", "opsgenie", "victorops"])
async def test_a_real_alertmanager_fires_and_ends_through_another_vendors_door(
    home: Path, alertmanager_program: str, door: str
) -> None:
    async with server_process(home) as server, desk_at(server, home, "ana") as ana:
        await ana.ready()
        token = await make_token(ana, door)
        async with (
            alertmanager(alertmanager_program, home, server.ready.http, token, door) as api,
            httpx.AsyncClient(trust_env=False) as prometheus,
        ):
            (await prometheus.post(api, json=[alert("CheckoutErrors")])).raise_for_status()
            await wait_for(partial(board_states, ana), "the alert on the board")
            (record,) = ana.model.records.values()
            assert (record.kind, record.state, record.severity) == (door, "firing", "SEV1")
            assert "CheckoutErrors" in record.title

            # A second alert of the group is news about the same notification, not another alert.
            second = alert("CheckoutErrors")
            second["labels"] = {"alertname": "CheckoutErrors", "severity": "critical", "n": "2"}
            (await prometheus.post(api, json=[second])).raise_for_status()
            await wait_for(
                lambda: "FIRING:2" in next(iter(ana.model.records.values())).title,
                "the group of two",
            )
            assert board_states(ana) == ["firing"]

            ended = [alert("CheckoutErrors", over=True), {**second, "endsAt": second["startsAt"]}]
            (await prometheus.post(api, json=ended)).raise_for_status()
            await wait_for(lambda: board_states(ana) == ["resolved"], "the end on the board")
    assert token.encode() not in server.output
