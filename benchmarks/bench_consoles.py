"""Real consoles in pseudo-terminals: first paint, memory, and fifty of them on one machine."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from warroom_incident import vocabulary as v

from .measure import Result
from .rig import Pen, Running, console, cpu_seconds, pss_bytes, scratch, warroom_server
from .terminals import Terminal

CONSOLES = 50
EVENTS = 40
IDLE_SECONDS = 20
RUNS = 5
TITLE = "INC-1"

EMPTY_APP = """
from textual.app import App
class Empty(App):
    CSS = "Screen { scrollbar-size: 0 0; }"
    def compose(self):
        from textual.widgets import Static
        yield Static("INC-1")
Empty().run(mouse=False)
"""
"""The floor: Textual with one line of text."""


def environment(server: Running, home: Path, user: str) -> dict[str, str]:
    """What a console of a user starts with."""
    return {
        **os.environ,
        "WARROOM_SERVER": f"unix://{server.socket}",
        "WARROOM_REPLICA": str(home / user),
        "WARROOM_USER": user,
    }


@asynccontextmanager
async def terminal(command: list[str], env: dict[str, str]) -> AsyncIterator[Terminal]:
    """A program in a terminal, closed at the end."""
    running = Terminal([sys.executable, *command], env)
    try:
        yield running
    finally:
        await running.end()


def join(number: str) -> list[str]:
    """The arguments of a console in an incident."""
    return ["-m", "warroom_console", "join", number]


async def first_paints(server: Running, home: Path) -> tuple[list[float], list[float]]:
    """Milliseconds from start to the incident's title on the screen: a console, the empty app."""
    ours, empty = [], []
    for _ in range(RUNS):
        async with terminal(join("INC-1"), environment(server, home, "paint")) as running:
            ours.append(await running.shows(TITLE) * 1000)
        async with terminal(["-c", EMPTY_APP], dict(os.environ)) as running:
            empty.append(await running.shows(TITLE) * 1000)
    return ours, empty


async def memory(server: Running, home: Path) -> tuple[float, float]:
    """MiB of PSS of ten consoles and of ten empty apps, each as one of ten."""
    found = []
    for command, env in (
        (join("INC-1"), environment(server, home, "memory")),
        (["-c", EMPTY_APP], dict(os.environ)),
    ):
        running = [Terminal([sys.executable, *command], env) for _ in range(10)]
        for one in running:
            await one.shows(TITLE)
        await asyncio.sleep(2)
        found.append(median(pss_bytes(one.pid) for one in running) / 2**20)
        await asyncio.gather(*(one.end() for one in running))
    return found[0], found[1]


async def crowd(server: Running, home: Path, pen: Pen) -> tuple[float, float]:
    """CPU of one of fifty consoles: percent of a core while idle, milliseconds per event."""
    running = [
        Terminal([sys.executable, *join("INC-1")], environment(server, home, f"person{number}"))
        for number in range(CONSOLES)
    ]
    for one in running:
        await one.shows(TITLE, 120)
    await asyncio.sleep(5)
    begun = [cpu_seconds(one.pid) for one in running]
    await asyncio.sleep(IDLE_SECONDS)
    idle = [
        (cpu_seconds(one.pid) - at) / IDLE_SECONDS for one, at in zip(running, begun, strict=True)
    ]
    begun = [cpu_seconds(one.pid) for one in running]
    async with console(server) as author:
        for number in range(EVENTS):
            await author.push([pen.write(v.NoteAdded(text=f"busy note {number}"))])
            await asyncio.sleep(0.5)
    await asyncio.gather(*(one.shows(f"busy note {EVENTS - 1}") for one in running))
    seconds = EVENTS * 0.5
    busy = [
        cpu_seconds(one.pid) - at - share * seconds
        for one, at, share in zip(running, begun, idle, strict=True)
    ]
    await asyncio.gather(*(one.end() for one in running))
    return median(idle) * 100, median(busy) / EVENTS * 1000


async def measure() -> list[Result]:
    """Start the consoles and look at them."""
    with scratch() as home, warroom_server() as server:
        async with console(server) as author:
            assert author.end.welcome is not None
            pen = Pen(author.end.welcome.you)
            await author.push(pen.history(300))
        ours, empty = await first_paints(server, home)
        own_memory, empty_memory = await memory(server, home)
        idle, busy = await crowd(server, home, pen)
    return [
        Result("first paint of a console in an incident", median(ours), "ms", median(empty), 1.5),
        Result("PSS of a console, one of ten", own_memory, "MiB", empty_memory, 1.4),
        Result("50 consoles: CPU of one, idle (% of a core)", idle, "%"),
        Result("50 consoles: CPU of one per event", busy, "ms"),
    ]


def main() -> list[Result]:
    """Run the benchmark."""
    return asyncio.run(measure())
