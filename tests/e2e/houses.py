"""Servers and standbys for tests, each with a home of its own, and the command line beside them."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.server.running import READY_WITHIN, Ready, ServerProcess, read_ready
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_console.places import Places
from warroom_incident.event import ROOM
from warroom_incident.incident import IncidentState
from warroom_incident.log import LogReader
from warroom_incident.repair import read_whole
from warroom_incident.room import hash_token
from warroom_incident.schema import StorageError
from warroom_incident.vocabulary import TokenCreated

COMMAND_WITHIN = 60.0


class House(ServerProcess):
    """A server or standby with its own data and configuration below one directory.

    `before` goes before the interpreter, to start it as somebody else or somewhere else.
    """

    def __init__(
        self,
        root: Path,
        *arguments: str,
        before: Sequence[str] = (),
        config: str = "",
        program: Sequence[str] = ("-m", "warroom_server"),
    ) -> None:
        root.mkdir(exist_ok=True)
        super().__init__(root, *arguments, program=program)
        self.before = tuple(before)
        self.config = root / "config"
        self.environ: dict[str, str] = {"WARROOM_CONFIG": str(self.config)}
        if config:
            self.configure(config)

    @property
    def url(self) -> str:
        """Where consoles of this host find it."""
        return f"unix://{self.socket}"

    @property
    def key(self) -> Path:
        """The file with its signing key."""
        return self.config / "room.key"

    def configure(self, text: str) -> None:
        """Write its `warroom.toml`."""
        self.config.mkdir(mode=0o700, exist_ok=True)
        (self.config / "warroom.toml").write_text(text)

    async def _launch(self) -> None:
        options = ["--data", str(self.data), "--socket", str(self.socket)]
        if "--http" not in self.arguments:
            options += ["--http", "127.0.0.1:0"]
        self._process = await asyncio.create_subprocess_exec(
            *self.before,
            sys.executable,
            *self.program,
            *options,
            *self.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | self.environ,
        )

    async def line(self, word: str) -> str:
        """Wait for the next line that begins with a word."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_WITHIN):
            while True:
                line = await self._process.stdout.readline()
                self.output += line
                if line.startswith(f"{word} ".encode()):
                    return line.decode()
                if not line:
                    code = await self._process.wait()
                    said = self.output.decode()
                    raise AssertionError(f"it ended with {code} and without {word!r}: {said}")

    async def start_standby(self) -> Ready:
        """Start it as a standby, and wait until it says so."""
        await self._launch()
        _, _of, *rest = (await self.line("standby")).split()
        self.ready = read_ready(" ".join(["ready", *rest]))
        return self.ready

    async def promoted(self) -> None:
        """Wait until it says that it serves."""
        self.ready = read_ready(await self.line("ready"))

    def state(self, stream: str) -> IncidentState:
        """What its log holds of an incident, damaged events left out."""
        state = IncidentState(stream)
        try:
            reader = LogReader.open(self.log)
        except StorageError:
            return state
        try:
            for entry, row in reader.scan(stream, 0, 1_000_000):
                event = read_whole(row.packet, entry, row.admitted)
                if event is not None:
                    state.add(event)
        finally:
            reader.close()
        return state


@asynccontextmanager
async def cleared(*houses: House) -> AsyncIterator[None]:
    """See in the end that none of them runs any more."""
    try:
        yield
    finally:
        for house in houses:
            await house.cleared()


@asynccontextmanager
async def server_and_standby(
    home: Path, *, listed: bool = False
) -> AsyncIterator[tuple[House, House]]:
    """A server and its standby, both running; `listed` tells consoles where that one is found."""
    a = House(home / "a")
    b = House(home / "b", "--standby-of", a.url)
    if listed:
        b.configure(f'urls = ["{b.url}"]')
    async with cleared(a, b):
        await a.start()
        await b.start_standby()
        yield a, b


def desk_at(server: ServerProcess | str, root: Path, user: str) -> Desk:
    """A console's desk on a replica of its own, at a server of this host or an address."""
    environ = {
        "WARROOM_SERVER": server if isinstance(server, str) else f"unix://{server.socket}",
        "WARROOM_REPLICA": str(root / f"replica-{user}"),
        "WARROOM_USER": user,
    }
    return Desk(Places.find(environ=dict(os.environ) | environ))


async def make_token(desk: Desk, kind: str) -> str:
    """A token for alert senders of a kind."""
    token = secrets.token_hex(32)
    event = desk.write(ROOM, TokenCreated(name=kind, hash=hash_token(token), kind=kind))
    assert not (await desk.sent([event.id])).waiting
    return token


async def post_alert(house: House, token: str, key: str, status: str = "firing") -> int:
    """Post an alert as a sender does that knows one address: the answer's status."""
    async with httpx.AsyncClient(trust_env=False) as client:
        body = {"title": f"{key} is broken", "key": key, "status": status}
        answer = await client.post(f"http://{house.ready.http}/in/generic/{token}", json=body)
        return answer.status_code


async def post(house: House, token: str, key: str, status: str = "firing") -> None:
    """Post an alert that is taken."""
    assert await post_alert(house, token, key, status) == 202


async def command(
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
    code: int = 0,
    complaints: bool = False,
) -> str:
    """Run one `warroom` command: what it printed, with its complaints where it may have some."""
    process = await asyncio.create_subprocess_exec(
        *before,
        sys.executable,
        "-m",
        "warroom_console",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | dict(environ or {}),
    )
    async with asyncio.timeout(COMMAND_WITHIN):
        said, complaint = await process.communicate()
    assert process.returncode == code, (arguments, said.decode(), complaint.decode())
    return said.decode() + (complaint.decode() if code or complaints else "")


async def show(incident: str, url: str, replica: Path) -> dict[str, Any]:
    """What `warroom show INC --json` prints at a server, with a replica."""
    environ = {"WARROOM_SERVER": url, "WARROOM_REPLICA": str(replica)}
    found: dict[str, Any] = json.loads(await command("show", incident, "--json", environ=environ))
    return found


async def promote(house: House) -> None:
    """Promote a standby as an admin would."""
    said = await command("promote", "--socket", str(house.socket), "--yes")
    assert "It serves now" in said
    await house.promoted()


async def in_step(desk: Desk, house: House, *streams: str) -> None:
    """Wait until a standby or server holds what a console shows of some incidents."""
    await wait_for(
        lambda: all(
            desk.model.incident(s).set_digest() == house.state(s).set_digest() for s in streams
        ),
        "both ends hold the same",
        30,
    )
