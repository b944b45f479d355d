"""One body as it reached us: what every kind of reader is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

METHOD = ":method"
PATH = ":path"
KEY = ":key"
"""What a vendor's door notes beside a body: no sender can give a header a name with a colon."""


@dataclass(frozen=True, slots=True)
class Post:
    """A kept body, when it was received (ms), and the few headers that were kept with it.

    The door of a vendor adds the verb and the path, without any token, and the key that it gave
    to an alert whose sender gave none.
    """

    body: bytes
    received: int
    headers: Mapping[str, str] = field(default_factory=dict)
