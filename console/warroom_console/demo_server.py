"""The demo's server: a process of its own, started and stopped by command."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

READY_WITHIN = 20.0
"""How long a step of the set-up may take, in seconds."""

_EXIT_WITHIN = 6.0


class CannotStage(Exception):
    """The demo cannot be set up; the message is one sentence."""


@contextlib.asynccontextmanager
async def server(root: Path) -> AsyncIterator[dict[str, str]]:
    """Run a server below `root`; gives the fields of its `ready` line.

    Raises:
        CannotStage: It does not start.
    """
    arguments = ["--data", str(root / "data"), "--socket", str(root / "socket")]
    arguments += ["--http", "127.0.0.1:0", "--listen", "127.0.0.1:0"]
    with (root / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "warroom_server",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        yield await _ready(process, root / "server.log")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_EXIT_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _ready(process: asyncio.subprocess.Process, log: Path) -> dict[str, str]:
    assert process.stdout is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_WITHIN):
            line = (await process.stdout.readline()).decode("utf-8", "replace")
            if line.startswith("ready "):
                return dict(part.partition("=")[::2] for part in line.split()[1:])
    raise CannotStage(f"The demo's server does not start{_last_line(log)}")


def _last_line(log: Path) -> str:
    said = log.read_text("utf-8", "replace").strip().splitlines()
    return f": {said[-1]}" if said else "."
