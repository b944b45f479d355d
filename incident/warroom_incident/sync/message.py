"""What all messages of the protocol share."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(max_length=80)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Chain = Annotated[str, Meta(pattern=r"\A([0-9a-f]{64})?\Z")]


class Message(msgspec.Struct, frozen=True, tag_field="t", omit_defaults=True):
    """Any message."""
