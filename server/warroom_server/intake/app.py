"""The HTTP door: alerts in, health, readiness and metrics out.

A body is checked for its token and its size, stored, and answered with 202; reading it comes
after. 5xx means "try again", which is what Alertmanager and others do; content is never a reason
to refuse. Paths carry tokens, so nothing here logs or repeats a path.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ..metrics import Metrics
from .kinds import KINDS, Kind
from .request import Budget, Refused, kept_headers, read_body
from .source import Source
from .store import IntakeStore, IntakeUnavailable
from .worker import IntakeWorker

MAX_UNREAD = 10_000
MAX_UNREAD_BYTES = 256 << 20
"""Above this many stored bodies, or bytes of them, that wait to be read, senders must wait."""

MAX_HELD_BYTES = 64 << 20
"""How much all requests in flight may hold in memory."""

_log = logging.getLogger(__name__)

Authenticate = Callable[[str], Source | Awaitable[Source | None] | None]
"""A token to its source, in constant time; None for a token nobody gave out."""


async def _always_ready() -> str | None:
    return None


def _never_busy() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class IntakeDeps:
    """What the door needs from the server.

    `ready` says in one sentence why the server cannot write, or None; `busy` whether people's
    events need the machine now, so that senders have to wait; `full` whether what is left of the
    disk is kept for those. `open_metrics` is for listeners that only this machine reaches.
    """

    authenticate: Authenticate
    store: IntakeStore
    worker: IntakeWorker
    metrics: Metrics
    ready: Callable[[], Awaitable[str | None]] = _always_ready
    busy: Callable[[], bool] = _never_busy
    full: Callable[[], bool] = _never_busy
    open_metrics: bool = True
    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS)
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000


def intake_app(deps: IntakeDeps) -> Starlette:
    """Build the application; it starts nothing and holds only counters of its own."""
    door = _Door(deps)
    routes = [
        Route("/in/{kind}/{token}", door.take, methods=["POST"]),
        Route("/in/{kind}", door.take, methods=["POST"]),
        Route("/healthz", _healthz),
        Route("/readyz", door.readyz),
        Route("/metrics", door.metrics),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _no_such_door})


class _Door:
    def __init__(self, deps: IntakeDeps) -> None:
        self._deps = deps
        self._budget = Budget(MAX_HELD_BYTES)

    async def take(self, request: Request) -> Response:
        """Take one body in. Whatever goes wrong is an answer, never an exception."""
        begun = time.perf_counter()
        source = "unknown"
        try:
            kind, sender = await self._admit(request)
            source = sender.name
            response = await self._keep(request, kind, sender)
        except Refused as refused:
            if source != "unknown":
                self._deps.metrics.count_signal(source, "rejected")
            response = _refusal(refused)
        except Exception as error:
            # The text of an exception may hold what a stranger wrote, or a token.
            _log.error("Taking an alert in failed with %s.", type(error).__name__)
            response = _refusal(Refused(500, "The server failed. Try again.", retry_seconds=5))
        seconds = self._deps.metrics.ingest_request_seconds
        seconds.labels(source, str(response.status_code)).observe(time.perf_counter() - begun)
        return response

    async def readyz(self, request: Request) -> Response:
        """Whether the server can write."""
        sentence = await self._deps.ready()
        if sentence is None:
            return PlainTextResponse("ready\n")
        return PlainTextResponse(f"{sentence}\n", status_code=503)

    async def metrics(self, request: Request) -> Response:
        """The numbers, as OpenMetrics or as the older text."""
        if not self._deps.open_metrics:
            raise HTTPException(404)
        self._deps.metrics.ingest_queue_length.set(self._deps.store.unparsed_count)
        body, content_type = self._deps.metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    async def _admit(self, request: Request) -> tuple[Kind, Source]:
        kind = self._deps.kinds.get(request.path_params["kind"])
        if kind is None:
            known = ", ".join(sorted(self._deps.kinds))
            raise Refused(404, f"No such kind of sender. Post to /in/KIND/TOKEN; kinds: {known}.")
        found = self._deps.authenticate(_token(request))
        sender = await found if inspect.isawaitable(found) else found
        if sender is None:
            raise Refused(401, "Unknown token. `warroom token create NAME --kind KIND` makes one.")
        if sender.kind != request.path_params["kind"]:
            raise Refused(404, f"This token is for /in/{sender.kind}/: post there.")
        store = self._deps.store
        if self._deps.full():
            sentence = "The server's disk is full: only people's events are kept. Try again."
            raise Refused(503, sentence, retry_seconds=10)
        if (
            self._deps.busy()
            or store.unparsed_count >= MAX_UNREAD
            or store.unparsed_bytes >= MAX_UNREAD_BYTES
        ):
            raise Refused(503, "Too many alerts wait to be read. Try again.", retry_seconds=5)
        return kind, sender

    async def _keep(self, request: Request, kind: Kind, sender: Source) -> Response:
        deps = self._deps
        with self._budget.share() as share:
            body = await read_body(request, kind.max_bytes, share)
            received = deps.now()
            headers = kept_headers(request.headers)
            try:
                raw_id = await deps.store.keep(sender.kind, sender.name, headers, body, received)
            except IntakeUnavailable as error:
                _log.error("An alert could not be stored: %s", error)
                sentence = "The server cannot write to its disk now. Try again."
                raise Refused(503, sentence, retry_seconds=10) from None
        deps.worker.wake()
        deps.metrics.source_last_seen.labels(sender.name).set(received / 1000)
        return JSONResponse({"status": "accepted", "id": raw_id}, status_code=202)


def _token(request: Request) -> str:
    """The token is in the path or, kept out of every proxy's log, in a Bearer header."""
    if "token" in request.path_params:
        return str(request.path_params["token"])
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _refusal(refused: Refused) -> Response:
    headers = {}
    if refused.retry_seconds is not None:
        headers["retry-after"] = str(refused.retry_seconds)
    return JSONResponse(
        {"status": "refused", "error": refused.sentence}, refused.status, headers=headers
    )


async def _healthz(request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _no_such_door(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentence = "There is nothing here. Senders of alerts POST to /in/KIND/TOKEN."
    if status == 405:
        sentence = "Send alerts with POST."
    return _refusal(Refused(status, sentence))
