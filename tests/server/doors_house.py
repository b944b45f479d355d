"""An intake of the tests with the doors of other vendors, and their clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from warroom_incident.alerts import AlertRecord
from warroom_server.board import Board
from warroom_server.intake.app import IntakeDeps, intake_app
from warroom_server.intake.serve import serve_http
from warroom_server.intake.source import Source
from warroom_server.intake.store import IntakeStore
from warroom_server.intake.worker import IntakeWorker
from warroom_server.metrics import Metrics

PD, OG, VO = "a" * 32, "11111111-2222-3333-4444-555555555555", "vo-key"
SOURCES = {
    PD: Source("pd", "pagerduty"),
    OG: Source("og", "opsgenie"),
    VO: Source("vo", "victorops"),
    "gen": Source("gen", "generic"),
}
VO_DOOR = f"/integrations/generic/20131114/alert/{VO}"


class House:
    """An intake behind its real listener, with one client."""

    def __init__(
        self, store: IntakeStore, board: Board, worker: IntakeWorker, client: httpx.AsyncClient
    ) -> None:
        self.store, self.board, self.worker, self.client = store, board, worker, client
        self.busy = False

    async def pagerduty(self, action: str = "trigger", **fields: object) -> httpx.Response:
        """Send an event as PagerDuty's clients do."""
        event = {"routing_key": PD, "event_action": action, **fields}
        answer = await self.client.post("/v2/enqueue", json=event)
        await self.worker.idle()
        return answer

    async def opsgenie(
        self, method: str, path: str, body: object = None, key: str = OG
    ) -> httpx.Response:
        """Make a request as Opsgenie's clients do."""
        headers = {"authorization": f"GenieKey {key}"}
        answer = await self.client.request(method, path, json=body, headers=headers)
        await self.worker.idle()
        return answer

    async def victorops(self, **fields: object) -> httpx.Response:
        """Send a message as VictorOps' clients do."""
        answer = await self.client.post(f"{VO_DOOR}/sre", json=fields)
        await self.worker.idle()
        return answer

    def only(self) -> AlertRecord:
        """The only alert on the board."""
        (record,) = self.board.ordered()
        return record


@asynccontextmanager
async def doors(path: Path) -> AsyncIterator[House]:
    """A house whose listener runs."""
    store = await IntakeStore.open(path)
    metrics = Metrics("0")
    board = Board(await store.load_board(), on_outcome=metrics.count_signal)
    worker = IntakeWorker(store, board, metrics)
    async with httpx.AsyncClient(trust_env=False) as client:
        house = House(store, board, worker, client)
        deps = IntakeDeps(
            authenticate=SOURCES.get,
            store=store,
            worker=worker,
            metrics=metrics,
            busy=lambda: house.busy,
            newest=board.newest,
            shown=board.ordered,
        )
        worker.start()
        http = await serve_http(intake_app(deps), "127.0.0.1", 0)
        client.base_url = httpx.URL(f"http://{http.address}")
        yield house
        await http.stop()
        await worker.stop()
        await store.close()
