"""Running `warroom` as a user does, and looking at what it left."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.console.fake_room import FakeRoom
from warroom_incident.incident import IncidentState

TITLE = "x[prod] y[/b] \x1b]52;c;aGk=\x07 end"
WITHIN = 60


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    def sentence(self) -> str:
        """The one line on standard error, which is all that a failure may print."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        assert "\x1b" not in self.err
        return lines[0]


async def started(*arguments: str | bytes, room: FakeRoom | None) -> asyncio.subprocess.Process:
    environ = dict(os.environ)
    if room is not None:
        environ["WARROOM_SERVER"] = room.url
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "warroom_console", *arguments,
        stdin=pipe, stdout=pipe, stderr=pipe, env=environ,
    )  # fmt: skip


async def run(
    *arguments: str | bytes, room: FakeRoom | None = None, typed: bytes | None = None
) -> Ran:
    process = await started(*arguments, room=room)
    async with asyncio.timeout(WITHIN):
        out, err = await process.communicate(typed)
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())


async def declare(room: FakeRoom, title: str = "Checkout fails", *more: str) -> str:
    """Declare by command and return the id."""
    ran = await run("declare", title, *more, room=room)
    assert ran.code == 0, ran.err
    return ran.out.strip()


def files(directory: Path) -> list[Path]:
    """Every plain file below a directory, the test server's own left out."""
    return [p for p in directory.rglob("*") if p.is_file() and "server" not in p.parts]


def only(room: FakeRoom) -> IncidentState:
    """The only incident of the room."""
    (stream,) = (stream for stream in room.log.streams() if stream.startswith("i-"))
    return room.state(stream)
