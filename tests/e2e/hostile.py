"""A server that hostile consoles talk to, and somebody beside them who must notice nothing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.e2e.console_client import Console, dial, leave_all
from tests.server.running import ServerProcess, greeting, server_process
from warroom_incident.author import new_rep
from warroom_incident.log import LogReader
from warroom_incident.sync.wire import encode

BIG = 2**63


@asynccontextmanager
async def spotless(home: Path) -> AsyncIterator[ServerProcess]:
    """A server whose log must be whole at the end, and that must never have said a traceback."""
    async with server_process(home) as running:
        yield running
        assert await running.terminate() == 0
    assert b"Traceback" not in running.output, running.output.decode()
    reader = LogReader.open(running.log)
    assert list(reader.damages()) == []
    reader.close()


class Bystander:
    """Somebody else in the room, who must notice nothing."""

    def __init__(self, console: Console, stream: str) -> None:
        self.console = console
        self.stream = stream

    @classmethod
    async def join(cls, process: ServerProcess) -> Bystander:
        """Come in and declare an incident."""
        console = await Console(user="bystander").join(process.socket)
        stream = await console.declare()
        await console.follow(stream)
        return cls(console, stream)

    async def is_well(self) -> None:
        """See that a note still goes through, and leave."""
        note = await self.console.note(self.stream, "still here")
        await self.console.has(self.stream, note.id)
        await leave_all([self.console])


def hello(**changes: Any) -> bytes:
    """A good hello, with some fields changed."""
    fields = msgspec.json.decode(encode(greeting(new_rep(secrets.token_bytes))))
    return msgspec.json.encode({**fields, **changes})


async def closing_of(process: ServerProcess, *frames: bytes, text: bool = True) -> tuple[int, str]:
    """Send frames on a line of their own; how the server ends it."""
    ws = await dial(process.socket)
    for frame in frames:
        await ws.send(frame, text=text)
    async with asyncio.timeout(10):
        await ws.wait_closed()
    assert ws.close_code is not None
    assert ws.close_code != 1006, "the server cut the line without a word"
    return ws.close_code, ws.close_reason or ""
