"""Bare servers to measure against: the same bytes with nothing of ours around them.

`python -m benchmarks.floors NAME SOCKET [...]`; each prints `ready` when it takes connections.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import create_server

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from websockets.asyncio.server import ServerConnection, unix_serve

from warroom_incident.schema import LOG_TABLES, connect
from warroom_incident.seal import ZERO


async def sends(socket: str) -> None:
    """Passes each message of the one that said `go` to all others, one send after the other."""
    others: set[ServerConnection] = set()

    async def handle(ws: ServerConnection) -> None:
        if await ws.recv() == "go":
            async for message in ws:
                for other in others:
                    await other.send(message)
                await ws.send("ok")
        else:
            others.add(ws)
            await ws.wait_closed()

    async with unix_serve(handle, socket, compression=None):
        await _ready()


async def echo(socket: str, database: str) -> None:
    """Inserts each message into the log's own tables in batches, then echoes it."""
    db = connect(Path(database), synchronous="FULL")
    db.executescript(LOG_TABLES)
    db.execute("INSERT INTO streams VALUES (1, 'i-aaaaaaaaaaaaaaaa')")
    writer = ThreadPoolExecutor(1)
    waiting: list[tuple[bytes, asyncio.Future[None]]] = []
    count = 0
    committing = False
    tasks: set[asyncio.Task[None]] = set()

    async def commit() -> None:
        nonlocal committing, count
        committing = True
        while waiting:
            batch = waiting[:500]
            del waiting[:500]
            rows: list[tuple[object, ...]] = []
            for message, _ in batch:
                count += 1
                head, body = message[: len(message) * 3 // 4], message[len(message) * 3 // 4 :]
                place = (1, count, count.to_bytes(32, "big"), "rep", count, "note.added")
                rows.append((*place, head.decode(), body.decode(), count, ZERO))
            await asyncio.get_running_loop().run_in_executor(writer, _insert, db, rows)
            for _, done in batch:
                done.set_result(None)
        committing = False

    async def handle(ws: ServerConnection) -> None:
        while True:
            message = await ws.recv(decode=False)
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting.append((message, done))
            if not committing:
                tasks.add(asyncio.create_task(commit()))
            await done
            await ws.send(message, text=True)

    async with unix_serve(handle, socket, compression=None):
        await _ready()


def _insert(db: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
    db.execute("COMMIT")


async def insert(database: str) -> None:
    """Inserts the body of every post into a table, durably, and answers it."""
    db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, received INTEGER, body BLOB)")
    writer = ThreadPoolExecutor(1)

    async def take(request: Request) -> Response:
        body = await request.body()
        await asyncio.get_running_loop().run_in_executor(writer, _keep, db, body)
        return JSONResponse({"status": "accepted"}, 202)

    app = Starlette(routes=[Route("/in", take, methods=["POST"])])
    listener = create_server(("127.0.0.1", 0), backlog=512)
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", lifespan="off")
    serving = asyncio.create_task(uvicorn.Server(config).serve(sockets=[listener]))
    sys.stdout.write(f"ready http=127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await serving


def _keep(db: sqlite3.Connection, body: bytes) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO raw(received, body) VALUES (?, ?)", (time.time_ns(), body))
    db.execute("COMMIT")


async def idle(socket: str) -> None:
    """Holds connections and does nothing."""

    async def handle(ws: ServerConnection) -> None:
        await ws.wait_closed()

    async with unix_serve(handle, socket, compression=None):
        await _ready()


async def _ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Future()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sends", where]:
            asyncio.run(sends(where))
        case ["echo", where, rows_file]:
            asyncio.run(echo(where, rows_file))
        case ["insert", _, rows_file]:
            asyncio.run(insert(rows_file))
        case ["idle", where]:
            asyncio.run(idle(where))
