"""The pulse of a connection: measures the round trip, gives credit back, notices silence.

It notices too when this machine was asleep: the line is then most likely gone, and nobody said so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

PULSE_EVERY = 4.0
SEEN_AT_LEAST_EVERY = 1.0

QUIET_AFTER = 2.0
"""How long a server may owe the answer to a ping before it is called quiet, in seconds."""

DROP_AFTER = 30.0
"""How long it may owe that before the connection is given up, in seconds."""

SLEPT_FROM = 10.0
"""The machine slept when its wall clock went so much further than the time that it ran, in seconds.

Setting the clock looks the same and does no harm: one ping more.
"""

AWAKE_WITHIN = 5.0
"""How long a server may owe the answer to the first ping after that, in seconds."""


class Pulse:
    """Watches over one connection; whatever is heard is a sign of life.

    Args:
        connection: What to watch.
        credit: Called about once a second, to give the server credit back.
        answered: Called with the round trip in seconds.
        quiet: Called once when the server owes an answer for long.
        wall: The clock, in milliseconds.
    """

    def __init__(
        self,
        connection: ClientConnection,
        credit: Callable[[], None],
        answered: Callable[[float], None],
        quiet: Callable[[], None],
        wall: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._credit = credit
        self._answered = answered
        self._quiet = quiet
        self._wall = wall
        self._ahead: float | None = None
        self._woke_up = False
        self._owed_since: float | None = None
        self._told = False
        self.gave_up = False
        """Whether the connection was dropped because nothing was heard any more."""

    def heard(self) -> None:
        """Something arrived."""
        self._owed_since, self._told, self._woke_up = None, False, False

    async def run(self) -> None:
        """Beat until cancelled, or until the server is given up."""
        pings: set[asyncio.Task[None]] = set()
        next_ping = 0.0
        clock = asyncio.get_running_loop().time
        try:
            while not self.gave_up:
                self._credit()
                now = clock()
                if self._has_slept(now):
                    next_ping, self._owed_since = now, now
                    self._woke_up = True
                if now >= next_ping:
                    next_ping = now + PULSE_EVERY
                    if self._owed_since is None:
                        self._owed_since = now
                    # To a hung server even the ping may wait for ever: the watch goes on.
                    ping = asyncio.create_task(self._ping())
                    pings.add(ping)
                    ping.add_done_callback(pings.discard)
                self._watch(now)
                await asyncio.sleep(SEEN_AT_LEAST_EVERY)
        finally:
            for ping in pings:
                ping.cancel()

    def _has_slept(self, now: float) -> bool:
        """Whether the wall clock went much further than the loop's since the last look."""
        before, self._ahead = self._ahead, self._wall() / 1000 - now
        return before is not None and self._ahead - before >= SLEPT_FROM

    async def _ping(self) -> None:
        from websockets.exceptions import ConnectionClosed

        with suppress(ConnectionClosed):
            trip = await (await self._connection.ping())
            self.heard()
            self._answered(trip)

    def _watch(self, now: float) -> None:
        owed = 0.0 if self._owed_since is None else now - self._owed_since
        if owed >= (AWAKE_WITHIN if self._woke_up else DROP_AFTER):
            self.gave_up = True
            self._connection.transport.abort()
        elif owed >= QUIET_AFTER and not self._told:
            self._told = True
            self._quiet()
