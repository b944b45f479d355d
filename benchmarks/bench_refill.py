"""A server that lost its disk gets 50,000 events back from one console, on two cores."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_console.places import Places
from warroom_incident.event import Packet, read_packet
from warroom_incident.log import Entry, Log
from warroom_incident.schema import LOG_TABLES, connect
from warroom_server.commits import MAX_BATCH
from warroom_server.keys import ServerKey, load_or_create

from .measure import Result
from .rig import Pen, Running, cpu_seconds, now_ms, scratch, warroom_server

EVENTS = 50_000
RUNS = 5
CORES = 2
SECONDS = 3.0
"""How long a refill may take in all."""


@contextmanager
def two_cores() -> Iterator[None]:
    """Run this process, and whatever it starts, on two of the machine's cores."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(every)[:CORES])
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


def desk_on(server: Running, replica: Path) -> Desk:
    """A console's desk on a replica."""
    given = {"WARROOM_SERVER": f"unix://{server.socket}", "WARROOM_REPLICA": str(replica)}
    return Desk(Places.find(environ=given), connect=False)


def logged(data: Path, key: ServerKey, stream: str, packets: Sequence[Packet]) -> None:
    """A server's log with all of an incident in it."""
    data.mkdir()
    log = Log.create_or_open(data / "warroom.db", new_id=secrets.token_hex(8), sign=key.sign)
    entries = [Entry(read_packet(packet), packet) for packet in packets]
    for start in range(0, len(entries), MAX_BATCH):
        log.append(entries[start : start + MAX_BATCH], now_ms())
    log.close()


async def _prepare(home: Path) -> str:
    """A console's replica that read all of an incident from a server; its stream."""
    key = load_or_create(home / "config" / "room.key", secrets.token_bytes)
    pen = Pen("root")
    logged(home / "data", key, pen.stream, pen.history(EVENTS))
    with warroom_server(home=home) as server:
        async with desk_on(server, home / "replica") as desk:
            desk.connect()
            await desk.open(pen.stream)
            assert await desk.complete(pen.stream)
            await desk.until(lambda: bool(desk.model.incident(pen.stream).heads(("number",))), 10)
    return pen.stream


def held(log: sqlite3.Connection, stream: str) -> int:
    """How many events of a stream are durable in a log."""
    row = log.execute(
        "SELECT max(e.iseq) FROM streams s JOIN events e ON e.stream = s.id WHERE s.name = ?",
        (stream,),
    ).fetchone()
    return int(row[0] or 0)


def settle(directory: Path) -> None:
    """Wait until all files are on the disk: else whoever writes next waits for them."""
    for path in directory.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


async def refill(home: Path, stream: str) -> tuple[float, float, float]:
    """Seconds until an emptied server has everything again, of opening before, and of its CPU."""
    shutil.rmtree(home / "data")
    with scratch() as place, warroom_server(home=home) as server:
        shutil.copytree(home / "replica", place / "replica")
        settle(place / "replica")
        log = sqlite3.connect(f"{(home / 'data' / 'warroom.db').as_uri()}?mode=ro", uri=True)
        used = cpu_seconds(server.pid)
        begun = time.perf_counter()
        async with desk_on(server, place / "replica") as desk:
            await desk.open(stream)
            opened = time.perf_counter() - begun
            whole = len(desk.model.incident(stream).events)
            assert whole > EVENTS
            begun = time.perf_counter()
            desk.connect()
            await wait_for(lambda: held(log, stream) >= whole, "all events in the log", 60)
            seconds = time.perf_counter() - begun
            log.close()
            assert await desk.complete(stream)
            return seconds, opened, cpu_seconds(server.pid) - used


def rows_of(log: Path) -> list[tuple[object, ...]]:
    """The rows of the longest stream of a log."""
    with closing(sqlite3.connect(log)) as connection:
        return connection.execute(
            "SELECT 1, iseq, id, rep, n, type, head, body, admitted, chain FROM events"
            " WHERE stream = (SELECT stream FROM events ORDER BY iseq DESC LIMIT 1) ORDER BY iseq"
        ).fetchall()


def inserted(rows: Sequence[tuple[object, ...]]) -> float:
    """Seconds to insert the same rows into the same tables in the server's batches, and no more."""
    with scratch() as place, closing(connect(place / "log.db", synchronous="FULL")) as connection:
        connection.executescript(LOG_TABLES)
        connection.execute("INSERT INTO streams VALUES (1, 'i-aaaaaaaaaaaaaaaa')")
        begun = time.perf_counter()
        for start in range(0, len(rows), MAX_BATCH):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?)", rows[start : start + MAX_BATCH]
            )
            connection.execute("COMMIT")
        return time.perf_counter() - begun


async def measure() -> list[Result]:
    """Refill and insert by turns and return the medians."""
    with scratch() as home, two_cores():
        stream = await _prepare(home)
        rows = rows_of(home / "data" / "warroom.db")
        refills, floors = [], []
        for _ in range(RUNS):
            floors.append(inserted(rows))
            refills.append(await refill(home, stream))
    seconds, opening, used = (median(column) for column in zip(*refills, strict=True))
    floor = median(floors)
    return [
        Result("refill of 50,000 events (floor: a bare batched insert)", seconds, "s", floor, 4.0),
        Result("the same in all, on two cores (budget in s)", seconds, "s", None, SECONDS),
        Result("its server's CPU", used, "s"),
        Result("opening a replica of 50,000 events before", opening, "s"),
    ]


def main() -> list[Result]:
    """Run the benchmark."""
    return asyncio.run(measure())
