"""Joining a long incident: over a Unix socket, and over a line of 64 kbit/s and 300 ms."""

from __future__ import annotations

import asyncio
import secrets
import time
from statistics import median

from msgspec.structs import replace

from tests.proxy import tcp_proxy
from warroom_console.desk import Desk
from warroom_console.places import Places
from warroom_incident import vocabulary as v
from warroom_incident.event import ROOM
from warroom_incident.incident import IncidentState
from warroom_incident.room import hash_token

from .measure import Result
from .rig import Pen, Running, console, scratch, warroom_server

EVENTS = 10_000
RUNS = 7
SLOW_BYTES = 64_000 / 8
SLOW_LATENCY = 0.3
SLOW_BUDGET = 5.0


async def join(url: str, stream: str, token: str = "") -> float:
    """Seconds from opening a console's desk on a fresh replica to holding the present state."""
    with scratch() as home:
        environ = {"WARROOM_SERVER": url, "WARROOM_TOKEN": token, "XDG_STATE_HOME": str(home)}
        places = Places.find(environ={name: value for name, value in environ.items() if value})
        places = replace(places, state=home, replica=home / "replica")
        begun = time.perf_counter()
        async with Desk(places) as desk:
            await desk.open(stream)
            assert await desk.until(lambda: is_shown(desk.model.incident(stream)), 60), (
                desk.model.link
            )
            return time.perf_counter() - begun


def is_shown(state: IncidentState) -> bool:
    """Whether the present state is there: title, status, commander, checklist and draft."""
    if state.status != "investigating" or state.title != "checkout answers 5xx":
        return False
    lists = state.checklists()
    return not lists or (
        lists[0].settled == len(lists[0].steps)
        and state.holder("commander") is not None
        and all(draft.versions for draft in state.drafts())
    )


async def _prepare(server: Running) -> tuple[str, str, str]:
    """Fill the server; return the long incident, the empty one and a token for TCP."""
    token = secrets.token_hex(32)
    async with console(server) as author:
        assert author.end.welcome is not None
        you = author.end.welcome.you
        long, short, room = Pen(you), Pen(you), Pen(you)
        packets = long.history(EVENTS)
        for start in range(0, len(packets), 400):
            await author.push(packets[start : start + 400])
        await author.push(short.declaration())
        room.stream = ROOM
        made = v.TokenCreated(name="slow", hash=hash_token(token), right="responder")
        await author.push([room.write(made)])
    return long.stream, short.stream, token


async def measure() -> list[Result]:
    """Join by turns and return the medians."""
    with warroom_server(listen=True) as server:
        long, short, token = await _prepare(server)
        unix = f"unix://{server.socket}"
        pairs = [(await join(unix, long), await join(unix, short)) for _ in range(RUNS)]
        host, _, port = server.listen.rpartition(":")
        async with tcp_proxy(host, int(port), latency=SLOW_LATENCY, rate=SLOW_BYTES) as (
            _,
            near,
        ):
            slow = await join(f"ws://127.0.0.1:{near}", long, token)
    return [
        Result(
            "join an incident of 10,000 events (floor: an empty one)",
            median(pair[0] for pair in pairs) * 1000,
            "ms",
            median(pair[1] for pair in pairs) * 1000,
            1.5,
        ),
        Result(
            "its present state over 64 kbit/s and 300 ms (budget in s)",
            slow,
            "s",
            None,
            SLOW_BUDGET,
        ),
    ]


def main() -> list[Result]:
    """Run the benchmark."""
    return asyncio.run(measure())
