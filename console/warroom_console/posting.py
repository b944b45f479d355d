"""Posts JSON to the server's HTTP side: where to, with which token, and what came of it.

Owns the reading of an intake address. The token leaves the path for a header, so that no proxy
writes it down. Nothing here keeps anything; `spool` does.
"""

from __future__ import annotations

import http.client
import json
import ssl
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from warroom_incident.clean import clean_line

from .saying import Failure

SECONDS = 5.0
"""How long one attempt waits for its connection, and then for its answer."""

PAUSES = (0.5, 1.5)
"""The seconds between attempts: one more attempt than pauses is made."""

_LARGEST_ADDRESS = 4096
_LARGEST_ANSWER = 64 << 10


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post. `path` is without the token, `file` where the address was read, if in one."""

    https: bool
    host: str
    port: int
    path: str
    token: str = field(repr=False)
    file: str = ""

    @property
    def kind(self) -> str:
        """The kind of sender that the address is for."""
        return self.path.rpartition("/")[2]

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return f"{'https' if self.https else 'http'}://{self.host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a post: `sent`, else whether it makes sense to `try_again`, and why not.

    `gone` says that nothing is taken at the address with this token, whatever is posted.
    """

    sent: bool
    try_again: bool = False
    reason: str = ""
    gone: bool = False


def read_target(given: str) -> Target:
    """Read an address, or the file that holds one.

    Raises:
        Failure: It is neither; the message says what to do, and never holds the token.
    """
    text, file = given.strip(), ""
    if not text.startswith(("http://", "https://")):
        named = Path(text).expanduser()
        text, file = _from_file(named), str(named.absolute())
    try:
        parts = urlsplit(text[:_LARGEST_ADDRESS])
        port = parts.port
        path, _, token = parts.path.rstrip("/").rpartition("/")
        token.encode("ascii")
    except (ValueError, UnicodeEncodeError):
        raise _no_address() from None
    if not parts.hostname or parts.scheme not in ("http", "https") or "/in/" not in path:
        raise _no_address()
    https = parts.scheme == "https"
    return Target(https, parts.hostname, port or (443 if https else 80), path, token, file)


def _no_address() -> Failure:
    return Failure(
        "That is no intake address: it looks like http://HOST:8765/in/generic/TOKEN, or is a file "
        "with such an address in it."
    )


def _from_file(path: Path) -> str:
    shown = clean_line(str(path), 100)
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8", "replace")[:_LARGEST_ADDRESS].strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no path"
        raise Failure(
            f"{shown} cannot be read ({why}): name an intake address, or a file that holds one."
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise Failure(f"{shown} holds a token that others may read: chmod 600 {shown}")
    if not text.startswith(("http://", "https://")):
        raise Failure(f"{shown} holds no address: write http://HOST:8765/in/generic/TOKEN into it.")
    return text


def post(target: Target, body: bytes, *, pause: Callable[[float], None] = time.sleep) -> Answer:
    """Post a body, again after a while where that may help."""
    answer = _post(target, body)
    for seconds in PAUSES:
        if not answer.try_again:
            break
        pause(seconds)
        answer = _post(target, body)
    return answer


def _post(target: Target, body: bytes) -> Answer:
    headers = {
        "Authorization": f"Bearer {target.token}",
        "Content-Type": "application/json",
        "User-Agent": "warroom-notify",
    }
    line = _connection(target)
    try:
        line.request("POST", target.path, body, headers)
        response = line.getresponse()
        said = response.read(_LARGEST_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        why = clean_line(str(error) or type(error).__name__, 120)
        return Answer(False, True, f"{target.shown} does not answer ({why})")
    finally:
        line.close()
    status = response.status
    if 200 <= status < 300:
        return Answer(True)
    again = status >= 500 or status in (408, 429)
    reason = f"{target.shown} answers {status}: {_sentence(said)}"
    return Answer(False, again, reason, status in (401, 403, 404, 410))


def _connection(target: Target) -> http.client.HTTPConnection:
    if target.https:
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(
            target.host, target.port, timeout=SECONDS, context=context
        )
    return http.client.HTTPConnection(target.host, target.port, timeout=SECONDS)


def _sentence(said: bytes) -> str:
    try:
        error = json.loads(said)["error"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return "no reason is given"
    return clean_line(str(error), 200)
