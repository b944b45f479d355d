"""One room's directory of this user: the slot, the outbox and the replicas."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field

from warroom_incident.author import Author, Counters, Entropy, new_rep
from warroom_incident.clock import HybridClock, Wall
from warroom_incident.directory import make_private
from warroom_incident.door import DoorError
from warroom_incident.event import Event, is_whole, read_packet
from warroom_incident.outbox import Outbox
from warroom_incident.proofs import Proof
from warroom_incident.replica import FILE, Kept, Replica
from warroom_incident.schema import StorageError, connect_readonly
from warroom_incident.slot import Slot
from warroom_incident.sync.handing import Handing
from warroom_incident.sync.wire import BoardCursor, Follow

from .unsaved import FILE as UNSAVED


class Loaded(Struct, frozen=True):
    """A stream as it was kept. `places_known` says that all of it lies before the cursor.

    It `has_holes` where the cursor counts more than there is, because a row was damaged or another
    process dropped the stream meanwhile: then it must be read from its beginning.
    `copies` are to be saved, because they come from another process's replica.
    """

    events: list[Event]
    cursor: Follow
    places_known: bool
    has_holes: bool = False
    copies: list[Kept] = field(default_factory=list)


class _Shelf(Struct, frozen=True):
    """One slot's replica: where it is, how far it goes, when it heard from a server last."""

    path: Path
    heard_at: int
    cursors: dict[str, Follow]
    board: BoardCursor | None


class Home:
    """What one process holds of a room on disk.

    Every process of this user writes a slot of its own and reads the others' too: each stream
    from where it was read furthest, the rest from whoever heard from a server last. The others'
    are open only while they are read: each takes memory, and there may be many.
    """

    def __init__(
        self, slot: Slot, outbox: Outbox, own: Replica, others: list[_Shelf], fresh: NewAuthor
    ) -> None:
        self.slot = slot
        self.outbox = outbox
        self.own = own
        self.account = own.meta().get("account", "")
        """The account that this slot wrote under so far, empty for a new one."""
        self._fresh = fresh
        self.unsaved_path = slot.path / UNSAVED
        """Where texts that were typed and not saved are kept for the next console."""
        self._own = _shelf(slot.path / FILE, own)
        self._shelves = [self._own, *others]
        # A thread takes memory in each of a machine's two hundred consoles: one for all disk work.
        self.disk = ThreadPoolExecutor(1, "disk")
        """The thread that writes the outbox and the replica."""
        self._newest = max(self._shelves, key=lambda shelf: shelf.heard_at)
        self._best = _best(self._shelves)

    @classmethod
    def open(cls, directory: Path, wall: Wall, entropy: Entropy) -> Home:
        """Take a slot of the directory, making what is missing.

        Raises:
            OSError: The directory cannot be used.
        """

        def fresh() -> Author:
            return Author(Counters(new_rep(entropy)), HybridClock(wall), entropy)

        make_private(directory)
        slot = Slot.take(directory, wall, entropy)
        try:
            own = Replica.open(slot.path)
        except BaseException:
            slot.close()
            raise
        return cls(slot, Outbox(directory), own, _others(directory, slot.path), fresh)

    @contextmanager
    def _opened(self, shelf: _Shelf) -> Iterator[Replica]:
        if shelf is self._own:
            yield self.own
        else:
            with closing(Replica(connect_readonly(shelf.path))) as replica:
                yield replica

    def _each(self, shelves: Iterable[_Shelf]) -> Iterator[tuple[_Shelf, Replica]]:
        """Open one after the other; what has gone meanwhile is passed over."""
        for shelf in shelves:
            with suppress(StorageError), self._opened(shelf) as replica:
                yield shelf, replica

    def newest(self) -> AbstractContextManager[Replica]:
        """The replica that heard from a server last."""
        return self._opened(self._newest)

    @property
    def own_is_newest(self) -> bool:
        """Whether that is this process's own."""
        return self._newest is self._own

    def board(self) -> AbstractContextManager[Replica]:
        """The replica that read the alert board furthest, of the board that was heard of last."""
        return self._opened(self._board)

    @property
    def own_has_board(self) -> bool:
        """Whether that is this process's own."""
        return self._board is self._own

    @property
    def board_cursor(self) -> BoardCursor | None:
        """How far it was read."""
        return self._board.board

    @cached_property
    def _board(self) -> _Shelf:
        read = [(shelf, shelf.board) for shelf in self._shelves if shelf.board is not None]
        if not read:
            return self._own
        current = max(read, key=lambda pair: pair[0].heard_at)[1].board
        furthest = (pair for pair in read if pair[1].board == current)
        return max(furthest, key=lambda pair: pair[1].rev)[0]

    def cursors(self) -> dict[str, Follow]:
        """How far every stream was read, by whoever read it furthest."""
        return {stream: shelf.cursors[stream] for stream, shelf in self._best.items()}

    def load(self, stream: str) -> Loaded:
        """Read a stream as it was kept; one that nobody followed is gathered from all slots."""
        best = self._best.get(stream)
        cursor = best.cursors[stream] if best is not None else Follow(stream)
        events: dict[str, Event] = {}
        places = 0
        copies: list[Kept] = []
        for shelf, replica in self._each([best] if best is not None else self._shelves):
            for admitted, packet in replica.walk(stream):
                try:
                    event = read_packet(packet, admitted)
                except DoorError:
                    continue  # a damaged row of a cache, which a server has whole
                places += 1
                events[event.entry] = event
                if shelf is not self._own:
                    copies.append(Kept(event.entry, stream, admitted, packet))
        if places < cursor.iseq:
            return Loaded(list(events.values()), Follow(stream), False, True, [])
        return Loaded(list(events.values()), cursor, places <= cursor.iseq, False, copies)

    async def read(self, stream: str) -> Loaded:
        """As `load`, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.disk, self.load, stream)

    def packets(self, stream: str, events: list[Event]) -> list[Handing]:
        """The kept bytes of events of a stream, in their order, without those that are damaged."""
        found: dict[str, Handing] = {}
        for _, replica in self._each(self._shelves):
            left = [event for event in events if event.id not in found]
            # Older replicas have hearsay under the ids of the events.
            wanted = {name: event for event in left for name in (event.id, event.entry)}
            for entry, admitted, packet in replica.some(stream, wanted):
                event = wanted[entry]
                if is_whole(packet, event):
                    found[event.id] = Handing(event.id, admitted, packet)
        return [found[event.id] for event in events if event.id in found]

    def proofs(self, stream: str) -> list[Proof]:
        """What can be proven of a stream: for each log the ids up to its newest seal."""
        shelves = self._each(self._shelves)
        return [proof for _, replica in shelves for proof in replica.proofs(stream)]

    def renew_author(self) -> None:
        """Write as a new replica: a replica's name belongs to one account for ever."""
        author = self._fresh()
        author.clock.observe(self.slot.author.clock.last)
        self.slot.author = author
        self.account = ""

    def close(self) -> None:
        """Finish what the disk has to do, and give the slot back."""
        self.disk.shutdown()
        self.own.close()
        self.slot.close()


NewAuthor = Callable[[], Author]


def _shelf(path: Path, replica: Replica) -> _Shelf:
    heard_at = int(replica.meta().get("heard_at", "0"))
    cursors = {cursor.stream: cursor for cursor in replica.cursors()}
    return _Shelf(path, heard_at, cursors, replica.board())


def _best(shelves: list[_Shelf]) -> dict[str, _Shelf]:
    """Per stream the shelf that read it furthest, in the log that was heard of last."""
    best: dict[str, _Shelf] = {}
    for shelf in sorted(shelves, key=lambda shelf: -shelf.heard_at):
        for stream, cursor in shelf.cursors.items():
            known = best.get(stream)
            if known is None or (
                known.cursors[stream].log == cursor.log and known.cursors[stream].iseq < cursor.iseq
            ):
                best[stream] = shelf
    return best


def _others(directory: Path, own: Path) -> list[_Shelf]:
    """The other processes' replicas that have their tables, and nothing unforeseen in them."""
    found = []
    for path in sorted(directory.glob(f"slot-*/{FILE}")):
        if path.parent != own:
            with (
                suppress(StorageError, sqlite3.DatabaseError, ValueError),
                closing(Replica(connect_readonly(path))) as replica,
            ):
                found.append(_shelf(path, replica))
    return found
