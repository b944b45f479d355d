"""What goes wrong in a soak: one fault after the other, at random."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.e2e.houses import House, promote
from tests.proxy import Proxy

from .crowd import Crowd

Act = Callable[[], Awaitable[None]]


@dataclass
class Servers:
    """Both servers, with the line to each; `promoted` once the second serves, too."""

    first: House
    second: House
    lines: tuple[Proxy, Proxy]
    promoted: bool = False

    @property
    def serving(self) -> list[House]:
        """Those that serve consoles."""
        return [self.first, self.second] if self.promoted else [self.first]


class Nemesis:
    """Does one thing after the other.

    Args:
        servers: What it breaks.
        crowd: Whom it kills.
        settle: Waits until everybody holds the same.
        chance: What decides at random.
    """

    def __init__(
        self,
        servers: Servers,
        crowd: Crowd,
        settle: Act,
        chance: random.Random,
    ) -> None:
        self._servers = servers
        self._crowd = crowd
        self._settle = settle
        self._chance = chance
        self.done: dict[str, int] = {}
        self.faults: tuple[Act, ...] = (
            self.kill_server,
            self.restart_server,
            self.stop_server_for_a_while,
            self.hang_up_on_some,
            self.lose_some_silently,
            self.stall,
            self.cut_in_the_middle,
            self.kill_consoles,
            self.stop_consoles_for_a_while,
            self.reopen_console,
        )

    @property
    def of_disks(self) -> tuple[Act, ...]:
        """What goes wrong more rarely."""
        return (self.restore, self.restore, self.lose_disk, self.flip_a_bit)

    async def strike(self, fault: Act | None = None) -> str:
        """Do something, something at random where nothing is named; what it was."""
        fault = fault or self._chance.choice(self.faults)
        name = getattr(fault, "__name__", "").replace("_", " ")
        await fault()
        self.done[name] = self.done.get(name, 0) + 1
        return name

    def _house(self) -> House:
        return self._chance.choice(self._servers.serving)

    def _line(self) -> Proxy:
        return self._chance.choice(self._servers.lines)

    async def _pause(self, most: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, most))

    async def kill_server(self) -> None:
        """As power would."""
        house = self._house()
        await house.kill()
        await self._pause(4)
        await house.start()

    async def restart_server(self) -> None:
        """As an operator would."""
        house = self._house()
        await house.terminate()
        await house.start()

    async def stop_server_for_a_while(self) -> None:
        """As a debugger would."""
        house = self._house()
        house.send(signal.SIGSTOP)
        await self._pause(5)
        house.send(signal.SIGCONT)

    async def hang_up_on_some(self) -> None:
        """End some lines, half of them with a reset."""
        for pair in tuple(self._line().pairs):
            if self._chance.random() < 0.3:
                pair.end(reset=self._chance.random() < 0.5)

    async def lose_some_silently(self) -> None:
        """Leave some lines half open."""
        for pair in tuple(self._line().pairs):
            if self._chance.random() < 0.1:
                pair.leave()

    async def stall(self) -> None:
        """Hold one way or both of a line up."""
        line = self._line()
        for way in self._chance.choice(((line.up,), (line.down,), (line.up, line.down))):
            way.stall()
        await self._pause(15)
        line.heal()

    async def cut_in_the_middle(self) -> None:
        """End a line within a frame."""
        line = self._line()
        way = self._chance.choice((line.up, line.down))
        line.cut_in_the_middle(way, self._chance.randint(1, 5_000))
        await self._pause(2)
        way.left = None

    async def kill_consoles(self) -> None:
        """Kill one of the processes that consoles live in."""
        await self._crowd.kill(self._chance.randrange(len(self._crowd.processes)))

    async def stop_consoles_for_a_while(self) -> None:
        """As Ctrl+Z would, some of them for so long that they are cut."""
        running = [process for process in self._crowd.processes if process is not None]
        process = self._chance.choice(running)
        os.kill(process.pid, signal.SIGSTOP)
        try:
            await self._pause(20)
        finally:
            os.kill(process.pid, signal.SIGCONT)

    async def reopen_console(self) -> None:
        """Leave and come back."""
        await self._crowd.reopen(self._chance.choice(self._crowd.seats))

    async def restore(self) -> None:
        """Put an old copy of the log in its place.

        Before, all settles: what only the lost disk and one killed console held would be gone.
        """
        house = self._house()
        old = house.root / "yesterday"
        if old.exists():
            await self._settle()
            await house.kill()
            shutil.rmtree(house.data)
            shutil.copytree(old, house.data)
            await house.start()
            await self._settle()
            shutil.rmtree(old)
        else:
            await house.terminate()
            shutil.copytree(house.data, old)
            await house.start()

    async def lose_disk(self) -> None:
        """Delete everything that a server has, at a moment when all hold the same.

        With its data a promoted standby has lost its office, too: it comes back as a standby.
        """
        house, servers = self._house(), self._servers
        await self._settle()
        await house.kill()
        shutil.rmtree(house.data)
        if house is servers.second:
            await house.start_standby()
            servers.promoted = False
        else:
            await house.start()
        await self._settle()

    async def flip_a_bit(self) -> None:
        """Damage an event in a log; whoever holds it brings it."""
        house = self._house()
        await self._settle()
        await house.kill()
        connection = sqlite3.connect(house.log)
        with connection:
            connection.execute(
                "UPDATE events SET body = replace(body, 'x', 'y') WHERE id IN (SELECT id FROM"
                " events WHERE type = 'note.added' AND body IS NOT NULL ORDER BY random() LIMIT 3)"
            )
        connection.close()
        await house.start()
        await self._settle()

    async def promote_second(self) -> None:
        """Lose the first server, promote its standby, and let the first come back as a peer."""
        servers = self._servers
        await servers.first.kill()
        await promote(servers.second)
        servers.promoted = True
        await self._pause(5)
        written = (servers.first.config / "warroom.toml").read_text()
        if "peers" not in written:
            servers.first.configure(f'{written}\npeers = ["{servers.second.url}"]\n')
        await servers.first.start()
