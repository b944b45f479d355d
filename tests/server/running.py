"""Servers for tests: a real one as a process of its own, and one inside the test's event loop."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from warroom_incident.event import read_packet
from warroom_incident.log import LogReader
from warroom_incident.sync.wire import BoardCursor, Hello
from warroom_server.config import Config
from warroom_server.identity import account_name
from warroom_server.keys import load_or_create, verify
from warroom_server.reach import Doors
from warroom_server.server import Server

READY_WITHIN = 30.0
EXIT_WITHIN = 15.0

IMPATIENT = (
    "-c",
    "from warroom_server import hub; hub.STALL_SECONDS = 2;"
    " from warroom_server.__main__ import main; main()",
)
"""A program that cuts who reads nothing after two seconds."""

ME = account_name(os.getuid())
"""The account that the tests run under: the admin of every new room."""


def damages(log: Path, public_hex: str | None = None) -> list[str]:
    """What is wrong with a log at rest: hashes, chains and, with a key, the seals."""
    reader = LogReader.open(log)
    try:
        if public_hex is None:
            return list(reader.damages())
        return list(reader.damages(lambda text, seal: verify(public_hex, text, seal)))
    finally:
        reader.close()


@dataclass(frozen=True, slots=True)
class Ready:
    """What a server said when it took connections."""

    socket: Path
    http: str
    listen: str
    log: str


def read_ready(line: str) -> Ready:
    """Read the `ready …` line."""
    word, *pairs = line.split()
    assert word == "ready", line
    fields = dict(pair.partition("=")[::2] for pair in pairs)
    return Ready(Path(fields["socket"]), fields["http"], fields["listen"], fields["log"])


class ServerProcess:
    """`python -m warroom_server` on the paths of a test, started and killed at will.

    `program` replaces `-m warroom_server` by other arguments of the interpreter. What the process
    prints is gathered over all its lives in `output`.
    """

    def __init__(
        self, root: Path, *arguments: str, program: Sequence[str] = ("-m", "warroom_server")
    ) -> None:
        self.root = root
        self.data = root / "room"
        self.socket = root / "socket"
        self.arguments = arguments
        self.program = tuple(program)
        self.ready: Ready
        self.output = b""
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> Path:
        """The log's file."""
        return self.data / "warroom.db"

    @property
    def key(self) -> Path:
        """The file with the server's signing key: in the test's own home."""
        return self.root / "config" / "warroom" / "room.key"

    def damages(self) -> list[str]:
        """What is wrong with the log at rest: its hashes, its chains and its own seals."""
        return damages(self.log, load_or_create(self.key, lambda n: b"").public_hex)

    def places(self, stream: str) -> dict[str, int]:
        """Every event of a stream in the log at rest, with its place."""
        reader = LogReader.open(self.log)
        try:
            rows = reader.read(stream, 0, 1_000_000)
        finally:
            reader.close()
        found = {read_packet(row.packet).id: row.iseq for row in rows}
        assert len(found) == len(rows)
        assert sorted(found.values()) == list(range(1, len(rows) + 1))
        return found

    async def start(self) -> Ready:
        """Start, and wait until connections are taken."""
        await self._launch()
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_WITHIN):
            while True:
                line = await self._process.stdout.readline()
                self.output += line
                if line.startswith(b"ready "):
                    break
                if not line:
                    code = await self._process.wait()
                    raise AssertionError(f"no start, exit code {code}: {self.output.decode()}")
        self.ready = read_ready(line.decode())
        return self.ready

    async def _launch(self) -> None:
        options = ("--data", str(self.data), "--socket", str(self.socket))
        http = () if "--http" in self.arguments else ("--http", "127.0.0.1:0")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.program,
            *options,
            *http,
            *self.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def run_to_end(self) -> int:
        """Start a server that is expected to give up; its exit code."""
        await self._launch()
        return await self.ended()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs.

        Not by way of asyncio: that looks first whether it has ended, and then nobody else learns
        with which exit code.
        """
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def ended(self) -> int:
        """Wait for the end of the process: its exit code."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(EXIT_WITHIN):
            self.output += await self._process.stdout.read()
            return await self._process.wait()

    async def kill(self) -> None:
        """Kill the process as power would."""
        self.send(signal.SIGKILL)
        await self.ended()

    async def terminate(self) -> int:
        """Ask the process to end: its exit code."""
        self.send(signal.SIGTERM)
        return await self.ended()

    async def cleared(self) -> None:
        """See that nothing of it runs any more."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()


@asynccontextmanager
async def server_process(
    root: Path, *arguments: str, program: Sequence[str] = ("-m", "warroom_server")
) -> AsyncIterator[ServerProcess]:
    """Run a server as a process of its own."""
    process = ServerProcess(root, *arguments, program=program)
    try:
        await process.start()
        yield process
    finally:
        await process.cleared()


@dataclass
class InProcess:
    """A server inside the test's event loop."""

    server: Server
    ready: Ready

    @property
    def socket(self) -> Path:
        """The Unix socket."""
        return self.ready.socket


def new_server(root: Path, config: Config | None = None) -> Server:
    """A server that has not started, on the paths of a test."""
    key = load_or_create(root / "keys" / "room.key", secrets.token_bytes)
    return Server(root / "room", config or Config(), key)


@asynccontextmanager
async def server_in_process(
    root: Path,
    *,
    config: Config | None = None,
    http: bool = False,
    listen: tuple[str, int] | None = None,
    owner: str = ME,
) -> AsyncIterator[InProcess]:
    """Run a server inside the test's event loop."""
    server = new_server(root, config)
    doors = Doors(root / "socket", ("127.0.0.1", 0) if http else None, listen)
    line = await server.start(doors, owner)
    try:
        yield InProcess(server, read_ready(line))
    finally:
        await server.stop()


def greeting(rep: str, *, user: str = "", lobby: bool = False, machine: str = "") -> Hello:
    """The hello of a console that reads the board from its start."""
    return Hello(1, "test", rep, machine, user, [], BoardCursor("", 0), lobby)
