"""Consoles without a screen in a process of their own: `python -m tests.headless`.

It holds any number of desks. Commands come as JSON lines on standard input (`{"do": "open",
"user": "ana", …}`, see `Bench`) and are answered in order, one line each, on standard output. It
ends when its input does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from warroom_console.desk import Desk
from warroom_console.places import Places
from warroom_incident.vocabulary import NoteAdded, SeverityName, SeveritySet

Command = dict[str, Any]


class Bench:
    """Desks side by side. Every method is a command; its arguments are the command's fields."""

    def __init__(self) -> None:
        self._desks: dict[str, tuple[Desk, AsyncExitStack]] = {}

    async def open(self, user: str, url: str, replica: str, within: float = 30.0) -> Command:
        """Open somebody's desk and wait for a picture."""
        environ = {"WARROOM_SERVER": url, "WARROOM_REPLICA": replica, "WARROOM_USER": user}
        desk = Desk(Places.find(environ=dict(os.environ) | environ))
        stack = AsyncExitStack()
        await stack.enter_async_context(desk)
        self._desks[user] = desk, stack
        return {"fresh": await desk.ready(within)}

    async def follow(self, user: str, stream: str) -> Command:
        """Follow a stream."""
        await self._desk(user).open(stream)
        return {}

    async def note(self, user: str, stream: str, text: str) -> Command:
        """Write a note: its id, once it is on this machine's disk."""
        desk = self._desk(user)
        event = desk.write(stream, NoteAdded(text=text))
        await desk.kept()
        return {"id": event.id}

    async def severity(self, user: str, stream: str, severity: SeverityName) -> Command:
        """Set the severity: the event's id."""
        desk = self._desk(user)
        event = desk.write(stream, SeveritySet(severity=severity))
        await desk.kept()
        return {"id": event.id}

    async def report(self, user: str, stream: str) -> Command:
        """What a desk holds of a stream, and how its link stands."""
        desk = self._desk(user)
        state = desk.model.incident(stream)
        return {
            "phase": desk.model.link.phase,
            "reason": desk.model.link.reason,
            "server": desk.model.link.server,
            "synced": stream in desk.model.synced,
            "pending": sorted(desk.model.pending),
            "refused": sorted(desk.model.refusals),
            "events": len(state.events),
            "digest": state.set_digest(),
        }

    async def holds(self, user: str, stream: str, digest: str, within: float = 45.0) -> Command:
        """Wait until a desk holds what belongs to a digest; whether it does."""
        desk = self._desk(user)
        return {
            "holds": await desk.until(
                lambda: desk.model.incident(stream).set_digest() == digest, within
            )
        }

    async def declare(self, user: str, title: str) -> Command:
        """Declare an incident: its stream."""
        desk = self._desk(user)
        stream = desk.declare(title, "SEV3")
        await desk.kept()
        return {"stream": stream}

    async def shut(self, user: str) -> Command:
        """Close a desk."""
        _, stack = self._desks.pop(user)
        await stack.aclose()
        return {}

    def _desk(self, user: str) -> Desk:
        return self._desks[user][0]

    async def close(self) -> None:
        """Close every desk."""
        for user in list(self._desks):
            await self.shut(user)


async def serve() -> None:
    """Answer commands until there are no more."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    bench = Bench()
    while line := await reader.readline():
        command: Command = json.loads(line)
        answer = await getattr(bench, command.pop("do"))(**command)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    await bench.close()


class Headless:
    """Such a process, from outside."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    async def ask(self, do: str, within: float = 60.0, **fields: object) -> Command:
        """Have a command done: the answer.

        Raises:
            EOFError: The process is gone.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self._turn:
            try:
                self.process.stdin.write(json.dumps({"do": do} | fields).encode() + b"\n")
                await self.process.stdin.drain()
                async with asyncio.timeout(within):
                    line = await self.process.stdout.readline()
            except OSError:
                line = b""
        if not line:
            raise EOFError(f"the console's process ended at {do!r}")
        answer: Command = json.loads(line)
        return answer

    async def end(self) -> None:
        """Let it end by itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(30):
            await self.process.wait()

    async def kill(self) -> None:
        """Kill it."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


async def start_headless(complaints: Path | None = None) -> Headless:
    """Start one; what goes wrong in it is written to a file, or to where this process writes."""
    errors = None if complaints is None else complaints.open("ab")
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.headless",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=Path(__file__).parent.parent,
            limit=1 << 20,
        )
    finally:
        if errors is not None:
            errors.close()
    return Headless(process)


@asynccontextmanager
async def headless() -> AsyncIterator[Headless]:
    """A process that ends with its test."""
    process = await start_headless()
    try:
        yield process
    finally:
        await process.kill()


if __name__ == "__main__":
    asyncio.run(serve())
