"""Bodies that are forms instead of JSON: url-encoded, as browsers and old senders post them."""

from __future__ import annotations

from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import parse_qsl

from ..post import Post
from ..unreadable import Unreadable
from .body import read_json

FORM = "application/x-www-form-urlencoded"
_PARTS = "multipart/form-data"
_WHOLE = ("data", "payload", "body", "json")
_MAX_FIELDS = 200


def read_body(post: Post) -> object:
    """Decode a body as what its content type says, JSON if it says nothing else.

    A form whose field `data`, `payload`, `body` or `json` holds JSON is that JSON; any other form
    is an object of texts. Raises Unreadable.
    """
    content_type = post.headers.get("content-type", "").strip()
    named = content_type.split(";")[0].strip().casefold()
    if named == FORM and not post.body.lstrip().startswith((b"{", b"[")):
        return _whole(_encoded(post.body))
    if named == _PARTS:
        return _whole(_parts(post.body, content_type))
    return read_json(post.body)


def _encoded(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS
        )
    except ValueError:
        raise Unreadable(f"its form has more than {_MAX_FIELDS} fields") from None
    return dict(pairs)


def _parts(body: bytes, content_type: str) -> dict[str, str]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", "replace")
    fields: dict[str, str] = {}
    try:
        message = message_from_bytes(head + body, policy=policy.HTTP)
        for part in message.iter_parts() if isinstance(message, EmailMessage) else ():
            name = part.get_param("name", header="content-disposition")
            value = part.get_payload(decode=True)
            if isinstance(name, str) and isinstance(value, bytes) and len(fields) < _MAX_FIELDS:
                fields[name] = value.decode("utf-8", "replace")
    except (ValueError, LookupError, TypeError, AttributeError, IndexError, RecursionError):
        raise Unreadable("its form cannot be taken apart") from None
    if not fields:
        raise Unreadable("it is not JSON, and as a form it has no fields")
    return fields


def _whole(fields: Mapping[str, str]) -> object:
    for name in _WHOLE:
        text = fields.get(name, "").strip()
        if text.startswith(("{", "[")):
            return read_json(text.encode("utf-8", "surrogatepass"))
    return dict(fields)
