"""What a console costs that shows a thousand open alerts while nothing changes."""

from __future__ import annotations

import asyncio
import sys
from statistics import median

from .bench_consoles import environment, join
from .bench_storm import post, token
from .measure import Result
from .rig import Pen, console, cpu_seconds, scratch, warroom_server
from .terminals import Terminal

ALERTS = 1000
CONSOLES = 3
SETTLED = 10
SECONDS = 75
"""Longer than a minute: ages are told anew once a minute."""


async def measure() -> list[Result]:
    """Open consoles on the alerts and let them be."""
    with scratch() as home, warroom_server() as server:
        async with console(server) as author:
            assert author.end.welcome is not None
            await author.push(Pen(author.end.welcome.you).declaration())
        secret = await asyncio.to_thread(token, server, home)
        url = f"http://{server.http}/in/alertmanager/{secret}"
        await asyncio.to_thread(post, url, 0, ALERTS)
        running = [
            Terminal(
                [sys.executable, *join("INC-1")], environment(server, home, f"n{number}"), (120, 40)
            )
            for number in range(CONSOLES)
        ]
        for one in running:
            await one.shows("INC-1")
            one.type("1")
            await one.shows(f"x{ALERTS}")
        await asyncio.sleep(SETTLED)
        begun = [cpu_seconds(one.pid) for one in running]
        await asyncio.sleep(SECONDS)
        spent = [cpu_seconds(one.pid) - at for one, at in zip(running, begun, strict=True)]
        await asyncio.gather(*(one.end() for one in running))
    share = median(spent) / SECONDS * 100
    return [Result("1,000 open alerts, nothing changing: CPU (% of a core)", share, "%", budget=1)]


def main() -> list[Result]:
    """Run the benchmark."""
    return asyncio.run(measure())
