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

    def __init__(self, root: Path, house: InProcess, stack: AsyncExitStack) -> None:
        self._root = root
        self.house = house
        self._stack = stack
        self.lines: dict[str, Proxy] = {}

    async def desk(
        self, user: str, *, wall: Wall = leaping_wall, latency: float = 0, rate: float | None = None
    ) -> Desk:
        """Open somebody's desk."""
        path = self._root / f"line-{user}"
        self.lines[user] = await self._stack.enter_async_context(
            unix_proxy(self.house.socket, path, latency=latency, rate=rate)
        )
        environ = {
            "WARROOM_SERVER": f"unix://{path}",
            "WARROOM_REPLICA": str(self._root / f"replica-{user}"),
            "WARROOM_USER": user,
        }
        desk = Desk(Places.find(environ=dict(os.environ) | environ), wall=wall)
        await self._stack.enter_async_context(desk)
        assert await desk.ready(60)
        return desk

    async def desks(self, *users: str) -> list[Desk]:
        """Open the desks of several people."""
        return [await self.desk(user) for user in users]


@asynccontextmanager
async def room(root: Path) -> AsyncIterator[Room]:
    """A server whose clock leaps, too."""
    async with AsyncExitStack() as stack:
        stack.enter_context(mock.patch.object(server, "now_ms", leaping_wall))
        house = await stack.enter_async_context(server_in_process(root))
        yield Room(root, house, stack)


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
