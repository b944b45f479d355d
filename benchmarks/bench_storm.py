"""A storm of alerts: how a console answers keys meanwhile, and how far an acknowledgement goes."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles

from websockets.asyncio.client import unix_connect

from warroom_incident import vocabulary as v
from warroom_incident.author import new_rep
from warroom_incident.event import BOARD
from warroom_incident.sync.client_end import ClientEnd
from warroom_incident.sync.wire import MAX_FRAME, BoardCursor, Hello, Records

from .bench_consoles import environment, join
from .measure import Result
from .rig import Console, Crowd, Pen, Running, console, scratch, warroom_server
from .terminals import Terminal

STORM = 10_000
STORMS = 3
"""A storm is over within seconds and sees few keys, so several are raised, each on a new server."""
BODY = 100
ON_BOARD = 15_000
CLIENTS = 200
CONSOLES = 50
ACKS = 5
WATCHED = "host-1499"
BETWEEN_KEYS = 0.02
"""For how long nobody types after a letter has come, in seconds."""
LETTERS = "ДЖЗИЛПФЦЧШЩЫЭЮЯ"
"""What is typed: letters that nothing else on the screen contains."""


def token(server: Running, home: Path) -> str:
    """A token for an Alertmanager."""
    made = subprocess.run(
        [sys.executable, "-m", "warroom_console", "token", "create", "am", "--kind",
         "alertmanager"],
        env=environment(server, home, "admin"), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return made.stdout.strip()


def body(first: int) -> bytes:
    """A notification with distinct alerts of ten services."""
    alerts = [
        {
            "status": "firing",
            "labels": {
                "alertname": f"Rule{number % 7}",
                "severity": ("critical", "error", "warning")[number % 3],
                "service": f"service-{number % 10}",
                "instance": f"host-{number}",
            },
            "annotations": {"summary": f"host-{number} does not answer in time"},
            "startsAt": "2026-01-01T00:00:00Z",
            "fingerprint": f"{number:016x}",
        }
        for number in range(first, first + BODY)
    ]
    told = {"version": "4", "status": "firing", "groupKey": "{}", "alerts": alerts}
    return json.dumps(told).encode()


def post(url: str, first: int, count: int) -> None:
    """Send so many distinct alerts."""
    for number in range(first, first + count, BODY):
        request = urllib.request.Request(url, body(number))
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()


async def typing(one: Terminal, until: asyncio.Future[None] | None) -> list[float]:
    """Milliseconds from each key to its letter on the screen, until something is done."""
    found: list[float] = []
    one.type("n")
    await asyncio.sleep(0.3)
    while len(found) < 20 or (until is not None and not until.done()):
        letter = LETTERS[len(found) % len(LETTERS)]
        one.forget()
        began = time.perf_counter()
        one.type(letter)
        await one.shows(letter)
        found.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(BETWEEN_KEYS)
    one.type("\x15\x1b")
    await asyncio.sleep(0.5)
    return found


async def storm(server: Running, home: Path, url: str) -> tuple[list[float], list[float]]:
    """Typing latencies in a console that shows the alerts: at rest, and while a storm comes in."""
    one = Terminal([sys.executable, *join("INC-1")], environment(server, home, "typist"), (120, 40))
    await one.shows("Runbook")
    await asyncio.sleep(2)
    one.type("1")
    calm = await typing(one, None)
    # What measures keys does nothing else, so the alerts come from a process of their own.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as sender:
        await asyncio.wrap_future(sender.submit(post, url, 0, BODY))
        rest = sender.submit(post, url, BODY, STORM - BODY)
        wild = await typing(one, asyncio.wrap_future(rest))
    await one.end()
    return calm, wild


async def acknowledge(author: Console, pen: Pen, uid: str) -> float:
    """Take an alert on; returns when the event left."""
    _, packet = pen.author.write(BOARD, pen.you, v.AlertAcknowledged(uid=uid), ())
    left = time.perf_counter()
    await author.send(*author.end.push([packet]))
    await author.acked(1)
    return left


async def clients(server: Running, pen: Pen, uids: Sequence[str]) -> float:
    """Milliseconds until two hundred clients have an acknowledgement, the median of a few."""
    crowd = Crowd(server, CLIENTS, b'"type":"alert.acknowledged"')
    await crowd.join(BOARD)
    found = []
    async with console(server) as author:
        for uid in uids:
            crowd.expect(CLIENTS)
            left = await acknowledge(author, pen, uid)
            await crowd.reached()
            found.append((time.perf_counter() - left) * 1000)
    await crowd.leave()
    return median(found)


async def screens(server: Running, home: Path, pen: Pen, uids: Sequence[str]) -> float:
    """Milliseconds until fifty real consoles show an acknowledgement, the median of a few.

    All of them list the alerts of the hosts `WATCHED`, so that it is in sight.
    """
    running = [
        Terminal([sys.executable, *join("INC-1")], environment(server, home, f"watcher{number}"))
        for number in range(CONSOLES)
    ]
    for one in running:
        await one.shows("Runbook", 120)
    await asyncio.sleep(5)
    for one in running:
        one.type("1s/")
        await asyncio.sleep(0.2)
        one.type(WATCHED + "\r")
    await asyncio.gather(*(one.shows(f"{WATCHED}0 ", 120) for one in running))
    await asyncio.sleep(5)
    found = []
    async with console(server) as author:
        for uid in uids:
            for one in running:
                one.forget()
            left = await acknowledge(author, pen, uid)
            await asyncio.gather(*(one.shows("ACKED") for one in running))
            found.append((time.perf_counter() - left) * 1000)
            await asyncio.sleep(2)
    await asyncio.gather(*(one.end() for one in running))
    return median(found)


async def uids_of(server: Running) -> dict[str, str]:
    """The alerts of the board, by their titles."""
    end = ClientEnd(Hello(1, "bench", new_rep(secrets.token_bytes)), [], BoardCursor("", 0))
    found: dict[str, str] = {}
    async with unix_connect(str(server.socket), max_size=MAX_FRAME, compression=None) as ws:
        here = Console(ws, end)
        await here.send(end.hello(()))
        while len(found) < ON_BOARD:
            message = await here.receive()
            if isinstance(message, Records):
                found |= {record.title: record.uid for record in message.records}
    return found


@asynccontextmanager
async def house() -> AsyncIterator[tuple[Running, Path, Pen, str]]:
    """A server with an incident: its home, who declared it, and where alerts are posted."""
    with scratch() as home, warroom_server() as server:
        async with console(server) as author:
            assert author.end.welcome is not None
            pen = Pen(author.end.welcome.you)
            await author.push(pen.declaration())
        secret = await asyncio.to_thread(token, server, home)
        yield server, home, pen, f"http://{server.http}/in/alertmanager/{secret}"


async def measure() -> list[Result]:
    """Raise storms and look at them."""
    calm: list[float] = []
    wild: list[float] = []
    for _ in range(STORMS):
        async with house() as (server, home, _, url):
            rested, stormed = await storm(server, home, url)
            calm += rested
            wild += stormed
    async with house() as (server, home, pen, url):
        await asyncio.to_thread(post, url, 0, ON_BOARD)
        uids = await uids_of(server)
        watched = [uid for title, uid in uids.items() if title.startswith(WATCHED)]
        others = [uid for uid in uids.values() if uid not in watched]
        reached = await clients(server, pen, others[:ACKS])
        shown = await screens(server, home, pen, watched[:ACKS])
    calm99, wild99 = (quantiles(times, n=100, method="inclusive")[98] for times in (calm, wild))
    return [
        Result("typing while 10,000 alerts come in, p99", wild99, "ms", budget=50),
        Result("typing while 10,000 alerts come in, median", median(wild), "ms", median(calm)),
        Result("typing at rest, p99", calm99, "ms"),
        Result("one of 15,000 alerts taken on, until 200 clients know", reached, "ms", None, 200),
        Result("the same, until 50 real consoles show it", shown, "ms"),
    ]


def main() -> list[Result]:
    """Run the benchmark."""
    return asyncio.run(measure())
