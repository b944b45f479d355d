"""One Alertmanager's own API (v2), or Grafana's of the same shape: what we ask, what it answers.

Addresses come from the configuration only, never from anything that was received. Answers are
limited in size and read as strangers' text. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from warroom_incident.clean import clean_line
from warroom_incident.fields import Matcher

from .settings import AlertmanagerSettings

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 10.0
MAX_ANSWER = 32 << 20
"""The largest answer that is read, in bytes: some ten thousand alerts."""

PREFIXES = {"alertmanager": "/api/v2", "grafana": "/api/alertmanager/grafana/api/v2"}

_NO_API = "it answers with something else than an Alertmanager's API; look at its url"
_AT_ONCE = 256 << 10
_T = TypeVar("_T")
_SILENCE = re.compile(r"[A-Za-z0-9-]{1,64}")
SilenceId = Annotated[str, Meta(pattern=rf"\A{_SILENCE.pattern}\Z")]


# It tells every request; what failed is told where it matters.
logging.getLogger("httpx").setLevel(logging.WARNING)


class ApiError(Exception):
    """The API does not do as asked; the message is a part of a sentence.

    `is_final` tells that asking the same again will not help.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class AlertStatus(msgspec.Struct, frozen=True, rename="camel"):
    """Whether an alert is `active`, `suppressed` or `unprocessed`, and what suppresses it.

    A list in which nothing is may be written as null.
    """

    state: str = "active"
    silenced_by: list[str] | None = None
    inhibited_by: list[str] | None = None


class Receiver(msgspec.Struct, frozen=True):
    """To whom an alert is sent."""

    name: str = ""


class ApiAlert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert as the API holds it. Times are RFC 3339."""

    fingerprint: str
    labels: dict[str, object] = {}
    annotations: dict[str, object] = {}
    starts_at: str = ""
    status: AlertStatus = AlertStatus()
    receivers: list[Receiver] = []

    @property
    def is_quiet(self) -> bool:
        """Whether it is silenced or inhibited there."""
        return self.status.state == "suppressed"


class ApiSilenceStatus(msgspec.Struct, frozen=True):
    """`active`, `pending` or `expired`."""

    state: str = "active"


class ApiSilence(msgspec.Struct, frozen=True):
    """One silence as the API holds it."""

    id: str
    comment: str = ""
    status: ApiSilenceStatus = ApiSilenceStatus()

    @property
    def is_over(self) -> bool:
        """Whether it hides nothing any more."""
        return self.status.state == "expired"


class _Made(msgspec.Struct, frozen=True):
    silence: SilenceId | None = msgspec.field(name="silenceID", default=None)
    id: SilenceId | None = None
    """What Grafana 8 calls it."""


class _Status(msgspec.Struct, frozen=True):
    uptime: str | None = None
    """Grafana has none."""


class Api:
    """The API of one place. `close` it in the end."""

    def __init__(
        self,
        settings: AlertmanagerSettings,
        token: str = "",
        client: Callable[[], httpx.AsyncClient] | None = None,
    ) -> None:
        """Ask nothing yet.

        Args:
            settings: Where it is.
            token: What to authorize with, or nothing.
            client: Makes the HTTP client, for tests.
        """
        self.name = settings.name
        self._base = settings.url.rstrip("/") + PREFIXES[settings.kind]
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._make = client or _client
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """End all connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def alerts(self, matchers: Iterable[Matcher] = ()) -> list[ApiAlert]:
        """Everything that fires there, or only what fits some matchers. Raises `ApiError`."""
        query = [("filter", filter_of(matcher)) for matcher in matchers]
        query += [(name, "true") for name in ("active", "silenced", "inhibited", "unprocessed")]
        return await self._ask("GET", "/alerts", list[ApiAlert], params=query)

    async def up_since(self) -> datetime | None:
        """Since when it runs, None where it does not say. Raises `ApiError`."""
        status = await self._ask("GET", "/status", _Status)
        try:
            found = datetime.fromisoformat(status.uptime or "")
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    async def silence(
        self, matchers: Sequence[Matcher], starts: int, ends: int, author: str, comment: str
    ) -> str:
        """Make a silence (times in ms) and return its id there. Raises `ApiError`."""
        body = {
            "matchers": [_matcher(matcher) for matcher in matchers],
            "startsAt": _stamp(starts),
            "endsAt": _stamp(ends),
            "createdBy": author,
            "comment": comment,
        }
        made = await self._ask("POST", "/silences", _Made, json=body)
        name = made.silence or made.id
        if name is None:
            raise ApiError(_NO_API)
        return name

    async def silences(self) -> list[ApiSilence]:
        """Every silence there. Raises `ApiError`."""
        return await self._ask("GET", "/silences", list[ApiSilence])

    async def expire(self, silence: str) -> None:
        """End a silence; one that is over or gone is no error. Raises `ApiError`."""
        if not _SILENCE.fullmatch(silence):
            raise ApiError("its silence has an id that leads elsewhere")
        try:
            await self._send("DELETE", f"/silence/{silence}")
        except ApiError as error:
            # Alertmanager 0.25 answers 500 for a silence that it does not know, as for a failure.
            held = [each for each in await self.silences() if each.id == silence]
            if not all(each.is_over for each in held):
                raise error from None

    async def _ask(self, method: str, path: str, kind: type[_T], **more: Any) -> _T:
        body = await self._send(method, path, **more)
        try:
            if len(body) < _AT_ONCE:
                return msgspec.json.decode(body, type=kind)
            return await asyncio.to_thread(msgspec.json.decode, body, type=kind)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            raise ApiError(_NO_API) from None

    async def _send(self, method: str, path: str, **more: Any) -> bytes:
        import httpx

        if self._client is None:
            self._client = self._make()
        try:
            async with self._client.stream(
                method, self._base + path, headers=self._headers, **more
            ) as response:
                body = await _body(response)
        except httpx.TimeoutException:
            raise ApiError("it does not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            reason = clean_line(str(error), 120) or type(error).__name__
            raise ApiError(f"there is no connection ({reason})") from None
        if response.is_success:
            return body
        raise ApiError(_refusal(response.status_code, body), is_final=_is_final(response))


def _client() -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False)


async def _body(response: httpx.Response) -> bytes:
    found = bytearray()
    async for part in response.aiter_bytes():
        found += part
        if len(found) > MAX_ANSWER:
            raise ApiError("its answer is too large")
    return bytes(found)


def _is_final(response: httpx.Response) -> bool:
    return 400 <= response.status_code < 500 and response.status_code not in (401, 403, 408, 429)


def _refusal(status: int, body: bytes) -> str:
    if status in (401, 403):
        return f"it refuses our token (HTTP {status})"
    if 300 <= status < 400:
        return f"it sends us elsewhere (HTTP {status}); write the right url"
    said: object = body[:300].decode("utf-8", "replace")
    try:  # two shapes: a bare JSON text, or an object with code and message
        decoded = msgspec.json.decode(body)
        said = decoded.get("message", said) if isinstance(decoded, dict) else decoded
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        pass
    words = clean_line(str(said), 160).strip()
    return f"it says: {words}" if words else f"it answers with HTTP {status}"


def filter_of(matcher: Matcher) -> str:
    """A matcher as the API takes it in `filter`."""
    escaped = matcher.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{matcher.name}{matcher.op}"{escaped}"'


def _matcher(matcher: Matcher) -> dict[str, object]:
    return {
        "name": matcher.name,
        "value": matcher.value,
        "isRegex": matcher.op in ("=~", "!~"),
        "isEqual": matcher.op in ("=", "=~"),
    }


def _stamp(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
