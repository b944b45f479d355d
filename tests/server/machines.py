"""Servers and consoles without sockets, for the tests of the whole: real logs, rooms, replicas and
both ends of the protocol, and lines that carry as many frames as a test lets them.

Everything runs inline in one event loop, so that nothing depends on threads. Each machine has a
wall clock of its own that may be off.
"""

from __future__ import annotations

import asyncio
import copy
import shutil
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from unittest.mock import patch

import msgspec

from warroom_incident.author import Author, Counters, new_rep
from warroom_incident.clock import MAX_LEAD_MS, HybridClock
from warroom_incident.event import ROOM, Event, Packet, read_packet
from warroom_incident.incident import IncidentState
from warroom_incident.knowing import informed
from warroom_incident.log import Entry, Log, LogReader, Receipt
from warroom_incident.reducers import Body, Decision, Right
from warroom_incident.replica import Kept, Placed, Replica, Sealed
from warroom_incident.showing import summarize
from warroom_incident.sync.client_end import Batch, ClientEnd, Handed, Heard, Ordered, Seal, Uneven
from warroom_incident.sync.handing import Handing, Relaying, vouches
from warroom_incident.sync.server_end import ServerEnd
from warroom_incident.sync.wire import (
    PROTOCOL,
    Ack,
    BoardCursor,
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
    encode,
    packets,
)
from warroom_incident.vocabulary import MemberGranted, RightName, ServerListed
from warroom_server.board import Board, SavedBoard
from warroom_server.exchange import Exchange, Progress, Us
from warroom_server.identity import Caller, name_of
from warroom_server.keys import load_or_create
from warroom_server.relays import Relays
from warroom_server.room import Refused as NotAdmitted, Room
from warroom_server.summaries import in_frames
from warroom_server.takeover import Shelf, take_over
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


class Machine:
    """Something with a clock that may be off by `skew` milliseconds."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.skew = 0
        self.directory = world.directory(name)

    def stored(self) -> dict[str, Packet]:
        """What the disk holds with its body, by the events' ids."""
        raise NotImplementedError

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
        self.room.log.backup(path)
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


# Consoles ----------------------------------------------------------------------------------


@dataclass
class Unsaved:
    """What a console heard since it wrote down the last."""

    events: list[Kept] = field(default_factory=list)
    places: list[Placed] = field(default_factory=list)
    seals: list[Sealed] = field(default_factory=list)


class Desk(Machine):
    """A console. What is saved outlives a crash, and its outbox; nothing else does."""

    def __init__(self, world: World, name: str, account: str) -> None:
        super().__init__(world, name)
        self.account = account
        self.outbox: dict[str, Packet] = {}
        self.refused: dict[str, tuple[Packet, str]] = {}
        self.acked: set[str] = set()
        self.stamps: list[tuple[int, int]] = []
        (self.directory / "slot-0").mkdir(mode=0o700)
        self.replica = Replica.open(self.directory / "slot-0")
        self.writer = self.author()
        self._start()

    def _start(self) -> None:
        self.folds: dict[str, IncidentState] = {}
        self.unsaved = Unsaved()
        self.meta: dict[str, str] = {}
        self.welcome: Welcome | None = None
        self.voids: dict[str, Event] = {}
        self.cursors: dict[str, Follow] = {}
        kept = {cursor.stream: cursor for cursor in self.replica.cursors()}
        for stream in STREAMS:
            rows = self.replica.events(stream)
            self.fold(stream).extend(read_packet(packet, at) for at, packet in rows)
            if stream in kept and len(rows) >= kept[stream].iseq:
                self.cursors[stream] = kept[stream]
        for packet in self.outbox.values():
            event = read_packet(packet)
            self.fold(event.head.stream).add(event)
        for fold in self.folds.values():
            for event in fold.events.values():
                self.writer.clock.observe(event.head.hlc)

    def fold(self, stream: str) -> IncidentState:
        """What this console shows of an incident."""
        return self.folds.setdefault(stream, IncidentState(stream))

    # Writing -------------------------------------------------------------------------------

    def write(self, stream: str, body: Body, base: tuple[str, ...]) -> Event:
        """Do something, as somebody who sees what this console shows."""
        state = self.fold(stream)
        if isinstance(body, Decision):
            body = informed(body, state)
        event, packet = self.writer.write(stream, self.account, body, base)
        self.stamps.append(event.head.hlc)
        self.outbox[event.id] = packet
        state.add(event)
        return event

    def save(self) -> None:
        """Write down what came."""
        unsaved, self.unsaved = self.unsaved, Unsaved()
        self.replica.save(
            cursors=list(self.cursors.values()),
            meta=self.meta,
            events=unsaved.events,
            places=unsaved.places,
            seals=unsaved.seals,
        )

    def crash(self) -> None:
        """Die, and start again as a new replica from what was saved."""
        self.replica.close()
        self.replica = Replica.open(self.directory / "slot-0")
        self.writer = self.author()
        self.stamps = []
        self._start()

    def restart(self) -> None:
        """Leave in order, and come back as the same replica."""
        self.save()
        counters = copy.deepcopy(self.writer.counters)
        self.replica.close()
        self.replica = Replica.open(self.directory / "slot-0")
        self.writer = self.author(counters)
        if counters.last[0] > self.wall() + MAX_LEAD_MS:
            self.stamps = []  # its clock was far off, and was set right since
        self._start()

    def clone(self, name: str) -> Desk:
        """A copy of this console's files on another machine; both go on as the same replica."""
        self.save()
        twin = Desk(self.world, name, self.account)
        twin.replica.close()
        self.replica.close()
        shutil.rmtree(twin.directory)
        shutil.copytree(self.directory, twin.directory)
        self.replica = Replica.open(self.directory / "slot-0")
        twin.replica = Replica.open(twin.directory / "slot-0")
        twin.outbox = dict(self.outbox)
        twin.refused = dict(self.refused)
        twin.writer = twin.author(copy.deepcopy(self.writer.counters))
        twin._start()
        return twin

    def stored(self) -> dict[str, Packet]:
        """What the disk holds with its body, by the events' ids."""
        found = dict(self.outbox)
        for stream in STREAMS:
            for _, packet in self.replica.events(stream):
                if packet.body is not None:
                    found[read_packet(packet).id] = packet
        return found

    # Holdings ------------------------------------------------------------------------------

    def set_digest(self, stream: str) -> str:
        """The digest of the events held of a stream that a server has had."""
        ids = list(self.ids(stream))
        return f"{sum(int(id_, 16) for id_ in ids) % 2**256:064x}" if ids else ""

    def ids(self, stream: str) -> Iterable[str]:
        """The entries of those events."""
        events = self.fold(stream).events.values()
        return [event.entry for event in events if event.admitted is not None]

    # A line --------------------------------------------------------------------------------

    def dial(self) -> list[bytes]:
        """Begin a connection: what to say first."""
        hello = Hello(PROTOCOL, "test", self.writer.rep, self.name)
        self.welcome = None
        self.end = ClientEnd(hello, self.cursors.values(), None, self)
        return [self.end.hello(STREAMS)]

    def hear(self, frame: bytes) -> list[bytes]:
        """Take in a frame: what to answer."""
        found = self.end.receive(frame)
        answers = self._take(found)
        for cursor in self.end.cursors():
            self.cursors[cursor.stream] = cursor
        if (seen := self.end.seen()) is not None:
            answers.append(seen)
        return answers

    def _take(self, found: Heard) -> list[bytes]:
        match found:
            case Welcome():
                self.welcome = found
                self.meta |= {"room": found.room, "you": found.you, "heard_at": str(self.wall())}
                return self.end.push(list(self.outbox.values()))
            case Batch():
                self._arrived(found)
            case Uneven():
                return [found.frame]
            case Ordered():
                return self._compared(found)
            case Handed():
                self._handed(found)
            case Servers():
                self.meta["servers"] = msgspec.json.encode(found.servers).decode()
            case Ack():
                for id_, stream, _, admitted in found.receipts:
                    packet = self.outbox.pop(id_, None)
                    if packet is not None:
                        self.acked.add(id_)
                        self.fold(stream).add(read_packet(packet, admitted))
                        self.unsaved.events.append(Kept(id_, stream, admitted, packet))
            case Refused():
                packet = self.outbox.pop(found.id, None)
                if packet is not None:
                    self.refused[found.id] = (packet, found.reason)
                    self._without(read_packet(packet))
            case _:
                pass
        return []

    def _without(self, refused: Event) -> None:
        stream = refused.head.stream
        events = self.folds.pop(stream).events
        del events[refused.id]
        self.fold(stream).extend(events.values())
        void = self.voids.pop(refused.id, None)
        if void is not None:
            self.fold(stream).add(void)

    def _arrived(self, batch: Batch) -> None:
        assert self.welcome is not None
        log = self.welcome.log
        for arrival in batch.arrivals:
            event = arrival.event
            self.writer.clock.observe(event.head.hlc)
            self.fold(batch.stream).add(event)
            if event.refused and event.id in self.outbox:
                self.voids[event.id] = event
            elif not event.refused:
                self.refused.pop(event.id, None)
            if not event.refused and event.via is None and event.id in self.outbox:
                del self.outbox[event.id]
                self.acked.add(event.id)
            kept = Kept(arrival.entry, batch.stream, event.admitted or 0, arrival.packet)
            self.unsaved.events.append(kept)
            placed = Placed(log, batch.stream, arrival.iseq, bytes.fromhex(arrival.entry))
            self.unsaved.places.append(placed)
        self._keep_seal(batch.stream, batch.seal)

    def _keep_seal(self, stream: str, seal: Seal | None) -> None:
        assert self.welcome is not None
        if seal is not None:
            log, server = self.welcome.log, self.welcome.server
            kept = Sealed(log, stream, seal.iseq, seal.sealed, server, seal.signature)
            self.unsaved.seals.append(kept)

    def _handed(self, handed: Handed) -> None:
        assert self.welcome is not None
        self.unsaved.places += [
            Placed(self.welcome.log, handed.stream, iseq, bytes.fromhex(id_))
            for iseq, id_ in enumerate(handed.ids, handed.first)
        ]
        self._keep_seal(handed.stream, handed.seal)

    def _compared(self, ordered: Ordered) -> list[bytes]:
        assert self.welcome is not None
        self.unsaved.places += [
            Placed(self.welcome.log, ordered.stream, iseq, bytes.fromhex(entry))
            for iseq, entry in ordered.common.items()
        ]
        self.save()
        wanted = {*ordered.lacking}
        proofs = self.replica.proofs(ordered.stream)
        proven = {entry.hex() for proof in proofs for entry in proof.ids}
        wanted |= {*ordered.unvouched, *self.fold(ordered.stream).contested()} & proven
        frames = [ordered.fetch]
        found = []
        for admitted, packet in self.replica.events(ordered.stream):
            event = read_packet(packet, admitted)
            if event.entry in wanted:
                found.append((event.order, Handing(event.id, admitted, packet)))
        relaying = self.end.relaying
        relaying.owe(ordered.stream, [handing.id for _, handing in found])
        if found:
            frames += self.proofs(ordered.stream)
            frames += relaying.frames(ordered.stream, [handing for _, handing in sorted(found)])
        return frames

    def proofs(self, stream: str) -> list[bytes]:
        """The frames that prove what servers admitted."""
        frames = []
        for seal, entries in self.replica.proofs(stream):
            frames += vouches(
                stream,
                seal.log,
                seal.server,
                entries,
                sealed=seal.sealed,
                signature=seal.signature,
            )
        return frames


# Lines -------------------------------------------------------------------------------------


async def talk(desk: Desk, house: House, budget: int) -> bool:
    """Connect a console to a server until both rest, or the line breaks after so many frames.

    Returns whether both rest.
    """
    seat = Seat(house, Caller(desk.account))
    to_server = deque(desk.dial())
    idle = 0
    try:
        while budget > 0:
            budget, idle = budget - 1, idle + 1
            if to_server:
                idle = 0
                await seat.receive(to_server.popleft())
            elif (frame := await seat.next_frame()) is not None:
                idle = 0
                to_server.extend(desk.hear(frame))
            elif (seen := desk.end.seen(now=True)) is not None:
                to_server.append(seen)
            elif idle > IDLE_TURNS:
                return True
            else:
                await asyncio.sleep(0)
    except ProtocolError as error:
        if error.code is Close.LOG_CHANGED:
            desk.cursors.clear()
        elif error.code is Close.REPLICA_CLASH:
            desk.writer = desk.author()
            desk.stamps = []
        else:
            raise
    finally:
        seat.leave()
    return False


async def settle(desk: Desk, house: House) -> None:
    """Connect, as often as it takes, until both rest."""
    for _ in range(6):
        if await talk(desk, house, 100_000):
            return
    raise AssertionError(f"{desk.name} and {house.name} never come to rest")


async def meet(client: House, server: House, budget: int) -> bool:
    """Let a server follow another one until both rest, or the line breaks after so many frames."""
    seat = Seat(server, Caller(ROOT))
    progress = client.progress.setdefault(server.name, Progress())
    broken: list[None] = []
    hello = Hello(
        PROTOCOL,
        "warroom server",
        new_rep(client.world.random.randbytes),
        client.name,
        board=BoardCursor("", 0),
        lobby=True,
        server=client.us.server,
    )
    exchange = Exchange(
        hello,
        client.room,
        client.board,
        client.us,
        progress,
        client.author(),
        holds=lambda _machine, _stream, _iseq: None,
        broken=lambda: broken.append(None),
    )
    client.room.listeners.append(exchange.on_commit)
    client.room.amendments.append(exchange.on_amendment)
    handing = asyncio.create_task(_hand_on(exchange))
    await seat.receive(exchange.hello())
    try:
        idle = 0
        while budget > 0 and idle < IDLE_TURNS:
            budget -= 1
            idle += 1
            if not exchange.out.empty():
                idle = 0
                await seat.receive(exchange.out.get_nowait())
            elif (frame := await seat.next_frame()) is not None:
                idle = 0
                found = exchange.end.receive(frame)
                if isinstance(found, Welcome):
                    exchange.welcomed()
                else:
                    exchange.heard(found)
            elif (seen := exchange.end.seen(now=True)) is not None:
                exchange.say(seen)
            else:
                exchange.report()
            await asyncio.sleep(0)
        assert not broken
        return idle >= IDLE_TURNS
    except ProtocolError as error:
        if error.code is not Close.LOG_CHANGED:
            raise
        progress.cursors.clear()
        return False
    finally:
        seat.leave()
        client.room.listeners.remove(exchange.on_commit)
        client.room.amendments.remove(exchange.on_amendment)
        handing.cancel()
        await asyncio.gather(handing, return_exceptions=True)
        exchange.ended()


async def _hand_on(exchange: Exchange) -> None:
    await exchange.introduced.wait()
    frames: AsyncIterator[bytes] = exchange.owing.frames()
    async for frame in frames:
        exchange.say(frame)


async def settle_houses(client: House, server: House) -> None:
    """Let a server follow another one, as often as it takes, until both rest."""
    for _ in range(6):
        if await meet(client, server, 100_000):
            return
    raise AssertionError(f"{client.name} and {server.name} never come to rest")


async def withhold(house: House, packet: Packet) -> None:
    """Withhold a body from now on."""
    gone = packet._replace(body=None, reason="a password", via=None)
    await house.room.commit([Entry(read_packet(gone), gone)])


async def forge(house: House, account: str, proofs: list[bytes], some: Iterable[Packet]) -> None:
    """Hand events on without any mark, with whatever proofs there are."""
    seat = Seat(house, Caller(account))
    hello = Hello(PROTOCOL, "test", new_rep(house.world.random.randbytes))
    try:
        await seat.receive(encode(hello))
        handed = [Handing(read_packet(packet).id, 0, packet) for packet in some]
        by_stream = {read_packet(one.packet).head.stream for one in handed}
        for frame in proofs:
            await seat.receive(frame)
        for stream in sorted(by_stream):
            own = [one for one in handed if read_packet(one.packet).head.stream == stream]
            for frame in Relaying().frames(stream, own):
                await seat.receive(frame)
    finally:
        seat.leave()


async def from_replica(desk: Desk, name: str) -> House:
    """Make a server out of a console's replica."""
    desk.save()
    shelf = Shelf(desk.directory)
    house = House(desk.world, name, shelf.room)
    chance = desk.world.random
    try:
        with (
            patch("secrets.token_bytes", chance.randbytes),
            patch("secrets.token_hex", lambda count: chance.randbytes(count).hex()),
        ):
            take_over(house.directory, shelf, house.key, ROOT, house.wall)
    finally:
        shelf.close()
    house.open()
    await house.list(house)
    return house
