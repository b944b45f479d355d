"""PagerDuty's Events API: version 2 at `/v2/enqueue`, version 1 at `create_event.json`, changes.

The token is the routing key inside the body, so the body is read before it is known whose it is.
It is taken out of what is kept, because what is kept may be shown.
"""

from __future__ import annotations

import json
import secrets
from functools import partial

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..kinds import CHANGE, KINDS
from ..post import KEY
from ..reading.body import read_json, text_of
from ..reading.fit import storable
from ..request import Budget, Refused
from ..unreadable import Unreadable
from ..visit import IntakeDeps, Visit, door

KIND = "pagerduty"
_HIDDEN = b"(routing key)"


def routes(deps: IntakeDeps, budget: Budget) -> list[Route]:
    """The addresses that PagerDuty's clients post to."""
    second = door(deps, budget, partial(_take, "routing_key", "dedup_key", 202), _invalid)
    first = door(deps, budget, partial(_take, "service_key", "incident_key", 200), _invalid)
    return [
        Route("/v2/enqueue", second, methods=["POST"]),
        Route("/v2/change/enqueue", door(deps, budget, _change, _invalid), methods=["POST"]),
        Route("/generic/2010-04-15/create_event.json", first, methods=["POST"]),
    ]


async def _take(token_field: str, key_field: str, status: int, visit: Visit) -> Response:
    """Take one event in and answer with its key, as PagerDuty does."""
    event, body = await _admitted(visit, token_field)
    key = storable(text_of(event.get(key_field)))
    noted = {}
    if not key:
        key = noted[KEY] = secrets.token_hex(16)
    await visit.keep(body, noted)
    answer = {"status": "success", "message": "Event processed", key_field: key}
    return JSONResponse(answer, status)


async def _change(visit: Visit) -> Response:
    """Take one change event in; it has no key."""
    _, body = await _admitted(visit, "routing_key")
    await visit.keep(body, kind=CHANGE)
    return JSONResponse({"status": "success", "message": "Change event processed"}, 202)


async def _admitted(visit: Visit, token_field: str) -> tuple[dict[str, object], bytes]:
    """The event that a known sender posts, and its body without the token."""
    body = await visit.body(KINDS[KIND].max_bytes)
    event = _event(body)
    token = storable(text_of(event.get(token_field))) or visit.request.headers.get(
        "x-routing-key", ""
    )
    await visit.admit(token, KIND)
    visit.wait_if_busy()
    return event, _without(body, token)


def _event(body: bytes) -> dict[str, object]:
    try:
        event = read_json(body)
    except Unreadable as error:
        raise Refused(400, f"The event cannot be read: {error}.") from None
    if not isinstance(event, dict):
        raise Refused(400, "The event is not an object.")
    return event


def _without(body: bytes, token: str) -> bytes:
    """The body as it came, but for the token in it, wherever and however it is written."""
    hidden = body.replace(token.encode("utf-8", "surrogatepass"), _HIDDEN)
    if b"\\u" in hidden:
        plain = json.dumps(read_json(hidden))
        if token in plain:
            return plain.replace(token, _HIDDEN.decode()).encode()
    return hidden


def _invalid(refused: Refused) -> Response:
    """Answer as PagerDuty does: 400 for what will never be right, 5xx to try again."""
    status = 400 if refused.status in (401, 404) else refused.status
    headers = {}
    if refused.retry_seconds is not None:
        headers["retry-after"] = str(refused.retry_seconds)
    body = {
        "status": "invalid event" if status < 500 else "error",
        "message": "Event object is invalid" if status == 400 else refused.sentence,
        "errors": [refused.sentence],
    }
    return JSONResponse(body, status, headers=headers)
