"""The room: every stream's state, and the one path by which events become durable.

`submit` checks events at the door, then waits for the commit that carries them. Whatever arrives
while a commit runs goes into the next one together. Only after a commit is state changed, an ack
given and a listener told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import NamedTuple, TypeVar

import msgspec

from warroom_incident.author import Author
from warroom_incident.board import BoardState
from warroom_incident.clean import clean_line
from warroom_incident.clock import Wall
from warroom_incident.door import DoorError
from warroom_incident.event import ROOM, Event, Packet, check_packet
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.log import End, Entry, Log, LogReader, Receipt, Row, Stretch
from warroom_incident.reducers import Body, Right
from warroom_incident.repair import read_whole
from warroom_incident.room import RoomState
from warroom_incident.sync.server_end import ORDER_AT_ONCE, Read
from warroom_incident.sync.wire import FRAME_TARGET
from warroom_incident.vocabulary import TYPES

from .admission import Refusal, Unshown, check
from .commits import Commits, Ends, Unavailable as Unavailable, Waiting, Written
from .identity import SERVER_NAME, Caller, Who, account_of
from .losses import Losses
from .stretches import Commit as Commit
from .voids import Voids, void_for

MAX_REASON = 300
"""The longest sentence on why an event is not admitted, in terminal cells."""

SETTLING_SECONDS = 2.0
"""How long after events were handed on more of the same stream may be on the way."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Refused(NamedTuple):
    """An event that was not admitted, and one sentence on why."""

    id: str
    reason: str


class Room:
    """All streams of one server."""

    def __init__(
        self, log: Log, reader: LogReader, author: Author, wall: Wall, default: Right
    ) -> None:
        self.log = log
        self._reader = reader
        self._author = author
        self.losses = Losses(log, reader)
        self.wall = wall
        self._default = default
        self.board = BoardState()
        self.room = RoomState()
        self.incidents: dict[str, IncidentState] = {}
        self.tops: dict[str, int] = {}
        self._reps = {author.rep: SERVER_NAME}
        self._handed_on: dict[str, float] = {}
        self.commits = Commits(log, wall, self._settle)
        self._reading = ThreadPoolExecutor(1, "log-reader")
        self.kinds: Collection[str] | None = None
        self.listeners: list[Callable[[Commit], None]] = []
        self.amendments: list[Callable[[str, int], None]] = []
        """Told the stream and place of an event of which more is known now."""
        for stream in reader.streams():
            self._load(stream)

    # State ---------------------------------------------------------------------------------

    def state(self, stream: str) -> Fold:
        """The state of a stream; a new one begins empty."""
        match stream:
            case "board":
                return self.board
            case "room":
                return self.room
            case _:
                return self.incidents.get(stream) or IncidentState(stream)

    def _load(self, stream: str) -> None:
        state = self.state(stream)
        after = 0
        while rows := self._reader.scan(stream, after, 2000):
            for entry, row in rows:
                event = read_whole(row.packet, entry, row.admitted)
                if event is None:
                    self.losses.leave_out(stream, row.iseq, entry)
                    continue
                self._author.clock.observe(event.head.hlc)
                if not event.refused and event.via is None:
                    self._reps.setdefault(event.head.rep, account_of(event.head.by))
                state.add(event)
            after = rows[-1][1].iseq
        self.tops[stream] = after
        if isinstance(state, IncidentState):
            self.incidents[stream] = state

    def right_of(self, caller: Caller) -> Right:
        """What a caller may do now."""
        return caller.fixed or self.room.right(caller.account) or self._default

    def may_read(self, caller: Caller, stream: str) -> bool:
        """Whether a caller may receive a stream. The unit of reading rights is the stream."""
        return stream != ROOM or self.right_of(caller).covers(Right.ADMIN)

    # Writing -------------------------------------------------------------------------------

    def submit(
        self, who: Who, packets: Sequence[Packet], voids: Voids | None = None
    ) -> tuple[asyncio.Future[list[Receipt]] | None, list[Refused]]:
        """Admit events and hand them to the next commit, in order; leave voids of the others.

        Returns:
            What will bring the receipts of the admitted ones once they are durable (it raises
            `Unavailable` if they could not be written), and the reasons of the others.
        """
        entries: list[Entry] = []
        refused: list[Refused] = []
        for packet in packets:
            try:
                event = check_packet(packet)
                self.admit(event, who)
            except (DoorError, Refusal) as error:
                refused.append(self.refuse(packet, error, voids))
            else:
                entries.append(Entry(event, packet))
        return (self.commit(entries) if entries else None), refused

    def refuse(
        self, packet: Packet, error: DoorError | Refusal, voids: Voids | None = None
    ) -> Refused:
        """Say why an event is not admitted, and leave a void of it where everybody sees it.

        There is none of what is no event or of no known type, was not sent by its author, or would
        begin a stream.
        """
        reason = clean_line(str(error), MAX_REASON)
        refused = Refused(sha256(packet.head).hexdigest(), reason)
        if isinstance(error, Refusal) and not isinstance(error, Unshown) and voids is not None:
            void = void_for(packet, reason)
            head = void.event.head
            events = self.state(head.stream).events
            known = events.get(refused.id)
            is_new = known is None or known.via is not None
            # A type that nobody knows is a text of its author's choice, which all would read.
            if events and is_new and head.type in TYPES and voids.take():
                self.commit([void]).add_done_callback(_voided)
        return refused

    async def write(self, stream: str, body: Body, base: tuple[str, ...] = ()) -> Receipt:
        """Write an event of the server's own.

        Raises:
            Unavailable: The log cannot be written.
        """
        (receipt,) = await self.write_all(stream, [(body, base)])
        return receipt

    async def write_all(
        self, stream: str, bodies: Iterable[tuple[Body, tuple[str, ...]]]
    ) -> list[Receipt]:
        """Write events of the server's own, all or none, each with its base.

        Raises:
            Unavailable: The log cannot be written.
        """
        write = self._author.write
        written = [write(stream, SERVER_NAME, body, base) for body, base in bodies]
        return await self.commit([Entry(event, packet) for event, packet in written])

    def admit(self, event: Event, who: Who) -> None:
        """See that an event of a person may be written.

        Raises:
            Refusal: It may not.
        """
        state = self.state(event.head.stream)
        known = state.events.get(event.id)
        if known is not None and known.via is None and not known.refused:
            return  # sent again, because the ack was lost: rights may have changed since
        if self._reps.get(event.head.rep, who.account) != who.account:
            raise Unshown(f"the replica {event.head.rep} belongs to another account")
        check(event, who, self.right_of(who.caller), state, self.kinds)
        self._reps[event.head.rep] = who.account

    def commit(
        self,
        entries: list[Entry],
        *,
        handed_on: bool = False,
        told: Callable[[list[Receipt], Ends], None] = lambda _receipts, _ends: None,
    ) -> asyncio.Future[list[Receipt]]:
        """Hand admitted events to the next commit; brings their receipts once they are durable.

        `handed_on` tells of events that a server has had before: more of them may be on the way.
        `told` gets the receipts, and the ends of the streams, before anybody hears of the events.
        """
        if handed_on:
            now = asyncio.get_running_loop().time()
            self._handed_on.update(dict.fromkeys((e.event.head.stream for e in entries), now))
        done: asyncio.Future[list[Receipt]] = asyncio.get_running_loop().create_future()
        self.commits.add(Waiting(entries, done, told))
        return done

    def is_settling(self, stream: str) -> bool:
        """Whether somebody has just handed on events of a stream."""
        since = self._handed_on.get(stream)
        return since is not None and asyncio.get_running_loop().time() - since < SETTLING_SECONDS

    def _settle(self, written: Written) -> None:
        batch, receipts, ends = written
        fresh: dict[str, list[tuple[Event, Row]]] = {}
        entries = (entry for waiting in batch for entry in waiting.entries)
        for (event, packet, _), receipt in zip(entries, receipts, strict=True):
            if receipt.clash:
                _log.warning(
                    "The replica %s was copied: two events of %s have its count %d; both are kept",
                    receipt.clash,
                    receipt.stream,
                    event.head.n,
                )
            stamped = msgspec.structs.replace(event, admitted=receipt.admitted)
            if receipt.fresh:
                is_other = event.via is not None or event.withheld is not None
                apart = is_other and not event.refused
                row = Row(receipt.iseq, receipt.admitted, packet, apart)
                fresh.setdefault(receipt.stream, []).append((stamped, row))
                self._author.clock.observe(event.head.hlc)
            elif receipt.changed:
                self.losses.came_back(receipt)
                self.state(receipt.stream).add(stamped)
                for listener in self.amendments:
                    listener(receipt.stream, receipt.iseq)
        begin = 0
        for waiting in batch:
            end = begin + len(waiting.entries)
            if not waiting.done.done():
                waiting.done.set_result(receipts[begin:end])
            try:
                waiting.told(receipts[begin:end], ends)
            except Exception:  # as with the listeners
                _log.exception("an answer could not be given")
            begin = end
        for stream, added in fresh.items():
            self._publish(stream, added, ends[stream])

    def _publish(self, stream: str, added: list[tuple[Event, Row]], end: End) -> None:
        state = self.state(stream)
        state.extend(event for event, _ in added)
        if isinstance(state, IncidentState):
            self.incidents[stream] = state
        rows = [row for _, row in added]
        self.tops[stream] = rows[-1].iseq
        events = [event for event, _ in added]
        commit = Commit(stream, state, events, rows, end)
        for listener in self.listeners:
            try:
                listener(commit)
            except Exception:  # the events are durable: whoever fails here must not stop the rest
                _log.exception("a listener of the log failed")

    # Reading -------------------------------------------------------------------------------

    async def read(self, read: Read) -> Stretch:
        """Read what a console lacks."""
        reader = self._reader
        if read.iseqs:
            return await self._in_reader(lambda: Stretch(reader.read_at(read.stream, read.iseqs)))
        return await self._in_reader(
            lambda: reader.stretch(read.stream, read.after, read.upto, FRAME_TARGET)
        )

    async def look(self, work: Callable[[LogReader], T]) -> T:
        """Read something else of the log, in the thread that reads it."""
        return await self._in_reader(lambda: work(self._reader))

    async def order(self, read: Read) -> tuple[bytes, list[int]]:
        """The order of some places, for a console that compares."""
        reader = self._reader
        return await self._in_reader(
            lambda: reader.prefixes(read.stream, read.after, read.upto, ORDER_AT_ONCE)
        )

    async def chain_at(self, stream: str, iseq: int) -> bytes | None:
        """The chain of a stream at a place, None where it has no such place."""
        return await self._in_reader(lambda: self._reader.chain_at(stream, iseq))

    async def present(self, stream: str) -> list[int]:
        """The places of the events that make up a stream's present state."""
        ids = self.state(stream).present()
        return sorted((await self._in_reader(lambda: self._reader.place(stream, ids))).values())

    async def contested(self, stream: str) -> list[int]:
        """The places of the writes that have not seen each other."""
        entries = self.state(stream).contested()
        if not entries:
            return []
        return list((await self.look(lambda log: log.place(stream, entries))).values())

    async def _in_reader(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, work)

    async def check_writable(self) -> None:
        """Take part in a commit that writes nothing, to see that the log can be written.

        Raises:
            Unavailable: It cannot.
        """
        await self.commits.check_writable()

    async def close(self) -> None:
        """Finish what waits and close the log."""
        await self.commits.finish()
        await self._in_reader(self._reader.close)
        await self.commits.close()
        self._reading.shutdown()


def _voided(done: asyncio.Future[list[Receipt]]) -> None:
    """A void that could not be written is no loss to its author, who has the text."""
    if not done.cancelled() and done.exception() is not None:
        _log.warning("a refusal could not be shown: %s", done.exception())
