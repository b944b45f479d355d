"""A line between two servers that a test cuts and mends: it passes bytes on, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


class Line:
    """A Unix socket that leads to another one, while it is whole."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path = path
        self._target = target
        self._whole = True
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where whoever uses the line connects to."""
        return f"unix://{self.path}"

    def cut(self) -> None:
        """End what goes over it, and let nothing through from now on."""
        self._whole = False
        for writer in tuple(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        """Let everything through again."""
        self._whole = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join one connection to a new one at the target."""
        self._writers.add(writer)
        try:
            if not self._whole:
                return
            far_reader, far_writer = await asyncio.open_unix_connection(str(self._target))
            self._writers.add(far_writer)
            try:
                await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))
            finally:
                self._writers.discard(far_writer)
                far_writer.close()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def line(path: Path, target: Path) -> AsyncIterator[Line]:
    """A line to a socket that may not be there yet."""
    made = Line(path, target)
    server = await asyncio.start_unix_server(made.serve, str(path))
    try:
        yield made
    finally:
        made.cut()
        server.close()
        await server.wait_closed()
