"""Waiting in tests: for a condition, up to a deadline, never for a length of time."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tests.leaping import LeapingLoop

T = TypeVar("T")

_POLL = 0.005
_LONG = 15.0
_LEAPING = 4


async def wait_for(condition: Callable[[], T], what: str = "", within: float = _LONG) -> T:
    """Return the first true value of `condition`, letting the event loop run between looks.

    Raises AssertionError naming `what` when `within` seconds did not bring it. Where the loop's
    clock leaps it takes more: a minute there is thousands of looks, on a busy machine slow ones.
    """
    leaps = isinstance(asyncio.get_running_loop(), LeapingLoop)
    within *= _LEAPING if leaps else 1
    deadline = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(_complaint(condition, what, within))
        await asyncio.sleep(_POLL)
    return value


def wait_until(condition: Callable[[], T], what: str = "", within: float = _LONG) -> T:
    """Do what `wait_for` does in a test without an event loop."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(_complaint(condition, what, within))
        pause.wait(_POLL)
    return value


def _complaint(condition: Callable[[], object], what: str, within: float) -> str:
    return f"{what or getattr(condition, '__qualname__', 'the condition')}: not within {within:g} s"
