"""Signatures of senders: whether a body was sent by who shares our secret (HMAC-SHA256)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping

_HEADERS = {
    "sentry": ("sentry-hook-signature",),
    "grafana": ("x-grafana-alerting-signature",),
    "pagerduty": ("x-pagerduty-signature",),
}
_COMMON = ("x-warroom-signature", "x-hub-signature-256")
_TIMESTAMPS = ("x-grafana-alerting-signature-timestamp", "x-grafana-alerting-timestamp")
"""Grafana lets people choose this header; these are the names that its documentation uses."""

_LARGEST = 2_000
_HEX = re.compile(r"(?:v1=|sha256=)?([0-9a-fA-F]{64})")


def header_names(kind: str) -> tuple[str, ...]:
    """The headers in which a kind of sender signs."""
    return (*_HEADERS.get(kind, ()), *_COMMON)


def is_signed(kind: str, secret: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the signatures that came with a body is right.

    Args:
        kind: The kind of sender, which decides the header.
        secret: What the sender signs with.
        headers: Of the request, their names in lower case.
        body: The body as it was transferred.
    """
    expected = [hmac.new(secret, body, hashlib.sha256).hexdigest()]
    for stamp in filter(None, (headers.get(name, "")[:64] for name in _TIMESTAMPS)):
        signed = stamp.encode("utf-8", "replace") + b":" + body
        expected.append(hmac.new(secret, signed, hashlib.sha256).hexdigest())
    good = False
    for given in _given(kind, headers):
        for digest in expected:
            good |= hmac.compare_digest(given, digest)
    return good


def _given(kind: str, headers: Mapping[str, str]) -> Iterator[str]:
    for name in header_names(kind):
        for part in headers.get(name, "")[:_LARGEST].split(","):
            if found := _HEX.fullmatch(part.strip()):
                yield found[1].lower()
