"""One connection to a peer: what it sends is taken in, what it lacks is handed on.

Every event is kept once and never sent back to whom it came from, so nothing goes round in
circles. Whoever runs it brings the bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from warroom_incident.author import Author
from warroom_incident.clean import clean_line
from warroom_incident.event import BOARD, ROOM, Event
from warroom_incident.log import Entry, Receipt
from warroom_incident.sync.client_end import Batch, ClientEnd, Handed, Heard, Ordered, Uneven
from warroom_incident.sync.wire import (
    Ack,
    BoardCursor,
    Follow,
    Held,
    Hello,
    Place,
    Records,
    Refused,
    Servers,
    Summaries,
    Summary,
    Synced,
    encode,
)
from warroom_incident.vocabulary import StandbyListed

from .board import Board
from .board_line import take_in
from .owing import Owing
from .room import Commit, Room

AT_ONCE = 300
"""How many streams are asked for in one message."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Us:
    """Who this server is: its room, its name and key, its machine, and where consoles find it."""

    room: str
    server: str
    key_hex: str
    machine: str
    title: str
    urls: tuple[str, ...] = ()


@dataclass
class Progress:
    """What outlives a connection.

    `reached` is up to which place of our log the peer is known to hold a stream, `in_step_at` when
    everything of the peer was last here, in milliseconds.
    """

    cursors: dict[str, Follow] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    board: BoardCursor | None = None
    in_step_at: int = 0


class Holding:
    """The events that this server holds, as the protocol's client end asks for them."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def set_digest(self, stream: str) -> str:
        """The digest of the events held of a stream, empty where none are."""
        state = self._room.state(stream)
        return state.set_digest() if state.events else ""

    def ids(self, stream: str) -> Iterable[str]:
        """The entries of the events held of a stream."""
        return [event.entry for event in self._room.state(stream).events.values()]


class Exchange:
    """What both ends of one connection know of each other.

    Args:
        hello: What to say first.
        room: This server's streams.
        board: This server's alerts.
        us: Who we are.
        progress: How far earlier connections got.
        author: Writes what lists this server at the peer.
        holds: Told which machine holds a stream up to which place of our log.
        broken: Called when what came could not be kept: the connection must begin anew.
        heard: Told the lines of the peer's lobby.
    """

    def __init__(
        self,
        hello: Hello,
        room: Room,
        board: Board,
        us: Us,
        progress: Progress,
        author: Author,
        *,
        holds: Callable[[str, str, int], None],
        broken: Callable[[], None],
        heard: Callable[[Sequence[Summary]], None] = lambda _summaries: None,
    ) -> None:
        self._room = room
        self._board = board
        self._us = us
        self._progress = progress
        self._author = author
        self._holds = holds
        self._broken = broken
        self._heard = heard
        self._tops = dict(room.tops)
        # Where something was admitted here meanwhile, only a comparison tells what the peer lacks.
        even = {s for s, top in progress.reached.items() if room.tops.get(s, 0) == top}
        cursors = [cursor for stream, cursor in progress.cursors.items() if stream in even]
        self.end = ClientEnd(hello, cursors, progress.board, Holding(room))
        self.out: asyncio.Queue[bytes] = asyncio.Queue()
        self.introduced = asyncio.Event()
        self.owing = Owing(room, us.server, self.end.relaying)
        self.unwritten: dict[asyncio.Future[list[Receipt]], str] = {}
        self._known: dict[str, Place] = {}
        self._introduction = ""
        self._lobby_heard = False
        self._coming: set[str] = set()
        self._comparing: dict[asyncio.Task[None], str] = {}
        self._told: dict[str, int] = {}

    # Beginning and ending ------------------------------------------------------------------

    def hello(self) -> bytes:
        """The first frame."""
        streams = [ROOM, BOARD, *self._room.incidents]
        return self.end.hello(streams[:AT_ONCE])

    def welcomed(self) -> None:
        """The peer has answered: ask for the rest, and hand on what came here meanwhile."""
        self.follow(self._room.incidents)
        for stream, top in self._room.tops.items():
            if top > (before := self._tops.get(stream, 0)):
                self.owing.owe(stream, range(before + 1, top + 1))

    def ended(self) -> None:
        """Remember how far both ends got."""
        for task in self._comparing:
            task.cancel()
        if any(done.done() and not kept(done) for done in self.unwritten):
            self._progress.cursors.clear()
            return
        self._progress.cursors.update({cursor.stream: cursor for cursor in self.end.cursors()})
        self._progress.board = self.end.board

    def say(self, *frames: bytes) -> None:
        """Send frames as soon as it goes."""
        for frame in frames:
            self.out.put_nowait(frame)

    # Hearing -------------------------------------------------------------------------------

    def heard(self, message: Heard) -> None:
        """Take in a message."""
        match message:
            case Batch():
                self._take(message)
            case Uneven():
                self.say(message.frame)
            case Ordered():
                self.say(message.fetch)
                self._compare(message)
            case Summaries():
                self._lobby_heard = self._lobby_heard or message.whole
                self._heard(message.summaries)
                self.follow(summary.stream for summary in message.summaries)
            case Records():
                take_in(self._board, message, self._room.wall())
            case Servers():
                self._known = {place.server: place for place in message.servers}
                self._introduce()
            case Synced():
                self._introduce()
                self._settle(message.stream)
            case Ack():
                for event_id, stream, *_ in message.receipts:
                    self.owing.answered(stream, event_id)
                    if event_id == self._introduction:
                        self.introduced.set()
            case Handed():
                for event_id in message.ids:
                    self.owing.answered(message.stream, event_id)
            case Refused():
                self._refused(message)
            case _:
                pass

    def _take(self, batch: Batch) -> None:
        state = self._room.state(batch.stream)
        entries = [
            Entry(arrival.event, arrival.packet, arrival.event.admitted)
            for arrival in batch.arrivals
            if is_news(state.events.get(arrival.event.id), arrival.event)
        ]
        if entries:
            ids = [entry.event.id for entry in entries]
            self._coming.update(ids)
            done = self._room.commit(entries, handed_on=True)
            self.unwritten[done] = batch.stream
            done.add_done_callback(partial(self._taken, ids))

    def on_the_way(self) -> list[asyncio.Future[list[Receipt]]]:
        """The batches that the disk has not answered for yet."""
        return [done for done in self.unwritten if not done.done()]

    def _taken(self, ids: Sequence[str], done: asyncio.Future[list[Receipt]]) -> None:
        self._coming.difference_update(ids)
        if kept(done):
            self.unwritten.pop(done, None)
        else:
            self._broken()

    def _compare(self, ordered: Ordered) -> None:
        """Hand on what the peer lacks, and what it has on hearsay that is proven here."""
        self.end.relaying.owe(ordered.stream, ())  # how far both got is noted by place of our log
        events = self._room.state(ordered.stream).events
        doubted = [id_ for id_ in ordered.unvouched if id_ in events and not events[id_].via]
        if entries := [*ordered.lacking, *doubted]:
            self._hand_on(ordered.stream, entries)

    def _settle(self, stream: str) -> None:
        """See that both ends know the earliest admissions that decide what is shown first."""
        if entries := self._room.state(stream).contested():
            self._hand_on(stream, entries)

    def _hand_on(self, stream: str, entries: Sequence[str]) -> None:
        task = asyncio.get_running_loop().create_task(self._owe(stream, entries))
        self._comparing[task] = stream
        task.add_done_callback(self._comparing.pop)

    async def _owe(self, stream: str, entries: Sequence[str]) -> None:
        places = await self._room.look(lambda log: log.place(stream, entries))
        self.owing.owe(stream, places.values())

    def follow(self, streams: Iterable[str]) -> None:
        """Ask for streams, unless that was done before."""
        new = [stream for stream in streams if stream not in self.end.readings]
        for start in range(0, len(new), AT_ONCE):
            self.say(self.end.subscribe(new[start : start + AT_ONCE]))

    def _refused(self, message: Refused) -> None:
        self.owing.refused(message.id)
        reason = clean_line(message.reason, 120)
        if message.id == self._introduction:
            _log.warning("a peer does not list this server: %s", reason)
        else:
            _log.info("a peer does not take an event: %s", reason)

    def _introduce(self) -> None:
        """See that the peer lists this server: by its key, and where consoles find it."""
        reading, welcome = self.end.readings.get(ROOM), self.end.welcome
        if welcome is None or reading is None or not reading.synced:
            return
        if not self._known or self._introduction:
            return
        us, known = self._us, self._known.get(self._us.server)
        if known is not None:
            self.introduced.set()  # its key is known there: what it seals is believed
            if (known.name, tuple(known.urls)) == (us.title, us.urls):
                return
        body = StandbyListed(server=us.server, name=us.title, key_hex=us.key_hex, urls=us.urls)
        base = self._room.room.base_for(body.key)
        event, packet = self._author.write(ROOM, welcome.you, body, base)
        self._introduction = event.id
        self.say(*self.end.push([packet]))

    # Telling -------------------------------------------------------------------------------

    def report(self) -> None:
        """Tell what is held here, and note whether both ends are in step."""
        welcome = self.end.welcome
        assert welcome is not None
        busy = {*self.unwritten.values(), *self._comparing.values()}
        for stream, reading in self.end.readings.items():
            if stream in busy or not reading.synced:
                continue
            if reading.iseq > self._told.get(stream, 0):
                self._told[stream] = reading.iseq
                self.say(encode(Held(stream, reading.iseq)))
            top = self._room.tops.get(stream, 0)
            if self._progress.reached.get(stream) != top and self.owing.is_even(stream):
                self._progress.reached[stream] = top
                self._holds(welcome.machine, stream, top)
        readings = self.end.readings.values()
        if self._lobby_heard and not busy and all(r.synced and not r.behind for r in readings):
            self._progress.in_step_at = self._room.wall()

    # What happens here ---------------------------------------------------------------------

    def on_commit(self, commit: Commit) -> None:
        """Hand on what was admitted here, except what came from there."""
        if self.end.welcome is None:
            return
        if commit.stream not in self.end.readings:
            self.follow([commit.stream])
            return
        own = [
            row.iseq
            for event, row in zip(commit.events, commit.rows, strict=True)
            if event.id not in self._coming
        ]
        if own:
            self.owing.owe(commit.stream, own)

    def on_amendment(self, stream: str, iseq: int) -> None:
        """Hand on an event again of which more is known now."""
        if stream in self.end.readings:
            self.owing.owe(stream, [iseq])


def kept(done: asyncio.Future[list[Receipt]]) -> bool:
    """Whether a commit went well."""
    return done.done() and not done.cancelled() and done.exception() is None


def is_news(known: Event | None, event: Event) -> bool:
    """Whether an event of a peer adds anything to what is known here."""
    if known is None or (known.refused and not event.refused):
        return True
    if event.refused:
        return False
    if known.withheld is None and event.withheld is not None:
        return known.via is not None or event.may_be_withheld
    if known.via is not None and event.via is None:
        return True
    stamp = event.admitted
    return stamp is not None and (known.admitted is None or stamp < known.admitted)
