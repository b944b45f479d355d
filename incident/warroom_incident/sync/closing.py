"""Why a connection ends."""

from __future__ import annotations

from enum import IntEnum

MAX_REASON = 120
"""The longest reason of a closing, in bytes: a close frame has room for 123."""


class Close(IntEnum):
    """Why a connection ends. Codes from 4000 on are ours."""

    RESTART = 1012
    BUSY = 1013
    TOO_BIG = 1009
    BAD_MESSAGE = 4000
    UNKNOWN_TOKEN = 4001
    FORBIDDEN = 4003
    STALLED = 4008
    REPLICA_CLASH = 4009
    OLD_PROTOCOL = 4010
    LOG_CHANGED = 4011

    @property
    def final(self) -> bool:
        """Whether trying again by itself cannot help."""
        return self in (
            Close.UNKNOWN_TOKEN,
            Close.FORBIDDEN,
            Close.OLD_PROTOCOL,
        )


class ProtocolError(Exception):
    """The other end broke the protocol; the connection closes with this code and sentence."""

    def __init__(self, code: Close, reason: str) -> None:
        self.code = code
        self.reason = reason.encode(errors="replace")[:MAX_REASON].decode(errors="ignore")
        super().__init__(self.reason)
