"""The rig of the server's benchmarks: servers as processes, consoles as tasks, honest counters.

CPU is read from the kernel's scheduler statistics (nanoseconds, all threads), memory as PSS.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed

from warroom_incident import vocabulary as v
from warroom_incident.author import Author, Counters, new_rep, new_stream
from warroom_incident.clock import HybridClock
from warroom_incident.event import Packet
from warroom_incident.fields import StepCopy
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body, Write
from warroom_incident.sync.client_end import ClientEnd, Heard
from warroom_incident.sync.wire import (
    MAX_FRAME,
    SEEN_EVERY,
    Ack,
    BoardCursor,
    Follow,
    Hello,
    Synced,
    Welcome,
    encode,
)


def now_ms() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


def cpu_seconds(pid: int) -> float:
    """The CPU that a process has used, in all its threads."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def pss_bytes(pid: int) -> int:
    """The memory of a process, shared pages counted by their share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no Pss line")


@dataclass(frozen=True)
class Running:
    """A server process: its pid and where it listens."""

    pid: int
    socket: Path
    listen: str = ""
    http: str = ""


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary directory with a short path (sockets may take 100 bytes)."""
    with tempfile.TemporaryDirectory(prefix="wr") as name:
        yield Path(name)


@contextmanager
def warroom_server(*, listen: bool = False, home: Path | None = None) -> Iterator[Running]:
    """A real server on fresh data, or on that of `home`."""
    with scratch() as fresh:
        base = home or fresh
        command = [sys.executable, "-m", "warroom_server", "--data", str(base / "data")]
        command += ["--socket", str(fresh / "s"), "--http", "127.0.0.1:0"]
        command += ["--listen", "127.0.0.1:0"] if listen else []
        environment = os.environ | {"WARROOM_CONFIG": str(base / "config")}
        with _process(command, environment) as (pid, ready):
            parts = dict(part.split("=", 1) for part in ready.split()[1:])
            yield Running(pid, fresh / "s", parts["listen"], parts["http"])


@contextmanager
def floor_server(name: str, *arguments: str) -> Iterator[Running]:
    """One of the bare servers of `benchmarks.floors`."""
    with scratch() as fresh:
        command = [sys.executable, "-m", "benchmarks.floors", name, str(fresh / "s"), *arguments]
        with _process(command, dict(os.environ)) as (pid, ready):
            parts = dict(part.split("=", 1) for part in ready.split()[1:])
            yield Running(pid, fresh / "s", http=parts.get("http", ""))


@contextmanager
def _process(command: Sequence[str], environment: dict[str, str]) -> Iterator[tuple[int, str]]:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    )
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        if not ready.startswith("ready"):
            raise RuntimeError(f"{' '.join(command[:3])} did not start")
        yield process.pid, ready
    finally:
        process.terminate()
        process.wait(10)


class Pen:
    """Writes events of one incident as one replica."""

    def __init__(self, you: str = "") -> None:
        clock = HybridClock(now_ms)
        self.author = Author(Counters(new_rep(secrets.token_bytes)), clock, secrets.token_bytes)
        self.stream = new_stream(secrets.token_bytes)
        self.state = IncidentState(self.stream)
        self.you = you

    def write(self, body: Body) -> Packet:
        """An event on top of what was written before."""
        base = self.state.base_for(body.key) if isinstance(body, Write) else ()
        event, packet = self.author.write(self.stream, self.you, body, base)
        self.state.add(event)
        return packet

    def declaration(self) -> list[Packet]:
        """The first events of an incident."""
        bodies: list[Body] = [
            v.IncidentDeclared(title="checkout answers 5xx"),
            v.SeveritySet(severity="SEV2"),
            v.StatusSet(status="investigating"),
        ]
        return [self.write(body) for body in bodies]

    def history(self, count: int) -> list[Packet]:
        """An incident of `count` events as they come: notes mostly, and what a room does."""
        packets = self.declaration()
        steps = tuple(StepCopy(id=f"s{i}", text=f"Step {i}: look, decide, do") for i in range(16))
        packets.append(
            self.write(v.ChecklistAttached(checklist="ic", title="IC checklist", steps=steps))
        )
        packets.append(self.write(v.DraftOpened(draft="d1", audience="customers", title="Update")))
        turn: list[Body] = [
            v.RoleAssigned(role="commander", person=self.you),
            *(v.StepSet(checklist="ic", step=f"s{i}", state="done") for i in range(16)),
            v.DraftSaved(draft="d1", text="We are looking into errors at checkout. " * 6),
            v.SeveritySet(severity="SEV1"),
            v.ImpactSet(field="services", text="checkout, orders"),
        ]
        while len(packets) < count:
            number = len(packets)
            body = turn[number // 20 % len(turn)] if number % 20 == 0 else None
            text = f"{number}: rolled back 3f2c on checkout, watching the error rate in zone b"
            packets.append(self.write(body or v.NoteAdded(text=text)))
        return packets


class Console:
    """A console without a screen: reads what comes and gives credit back."""

    def __init__(self, ws: ClientConnection, end: ClientEnd) -> None:
        self.ws = ws
        self.end = end

    async def send(self, *frames: bytes) -> None:
        """Send frames."""
        for frame in frames:
            await self.ws.send(frame, text=True)

    async def receive(self) -> Heard:
        """The next message."""
        message = self.end.receive(await self.ws.recv(decode=False))
        credit = self.end.seen()
        if credit is not None:
            await self.send(credit)
        return message

    async def push(self, packets: Sequence[Packet]) -> None:
        """Push events and wait for their acks."""
        await self.send(*self.end.push(packets))
        await self.acked(len(packets))

    async def acked(self, waiting: int) -> None:
        """Wait for the acks of so many events."""
        while waiting:
            message = await self.receive()
            if isinstance(message, Ack):
                waiting -= len(message.receipts)
        credit = self.end.seen(now=True)
        if credit is not None:
            await self.send(credit)

    async def synced(self, stream: str) -> None:
        """Wait until a stream was read to its end."""
        while True:
            message = await self.receive()
            if isinstance(message, Synced) and message.stream == stream:
                return


@asynccontextmanager
async def console(
    server: Running, *, follow: Sequence[str] = (), url: str = "", token: str = ""
) -> AsyncIterator[Console]:
    """A welcomed console; over TCP when a URL is given."""
    hello = Hello(1, "bench", new_rep(secrets.token_bytes), lobby=bool(url))
    end = ClientEnd(hello, [], BoardCursor("", 0) if url else None)
    headers = {"Authorization": f"Bearer {token}"} if token else None
    door = (
        connect(url, max_size=MAX_FRAME, additional_headers=headers, proxy=None)
        if url
        else unix_connect(str(server.socket), max_size=MAX_FRAME, compression=None)
    )
    async with door as ws:
        here = Console(ws, end)
        await here.send(end.hello(follow))
        while not isinstance(await here.receive(), Welcome):
            pass
        yield here


class Crowd:
    """Many raw consoles on one stream that count events and little else."""

    def __init__(self, server: Running, size: int, counted: bytes = b'"type":"note.added"') -> None:
        self._server = server
        self._counted = counted
        self._size = size
        self._tasks: list[asyncio.Task[None]] = []
        self._wanted = 0
        self._reached = asyncio.Event()
        self.count = 0
        self.lag_ms: list[float] = []
        self._sent_at: list[float] = []

    async def join(self, stream: str) -> None:
        """Connect all, and wait until each was welcomed and synced."""
        joined = [asyncio.Event() for _ in range(self._size)]
        self._tasks = [asyncio.create_task(self._read(stream, event)) for event in joined]
        for event in joined:
            await event.wait()

    async def _read(self, stream: str, joined: asyncio.Event) -> None:
        with suppress(ConnectionClosed):
            async with unix_connect(
                str(self._server.socket), max_size=MAX_FRAME, compression=None
            ) as ws:
                hello = Hello(
                    1, "crowd", new_rep(secrets.token_bytes), follow=[Follow(stream)], apart=True
                )
                await ws.send(encode(hello), text=True)
                total = told = 0
                while True:
                    frame = await ws.recv(decode=False)
                    total += len(frame)
                    if total - told >= SEEN_EVERY or not joined.is_set():
                        told = total
                        await ws.send(b'{"t":"seen","bytes":%d}' % total, text=True)
                    if joined.is_set():
                        self._got(frame.count(self._counted))
                    elif b'"t":"synced"' in frame:
                        joined.set()

    def _got(self, events: int) -> None:
        self.count += events
        if events and self._sent_at:
            self.lag_ms.append((time.perf_counter() - self._sent_at[-1]) * 1000)
        if self.count >= self._wanted:
            self._reached.set()

    def sending(self) -> None:
        """Note that an event leaves now; lags are counted from here."""
        self._sent_at.append(time.perf_counter())

    def expect(self, events: int) -> None:
        """Begin to count towards so many deliveries."""
        self.count, self._wanted = 0, events
        self._reached.clear()

    async def reached(self) -> None:
        """Wait until the expected deliveries came."""
        await self._reached.wait()

    async def leave(self) -> None:
        """Disconnect all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
