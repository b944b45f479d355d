"""A real server and real desks in one loop whose clock leaps, with a bad line to each desk."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from unittest import mock

from tests.leaping import leaping_wall
from tests.proxy import Proxy, unix_proxy
from tests.server.running import ME
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_console.places import Places
from warroom_server import server as module
from warroom_server.config import Config
from warroom_server.keys import load_or_create
from warroom_server.peer_line import Address
from warroom_server.reach import Doors
from warroom_server.server import Server

Wall = Callable[[], int]


def now() -> float:
    """Seconds of the running loop."""
    return asyncio.get_running_loop().time()


class Room:
    """A server, and whoever comes to it over a line of their own.

    Args:
        root: Where it keeps everything.
        stack: What ends with the test.
        first: Another server of the same room that this one names as its peer.
    """

    def __init__(self, root: Path, stack: AsyncExitStack, first: Room | None = None) -> None:
        root.mkdir(exist_ok=True)
        self._root = root
        self._stack = stack
        self._first = first
        self.server: Server
        self.serves = False
        self.lines: dict[str, Proxy] = {}

    @property
    def socket(self) -> Path:
        """Where the server listens."""
        return self._root / "socket"

    @property
    def data(self) -> Path:
        """Where its log lies."""
        return self._root / "room"

    async def start(self) -> None:
        """Start the server, with what it held before."""
        room = self._first.server.hub.us.room if self._first else None
        key = load_or_create(self._root / "keys" / "room.key", secrets.token_bytes, room)
        peers = [Address(self._first.url("peer"), self._first.path("peer"))] if self._first else []
        self.server = Server(self.data, Config(), key, peers)
        await self.server.start(Doors(self.socket), ME)
        self.serves = True

    async def stop(self) -> None:
        """Stop the server."""
        if self.serves:
            self.serves = False
            await self.server.stop()

    async def second(self, root: Path) -> Room:
        """Another server of this room, which keeps in step over a line that may be bad."""
        await self.line("peer")
        made = Room(root, self._stack, self)
        self._stack.push_async_callback(made.stop)
        await made.start()
        return made

    def path(self, user: str) -> Path:
        """Where somebody's line begins."""
        return self._root / f"line-{user}"

    def url(self, user: str) -> str:
        """The server, over somebody's line."""
        return f"unix://{self.path(user)}"

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
        self.lines[user] = await self._stack.enter_async_context(
            unix_proxy(self.socket, self.path(user), latency=latency, rate=rate)
        )

    def closed_desk(self, user: str, wall: Wall = leaping_wall) -> Desk:
        """A desk for somebody who has a line, to be opened and closed by whoever asks for it."""
        environ = {
            "WARROOM_SERVER": self.url(user),
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
        stack.enter_context(mock.patch.object(module, "now_ms", leaping_wall))
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
