"""Makes a server's log out of one user's replica, when there is no other to be had.

What a server's seal proves, and what this user wrote, is taken as it is. Everything else is kept as
hearsay of this user until its author comes, or somebody who can prove it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from warroom_incident.alerts import AlertRecord
from warroom_incident.author import Author, Counters, new_rep
from warroom_incident.beats import Beat
from warroom_incident.changes import Change
from warroom_incident.clock import HybridClock, Wall
from warroom_incident.directory import make_private
from warroom_incident.door import DoorError
from warroom_incident.event import ROOM, Event, Packet, read_packet
from warroom_incident.log import Entry, Log
from warroom_incident.outbox import Outbox
from warroom_incident.proofs import Proof
from warroom_incident.reducers import Body
from warroom_incident.replica import FILE, Replica
from warroom_incident.schema import StorageError, connect_readonly
from warroom_incident.seal import ZERO, link, sealed_text
from warroom_incident.sync.wire import Place, Summary
from warroom_incident.vocabulary import MemberGranted, ServerListed, StandbyListed

from .board import UNHEARD_MS, Board
from .identity import SERVER_NAME
from .intake.store import IntakeStore, IntakeUnavailable
from .keys import ServerKey, verify
from .numbers import Numbers

AT_ONCE = 1000
"""Events of one commit."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken over: incidents, events, and how many of those nobody vouches for."""

    incidents: int
    events: int
    unproven: int


class CannotTakeOver(Exception):
    """There is nothing to take over, or something in the way; the message is one sentence."""


class Shelf:
    """Everything that one user's replica directory holds of a room."""

    def __init__(self, directory: Path) -> None:
        self._replicas: list[Replica] = []
        for path in sorted(directory.glob(f"slot-*/{FILE}")):
            try:
                self._replicas.append(Replica(connect_readonly(path)))
            except StorageError:
                continue
        self._replicas.sort(key=lambda replica: int(replica.meta().get("heard_at", 0)))
        metas = [replica.meta() for replica in self._replicas]
        heard = sorted((m for m in metas if "room" in m), key=lambda m: int(m.get("heard_at", 0)))
        if not heard:
            raise CannotTakeOver(f"{directory} holds no replica of a room.")
        self.directory = directory
        self.room, self.you = heard[-1]["room"], heard[-1].get("you", "")
        self.heard_at = int(heard[-1].get("heard_at", 0))
        self.places: dict[str, Place] = {}
        for meta in heard:
            for place in _places(meta):
                self.places[place.server] = place

    def close(self) -> None:
        """Close the files."""
        for replica in self._replicas:
            replica.close()

    def streams(self) -> list[str]:
        """Every stream that something is held of."""
        return sorted({stream for replica in self._replicas for stream in replica.streams()})

    def entries(self, stream: str) -> Iterator[Entry]:
        """The events of a stream in displayed order, with what is proven of them."""
        proven = {entry for proof in self._proofs(stream) for entry in proof}
        found: dict[str, tuple[Event, Packet]] = {}
        for replica in self._replicas:
            for admitted, packet in replica.events(stream):
                try:
                    event = read_packet(packet, admitted or None)
                except DoorError:
                    continue  # a damaged row of a cache, which somebody else may have whole
                known = found.get(event.entry)
                if known is None or (known[1].via and not packet.via) or packet.body is None:
                    found[event.entry] = (event, packet)
        for entry, (event, packet) in sorted(found.items(), key=lambda item: item[1][0].order):
            if event.via is not None and event.id in found:
                continue  # somebody vouched for it later
            is_own = event.head.by == self.you and event.via is None
            if is_own or bytes.fromhex(entry) in proven:
                yield Entry(event, packet, event.admitted)
            elif event.withheld is None:
                hearsay = packet._replace(via=packet.via or self.you)
                yield Entry(read_packet(hearsay), hearsay)

    def _proofs(self, stream: str) -> Iterator[list[bytes]]:
        for replica in self._replicas:
            for proof in replica.proofs(stream):
                if self._fits(stream, proof):
                    yield proof.ids

    def _fits(self, stream: str, proof: Proof) -> bool:
        seal, place = proof.seal, self.places.get(proof.seal.server)
        if place is None:
            return False
        chain = ZERO
        for entry in proof.ids:
            chain = link(chain, entry)
        text = sealed_text(seal.log, stream, seal.iseq, chain, seal.sealed)
        try:
            return verify(place.key, text, bytes.fromhex(seal.signature))
        except ValueError:
            return False

    def summaries(self) -> list[Summary]:
        """The lines of all incidents, what was heard last behind what was heard before."""
        return [line for replica in self._replicas for line in replica.summaries()]

    def records(self) -> list[AlertRecord]:
        """The alert episodes as they were last heard of."""
        return [record for replica in self._replicas for record in replica.records()]

    def told(self) -> tuple[list[Beat], list[Change]]:
        """The signs of life of alert paths, and the changes."""
        told = [replica.told() for replica in self._replicas]
        return [b for beats, _ in told for b in beats], [c for _, some in told for c in some]

    def unsent(self) -> list[Entry]:
        """What lies in the outbox of this user."""
        found = Outbox(self.directory).unsent()
        return [Entry(event, packet) for event, packet in found]


def _places(meta: dict[str, str]) -> list[Place]:
    try:
        return msgspec.json.decode(meta.get("servers", "[]"), type=list[Place])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []


def take_over(data: Path, shelf: Shelf, key: ServerKey, owner: str, wall: Wall) -> Taken:
    """Fill an empty data directory from a replica.

    Args:
        data: Where the log will lie; there is none yet.
        shelf: What is held.
        key: The new server's own key, for the same room.
        owner: The account that gets admin rights.
        wall: The clock, in milliseconds.

    Raises:
        CannotTakeOver: There is a log already.
        StorageError, sqlite3.Error: It cannot be written.
    """
    path = data / "warroom.db"
    check_no_log(data)
    make_private(data)
    part = data / "taken.db"
    for name in ("taken.db", "taken.db-wal", "taken.db-shm"):
        (data / name).unlink(missing_ok=True)
    log = Log.create_or_open(part, new_id=secrets.token_hex(8), sign=key.sign)
    try:
        taken = _fill(log, shelf, key, owner, wall)
    finally:
        log.close()
    Numbers(data).learn(shelf.summaries())
    part.rename(path)  # whole or not at all
    return taken


def check_no_log(data: Path) -> None:
    """See that nothing is served from a data directory yet.

    Raises:
        CannotTakeOver: There is a log already.
    """
    if (data / "warroom.db").exists():
        raise CannotTakeOver(
            f"There is a log in {data} already: serve it without --from-replica, or choose another "
            "--data."
        )


async def take_board(data: Path, shelf: Shelf, now: int) -> int:
    """Begin the alert board with what a replica kept of it, as old as it is.

    Nobody is heard here until senders speak: till then what is open counts as stale.

    Returns:
        How many open alerts are shown.

    Raises:
        CannotTakeOver: There is a log already, or the board cannot be written.
    """
    check_no_log(data)
    make_private(data)
    try:
        store = await IntakeStore.open(data / "intake.db")
        try:
            board = Board(await store.load_board())
            board.adopt([replace(r, stale_after=UNHEARD_MS) for r in shelf.records()], now)
            beats, changes = shelf.told()
            board.adopt_beats(beats)
            board.change(changes, now)
            await store.save((), board.take_unsaved())
        finally:
            await store.close()
    except IntakeUnavailable as error:
        raise CannotTakeOver(f"The alerts cannot be kept: {error}.") from error
    return len(board.open())


def _fill(log: Log, shelf: Shelf, key: ServerKey, owner: str, wall: Wall) -> Taken:
    entropy = secrets.token_bytes
    author = Author(Counters(new_rep(entropy)), HybridClock(wall), entropy)
    bodies: list[Body] = [
        MemberGranted(account=owner, right="admin"),
        ServerListed(
            server=key.name, key_hex=key.public_hex, promoted_by=owner, as_of=shelf.heard_at
        ),
    ]
    for place in shelf.places.values():
        if place.server == key.name:
            continue
        bodies.append(
            ServerListed(server=place.server, key_hex=place.key)
            if place.serves
            else StandbyListed(
                server=place.server,
                name=place.name or place.server,
                key_hex=place.key,
                urls=tuple(place.urls),
            )
        )
    first = [author.write(ROOM, SERVER_NAME, body) for body in bodies]
    log.append([Entry(*written) for written in first], wall())
    unproven = events = 0
    streams = [stream for stream in shelf.streams() if stream != ROOM]
    for stream in streams:
        for some in _batches(shelf.entries(stream)):
            unproven += sum(entry.packet.via is not None for entry in some)
            events += sum(receipt.fresh for receipt in log.append(some, wall()))
    own = [entry for entry in shelf.unsent() if entry.event.head.stream != ROOM]
    for some in _batches(iter(own)):
        events += sum(receipt.fresh for receipt in log.append(some, wall()))
    incidents = sum(stream.startswith("i-") for stream in log.streams())
    return Taken(incidents, events, unproven)


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    some: list[Entry] = []
    for entry in entries:
        some.append(entry)
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some
