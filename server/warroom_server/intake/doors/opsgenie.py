"""Opsgenie's Alert API below `/v2/alerts`, as far as those need it who raise and end alerts.

The token is the GenieKey of the Authorization header; the alias in the path says which alert is
meant. Calls are answered before they are read, as Opsgenie does; a `requestId` names the kept body.
"""

from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime
from urllib.parse import quote, unquote
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from warroom_incident.alerts import AlertRecord

from ..kinds.opsgenie import HEARTBEATS, pinged, read_call
from ..pace import LOOK
from ..post import KEY, METHOD, PATH
from ..reading.body import read_json, text_of
from ..reading.fit import name, storable
from ..request import Budget, Refused
from ..unreadable import Unreadable
from ..visit import IntakeDeps, Visit, door

KIND = "opsgenie"
_ALERTS = "/v2/alerts"
_PRIORITIES = {"SEV1": "P1", "SEV2": "P2", "SEV3": "P3", "SEV4": "P4"}
_ALIAS = re.compile(r'alias\s*[:=]\s*"?([^"]+)"?\Z')
_CLOSED = re.compile(r"status\s*[:=]\s*\"?closed")
_REQUEST = UUID("77617272-6f6f-4d00-8000-000000000000").int
"""What the ids of requests have in common: the rest is the number of the kept body."""


def routes(deps: IntakeDeps, budget: Budget) -> list[Route]:
    """The addresses that Opsgenie's clients call."""
    take = door(deps, budget, _take, _failure)
    look = door(deps, budget, _look, _failure)
    beat = door(deps, budget, _beat, _failure)
    writes = ["POST", "PUT", "PATCH", "DELETE"]
    return [
        Route(_ALERTS, look, methods=["GET"]),
        Route(_ALERTS, take, methods=["POST"]),
        Route(_ALERTS + "/{rest:path}", look, methods=["GET"]),
        Route(_ALERTS + "/{rest:path}", take, methods=writes),
        Route(HEARTBEATS, beat, methods=["GET", *writes]),
        Route(HEARTBEATS + "/{rest:path}", beat, methods=["GET", *writes]),
    ]


async def _beat(visit: Visit) -> Response:
    """Take a ping of a heartbeat; it is watched where `[alerts] heartbeats` names it."""
    began = time.perf_counter()
    request = visit.request
    kind, _ = await visit.admit(_key(request), KIND)
    if not pinged(_path(request)):
        raise Refused(
            404,
            "Heartbeats are listed in [alerts] of the server's warroom.toml; here they are only "
            f"pinged: {HEARTBEATS}/NAME/ping.",
        )
    visit.wait_if_busy()
    await visit.body(kind.max_bytes)
    raw_id = await visit.keep(b"", {METHOD: "POST", PATH: _path(request)})
    return _answer({"result": "PONG - Heartbeat received"}, began, _request_id(raw_id), 202)


async def _take(visit: Visit) -> Response:
    """Take one call in, with its verb and its path, and answer as Opsgenie does."""
    began = time.perf_counter()
    request = visit.request
    kind, _ = await visit.admit(_key(request), KIND)
    path = _path(request)
    if _is_tiny(request) and path != _ALERTS:
        path = _spelled_out(visit, path)
    call = read_call(request.method, path)
    if call is None:
        raise Refused(404, "There is nothing to do to an alert here.")
    visit.wait_if_busy()
    body = await visit.body(kind.max_bytes)
    noted = {METHOD: request.method, PATH: path}
    if not call.key and not _alias(body):
        noted[KEY] = str(uuid4())
    raw_id = await visit.keep(body, noted)
    return _answer({"result": "Request will be processed"}, began, _request_id(raw_id), 202)


async def _look(visit: Visit) -> Response:
    """Answer a question: what became of a call, one alert, or those that are open."""
    began = time.perf_counter()
    await visit.admit(_key(visit.request), KIND)
    visit.pay(1)
    steps = [unquote(step) for step in _path(visit.request)[len(_ALERTS) :].split("/") if step]
    match steps:
        case []:
            return _answer({"data": _list(visit)}, began)
        case ["count"]:
            return _answer({"data": {"count": len(_list(visit, 100_000))}}, began)
        case ["requests", request_id]:
            return _answer({"data": await _status(visit, request_id)}, began, request_id)
        case [key]:
            return _answer({"data": _shown(_found(visit, key))}, began)
        case _:
            raise Refused(404, f"The {steps[1][:40]} of an alert cannot be read here.")


def _key(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() in ("geniekey", "bearer") else ""


def _path(request: Request) -> str:
    """The path as it was sent: an alias may have a quoted slash in it."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return raw.decode("ascii", "replace").partition("?")[0][:2000]


def _alias(body: bytes) -> str:
    try:
        alert = read_json(body)
    except Unreadable:
        return ""
    return storable(text_of(alert.get("alias"))) if isinstance(alert, dict) else ""


def _request_id(raw_id: int) -> str:
    return str(UUID(int=_REQUEST | raw_id))


async def _status(visit: Visit, request_id: str) -> dict[str, object]:
    try:
        raw_id = UUID(request_id).int & ((1 << 48) - 1)
    except ValueError:
        raw_id = 0
    kept = await visit.kept(raw_id) if raw_id else None
    if kept is None:
        sentence = f"There is no request {request_id[:60]} of yours, or it is not processed yet."
        raise Refused(404, sentence)
    raw, reading = kept
    call = read_call(raw.headers.get(METHOD, "POST"), raw.headers.get(PATH, _ALERTS))
    key = (call.key if call else "") or _alias(raw.body) or raw.headers.get(KEY, "")
    action = call.action.capitalize() if call and call.action else "Create"
    said = "Created alert" if action == "Create" else f"{action} was processed"
    if reading.error is not None:
        said = f"It could not be read: {reading.error}"
    elif _newest(visit, key) is None:
        said = "Alert does not exist"
    done = reading.error is None and _newest(visit, key) is not None
    return {
        "success": done,
        "isSuccess": done,
        "action": action,
        "processedAt": _time(reading.at),
        "status": said,
        "alertId": key,
        "alias": key,
    }


def _newest(visit: Visit, key: str) -> AlertRecord | None:
    assert visit.source is not None
    return visit.deps.newest(visit.source.name, name(key))


def _found(visit: Visit, key: str) -> AlertRecord:
    record = _of_tiny(visit, key) if _is_tiny(visit.request) else _newest(visit, key)
    if record is None:
        raise Refused(404, f"Alert with id [{key[:100]}] does not exist.")
    return record


def _is_tiny(request: Request) -> bool:
    """Whether a path names its alert by the short id that was shown, and not by its alias."""
    return request.query_params.get("identifierType", "").casefold() == "tiny"


def _of_tiny(visit: Visit, tiny: str) -> AlertRecord | None:
    assert visit.source is not None
    visit.pay(LOOK)
    source = visit.source.name
    shown = (r for r in visit.deps.shown() if r.source == source and _tiny(r) == tiny)
    return next(shown, None)


def _tiny(record: AlertRecord) -> str:
    return record.uid[:8]


def _spelled_out(visit: Visit, path: str) -> str:
    """A path with the alias in the place of the short id: what is kept says all by itself."""
    tiny, slash, rest = path[len(_ALERTS) + 1 :].partition("/")
    return f"{_ALERTS}/{quote(_found(visit, unquote(tiny)).key, safe='')}{slash}{rest}"


def _list(visit: Visit, most: int = 100) -> list[dict[str, object]]:
    assert visit.source is not None
    visit.pay(LOOK)
    query = visit.request.query_params
    asked = query.get("query", "")[:1000].strip()
    alias, closed = _ALIAS.search(asked), bool(_CLOSED.search(asked))
    source = visit.source.name
    records = [
        r
        for r in visit.deps.shown()
        if r.source == source and r.is_open != closed and (alias is None or r.key == name(alias[1]))
    ]
    begin, limit = _number(query.get("offset"), 0), _number(query.get("limit"), min(most, 20))
    return [_shown(r) for r in records[begin : begin + min(max(limit, 1), most)]]


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else default


def _shown(record: AlertRecord) -> dict[str, object]:
    return {
        "id": record.key,
        "tinyId": _tiny(record),
        "alias": record.key,
        "message": record.title,
        "description": record.description,
        "status": "open" if record.is_open else "closed",
        "acknowledged": record.state == "acknowledged",
        "isSeen": False,
        "snoozed": record.state == "suppressed",
        "tags": [],
        "details": record.labels,
        "count": record.count,
        "priority": _PRIORITIES.get(record.severity, "P3"),
        "source": record.source,
        "owner": "",
        "createdAt": _time(record.first_seen),
        "updatedAt": _time(record.last_seen),
        "lastOccurredAt": _time(record.last_seen),
    }


def _time(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def _answer(
    answer: dict[str, object], began: float, request_id: str = "", status: int = 200
) -> Response:
    took = round(time.perf_counter() - began, 3)
    known = {"took": took, "requestId": request_id or str(UUID(bytes=secrets.token_bytes(16)))}
    return JSONResponse({**answer, **known}, status)


def _failure(refused: Refused) -> Response:
    headers = {}
    if refused.retry_seconds is not None:
        headers["retry-after"] = str(refused.retry_seconds)
    answer = {"message": refused.sentence, "took": 0.0, "requestId": str(uuid4())}
    return JSONResponse(answer, refused.status, headers=headers)
