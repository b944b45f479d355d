"""An intake of the tests, with its listener and one client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from warroom_server.board import Board
from warroom_server.intake.app import IntakeDeps, intake_app
from warroom_server.intake.serve import HttpServer, serve_http
from warroom_server.intake.source import Source
from warroom_server.intake.store import IntakeStore
from warroom_server.intake.worker import IntakeWorker
from warroom_server.metrics import Metrics

AM_TOKEN, GEN_TOKEN = "am-secret-7f3a9c", "gen-secret-51b2e8"
SOURCES = {AM_TOKEN: Source("am", "alertmanager"), GEN_TOKEN: Source("gen", "generic")}
AM, GEN = f"/in/alertmanager/{AM_TOKEN}", f"/in/generic/{GEN_TOKEN}"


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
        """Post a body."""
        return await self.client.post(path, content=body, headers=headers)

    async def raw(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own and return all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.http.port)
        writer.write(data)
        answer = await reader.read()
        writer.close()
        return answer

    async def read_all(self) -> None:
        """Wait until every kept body was read."""
        await self.worker.idle()


async def build(path: Path) -> tuple[IntakeStore, Board, IntakeWorker, Metrics]:
    """The parts of an intake, with its database at a path."""
    store = await IntakeStore.open(path)
    metrics = Metrics("0.1.0")
    board = Board(await store.load_board(), on_outcome=metrics.count_signal)
    metrics.watch_board(board.open)
    return store, board, IntakeWorker(store, board, metrics), metrics


@asynccontextmanager
async def intake(path: Path) -> AsyncIterator[House]:
    """A house whose listener runs."""
    store, board, worker, metrics = await build(path)
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
