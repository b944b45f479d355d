"""Servers without sockets, for the tests of the whole: real logs and rooms, and the servers' ends.

Everything runs inline in one event loop, so that nothing depends on threads. Each machine has a
wall clock of its own that may be off.
"""

from __future__ import annotations

import asyncio
import shutil
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from warroom_incident.author import Author, Counters, new_rep
from warroom_incident.clock import HybridClock
from warroom_incident.event import ROOM, Packet, read_packet
from warroom_incident.incident import IncidentState
from warroom_incident.log import Log, LogReader, Receipt
from warroom_incident.log_copy import copy_log
from warroom_incident.reducers import Right
from warroom_incident.showing import summarize
from warroom_incident.sync.server_end import ServerEnd
from warroom_incident.sync.wire import (
    PROTOCOL,
    Ack,
    Close,
    Fetch,
    Follow,
    Hello,
    Place,
    ProtocolError,
    Push,
    Refused,
    Relay,
    Servers,
    Subscribe,
    Summaries,
    Vouch,
    Welcome,
    packets,
)
from warroom_incident.vocabulary import MemberGranted, RightName, ServerListed
from warroom_server.board import Board, SavedBoard
from warroom_server.exchange import Progress, Us
from warroom_server.identity import Caller, name_of
from warroom_server.keys import load_or_create
from warroom_server.relays import Relays
from warroom_server.room import Refused as NotAdmitted, Room
from warroom_server.summaries import in_frames
from warroom_server.voids import Voids

T = TypeVar("T")

NOW = 1_790_000_000_000
DAY = 86_400_000
STREAMS = ("i-" + "a" * 16, "i-" + "b" * 16)
ROOT = "root"
IDLE_TURNS = 12
"""So many turns of the event loop without a frame mean that nothing is under way."""


class Inline(Executor):
    """Does at once what is submitted to it."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call, and hand back what came of it."""
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:
            done.set_exception(error)
        return done


class World:
    """What all machines share: true time, and chance."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.now = NOW
        self.random = Random(seed)

    def directory(self, name: str) -> Path:
        """A new directory of a machine."""
        path = self.root / name
        path.mkdir(mode=0o700)
        return path


class Machine(ABC):
    """Something with a clock that may be off by `skew` milliseconds."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.skew = 0
        self.directory = world.directory(name)

    @abstractmethod
    def stored(self) -> dict[str, Packet]:
        """What the disk holds with its body, by the events' ids."""

    def wall(self) -> int:
        """This machine's clock."""
        return self.world.now + self.skew

    def author(self, counters: Counters | None = None) -> Author:
        """A replica that goes on from what it remembers, or a new one."""
        entropy = self.world.random.randbytes
        return Author(counters or Counters(new_rep(entropy)), HybridClock(self.wall), entropy)


# Servers -----------------------------------------------------------------------------------


class House(Machine):
    """A server."""

    def __init__(self, world: World, name: str, room_id: str) -> None:
        super().__init__(world, name)
        self.room_id = room_id
        self.key = load_or_create(self.directory / "room.key", world.random.randbytes, room_id)
        self.path = self.directory / "warroom.db"
        self.copies = 0
        self.room: Room

    def open(self) -> None:
        """Start."""
        self.progress: dict[str, Progress] = {}
        new_id = self.world.random.randbytes(8).hex()
        log = Log.create_or_open(self.path, new_id=new_id, sign=self.key.sign)
        reader = LogReader.open(self.path)
        self.room = Room(log, reader, self.author(), self.wall, Right.RESPONDER)
        inline: Any = Inline()
        self.room.commits._thread = self.room._reading = inline
        self.board = Board(SavedBoard(f"board-{self.name}", 0, ()))
        self.us = Us(self.room_id, self.key.name, self.key.public_hex, self.name, self.name)

    async def close(self) -> None:
        """Stop."""
        await self.room.close()

    async def restart(self) -> None:
        """Go on from what is on the disk."""
        await self.close()
        self.open()

    def backup(self) -> Path:
        """A copy of the log as it is now."""
        self.copies += 1
        path = self.directory / f"copy-{self.copies}.db"
        copy_log(self.path, path)
        return path

    async def restore(self, copy_: Path) -> None:
        """Go on from an old copy."""
        await self.close()
        for name in (self.path.name, f"{self.path.name}-wal", f"{self.path.name}-shm"):
            (self.directory / name).unlink(missing_ok=True)
        shutil.copyfile(copy_, self.path)
        self.open()

    async def list(self, *houses: House) -> None:
        """Trust the keys of servers."""
        for house in houses:
            body = ServerListed(server=house.key.name, key_hex=house.key.public_hex)
            await self.room.write(ROOM, body, self.room.room.base_for(body.key))

    async def grant(self, account: str, right: RightName) -> None:
        """Give an account a right."""
        body = MemberGranted(account=account, right=right)
        await self.room.write(ROOM, body, self.room.room.base_for(body.key))

    def fold(self, stream: str) -> IncidentState:
        """The state of an incident."""
        return self.room.incidents.get(stream) or IncidentState(stream)

    def stored(self) -> dict[str, Packet]:
        """What the disk holds with its body, by the events' ids."""
        with_body = {}
        for stream in STREAMS:
            for row in self.room._reader.read(stream, 0, 10**6):
                if row.packet.body is not None:
                    with_body[read_packet(row.packet).id] = row.packet
        return with_body


class Seat:
    """A server's end of one line."""

    def __init__(self, house: House, caller: Caller) -> None:
        self.house = house
        self.who = name_of(caller, "")
        self.end = ServerEnd()
        voids = Voids(house.wall)
        self.voids = voids
        self.out: deque[bytes] = deque()
        self.relays = Relays(house.room, voids, self.end, self.say, self._acknowledge)
        house.room.amendments.append(self.end.again)

    def leave(self) -> None:
        """The line is gone."""
        self.house.room.amendments.remove(self.end.again)

    async def receive(self, frame: bytes) -> None:
        """Take in a frame, and answer it."""
        message, room = self.end.receive(frame), self.house.room
        match message:
            case Hello():
                self.say(self._welcome())
                for follow in message.follow:
                    await self._follow(follow)
                if message.lobby:
                    lines = [summarize(state) for state in room.incidents.values()]
                    some, *others = in_frames(lines)
                    for number, summaries in enumerate((some, *others)):
                        self.say(Summaries(summaries, whole=number == 0))
                self.say(Servers(places(room, self.house.us.server), 1))
            case Subscribe():
                for follow in message.follow:
                    await self._follow(follow)
            case Push():
                done, refused = room.submit(self.who, packets(message.events), self.voids)
                await self._answer(done, refused)
            case Relay():
                done, refused = self.relays.take(message, self.who)
                await self._answer(done, refused, relayed=True)
            case Vouch():
                self.relays.vouch(message)
            case Fetch():
                self.end.fetch(message)
            case _:
                pass

    def say(self, message: Any) -> None:
        """Send a message."""
        self.out.append(self.end.message(message))

    def _welcome(self) -> Welcome:
        room, us = self.house.room, self.house.us
        right: Any = room.right_of(self.who.caller).value
        name, account = self.who.name, self.who.account
        about = (us.room, room.log.log_id, us.server, us.machine, room.wall())
        return Welcome(PROTOCOL, *about, name, account, right, self.house.board.board_id)

    async def _follow(self, follow: Follow) -> None:
        room = self.house.room
        known = 0
        if follow.log == room.log.log_id:
            chain = await room.chain_at(follow.stream, follow.iseq)
            if chain is not None and chain.hex() == (follow.chain or "00" * 32):
                known = follow.iseq
        present = await room.present(follow.stream)
        top = room.tops.get(follow.stream, 0)
        if known == 0 and follow.set_digest:
            self.end.exchange(follow, top=top, present=present)
        else:
            contested = await room.contested(follow.stream)
            self.end.follow(follow, top=top, known=known, present=present, contested=contested)

    def _acknowledge(self, receipts: Sequence[Receipt]) -> None:
        self.say(Ack([(r.id, r.stream, r.iseq, r.admitted) for r in receipts]))

    async def _answer(
        self,
        done: asyncio.Future[list[Receipt]] | None,
        refused: Iterable[NotAdmitted],
        *,
        relayed: bool = False,
    ) -> None:
        for refusal in refused:
            self.say(Refused(refusal.id, refusal.reason))
        if done is None:
            return
        receipts = await done
        if not relayed:
            self._acknowledge(receipts)
        hello = self.end.hello
        if any(hello is not None and receipt.clash == hello.rep for receipt in receipts):
            raise ProtocolError(Close.REPLICA_CLASH, "this replica was copied")

    async def next_frame(self) -> bytes | None:
        """What to send next, None when there is nothing or no credit."""
        if self.out:
            return self.out.popleft()
        room, end = self.house.room, self.end
        if not end.has_credit:
            return None
        read = end.next_read(room.tops)
        if read is None or read.part in ("order", "history"):
            for feed in end.newly_synced(room.tops):
                digest = room.state(feed.stream).set_digest()
                self.out.append(end.synced(feed.stream, room.tops.get(feed.stream, 0), digest))
            if self.out:
                return self.out.popleft()
        if read is None:
            return None
        if read.part == "order":
            return end.order(read, *await room.order(read))
        return end.events(read, await room.read(read), room.tops.get(read.stream, 0))


def places(room: Room, here: str) -> list[Place]:
    """Who keeps the room."""
    return [
        Place(m.server, m.key_hex, m.name, list(m.urls), m.serves, m.server == here)
        for m in room.room.machines()
    ]
