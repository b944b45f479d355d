"""Takes one request's body off the wire within limits of size, time and memory.

Owns the budget of bytes that all requests together may hold. What comes compressed by gzip is
kept as what it unpacks to, inside the same limit; other encodings are kept as they are.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

DRAIN_BYTES = 16 << 20
"""So much more of a body that is too large is read and let go, so that its sender reads the answer.

Many senders only look for one when all is sent; others break off where nobody takes it.
"""

LET_GO_BYTES = 4 << 20
LET_GO_SECONDS = 2.0
"""What is read, at most, of a body that was refused before anybody looked at it."""

READ_SECONDS = 10.0
"""A body that takes longer than this to arrive is given up."""


def _unchecked(_body: bytes) -> None:
    return


_KEPT_HEADERS = frozenset(("user-agent", "content-type", "content-encoding", "x-request-id"))
_KEPT_PREFIXES = ("ce-", "sentry-hook-", "x-amz-sns-", "x-github-", "x-gitlab-")
_CREDENTIAL = re.compile("token|secret|auth|password|cookie|signature|api-?key")
_HEADER_CHARS = 300
_MAX_HEADERS = 30


class Refused(Exception):
    """A request is not taken in. Holds the status and one sentence for its sender."""

    def __init__(self, status: int, sentence: str, *, retry_seconds: int | None = None) -> None:
        """`retry_seconds` is when it makes sense to try again."""
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.retry_seconds = retry_seconds


class Budget:
    """How many bytes all requests in flight hold together, against a limit."""

    def __init__(self, limit: int) -> None:
        """`limit` in bytes."""
        self.limit = limit
        self.held = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Hold bytes for one request, given back at the end whatever happens."""
        share = Share(self)
        try:
            yield share
        finally:
            self.held -= share.held


class Share:
    """What one request holds of the budget."""

    def __init__(self, budget: Budget) -> None:
        """Start with nothing held."""
        self._budget = budget
        self.held = 0

    def take(self, count: int) -> None:
        """Hold more bytes. Raises Refused (503) when all requests together hold too much."""
        if self._budget.held + count > self._budget.limit:
            raise Refused(503, "Too much is arriving at once. Try again.", retry_seconds=2)
        self._budget.held += count
        self.held += count


async def read_body(
    request: Request, limit: int, share: Share, check: Callable[[bytes], None] = _unchecked
) -> bytes:
    """Return a request's body, unpacked if it came by gzip. Raises Refused.

    Args:
        request: Whose body it is.
        limit: Its largest size, packed or not, in bytes.
        share: What it holds of the memory of all.
        check: Sees the body as it was transferred; raises Refused for one that is not right.
    """
    declared = request.headers.get("content-length", "")
    size = int(declared[:13]) if declared.isdigit() else 0
    too_large = size > limit
    waits = request.headers.get("expect", "").lower() == "100-continue"
    if size > limit + DRAIN_BYTES or (too_large and waits):
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                too_large = too_large or size > limit
                if size > limit + DRAIN_BYTES:
                    break
                if not too_large:
                    share.take(len(chunk))
                    chunks.append(chunk)
    except TimeoutError:
        if too_large:
            raise _too_large(limit) from None
        # Alertmanager tries again after 5xx and gives up after 408.
        sentence = f"The body did not arrive within {READ_SECONDS:.0f} s. Try again."
        raise Refused(503, sentence, retry_seconds=2) from None
    except ClientDisconnect:
        raise Refused(400, "The connection ended before the body did.") from None
    if too_large:
        raise _too_large(limit)
    body = b"".join(chunks)
    check(body)
    if request.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip"):
        return _unpack(body, limit, share)
    return body


async def let_go(request: Request) -> None:
    """Read a body that nobody wants, within bounds, so that its sender reads why."""
    if request.headers.get("expect", "").lower() == "100-continue":
        return
    size = 0
    try:
        async with asyncio.timeout(LET_GO_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > LET_GO_BYTES:
                    return
    except (TimeoutError, ClientDisconnect):
        return


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Pick the headers that tell something about a body; never one that carries a credential."""
    kept: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        if _CREDENTIAL.search(lower):
            continue
        if lower in _KEPT_HEADERS or lower.startswith(_KEPT_PREFIXES):
            kept[lower[:64]] = value[:_HEADER_CHARS]
            if len(kept) >= _MAX_HEADERS:
                break
    return kept


def _unpack(body: bytes, limit: int, share: Share) -> bytes:
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(body, limit + 1)
    except zlib.error:
        return body
    if len(plain) > limit:
        raise _too_large(limit)
    if not unzip.eof or unzip.unused_data:
        return body
    share.take(len(plain))
    return plain


def _too_large(limit: int) -> Refused:
    return Refused(413, f"The body is larger than {limit:,} bytes: send fewer alerts at once.")
