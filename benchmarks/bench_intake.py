"""Taking alerts in: single alerts, and a storm in bodies of a hundred, against a bare endpoint.

Both servers answer only what is on their disk. Ours also reads every alert onto its board while it
takes the next ones in.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from functools import partial

from warroom_incident import vocabulary as v
from warroom_incident.event import ROOM
from warroom_incident.room import hash_token

from .measure import Result, alternate
from .rig import Pen, console, floor_server, scratch, warroom_server

LINES = 16
SINGLE = 3_000
STORM_ALERTS, IN_ONE = 10_000, 100
RUNS = 5


def notification(first: int, count: int) -> bytes:
    """What Alertmanager posts of `count` alerts that nobody has seen yet."""
    return json.dumps(
        {
            "receiver": "warroom",
            "status": "firing",
            "alerts": [_alert(number) for number in range(first, first + count)],
            "groupLabels": {"alertname": "CheckoutErrors"},
            "commonLabels": {"alertname": "CheckoutErrors"},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example.com",
            "version": "4",
            "groupKey": '{}:{alertname="CheckoutErrors"}',
            "truncatedAlerts": 0,
        }
    ).encode()


def _alert(number: int) -> dict[str, object]:
    return {
        "status": "firing",
        "labels": {
            "alertname": "CheckoutErrors",
            "cluster": "eu-west-1",
            "instance": f"10.0.{number // 250}.{number % 250}:9100",
            "service": f"service-{number % 40}",
            "severity": "critical",
        },
        "annotations": {"summary": f"service-{number % 40} answers 5xx"},
        "startsAt": "2026-11-21T10:00:00.000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
        "fingerprint": f"{number:016x}",
    }


async def post_all(address: str, path: str, bodies: Sequence[bytes]) -> float:
    """Post bodies over a few lines that stay open; returns bodies accepted a second."""
    host, _, port = address.rpartition(":")
    waiting = list(reversed(bodies))

    async def line() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while waiting:
            body = waiting.pop()
            head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 202"), answer
            length = answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(line() for _ in range(LINES)))
    return len(bodies) / (time.perf_counter() - begun)


def ours(bodies: Sequence[bytes]) -> float:
    """Bodies a second that a fresh server of ours accepts."""

    async def run() -> float:
        with warroom_server() as server:
            token = secrets.token_hex(32)
            async with console(server) as author:
                assert author.end.welcome is not None
                pen = Pen(author.end.welcome.you)
                pen.stream = ROOM
                made = v.TokenCreated(name="bench", hash=hash_token(token), kind="alertmanager")
                await author.push([pen.write(made)])
            return await post_all(server.http, f"/in/alertmanager/{token}", bodies)

    return asyncio.run(run())


def floor(bodies: Sequence[bytes]) -> float:
    """Bodies a second that a bare endpoint accepts, which only inserts them."""
    with scratch() as home, floor_server("insert", str(home / "floor.db")) as server:
        return asyncio.run(post_all(server.http, "/in", bodies))


def main() -> list[Result]:
    """Run the benchmark."""
    single = [notification(number, 1) for number in range(SINGLE)]
    storm = [notification(first, IN_ONE) for first in range(0, STORM_ALERTS, IN_ONE)]
    results = []
    for name, bodies, budget in (
        ("accept single alerts (floor: starlette inserting the body)", single, 0.7),
        ("accept a storm of 10,000 alerts in bodies of 100 (same floor)", storm, 0.5),
    ):
        value, bare = alternate(partial(ours, bodies), partial(floor, bodies), RUNS)
        results.append(Result(name, value, "bodies/s", bare, budget, more=True))
    return results
