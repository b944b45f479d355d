"""`python -m tests.soak --minutes 5`: fifty consoles, a server, its standby, and random faults.

Three parts. While faults strike, people write. Then all is mended, and everybody must hold the
same, and everything that any console ever had on its disk. Last, with nobody writing, lines are cut
again and again: memory and open files must stay where they are.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from tests.e2e.houses import House
from tests.proxy import unix_proxy

from .crowd import Crowd
from .figures import Figures, growth, look
from .nemesis import Act, Nemesis, Servers

SETTLED_WITHIN = 180.0
STREAMS = 3
WRITES_A_SECOND = 8
FAULT_EVERY = 6.0
"""Seconds between faults, at the most."""

DISK_EVERY = 8
"""Every so many faults one hits a disk: a log is lost, damaged, or an old copy."""

CHURNS_A_MINUTE = 2
SPARE_MIB, SPARE_FILES = 24.0, 8
"""What a process may grow by while nothing but reconnecting happens."""


class Wrong(Exception):
    """The soak found something."""


def say(text: str) -> None:
    """Print a line with the time."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


class Soak:
    """One run."""

    def __init__(self, servers: Servers, crowd: Crowd, chance: random.Random) -> None:
        self.servers = servers
        self.crowd = crowd
        self.chance = chance
        self._writing: set[asyncio.Task[None]] = set()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self.nemesis = Nemesis(servers, crowd, self.settled, chance)

    async def run(self, minutes: float) -> None:
        """All three parts."""
        for number in range(STREAMS):
            await self.crowd.follow(await self.crowd.declare(f"incident {number}"))
        await self.settled()
        await self.struck(minutes)
        await self.settled()
        await self.nothing_is_lost()
        say(f"one digest everywhere; {len(self.crowd.kept):,} events that were kept are there")
        await self.churned(max(10, round(minutes * CHURNS_A_MINUTE)))

    # Faults --------------------------------------------------------------------------------

    async def struck(self, minutes: float) -> None:
        """Write and break things for so long."""
        until = time.monotonic() + minutes * 60
        promote_at = time.monotonic() + minutes * 60 * 0.4
        writing = asyncio.create_task(self.write_on())
        strikes = 0
        try:
            while time.monotonic() < until:
                strikes += 1
                fault: Act | None = None
                if not self.servers.promoted and time.monotonic() > promote_at:
                    fault = self.nemesis.promote_second
                elif strikes % DISK_EVERY == 0:
                    fault = self.chance.choice(self.nemesis.of_disks)
                name = await self.nemesis.strike(fault)
                say(f"{name}; {self.figures()}")
                if writing.done():
                    writing.result()
                await asyncio.sleep(self.chance.uniform(0.5, FAULT_EVERY))
        finally:
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing
        say(
            "faults: " + ", ".join(f"{n} × {what}" for what, n in sorted(self.nemesis.done.items()))
        )

    async def write_on(self) -> None:
        """Let people write without an end, except while all settles."""
        while True:
            await asyncio.sleep(self.chance.expovariate(WRITES_A_SECOND))
            await self._may_write.wait()
            if len(self._writing) < 100:
                task = asyncio.create_task(self.crowd.write())
                self._writing.add(task)
                task.add_done_callback(self._writing.discard)

    def figures(self) -> str:
        """All processes in a few words."""
        found = [f"{name} {f.memory:.0f} MiB {f.files} files" for name, f in self.look().items()]
        return f"{len(self.crowd.kept):,} events; " + ", ".join(found)

    def look(self) -> dict[str, Figures]:
        """Every process that runs."""
        found = {"server": look(self.servers.first.pid), "standby": look(self.servers.second.pid)}
        for place, process in enumerate(self.crowd.processes):
            if process is not None:
                found[f"consoles {place}"] = look(process.pid)
        return found

    # Settling ------------------------------------------------------------------------------

    async def settled(self) -> None:
        """Let nobody write until everybody holds the same of every stream.

        Raises:
            Wrong: They do not, in time.
        """
        self._may_write.clear()
        await asyncio.gather(*self._writing)
        for line in self.servers.lines:
            line.heal()
        until = time.monotonic() + SETTLED_WITHIN
        while unsettled := await self.unsettled():
            if time.monotonic() > until:
                raise Wrong("not settled: " + "; ".join(unsettled[:8]))
            await asyncio.sleep(1)
        self._may_write.set()

    async def unsettled(self) -> list[str]:
        """What keeps it from being settled."""
        found = []
        reports = await self.crowd.reports()
        for stream in self.crowd.streams:
            digests = {
                name: house.state(stream).set_digest()
                for name, house in (
                    ("server", self.servers.first),
                    ("standby", self.servers.second),
                )
            }
            wanted = digests["server"]
            if len(set(digests.values())) > 1:
                found.append(f"server and standby differ in {stream}")
            for report in reports:
                if report["stream"] != stream:
                    continue
                who = f"{report['user']} ({report['phase']} {report['server']} {report['reason']})"
                if report["refused"]:
                    raise Wrong(f"{who} was refused {report['refused']}")
                if report["pending"]:
                    found.append(f"{who} waits for {len(report['pending'])} acks")
                elif report["phase"] != "live" or not report["synced"]:
                    found.append(f"{who} is behind in {stream}")
                elif report["digest"] != wanted:
                    found.append(f"{who} holds something else of {stream}")
        return found

    async def nothing_is_lost(self) -> None:
        """See that everything that was kept is in the servers' logs, from its author.

        Raises:
            Wrong: Something is not.
        """
        for name, house in (("server", self.servers.first), ("standby", self.servers.second)):
            states = [house.state(stream) for stream in self.crowd.streams]
            lacking = self.crowd.kept.difference(*(state.events for state in states))
            if lacking:
                raise Wrong(f"{name} lacks {len(lacking)} events, one is {min(lacking)}")
            hearsay = [e.id for state in states for e in state.events.values() if e.via]
            if hearsay:
                raise Wrong(f"{name} holds {len(hearsay)} events that nobody vouches for")
            until = time.monotonic() + SETTLED_WITHIN
            while found := house.damages():
                if time.monotonic() > until:
                    raise Wrong(f"{name}: " + "; ".join(found[:5]))
                await asyncio.sleep(1)
            if b"Traceback" in (house.root / "log").read_bytes():
                raise Wrong(f"there is a traceback in {house.root / 'log'}")
        if self.crowd.complaints.exists() and self.crowd.complaints.read_bytes():
            raise Wrong(f"a console complained: see {self.crowd.complaints}")

    # Churning ------------------------------------------------------------------------------

    async def churned(self, rounds: int) -> None:
        """Cut every line again and again; see that nothing grows.

        Raises:
            Wrong: Something does.
        """
        warm = max(3, rounds // 4)
        before: dict[str, Figures] = {}
        for number in range(rounds + warm):
            if number == warm:
                before = self.look()
            for line in self.servers.lines:
                line.hang_up()
            await self.settled()
        after = self.look()
        for name, figures in after.items():
            say(
                f"{name}: {before[name].memory:.1f} → {figures.memory:.1f} MiB, "
                f"{before[name].files} → {figures.files} files over {rounds} rounds"
            )
        wrong = [
            f"{name}: {said}"
            for name, figures in after.items()
            if (said := growth(before[name], figures, memory=SPARE_MIB, files=SPARE_FILES))
        ]
        if wrong:
            raise Wrong("; ".join(wrong))


@asynccontextmanager
async def staged(root: Path, consoles: int, chance: random.Random) -> AsyncIterator[Soak]:
    """Everything started, and in the end gone."""
    first_url, second_url = f"unix://{root}/line-1", f"unix://{root}/line-2"
    (root / "1").mkdir()
    (root / "2").mkdir()
    first = House(root / "1", before=quietly(root / "1"), config=f'urls = ["{first_url}"]')
    second = House(
        root / "2",
        "--standby-of",
        first.url,
        before=quietly(root / "2"),
        config=f'urls = ["{second_url}"]',
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(first.cleared)
        stack.push_async_callback(second.cleared)
        await first.start()
        await second.start_standby()
        lines = (
            await stack.enter_async_context(unix_proxy(first.socket, root / "line-1")),
            await stack.enter_async_context(unix_proxy(second.socket, root / "line-2")),
        )
        crowd = Crowd(root, f"{first_url},{second_url}", consoles, chance)
        stack.push_async_callback(crowd.leave)
        await crowd.seat_all()
        yield Soak(Servers(first, second, lines), crowd, chance)


def quietly(root: Path) -> tuple[str, ...]:
    """Let a server log to a file: nobody reads its pipe for hours."""
    return ("sh", "-c", f'exec "$@" 2>>{root}/log', "sh")


async def soak(root: Path, minutes: float, consoles: int, seed: int) -> None:
    """Run it."""
    chance = random.Random(seed)
    async with staged(root, consoles, chance) as run:
        say(f"{consoles} consoles, two servers, {minutes:g} minutes, seed {seed}, in {root}")
        await run.run(minutes)


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--consoles", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        asyncio.run(soak(root, chosen.minutes, chosen.consoles, chosen.seed))
    except Wrong as error:
        say(f"WRONG: {error} (seed {chosen.seed}; everything is kept in {root})")
        return 1
    shutil.rmtree(root)
    say("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
