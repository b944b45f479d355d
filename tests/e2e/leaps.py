"""A real server and real desks in one loop whose clock leaps, with a bad line to each desk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from unittest import mock

from tests.leaping import leaping_wall
from tests.proxy import Proxy, unix_proxy
from tests.server.running import InProcess, server_in_process
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_console.places import Places
from warroom_server import server

Wall = Callable[[], int]


def now() -> float:
    """Seconds of the running loop."""
    return asyncio.get_running_loop().time()


class Room:
    """A server, and whoever comes to it over a line of their own."""

    def __init__(self, root: Path, stack: AsyncExitStack) -> None:
        self._root = root
        self._stack = stack
        self._running: AsyncExitStack | None = None
        self.house: InProcess
        self.lines: dict[str, Proxy] = {}

    async def start(self) -> None:
        """Start the server, with what it held before."""
        self._running = AsyncExitStack()
        self.house = await self._running.enter_async_context(server_in_process(self._root))

    async def stop(self) -> None:
        """Stop the server."""
        running, self._running = self._running, None
        if running is not None:
            await running.aclose()

    async def desk(
        self, user: str, *, wall: Wall = leaping_wall, latency: float = 0, rate: float | None = None
    ) -> Desk:
        """Open somebody's desk, over a line of their own."""
        await self.line(user, latency=latency, rate=rate)
        desk = self.closed_desk(user, wall)
        await self._stack.enter_async_context(desk)
        assert await desk.ready(60)
        return desk

    async def line(self, user: str, *, latency: float = 0, rate: float | None = None) -> None:
        """Lay a line for somebody."""
        own = self._root / f"line-{user}"
        self.lines[user] = await self._stack.enter_async_context(
            unix_proxy(self._root / "socket", own, latency=latency, rate=rate)
        )

    def closed_desk(self, user: str, wall: Wall = leaping_wall) -> Desk:
        """A desk for somebody who has a line, to be opened and closed by whoever asks for it."""
        path = self._root / f"line-{user}"
        environ = {
            "WARROOM_SERVER": f"unix://{path}",
            "WARROOM_REPLICA": str(self._root / f"replica-{user}"),
            "WARROOM_USER": user,
        }
        return Desk(Places.find(environ=dict(os.environ) | environ), wall=wall)

    async def desks(self, *users: str) -> list[Desk]:
        """Open the desks of several people."""
        return [await self.desk(user) for user in users]


@asynccontextmanager
async def room(root: Path) -> AsyncIterator[Room]:
    """A server whose clock leaps, too."""
    async with AsyncExitStack() as stack:
        stack.enter_context(mock.patch.object(server, "now_ms", leaping_wall))
        made = Room(root, stack)
        stack.push_async_callback(made.stop)
        await made.start()
        yield made


async def same(stream: str, *desks: Desk, within: float = 60) -> None:
    """Wait until desks hold the same of an incident and nothing waits for an answer."""
    await wait_for(
        lambda: (
            all(desk.model.live and stream in desk.model.synced for desk in desks)
            and not any(desk.model.pending for desk in desks)
            and len({desk.model.incident(stream).set_digest() for desk in desks}) == 1
        ),
        "the same everywhere",
        within,
    )
    assert len({desk.model.incident(stream).state_digest() for desk in desks}) == 1
