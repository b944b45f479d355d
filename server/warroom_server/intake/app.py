"""The HTTP side of the server: alerts in, health, readiness and metrics out.

A body is checked for its token and its size, stored, and answered with 202; reading it comes
after. 5xx means "try again", which is what Alertmanager and others do; content is never a reason
to refuse. Paths carry tokens, so nothing here logs or repeats a path.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .doors import opsgenie, pagerduty, victorops
from .kinds import Kind
from .reading.form import FORM
from .request import Budget, Refused
from .visit import IntakeDeps, Visit, door

__all__ = ["IntakeDeps", "intake_app"]

MAX_HELD_BYTES = 64 << 20
"""How much all requests in flight may hold in memory."""


def intake_app(deps: IntakeDeps) -> Starlette:
    """Build the application; it starts nothing and holds only counters of its own."""
    budget = Budget(MAX_HELD_BYTES)
    take = door(deps, budget, _take, refusal)
    readiness = _Readiness(deps)
    routes = [
        Route("/in/{kind}/{token}", take, methods=["GET", "POST", "PUT"]),
        Route("/in/{kind}", take, methods=["GET", "POST", "PUT"]),
        *pagerduty.routes(deps, budget),
        *opsgenie.routes(deps, budget),
        *victorops.routes(deps, budget),
        Route("/healthz", _healthz),
        Route("/readyz", readiness.readyz),
        Route("/metrics", readiness.metrics),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(_WithoutSlash)],
        exception_handlers={HTTPException: _no_such_door},
    )
    # A redirect would repeat a path, and most senders do not follow one with their body.
    app.router.redirect_slashes = False
    return app


class _WithoutSlash:
    """Takes an address that ends with a slash for the one without: some clients put one there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/"):
            path, raw = scope["path"].rstrip("/"), scope.get("raw_path") or b""
            scope = {**scope, "path": path or "/", "raw_path": raw.rstrip(b"/") or b"/"}
        await self._app(scope, receive, send)


async def _take(visit: Visit) -> Response:
    """Take one body in by its kind and token."""
    request = visit.request
    kind, _ = await visit.admit(_token(request), request.path_params["kind"])
    if request.method in ("GET", "HEAD"):
        return await _take_query(visit, kind)
    visit.wait_if_busy()
    return _accepted(await visit.keep(await visit.body(kind.max_bytes)))


async def _take_query(visit: Visit, kind: Kind) -> Response:
    """Take in what is behind the `?` as if it were a posted form."""
    query = visit.request.scope["query_string"]
    if visit.request.method != "GET" or not kind.takes_query or not query:
        raise Refused(405, "Send alerts with POST.")
    if visit.source is not None and visit.source.secret is not None:
        raise Refused(401, "This token's sender signs what it posts: send alerts with POST.")
    visit.wait_if_busy()
    return _accepted(await visit.keep(bytes(query), {"content-type": FORM}))


def _accepted(raw_id: int) -> Response:
    return JSONResponse({"status": "accepted", "id": raw_id}, status_code=202)


def _token(request: Request) -> str:
    """The token is in the path or, kept out of every proxy's log, in a header.

    That is a Bearer header, or the password of a Basic one.
    """
    if "token" in request.path_params:
        return str(request.path_params["token"])
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            try:
                named = b64decode(value.strip(), validate=True).decode("utf-8", "replace")
            except ValueError:
                return ""
            return named.partition(":")[2]
        case _:
            return ""


def refusal(refused: Refused) -> Response:
    """Answer what was refused with its sentence and, if it helps, when to try again."""
    headers = {}
    if refused.retry_seconds is not None:
        headers["retry-after"] = str(refused.retry_seconds)
    return JSONResponse(
        {"status": "refused", "error": refused.sentence}, refused.status, headers=headers
    )


class _Readiness:
    def __init__(self, deps: IntakeDeps) -> None:
        self._deps = deps
        self._looking: asyncio.Future[str | None] | None = None

    async def readyz(self, request: Request) -> Response:
        """Whether the server can write. Anybody may ask, so all who do share one look."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._deps.ready())
        sentence = await asyncio.shield(self._looking)
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


async def _healthz(request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _no_such_door(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentence = "There is nothing here. Senders of alerts POST to /in/KIND/TOKEN."
    if status == 405:
        sentence = "Send alerts with POST."
    return refusal(Refused(status, sentence))
