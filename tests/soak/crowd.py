"""The consoles of a soak: real desks without a screen, ten to a process, killed and restarted."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.headless import Headless, start_headless

PER_PROCESS = 10


@dataclass
class Seat:
    """One console: who sits there, and which process it lives in."""

    user: str
    place: int
    replica: Path


class Crowd:
    """All consoles.

    Args:
        root: Where their replicas are.
        urls: The servers that they are told, with commas between them.
        count: How many they are.
        chance: What decides at random.
    """

    def __init__(self, root: Path, urls: str, count: int, chance: random.Random) -> None:
        self._root = root
        self._urls = urls
        self._chance = chance
        self.seats = [
            Seat(f"p{number}", number // PER_PROCESS, root / f"replica-p{number}")
            for number in range(count)
        ]
        self.processes: list[Headless | None] = [None] * (1 + self.seats[-1].place)
        self.streams: list[str] = []
        self.kept: set[str] = set()
        """The ids of what some console had on its own disk: they must be everywhere in the end."""
        self.complaints = root / "consoles.log"

    async def seat_all(self) -> None:
        """Start every process and open every desk."""
        for place in range(len(self.processes)):
            await self.start(place)

    async def start(self, place: int) -> None:
        """Start a process and open the desks that live in it, where they left off."""
        process = await start_headless(self.complaints)
        for seat in self.seats:
            if seat.place == place:
                await self._open(process, seat)
        self.processes[place] = process

    async def _open(self, process: Headless, seat: Seat) -> None:
        await process.ask("open", user=seat.user, url=self._urls, replica=str(seat.replica))
        for stream in self.streams:
            await process.ask("follow", user=seat.user, stream=stream)

    async def follow(self, stream: str) -> None:
        """Let everybody follow one more stream."""
        self.streams.append(stream)
        for seat in self.seats:
            await self._at(seat).ask("follow", user=seat.user, stream=stream)

    async def declare(self, title: str) -> str:
        """Let somebody declare an incident: its stream."""
        seat = self._chance.choice(self.seats)
        answer = await self._at(seat).ask("declare", user=seat.user, title=title)
        return str(answer["stream"])

    async def write(self) -> None:
        """Let somebody write something somewhere, unless their process is gone just now."""
        seat = self._chance.choice(self.seats)
        process = self.processes[seat.place]
        if process is None:
            return
        stream = self._chance.choice(self.streams)
        text = f"{seat.user}: " + "x" * self._chance.choice((20, 80, 300, 2_000))
        try:
            if self._chance.random() < 0.05:
                severity = self._chance.choice(("SEV1", "SEV2", "SEV3"))
                ask = process.ask("severity", user=seat.user, stream=stream, severity=severity)
            else:
                ask = process.ask("note", user=seat.user, stream=stream, text=text)
            self.kept.add((await ask)["id"])
        except EOFError:
            pass  # killed before it answered: nothing was promised

    async def kill(self, place: int) -> None:
        """Kill a process with all the consoles in it, and start it again."""
        process, self.processes[place] = self.processes[place], None
        if process is not None:
            await process.kill()
        await self.start(place)

    async def reopen(self, seat: Seat) -> None:
        """Close one console properly and open it again."""
        process = self._at(seat)
        self.processes[seat.place] = None
        try:
            await process.ask("shut", user=seat.user)
            await self._open(process, seat)
        finally:
            self.processes[seat.place] = process

    async def reports(self) -> list[dict[str, Any]]:
        """What every console holds of every stream."""
        found = []
        for seat in self.seats:
            for stream in self.streams:
                answer = await self._at(seat).ask("report", user=seat.user, stream=stream)
                found.append(answer | {"user": seat.user, "stream": stream})
        return found

    def _at(self, seat: Seat) -> Headless:
        process = self.processes[seat.place]
        assert process is not None, f"{seat.user} is away"
        return process

    async def leave(self) -> None:
        """End every process."""
        await asyncio.gather(*(process.kill() for process in self.processes if process))
