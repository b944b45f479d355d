"""Three servers that were apart become one again, against sending their events once."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from warroom_incident import vocabulary as v
from warroom_incident.event import ROOM, Packet, read_packet
from warroom_incident.log import Entry, Log
from warroom_server.keys import ServerKey, load_or_create

from .measure import Result
from .rig import Pen, console, now_ms, scratch, warroom_server

EACH = 1000
HOUSES = 3
RUNS = 5


@dataclass(frozen=True)
class House:
    """One server's directories and key."""

    root: Path
    key: ServerKey

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.root / "s"


def notes(pen: Pen, count: int) -> list[Packet]:
    """Events as they come: mostly notes."""
    return [
        pen.write(v.NoteAdded(text=f"{n}: rolled back 3f2c, watching zone b")) for n in range(count)
    ]


def built(place: Path) -> tuple[list[House], str]:
    """Servers that know each other, hold one incident, and went on with it apart; its stream."""
    houses: list[House] = []
    room = ""
    for number in range(HOUSES):
        root = place / str(number)
        root.mkdir()
        key = load_or_create(root / "config" / "room.key", secrets.token_bytes, room or None)
        houses.append(House(root, key))
        room = key.room
    pen, desk = Pen("root"), Pen("root")
    desk.stream = ROOM
    common = [desk.write(v.MemberGranted(account="root", right="admin"))]
    for house in houses:
        listed = v.ServerListed(server=house.key.name, key_hex=house.key.public_hex)
        common.append(desk.write(listed))
    common += [*pen.declaration(), pen.write(v.IncidentNumbered(number="INC-1"))]
    for house in houses:
        here = Pen("root")
        here.stream = pen.stream
        filled(house, [*common, *notes(here, EACH)])
    return houses, pen.stream


def filled(house: House, packets: Sequence[Packet]) -> None:
    """Write a server's log."""
    (house.root / "data").mkdir()
    path = house.root / "data" / "warroom.db"
    log = Log.create_or_open(path, new_id=secrets.token_hex(8), sign=house.key.sign)
    log.append([Entry(read_packet(packet), packet) for packet in packets], now_ms())
    log.close()


@contextmanager
def running(house: House, stream: str, peers: Sequence[House]) -> Iterator[subprocess.Popen[str]]:
    """A server's process that is ready."""
    where = [house.root / "data", house.root / "config", house.socket]
    urls = [f"unix://{peer.socket}" for peer in peers]
    whole = HOUSES * EACH + 4
    command = [
        sys.executable,
        "-m",
        "benchmarks.house",
        *map(str, where),
        stream,
        str(whole),
        *urls,
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        heard(process, "ready")
        yield process
    finally:
        process.communicate(timeout=20)


def heard(process: subprocess.Popen[str], word: str) -> None:
    """Wait until a process has said a word."""
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    if said != word:
        raise RuntimeError(f"it said {said!r} and not {word!r}")


def healed() -> float:
    """Seconds from when the lines to the first server are up until all three hold everything."""
    with scratch() as place, ExitStack() as stack:
        houses, stream = built(place)
        first, *others = houses
        waiting = [stack.enter_context(running(other, stream, [first])) for other in others]
        hub = stack.enter_context(running(first, stream, []))
        begun = time.perf_counter()
        for process in waiting:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in (hub, *waiting):
            heard(process, "whole")
        return time.perf_counter() - begun


async def sent() -> float:
    """Seconds to send all those events to one server, each once, until all are durable there."""
    with warroom_server() as server:
        async with console(server) as author:
            assert author.end.welcome is not None
            pen = Pen(author.end.welcome.you)
            await author.push(pen.declaration())
            packets = notes(pen, HOUSES * EACH)
            begun = time.perf_counter()
            await author.push(packets)
            return time.perf_counter() - begun


def main() -> list[Result]:
    """Run the benchmark."""
    pairs = [(healed(), asyncio.run(sent())) for _ in range(RUNS)]
    heal, floor = (median(column) * 1000 for column in zip(*pairs, strict=True))
    name = "healing three servers with 1,000 events each (floor: sending those once)"
    return [Result(name, heal, "ms", floor, 4.0)]
