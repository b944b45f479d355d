"""What the server says, brought into the model: the listener of the link."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import msgspec

from warroom_incident.clean import clean_line
from warroom_incident.event import ROOM, Event, Packet
from warroom_incident.reducers import Right
from warroom_incident.replica import Kept
from warroom_incident.sync.client_end import Batch, ClientEnd, Handed, Heard, Ordered, Uneven
from warroom_incident.sync.wire import (
    PROTOCOL,
    Ack,
    Answer,
    Events,
    Held,
    Hello,
    Here,
    Order,
    Presence,
    Records,
    Refused,
    Servers,
    Settings,
    Standing,
    Summaries,
    Synced,
    Taken,
    Trouble,
    Welcome,
    encode,
)

from .asking import Asking
from .board_copy import BoardCopy
from .clocks import clock_trouble
from .following import Following
from .home import Home
from .known import Known, other_room
from .link import Link, LinkState, Stop
from .meanwhile import Meanwhile
from .mending import Mending
from .model import Area, Model
from .outgoing import Outgoing
from .own_practice import take_settings
from .places import Places
from .refusals import Refusals
from .saver import Saver

AGENT = "warroom console"


class Hearing:
    """Keeps the model, the outbox and the replica in step with a server.

    `here` is what is told of this person's whereabouts.
    """

    link: Link
    mending: Mending

    def __init__(
        self,
        places: Places,
        model: Model,
        home: Home,
        following: Following,
        *,
        saver: Saver,
        outgoing: Outgoing,
        refusals: Refusals,
        meanwhile: Meanwhile,
        board: bool,
    ) -> None:
        self._places = places
        self._model = model
        self._home = home
        self._following = following
        self._saver = saver
        self._outgoing = outgoing
        self._refusals = refusals
        self._meanwhile = meanwhile
        self.asking = Asking()
        cursor = home.board_cursor if board else None
        self.board = BoardCopy(model, saver, cursor, wanted=board, wall=lambda: self.link.now())
        self.here = Here()
        self.lobby_whole = False
        """Whether the list of incidents has come."""
        self.other_room: str | None = None
        """The sentence on a server that turned out to hold another room."""

    # The link's listener -------------------------------------------------------------------

    def begin(self) -> tuple[ClientEnd, Iterable[str]]:
        """The machine for a new connection, and the streams to ask for."""
        self.lobby_whole = False
        board = self.board.begin()
        self._model.current.clear()
        self._model.synced.clear()
        self._outgoing.forget_pushes()
        self.mending.stop()
        hello = Hello(
            PROTOCOL,
            AGENT,
            self._home.slot.author.rep,
            self._places.machine,
            self._places.user,
            board=board,
            lobby=True,
            settings=True,
        )
        return self._following.begin(hello, board, self.mending)

    def linked(self, state: LinkState) -> None:
        """The link's state changed."""
        if state.phase != "live" and self._model.people:
            self._model.people = []
            self._model.note(Area.PEOPLE)
        self._meanwhile.linked(self._model.link, state, self._following.wanted)
        if state.phase != "live":
            self._following.welcome = None
            self.asking.lost()
            self._model.troubled("server", "")
        self._model.link = state
        self._model.note(Area.LINK)

    def log_changed(self) -> None:
        """The server's history is another one: read every stream from its beginning."""
        self._following.log_changed()

    def clashed(self) -> None:
        """This replica was copied, and both write: go on as a new one, nothing is lost."""
        self._home.renew_author()

    def heard(self, message: Heard) -> None:
        """Take in a message."""
        match message:
            case Batch():
                self._arrived(message)
                self._meanwhile.answered()
            case Welcome():
                self._welcomed(message)
            case Ack():
                self._acknowledged(message)
                self._meanwhile.answered()
            case Refused():
                self._refusals.refused(message)
                self._meanwhile.refused(message.id)
            case Summaries():
                self._summarized(message)
            case Records():
                self.board.recorded(message)
                self._meanwhile.in_lobby(is_whole=self.lobby_whole and self.board.whole)
            case Answer():
                self.asking.answered(message)
            case Presence():
                self._model.people = message.people
                self._model.note(Area.PEOPLE)
            case Trouble():
                self._model.troubled("server", clean_line(message.sentence))
            case Held():
                self._held(message)
            case Synced():
                self._synced(message.stream)
            case Uneven():
                self.link.send(message.frame)
            case Ordered():
                self._ordered(message)
            case Handed():
                self._handed(message)
            case Servers():
                self._kept(message)
            case Settings():
                self._saver.keep_meta(**take_settings(self._model, message))
            case Standing() | Events() | Order() | Taken():
                pass  # no console asks; a `ClientEnd` turns them into batches and the like
            case _:
                assert_never(message)

    # Messages ------------------------------------------------------------------------------

    def _welcomed(self, welcome: Welcome) -> None:
        model = self._model
        if model.room and welcome.room != model.room:
            self._elsewhere(welcome)
        if self._home.account not in ("", welcome.account):
            self._home.renew_author()
        self.board.welcomed(welcome.board)
        self.asking.begin(self.link.send, welcome.answers)
        model.alertmanagers = welcome.alertmanagers
        self._following.welcomed(welcome)
        model.room, model.you, model.account = welcome.room, welcome.you, welcome.account
        model.right = Right(welcome.right)
        self._remember(welcome)
        self._meanwhile.welcomed(welcome)
        model.troubled("clock", clock_trouble(self.link.state.offset_ms))
        model.note(Area.YOU)
        self._following.catch_up()
        self.link.send(encode(self.here))
        self.send_waiting()
        self.mending.begin(welcome, self._following.wanted, self._following.known)

    def _kept(self, message: Servers) -> None:
        """Who keeps the room: shown, and remembered for when this server is gone."""
        model = self._model
        model.servers, model.machines = message.servers, message.machines
        self.link.learn(url for place in message.servers for url in place.urls)
        self._saver.keep_meta(servers=msgspec.json.encode(message.servers).decode())
        self._meanwhile.kept_by(message.servers)
        model.note(Area.LINK)

    def _elsewhere(self, welcome: Welcome) -> None:
        url = self.link.state.server
        if self.link.is_optional:
            raise Stop(f"{url} is another room")
        self.other_room = other_room(self._places, url, welcome.room)
        raise Stop(self.other_room)

    def _remember(self, welcome: Welcome) -> None:
        if self._places.replica is None:
            try:
                Known(self._places.state).remember(self.link.state.server, welcome.room)
            except OSError as error:
                said = f"The state directory cannot be written ({error.strerror})."
                self._model.troubled("state", said)
        self._saver.keep_meta(
            room=welcome.room,
            you=welcome.you,
            account=welcome.account,
            right=welcome.right,
            user=self._places.user,
            server=welcome.server,
            log=welcome.log,
            heard_at=str(self.link.now()),
        )

    def send_waiting(self) -> None:
        """Push what waits in the outbox under any name of this account."""
        welcome = self._following.welcome
        if welcome is not None:
            self._outgoing.send_under(welcome.account)

    def _arrived(self, batch: Batch) -> None:
        model = self._model
        self._meanwhile.arriving(batch)
        fold = model.fold(batch.stream)
        observe = self._home.slot.author.clock.observe
        for arrival in batch.arrivals:
            event = arrival.event
            observe(event.head.hlc)
            fold.add(event)
            model.places[event.id] = arrival.iseq
        ids = [arrival.event.id for arrival in batch.arrivals]
        self._settled(
            [a.event.id for a in batch.arrivals if not a.event.refused and a.event.via is None]
        )
        self._refusals.arrived([a.event for a in batch.arrivals])
        if batch.stream != ROOM:
            self._saver.keep(
                Kept(a.entry, batch.stream, a.event.admitted or 0, a.packet) for a in batch.arrivals
            )
            places = [(a.iseq, a.entry) for a in batch.arrivals]
            welcome = self._following.welcome
            if welcome is not None:
                self.mending.placed(batch.stream, places, batch.seal, welcome)
        is_live = batch.part == "live" and batch.arrivals
        self._progressed(batch.stream, batch.arrivals[-1].iseq if is_live else 0)
        model.touch(batch.stream, ids)

    def _progressed(self, stream: str, live: int) -> None:
        end = self._following.end
        reading = end.readings.get(stream) if end is not None else None
        if reading is None:
            return
        model = self._model
        is_new = live and live >= reading.top and stream not in model.current
        if is_new or model.behind.get(stream) != reading.behind:
            model.behind[stream] = reading.behind
            if is_new:
                model.current.add(stream)
                self._meanwhile.current(stream)
            model.note(Area.PROGRESS)
        self._saver.keep_meta(heard_at=str(self.link.now()))

    def _acknowledged(self, ack: Ack) -> None:
        model = self._model
        receipts = {id_: (iseq, admitted) for id_, _, iseq, admitted in ack.receipts}
        for event, packet in self._settled(receipts):
            iseq, admitted = receipts[event.id]
            stream = event.head.stream
            model.places[event.id] = iseq
            model.fold(stream).add(msgspec.structs.replace(event, admitted=admitted))
            if stream != ROOM:
                self._saver.keep([Kept(event.id, stream, admitted, packet)])
            model.touch(stream, [event.id], urgent=True)

    def _settled(self, ids: Iterable[str]) -> list[tuple[Event, Packet]]:
        """Those of the waiting events that a server has now, by its ack or by sending them."""
        settled = self._outgoing.acknowledged(ids)
        self._refusals.settled(event.id for event, _ in settled)
        summaries = self._model.summaries
        for event, _ in settled:
            self._model.pending.discard(event.id)
        streams = {event.head.stream for event, _ in settled} & summaries.keys()
        if streams:
            self._saver.keep_summaries(summaries[stream] for stream in streams)
        return settled

    def _held(self, message: Held) -> None:
        held = self._model.held
        held[message.stream] = max(message.iseq, held.get(message.stream, 0))
        self._model.note(Area.MARKS)

    def _synced(self, stream: str) -> None:
        model = self._model
        model.current.add(stream)
        model.synced.add(stream)
        model.behind[stream] = 0
        model.note(Area.PROGRESS)
        self._meanwhile.caught_up(stream)

    def _ordered(self, message: Ordered) -> None:
        welcome, end = self._following.welcome, self._following.end
        if welcome is not None and end is not None:
            self.mending.compared(message, welcome, end.relaying)
            self._meanwhile.compared(message)

    def _handed(self, message: Handed) -> None:
        self._settled(message.ids)
        welcome = self._following.welcome
        if welcome is not None:
            self.mending.handed(message, welcome)
        self._progressed(message.stream, message.first + len(message.ids) - 1)

    def _summarized(self, message: Summaries) -> None:
        model = self._model
        if message.whole:
            self.lobby_whole = True
        model.summaries.update({summary.stream: summary for summary in message.summaries})
        self._saver.keep_summaries(message.summaries)
        model.note(Area.SUMMARIES)
        self._meanwhile.in_lobby(is_whole=self.lobby_whole and self.board.whole)
