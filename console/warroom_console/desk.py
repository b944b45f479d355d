"""The desk: one console's slot, outbox, replica, link and model, and every write it makes.

`async with Desk(places) as desk:` works from the replica at once and with a server as soon as one
answers. A write takes effect in the model immediately, is kept in the outbox, and then sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from warroom_incident.author import Entropy, new_stream
from warroom_incident.clock import Wall
from warroom_incident.door import DoorError
from warroom_incident.event import Event, Packet
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body
from warroom_incident.sync.wire import Answer, Ask, Here, encode
from warroom_incident.vocabulary import SeverityName

from .contact import candidates, first_contact, known_room
from .following import Following
from .hearing import Hearing
from .home import Home
from .known import Known, OtherRoom as OtherRoom
from .link import Link, wall_ms
from .meanwhile import Meanwhile
from .memory import Memory
from .mending import Mending
from .model import Model, Refusal
from .naming import find_stream
from .outgoing import Outgoing, Sent
from .pen import Pen, declaration
from .places import Places, Server, parse_server
from .refusals import Refusals
from .saver import Saver

if TYPE_CHECKING:
    from warroom_incident.practice.runbook import Runbook

LOOK_EVERY = 2.0
"""How often the outbox is searched for what other processes of this user left, in seconds."""

KEEP_WITHIN = 3.0
"""How long closing waits for the disk to take the last events, in seconds."""


class Desk:
    """One console's place in the room.

    Args:
        places: The user's settings.
        board: Whether to receive the alert board.
        connect: Whether to connect at once, or when `connect` is called.
        wall: The clock, in milliseconds.
        entropy: Random bytes.
    """

    link: Link

    def __init__(
        self,
        places: Places,
        *,
        board: bool = True,
        connect: bool = True,
        wall: Wall = wall_ms,
        entropy: Entropy = os.urandom,
    ) -> None:
        self.places = places
        self.model = Model(wall())
        self._wall = wall
        self._entropy = entropy
        self._board = board
        self._at_once = connect
        self._linking: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # Opening and closing -------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Open the replica and begin to connect, unless that is to wait.

        Raises:
            NoServer: Nothing is known of any room here, and no server answers.
            Unwelcome: The server does not let this user in.
            OSError: The replica directory cannot be used.
        """
        places = self.places
        servers = candidates(places)
        room = known_room(places, servers) or ""
        if not room and places.replica is None:
            server, welcome = await first_contact(places, servers)
            room = welcome.room
            Known(places.state).remember(server.url, room)
        self._home = Home.open(places.room_directory(room), self._wall, self._entropy)
        self._assemble(servers)
        self._memory.restore(room, board=self._board)
        self.link.learn(url for place in self.model.servers for url in place.urls)
        self._memory.show(await self._outgoing.look())
        self._refusals.restore()
        self._tasks = [
            asyncio.create_task(work)
            for work in (
                self._outgoing.run(),
                self._saver.run(),
                self._look_for_others(),
                self._saver.tidy(self._wall, lambda: frozenset(self._following.wanted)),
            )
        ]
        if self._at_once:
            self.connect()
        return self

    def _assemble(self, servers: Sequence[Server]) -> None:
        """Make what sits between the replica and the link, and tell each of the others."""
        places, model, home = self.places, self.model, self._home
        following = Following(home.cursors(), places.machine, board=self._board)
        troubled = partial(model.troubled, "replica")
        saver = Saver(home.own, home.disk, following.cursors, following.saved, troubled)
        self._outbox_trouble = partial(model.troubled, "outbox")
        outgoing = Outgoing(home.outbox, home.disk, following.push, self._outbox_trouble)
        self._refusals = Refusals(model, outgoing, self._wall)
        self._pen = Pen(model, home)
        meanwhile = Meanwhile(model, self._wall)
        self._memory = Memory(places, model, home, saver, meanwhile, following.forget)
        self._hearing = Hearing(
            places,
            model,
            home,
            following,
            saver=saver,
            outgoing=outgoing,
            refusals=self._refusals,
            meanwhile=meanwhile,
            board=self._board,
        )
        link = Link(servers, self._hearing, token=places.token, wall=self._wall)
        ways = (following.watch, following.unwatch)
        self._mending = Mending(model, home, saver, self._memory, link, *ways)
        # What the link tells is heard by those who speak by it: the circle closes here.
        following.link = self._hearing.link = self.link = link
        self._hearing.mending = self._mending
        self._following, self._saver, self._outgoing = following, saver, outgoing

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """As `close`."""
        await self.close()

    async def close(self) -> None:
        """Keep what was written and leave."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KEEP_WITHIN):
                await self._outgoing.kept()
        await self._mending.close()
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._outgoing.close()
        await self._saver.close()
        self._home.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    def connect(self) -> None:
        """Begin to connect, where that was to wait or has ended."""
        if self._linking is None or self._linking.done():
            self._linking = asyncio.create_task(self.link.run())
            self._tasks.append(self._linking)

    def move_to(self, url: str) -> None:
        """Go to another server of the room now, also when the link has stopped for good.

        Raises:
            PlaceError: That is no address.
        """
        self.link.move(parse_server(url))
        self.connect()

    def retry_now(self) -> None:
        """Try to reach a server at once, also when the link has stopped for good."""
        self.link.retry_now()
        self.connect()

    # Streams -------------------------------------------------------------------------------

    async def open(self, stream: str) -> None:
        """Follow a stream: show what the replica holds at once, then what the server has."""
        if not self._memory.knows(stream):
            self._memory.take_in(stream, await self._home.read(stream))
        self._following.follow(stream)

    def load(self, stream: str) -> IncidentState:
        """The state of an incident, read from the replica where that was not done before."""
        self._memory.load(stream)
        return self.model.incident(stream)

    def resolve(self, name: str) -> str:
        """The stream of the incident that somebody calls `INC-7`, `7`, `INC-~k3f9` or by uid.

        Raises:
            NoIncident: There is none; the message is one sentence.
        """
        numbers = {stream: summary.id for stream, summary in self.model.summaries.items()}
        for stream, state in self.model.incidents.items():
            # An incident that is known in part only may lack the number that its line shows.
            if state.known and (stream not in numbers or ("number",) in state.registers):
                numbers[stream] = state.number
        return find_stream(name, numbers)

    # Writing -------------------------------------------------------------------------------

    def write(self, stream: str, body: Body, base: tuple[str, ...] | None = None) -> Event:
        """Write one event: it counts here at once, and is kept and sent as soon as possible.

        Args:
            stream: Where it belongs.
            body: What it says.
            base: What it replaces or removes; by default whatever counts now. A draft names what
                counted when its edit began, a removal the elements.

        Raises:
            DoorError: It may not be written; the message is one sentence.
        """
        self._memory.load(stream)
        return self._written([self._pen.write(stream, body, base)])[0]

    def write_all(self, stream: str, bodies: Sequence[Body]) -> list[Event]:
        """Write several events in one go: all of them or none.

        Raises:
            DoorError: One of them may not be written; nothing was.
        """
        self._memory.load(stream)
        return self._written(self._pen.write_all(stream, bodies))

    def _written(self, written: Sequence[tuple[Event, Packet]]) -> list[Event]:
        events = [event for event, _ in written]
        self._outgoing.put(written)
        self._memory.show(events)
        return events

    def refusals(self) -> list[Refusal]:
        """The own events that a server did not admit, oldest first; of earlier sessions too."""
        return self._refusals.all()

    def resend(self, event_id: str) -> bool:
        """Send a refused event again as it was; False when its text is not kept here any more.

        It counts here at once, and is refused again unless something has changed on the server.
        """
        for refusal in self.refusals():
            if refusal.event.id == event_id:
                self._memory.load(refusal.event.head.stream)
        written = self._refusals.take(event_id)
        if written is not None:
            self._written([written])
        return written is not None

    def dismiss(self, event_id: str) -> bool:
        """List a refused event no longer; its text stays in `refused_directory`."""
        return self._refusals.dismiss(event_id)

    def declare(
        self,
        title: str,
        severity: SeverityName | None = None,
        *,
        drill: bool = False,
        checklist: Runbook | None = None,
    ) -> str:
        """Declare an incident and return its stream; the IC's checklist comes with it.

        Raises:
            DoorError: It may not be written; the message is one sentence.
        """
        own = self.model.checklist
        bodies = declaration(title, severity, drill, checklist, own, self._entropy)
        stream = new_stream(self._entropy)
        self._memory.begin(stream)
        try:
            self.write_all(stream, bodies)
        except DoorError:
            self.model.incidents.pop(stream, None)
            raise
        self._following.follow(stream)
        return stream

    def undo_body(self, event: Event) -> Body:
        """What to write so that things are as before an event.

        Raises:
            CannotUndo: It stands for itself, or somebody changed the same thing since.
        """
        from .undo import undo

        return undo(event, self.model.fold(event.head.stream))

    def here(self, where: str = "", doing: str = "") -> None:
        """Tell the others where this person is (a stream or nothing) and what they are typing."""
        told = Here(where[:64], doing[:80])
        if told != self._hearing.here:
            self._hearing.here = told
            self.link.send(encode(told))

    async def ask(self, question: Ask) -> Answer:
        """Ask the server what only it knows; the answer's `error` says why there is none."""
        return await self._hearing.asking.ask(question)

    async def _look_for_others(self) -> None:
        """Take on what other processes of this user leave in the outbox."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                self._memory.show(await self._outgoing.look())
            except OSError as error:
                self._outbox_trouble(f"The outbox cannot be read ({error.strerror}).")
            self._hearing.send_waiting()

    # Waiting -------------------------------------------------------------------------------

    @property
    def offline(self) -> bool:
        """Whether every server has been tried in vain, or trying again cannot help."""
        return self.model.link.phase in ("retrying", "stopped")

    @property
    def has_picture(self) -> bool:
        """Whether a server was ever heard of here, so that there is something to show."""
        return bool(self.model.you)

    @property
    def fresh(self) -> bool:
        """Whether a server is connected and has brought all that is followed to the present."""
        hearing = self._hearing
        return (
            self.model.live
            and (hearing.lobby_whole and hearing.board.whole)
            and all(stream in self.model.current for stream in self._following.wanted)
        )

    async def ready(self, within: float = 5.0) -> bool:
        """Wait for the present state of all that is followed; False means: what the replica had.

        Raises:
            OtherRoom: The server holds another room than the replica.
        """
        await self.until(lambda: self.fresh or self.offline, within)
        if self._hearing.other_room is not None:
            raise OtherRoom(self._hearing.other_room)
        return self.fresh

    async def complete(self, stream: str, within: float = 60.0) -> bool:
        """Wait until a followed stream was read to its end; False without a server."""
        await self.until(lambda: stream in self.model.synced or self.offline, within)
        return stream in self.model.synced

    @property
    def unsaved_path(self) -> Path | None:
        """Where texts that were typed and not saved are kept for the next console."""
        return self._home.unsaved_path

    @property
    def refused_directory(self) -> Path:
        """Where the events lie that a server did not admit."""
        return self._home.outbox.refused_path

    def keeps(self, ids: Iterable[str]) -> bool:
        """Whether all these events lie in the outbox on this machine's disk."""
        return self._home.outbox.ids() >= set(ids)

    async def kept(self) -> None:
        """Wait until everything written is on this machine's disk, or the disk refused it."""
        await self._outgoing.kept()

    async def sent(self, ids: Iterable[str] | None = None, within: float = 5.0) -> Sent:
        """Wait until events, or all pushed, are on disk and a server has answered for them."""
        wanted = frozenset(self._outgoing.unanswered if ids is None else ids)
        await self.kept()
        model = self.model
        await self.until(lambda: self.offline or not wanted & model.pending, within)
        refused = {id_: model.refusals[id_].reason for id_ in wanted if id_ in model.refusals}
        waiting = wanted & model.pending
        return Sent(wanted - waiting - refused.keys(), refused, waiting)

    async def until(self, condition: Callable[[], bool], within: float) -> bool:
        """Wait until something holds of the model; return whether it does."""
        return await self.model.until(condition, within)
