"""Consoles without screens or sockets: real replicas and the consoles' ends."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from tests.server.machines import STREAMS, Machine, World
from warroom_incident.clock import MAX_LEAD_MS
from warroom_incident.event import Event, Packet, read_packet
from warroom_incident.incident import IncidentState
from warroom_incident.knowing import informed
from warroom_incident.proofs import Placed, Sealed
from warroom_incident.reducers import Body, Decision
from warroom_incident.replica import Kept, Replica
from warroom_incident.sync.client_end import Batch, ClientEnd, Handed, Heard, Ordered, Seal, Uneven
from warroom_incident.sync.handing import Handing, vouches
from warroom_incident.sync.wire import (
    PROTOCOL,
    Ack,
    Follow,
    Hello,
    Refused,
    Servers,
    Welcome,
)


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
