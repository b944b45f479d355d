"""What the end of a connection means to people."""

from __future__ import annotations

from warroom_incident.sync.wire import Close


def farewell(code: Close, said: str) -> str:
    """What the end of a connection means to people, and what to do where waiting does not help.

    `said` is the server's own reason.
    """
    said = said.rstrip(".")
    match code:
        case Close.UNKNOWN_TOKEN:
            why = said or "unknown or expired token; ask an admin for a new one"
            return f"Not let in: {why}, then start again."
        case Close.FORBIDDEN:
            why = said or "your account has no access; ask an admin of the room"
            return f"Not let in: {why}."
        case Close.REPLICA_CLASH:
            return "this console's replica was copied; it goes on under a name of its own"
        case Close.OLD_PROTOCOL:
            return (
                f"This console and the server do not fit together ({said}): update the older one."
            )
        case Close.RESTART:
            return "the server is restarting"
        case Close.BUSY:
            return said or "the server is busy"
        case Close.STALLED:
            return "the server gave up on this console, which was too slow"
        case Close.LOG_CHANGED:
            return "the server's history changed; it is read again"
        case Close.TOO_BIG | Close.BAD_MESSAGE:
            return said or "the server and this console did not understand each other"
