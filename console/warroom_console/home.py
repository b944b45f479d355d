"""One room's directory of this user: the slot, the outbox and the replica of one process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from warroom_incident.author import Author, Counters, Entropy, new_rep
from warroom_incident.clock import HybridClock, Wall
from warroom_incident.directory import make_private
from warroom_incident.door import DoorError
from warroom_incident.event import Event, read_packet
from warroom_incident.outbox import Outbox
from warroom_incident.replica import Kept, Replica
from warroom_incident.schema import StorageError
from warroom_incident.slot import Slot
from warroom_incident.sync.wire import Follow


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stream as it was kept. `places_known` says that all of it lies before the cursor.

    `copies` are to be saved, because they come from another process's replica.
    """

    events: list[Event]
    cursor: Follow
    places_known: bool
    copies: list[Kept] = field(default_factory=list)


class Home:
    """What one process holds of a room on disk.

    A second process of the same user has an own slot whose replica may be older; then it reads
    the newest of the others (`elder`) where that knows more.
    """

    def __init__(
        self,
        slot: Slot,
        outbox: Outbox,
        own: Replica,
        elder: Replica | None,
        fresh: Callable[[], Author],
    ) -> None:
        self._fresh = fresh
        self.account = own.meta().get("account", "")
        """The account that this slot's replica wrote under so far, empty for a new one."""
        self.slot = slot
        self.outbox = outbox
        self.own = own
        self.elder = elder
        self.cursors = {cursor.stream: cursor for cursor in own.cursors()}
        self._elder_cursors: dict[str, Follow] = {}
        for cursor in elder.cursors() if elder else ():
            known = self.cursors.get(cursor.stream)
            if known is None or known.log != cursor.log or known.iseq < cursor.iseq:
                self._elder_cursors[cursor.stream] = cursor

    @classmethod
    def open(cls, directory: Path, wall: Wall, entropy: Entropy) -> Home:
        """Take a slot of the directory, making what is missing.

        Raises:
            OSError: The directory cannot be used.
        """
        make_private(directory)
        elder = _newest(directory)
        slot = Slot.take(directory, wall, entropy)
        try:
            own = Replica.open(slot.path)
        except BaseException:
            slot.close()
            raise
        if elder is not None and _heard_at(elder) <= _heard_at(own):
            elder.close()
            elder = None

        def fresh() -> Author:
            return Author(Counters(new_rep(entropy)), HybridClock(wall), entropy)

        return cls(slot, Outbox(directory), own, elder, fresh)

    @property
    def newest(self) -> Replica:
        """The replica that heard from a server last."""
        return self.elder or self.own

    def cursor(self, stream: str) -> Follow:
        """How far a stream was read, by whoever read it further."""
        return self._elder_cursors.get(stream) or self.cursors.get(stream) or Follow(stream)

    def all_cursors(self) -> dict[str, Follow]:
        """How far every stream was read."""
        return self.cursors | self._elder_cursors

    def load(self, stream: str) -> Loaded:
        """Read a stream as it was kept."""
        elder = self.elder if stream in self._elder_cursors else None
        cursor = self.cursor(stream)
        events: list[Event] = []
        copies: list[Kept] = []
        for admitted, packet in (elder or self.own).events(stream):
            try:
                event = read_packet(packet, admitted)
            except DoorError:
                continue  # a damaged row of a cache: the server is asked again by its digest
            events.append(event)
            if elder is not None:
                copies.append(Kept(event.id, stream, admitted, packet))
        return Loaded(events, cursor, len(events) <= cursor.iseq, copies)

    def renew_author(self) -> None:
        """Write as a new replica: a replica's name belongs to one account for ever."""
        author = self._fresh()
        author.clock.observe(self.slot.author.clock.last)
        self.slot.author = author
        self.account = ""

    def close(self) -> None:
        """Give the slot back."""
        if self.elder is not None:
            self.elder.close()
        self.own.close()
        self.slot.close()


def _newest(directory: Path) -> Replica | None:
    try:
        return Replica.newest(directory)
    except StorageError:
        return None


def _heard_at(replica: Replica) -> int:
    return int(replica.meta().get("heard_at", "0"))
