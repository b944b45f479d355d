"""What to say when this machine's clock is far from the server's."""

from __future__ import annotations

from .times import MINUTE, short

MOST_MS = 5 * MINUTE
"""A clock that is further off than this is worth a line on the screen."""


def clock_trouble(offset_ms: int) -> str:
    """One sentence, empty where the clock is right enough.

    Args:
        offset_ms: The server's clock minus this machine's.
    """
    if abs(offset_ms) <= MOST_MS:
        return ""
    way = "behind" if offset_ms > 0 else "ahead of"
    return f"This machine's clock is {short(abs(offset_ms))} {way} the server's: set it by NTP."
