"""The vendors' doors with everything behind them but the disk: each input is one request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from starlette.types import Message, Scope

from warroom_incident.alerts import AlertRecord, Signal, episode_uid
from warroom_server.board import Board, SavedBoard
from warroom_server.intake.app import IntakeDeps, intake_app
from warroom_server.intake.changes import read_changes
from warroom_server.intake.kinds import CHANGE, KINDS
from warroom_server.intake.post import Post
from warroom_server.intake.rows import RawBody, Reading
from warroom_server.intake.source import Source
from warroom_server.intake.store import IntakeStore
from warroom_server.intake.unreadable import Unreadable, unreadable_card
from warroom_server.intake.worker import IntakeWorker
from warroom_server.metrics import Metrics

from .parts import Parts
from .promises import NOON, changes_are_bounded, signals_are_bounded

TOKEN = "fuzzed"
TINY = episode_uid("opsgenie", "disk", NOON)[:8]
REQUESTS = (
    ("POST", "/v2/enqueue"),
    ("POST", "/v2/change/enqueue"),
    ("POST", "/generic/2010-04-15/create_event.json"),
    ("POST", "/v2/alerts"),
    ("POST", "/v2/alerts/disk%2Ffull/close"),
    ("PUT", "/v2/alerts/disk/message"),
    ("PATCH", "/v2/alerts/disk/description"),
    ("DELETE", "/v2/alerts/disk"),
    ("GET", "/v2/alerts?query=alias:disk&limit=3"),
    ("GET", "/v2/alerts/requests/77617272-6f6f-4d00-8000-000000000001"),
    ("GET", "/v2/alerts/disk"),
    ("POST", f"/integrations/generic/20131114/alert/{TOKEN}/sre"),
    ("POST", f"/integrations/generic/20131114/alert/{TOKEN}"),
    ("POST", f"/in/generic/{TOKEN}"),
    ("GET", f"/in/generic/{TOKEN}?title=x"),
    ("POST", f"/in/change/{TOKEN}"),
    ("POST", "/in/alertmanager"),
    ("GET", "/v2/alerts/disk/notes"),
    ("GET", f"/v2/alerts/{TINY}?identifierType=tiny"),
    ("POST", f"/v2/alerts/{TINY}/close?identifierType=tiny"),
)
_KIND_OF = (
    ("/in/generic", "generic"),
    ("/in/change", CHANGE),
    ("/in/alertmanager", "alertmanager"),
    ("/v2/alerts", "opsgenie"),
    ("/integrations", "victorops"),
)
_REFUSED = (400, 401, 404, 405, 413)


class Shelf(IntakeStore):
    """A store that keeps bodies in memory."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))
        self.kept: list[RawBody] = []

    async def keep(
        self, kind: str, source: str, headers: Mapping[str, str], body: bytes, received: int
    ) -> int:
        """Keep a body."""
        self.kept.append(RawBody(len(self.kept) + 1, received, kind, source, headers, body))
        return len(self.kept)

    async def body(self, raw_id: int) -> RawBody | None:
        """Return a kept body."""
        return self.kept[raw_id - 1] if 0 < raw_id <= len(self.kept) else None

    async def reading(self, raw_id: int) -> Reading | None:
        """Say that a kept body was read."""
        return Reading(raw_id, NOON, 1) if 0 < raw_id <= len(self.kept) else None


class Doors:
    """The doors, and what came in by them."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.metrics = Metrics("0")

    def ask(self, parts: Parts) -> None:
        """Make one request, and then read what it left. Raises AssertionError."""
        self.runner.run(self._ask(parts))

    async def _ask(self, parts: Parts) -> None:
        method, path = REQUESTS[parts.choice % len(REQUESTS)]
        path = parts.headers.get(":path", path)
        method = parts.headers.get(":method", method)
        kind = next((k for p, k in _KIND_OF if path.startswith(p)), "pagerduty")
        shelf, board = Shelf(), Board(SavedBoard("board", 0))
        earlier = RawBody(1, NOON, kind, kind, {":method": method, ":path": path}, parts.body)
        shelf.kept.append(earlier)
        board.apply([_known(kind)])
        worker = IntakeWorker(shelf, board, self.metrics)
        deps = IntakeDeps(
            lambda token: Source(kind, kind) if token else None,
            shelf,
            worker,
            self.metrics,
            newest=board.newest,
            shown=board.ordered,
            now=lambda: NOON,
        )
        status, answer = await _request(deps, method, path, parts)
        assert status in (200, 202, *_REFUSED), f"{method} {path!r}: {status} {answer!r}"
        if method != "HEAD":
            assert isinstance(json.loads(answer), dict)
        assert len(answer) < 64 << 10
        assert len(shelf.kept) <= 2
        for raw in shelf.kept[1:]:
            _read(raw, board)


async def _request(deps: IntakeDeps, method: str, path: str, parts: Parts) -> tuple[int, bytes]:
    raw_path, _, query = path.partition("?")
    headers = {
        "authorization": f"GenieKey {TOKEN}" if "/v2/" in path else f"Bearer {TOKEN}",
        "x-routing-key": TOKEN,
        **{n: v for n, v in parts.headers.items() if n and not n.startswith(":")},
    }
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode("latin-1", "replace"),
        "query_string": query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [(n.encode("latin-1", "replace"), v.encode("latin-1", "replace"))
                    for n, v in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": parts.body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await intake_app(deps)(scope, receive, send)
    answer = b"".join(message.get("body", b"") for message in sent)
    return int(sent[0]["status"]), answer


def _known(kind: str) -> Signal:
    return Signal(source=kind, kind=kind, key="disk", state="firing", title="disk", received=NOON)


def _read(raw: RawBody, board: Board) -> None:
    """Read what was kept, as the worker does."""
    post, source = Post(raw.body, raw.received, raw.headers), Source(raw.source, raw.kind)
    try:
        if raw.kind == CHANGE:
            changes = read_changes(post, source)
            changes_are_bounded(changes, post)
            board.change(changes, NOON)
            return
        signals = list(KINDS[raw.kind].read(post, source))
    except Unreadable as error:
        signals = [unreadable_card(raw, str(error))]
        board.apply(signals)
        assert all(isinstance(record, AlertRecord) for record in board.ordered())
        return
    signals_are_bounded(signals, raw.received)
    board.apply(signals)
