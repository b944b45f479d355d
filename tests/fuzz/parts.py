"""How the bytes of one input are taken apart: a choice, headers where there are any, and a body."""

from __future__ import annotations

from dataclasses import dataclass, field

HEADED = 0x80
"""Set in the choice where lines such as `ce-id=7` and an empty one stand before the body."""

CONTENT_TYPES = (
    "",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "text/plain; charset=utf-16",
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What one input says. `headers` are in lower case; `choice` picks among what a target has."""

    choice: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def take_apart(data: bytes) -> Parts:
    """Read an input; any bytes are one."""
    choice, rest = (data[0], data[1:]) if data else (0, b"")
    if not choice & HEADED:
        kind = CONTENT_TYPES[choice % len(CONTENT_TYPES)]
        return Parts(choice, rest, {"content-type": kind} if kind else {})
    head, _, body = rest.partition(b"\n\n")
    lines = (line.partition("=") for line in head.decode("latin-1").split("\n")[:20])
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    return Parts(choice & ~HEADED, body, headers)


def put_together(choice: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """Write an input that is taken apart so."""
    if headers is None:
        return bytes((choice & ~HEADED,)) + body
    head = "\n".join(f"{name}={value}" for name, value in headers.items())
    return bytes((choice | HEADED,)) + head.encode("latin-1", "replace") + b"\n\n" + body
