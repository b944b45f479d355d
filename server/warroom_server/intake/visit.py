"""One request of a sender, on its way from the wire to the disk.

Owns the order that every door keeps: who is it, is there room, is the body whole, is it signed,
is it stored. Only then is anything answered. Whatever goes wrong is `Refused`.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from warroom_incident.alerts import AlertRecord

from ..metrics import Metrics
from .deliveries import Deliveries
from .kinds import KINDS, Kind
from .pace import Pace, cost_of
from .request import Budget, Refused, Share, kept_headers, let_go, read_body
from .rows import RawBody, Reading
from .signing import header_names, is_signed
from .source import Source
from .store import IntakeStore, IntakeUnavailable
from .worker import IntakeWorker

MAX_UNREAD = 10_000
MAX_UNREAD_BYTES = 256 << 20
"""Above this many stored bodies, or bytes of them, that wait to be read, senders must wait."""

_log = logging.getLogger(__name__)

Authenticate = Callable[[str], Source | Awaitable[Source | None] | None]
"""A token to its source, in constant time; None for a token nobody gave out."""


async def _always_ready() -> str | None:
    return None


def _never_busy() -> bool:
    return False


def _no_alert(_source: str, _key: str) -> AlertRecord | None:
    return None


@dataclass(frozen=True, slots=True)
class IntakeDeps:
    """What the doors need from the server.

    `ready` says in one sentence why the server cannot write, or None; `busy` whether people's
    events need the machine now, so that senders have to wait; `full` whether what is left of the
    disk is kept for those. `newest` finds the newest episode of a source's alert by its key,
    `shown` lists what is on the board.
    `open_metrics` is for listeners that only this machine reaches. `kinds` gives those that are
    read now: an operator may add some while the server runs. `deliveries` tells what comes twice,
    `pace` who sends too much.
    """

    authenticate: Authenticate
    store: IntakeStore
    worker: IntakeWorker
    metrics: Metrics
    ready: Callable[[], Awaitable[str | None]] = _always_ready
    busy: Callable[[], bool] = _never_busy
    full: Callable[[], bool] = _never_busy
    newest: Callable[[str, str], AlertRecord | None] = _no_alert
    shown: Callable[[], Sequence[AlertRecord]] = tuple
    open_metrics: bool = True
    kinds: Callable[[], Mapping[str, Kind]] = lambda: KINDS
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    deliveries: Deliveries = field(default_factory=Deliveries)
    pace: Pace = field(default_factory=Pace)


@dataclass(slots=True)
class Visit:
    """One request. Made by `door`; the take of a door calls its methods in their order."""

    deps: IntakeDeps
    request: Request
    share: Share
    source: Source | None = field(default=None)
    is_read: bool = field(default=False)
    """Whether the body was begun."""

    async def admit(self, token: str, kind_name: str) -> tuple[Kind, Source]:
        """Let a token of this kind in. Raises Refused: 401, 404 or, for a while, 503."""
        kind = self.deps.kinds().get(kind_name)
        if kind is None:
            known = ", ".join(sorted(self.deps.kinds()))
            raise Refused(404, f"No such kind of sender. Post to /in/KIND/TOKEN; kinds: {known}.")
        found = self.deps.authenticate(token)
        sender = await found if inspect.isawaitable(found) else found
        if sender is None:
            raise Refused(401, "Unknown token. `warroom token create NAME --kind KIND` makes one.")
        if sender.kind != kind_name:
            raise Refused(404, f"This token is for /in/{sender.kind}/: post there.")
        self.source = sender
        return kind, sender

    def wait_if_busy(self) -> None:
        """Raises Refused (503) where the sender has to try again later."""
        store = self.deps.store
        if self.deps.full():
            sentence = "The server's disk is full: only people's events are kept. Try again."
            raise Refused(503, sentence, retry_seconds=10)
        if (
            self.deps.busy()
            or store.unparsed_count >= MAX_UNREAD
            or store.unparsed_bytes >= MAX_UNREAD_BYTES
        ):
            raise Refused(503, "Too many alerts wait to be read. Try again.", retry_seconds=5)
        self._wait_its_turn()

    def pay(self, cost: int) -> None:
        """Pay for a question. Raises Refused (503) where its sender asks too much."""
        self._wait_its_turn()
        assert self.source is not None
        self.deps.pace.spend(self.source.name, cost)

    def _wait_its_turn(self) -> None:
        assert self.source is not None
        seconds = self.deps.pace.wait(self.source.name)
        if seconds:
            sentence = "This token sends more than its share. Try again, and send less."
            raise Refused(503, sentence, retry_seconds=seconds)

    async def body(self, limit: int) -> bytes:
        """Take the body off the wire. Raises Refused, also where a signature is missing."""
        self.is_read = True
        return await read_body(self.request, limit, self.share, self._check_signature)

    def _check_signature(self, wire: bytes) -> None:
        if self.source is None or self.source.secret is None:
            return
        kind, headers = self.source.kind, self.request.headers
        if not is_signed(kind, self.source.secret, headers, wire):
            names = " or ".join(header_names(kind))
            raise Refused(401, f"The signature in {names} is missing or wrong for this token.")

    async def keep(
        self, body: bytes, noted: Mapping[str, str] | None = None, *, kind: str | None = None
    ) -> int:
        """Store the body, wake who reads it, and return its id. Raises Refused (503).

        A delivery that its sender gave the same id as one before is not stored again.

        Args:
            body: What to keep.
            noted: What the door notes beside it, as if it were a header.
            kind: Whose reader reads it, where that is not the token's own.
        """
        assert self.source is not None
        deps, source = self.deps, self.source
        received = deps.now()
        twice = deps.deliveries.find(source.name, self.request.headers, received)
        if twice is not None:
            return twice
        deps.pace.spend(source.name, cost_of(len(body)))
        headers = {**kept_headers(self.request.headers), **(noted or {})}
        try:
            raw_id = await deps.store.keep(
                kind or source.kind, source.name, headers, body, received
            )
        except IntakeUnavailable as error:
            _log.error("An alert could not be stored: %s", error)
            sentence = "The server cannot write to its disk now. Try again."
            raise Refused(503, sentence, retry_seconds=10) from None
        deps.deliveries.note(source.name, self.request.headers, received, raw_id)
        deps.worker.wake()
        deps.metrics.source_last_seen.labels(source.name).set(received / 1000)
        return raw_id

    async def kept(self, raw_id: int) -> tuple[RawBody, Reading] | None:
        """Return a kept body of this very source and what became of it; None if it is not read."""
        assert self.source is not None
        try:
            raw = await self.deps.store.body(raw_id)
            reading = await self.deps.store.reading(raw_id)
        except IntakeUnavailable:
            raise Refused(503, "The server cannot read its disk now. Try again.") from None
        if raw is None or reading is None or raw.source != self.source.name:
            return None
        return raw, reading


Take = Callable[[Visit], Awaitable[Response]]
Refusal = Callable[[Refused], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def door(deps: IntakeDeps, budget: Budget, take: Take, refusal: Refusal) -> Endpoint:
    """Make an endpoint: what goes wrong in `take` is answered by `refusal`, never an exception."""

    async def endpoint(request: Request) -> Response:
        begun = time.perf_counter()
        with budget.share() as share:
            visit = Visit(deps, request, share)
            try:
                response = await take(visit)
            except Refused as refused:
                if visit.source is not None:
                    deps.metrics.count_signal(visit.source.name, "rejected")
                if not visit.is_read:
                    await let_go(request)
                response = refusal(refused)
            except Exception as error:
                # The text of an exception may hold what a stranger wrote, or a token.
                _log.error("Taking an alert in failed with %s.", type(error).__name__)
                response = refusal(Refused(500, "The server failed. Try again.", retry_seconds=5))
        name = visit.source.name if visit.source is not None else "unknown"
        seconds = deps.metrics.ingest_request_seconds
        seconds.labels(name, str(response.status_code)).observe(time.perf_counter() - begun)
        return response

    return endpoint
