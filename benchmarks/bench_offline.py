"""Opening a console with no server: from the command to the newest entry of a long incident."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from statistics import median

from warroom_console.desk import Desk
from warroom_console.places import Places
from warroom_incident.replica import FILE

from .bench_consoles import EMPTY_APP, TITLE, environment, join, terminal
from .bench_core import EVENTS, read_only
from .measure import Result
from .rig import Pen, console, scratch, warroom_server

RUNS = 9
PER_APP, PER_STATE = 1.5, 4.0
NEWEST = f"{EVENTS - 1}: rolled back"


async def _replica(home: Path) -> dict[str, str]:
    """Bring a replica to the end of an incident; return what a console starts with afterwards."""
    with warroom_server() as server:
        env = environment(server, home, "offline")
        async with console(server) as author:
            assert author.end.welcome is not None
            pen = Pen(author.end.welcome.you)
            packets = pen.history(EVENTS)
            for start in range(0, len(packets), 400):
                await author.push(packets[start : start + 400])
        async with Desk(Places.find(environ=env)) as desk:
            await desk.open(pen.stream)
            assert await desk.complete(pen.stream), desk.model.link
    return env


async def _opened(command: list[str], env: dict[str, str], text: str) -> float:
    async with terminal(command, env) as running:
        return await running.shows(text) * 1000


async def measure() -> list[Result]:
    """Open a console, the empty app, and read the bare rows, by turns."""
    with scratch() as home:
        env = await _replica(home)
        (kept,) = (home / "offline").glob(f"slot-*/{FILE}")
        ours, floors = [], []
        for _ in range(RUNS):
            ours.append(await _opened(join(TITLE), env, NEWEST))
            empty = await _opened(["-c", EMPTY_APP], dict(os.environ), TITLE)
            floors.append(PER_APP * empty + PER_STATE * read_only(kept, order="rowid"))
    what = f"open offline on 10,000 events (floor: {PER_APP} empty apps and {PER_STATE:g} readings)"
    return [Result(what, median(ours), "ms", median(floors), 1.0)]


def main() -> list[Result]:
    """Run the benchmark."""
    return asyncio.run(measure())
