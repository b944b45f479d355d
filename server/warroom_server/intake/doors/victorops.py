"""VictorOps' REST endpoint: the token and a routing key are in the path."""

from __future__ import annotations

import secrets

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..post import KEY, PATH
from ..reading.body import read_json, text_of
from ..reading.fit import storable
from ..request import Budget, Refused
from ..unreadable import Unreadable
from ..visit import IntakeDeps, Visit, door

KIND = "victorops"
_ADDRESS = "/integrations/generic/20131114/alert/{token}"


def routes(deps: IntakeDeps, budget: Budget) -> list[Route]:
    """The addresses that VictorOps' clients post to."""
    take = door(deps, budget, _take, _failure)
    return [
        Route(_ADDRESS, take, methods=["POST"]),
        Route(_ADDRESS + "/{route:path}", take, methods=["POST"]),
    ]


async def _take(visit: Visit) -> Response:
    """Take one message in and answer with the entity that it is about, as VictorOps does."""
    parameters = visit.request.path_params
    kind, _ = await visit.admit(str(parameters["token"]), KIND)
    visit.wait_if_busy()
    body = await visit.body(kind.max_bytes)
    noted = {PATH: "/" + str(parameters.get("route", ""))[:200]}
    entity = _entity(body)
    if not entity:
        entity = noted[KEY] = secrets.token_hex(16)
    await visit.keep(body, noted)
    return JSONResponse({"result": "success", "entity_id": entity})


def _entity(body: bytes) -> str:
    try:
        message = read_json(body)
    except Unreadable:
        return ""
    return storable(text_of(message.get("entity_id"))) if isinstance(message, dict) else ""


def _failure(refused: Refused) -> Response:
    headers = {}
    if refused.retry_seconds is not None:
        headers["retry-after"] = str(refused.retry_seconds)
    answer = {"result": "failure", "message": refused.sentence}
    return JSONResponse(answer, refused.status, headers=headers)
