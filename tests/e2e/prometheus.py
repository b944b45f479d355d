"""A real Prometheus and a real Alertmanager, and the faults that they find."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

STARTS_WITHIN = 30.0

PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["{alertmanager}"]}}]
scrape_configs:
  - job_name: faults
    static_configs: [{{targets: ["{faults}"]}}]
"""

RULES = """
groups:
  - name: faults
    rules:
      - alert: Watchdog
        expr: vector(1)
        labels: {severity: none}
      - alert: Broken
        expr: fault{kind="broken"} == 1
        annotations: {summary: "{{ $labels.service }} is broken"}
      - alert: Many
        expr: fault{kind="many"} == 1
        annotations: {summary: "{{ $labels.service }} is one of many"}
      - alert: Site
        expr: fault{kind="site"} == 1
"""

ALERTMANAGER = """
route:
  receiver: warroom
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 2s
  routes:
    - matchers: ['alertname="Many"']
      receiver: short
      repeat_interval: 1h
inhibit_rules:
  - source_matchers: ['alertname="Site"']
    target_matchers: ['alertname="Broken"']
    equal: [zone]
receivers:
  - name: warroom
    webhook_configs: [{{url: "{hook}", send_resolved: true}}]
  - name: short
    webhook_configs: [{{url: "{hook}", send_resolved: true, max_alerts: 2}}]
"""


def free_address() -> str:
    """An address of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Faults:
    """What is broken now, as metrics that Prometheus scrapes."""

    def __init__(self) -> None:
        self._broken: set[tuple[str, ...]] = set()
        self.address = ""

    def breaks(self, kind: str, *services: str, zone: str = "a", severity: str = "page") -> None:
        """Something breaks."""
        self._broken |= {(kind, service, zone, severity) for service in services}

    def mended(self, *services: str) -> None:
        """Services are whole again."""
        self._broken = {fault for fault in self._broken if fault[1] not in services}

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Let Prometheus scrape."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        self.address = f"{host}:{port}"
        async with server:
            yield

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            body = "".join(
                f'fault{{kind="{k}",service="{s}",zone="{z}",severity="{v}"}} 1\n'
                for k, s, z, v in sorted(self._broken)
            ).encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}"
            writer.write(head.encode() + b"\r\nconnection: close\r\n\r\n" + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def alertmanager(root: Path, address: str, hook: str) -> AsyncIterator[None]:
    """A real Alertmanager that posts to a webhook."""
    config = root / "alertmanager.yml"
    config.write_text(ALERTMANAGER.format(hook=hook))
    arguments = (
        f"--config.file={config}",
        f"--storage.path={root / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    async with _program("prometheus-alertmanager", address, *arguments):
        yield


@asynccontextmanager
async def prometheus(root: Path, faults: Faults, alertmanager: str) -> AsyncIterator[None]:
    """A real Prometheus that scrapes faults and tells the Alertmanager."""
    rules, config, address = root / "rules.yml", root / "prometheus.yml", free_address()
    rules.write_text(RULES)
    config.write_text(
        PROMETHEUS.format(rules=rules, alertmanager=alertmanager, faults=faults.address)
    )
    arguments = (
        f"--config.file={config}",
        f"--storage.tsdb.path={root / 'prometheus'}",
        f"--web.listen-address={address}",
        "--rules.alert.resend-delay=1s",
    )
    async with _program("prometheus", address, *arguments):
        yield


@asynccontextmanager
async def _program(name: str, address: str, *arguments: str) -> AsyncIterator[None]:
    """A program that answers under an address; a machine without it fails."""
    path = shutil.which(name)
    assert path, f"install {name}: this test drives the real one"
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(path, *arguments, stdout=quiet, stderr=quiet)
    try:
        await _ready(f"http://{address}/-/ready", process)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(STARTS_WITHIN), httpx.AsyncClient(trust_env=False) as client:
        while True:
            assert process.returncode is None, f"it ended with {process.returncode}"
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
