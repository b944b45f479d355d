"""The fan-out: what a commit or the board brings, to every console that may and can take it.

A console whose write buffer is empty and that has credit gets a shared frame at once; any other
is woken and reads from the log at its own pace. Nothing queues per console.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace
from websockets.asyncio.server import broadcast
from websockets.frames import Frame, Opcode

from warroom_incident.alerts import AlertRecord
from warroom_incident.event import ROOM
from warroom_incident.incident import IncidentState
from warroom_incident.log import Stretch
from warroom_incident.showing import summarize
from warroom_incident.sync.server_end import events_frame
from warroom_incident.sync.wire import PROTOCOL, Close, Person, Settings, Summary, Trouble, Welcome

from .asks import Asks
from .board import Board
from .board_feed import RecordFrames
from .exchange import Us
from .identity import UNKNOWN_TOKEN, Who
from .keepers import Keepers
from .presence import people
from .room import Commit, Room
from .stretches import cut_rows

if TYPE_CHECKING:
    from .session import Session

FLUSH_SECONDS = 0.2
"""How long changes of presence, summaries, records and holders are gathered."""

MAX_DAMAGED = 100
"""How many damaged streams are named to a console; the others at its next hello."""

MAX_TROUBLE = 300
"""The longest sentence on what is wrong with the server."""

STALL_SECONDS = 10
"""A console that owes `seen` and reads nothing for so long is cut."""

MUTE_SECONDS = 10
"""A console that says nothing for so long is cut: it is pinged, and pings, far more often."""


class Hub:
    """All connected consoles."""

    def __init__(self, room: Room, board: Board, us: Us) -> None:
        self.room = room
        self.settings: Callable[[], Settings] = lambda: Settings("viewer")
        """What every console is told of the room's settings; the right is each one's own."""
        self.us = us
        self.asks = Asks()
        self.keepers = Keepers(room, us, self.on_servers)
        self.records = RecordFrames(board)
        self.sessions: set[Session] = set()
        self.followers: dict[str, set[Session]] = {}
        self.summaries: dict[str, Summary] = {
            stream: summarize(state) for stream, state in room.incidents.items()
        }
        self.held: dict[str, int] = {}
        self.trouble = ""
        self.delivered = 0
        self.cut = 0
        self._changed_streams: set[str] = set()
        self._flush: asyncio.TimerHandle | None = None
        self._people_changed = self._servers_changed = False
        room.listeners.append(self.on_commit)
        room.amendments.append(self.on_amendment)
        board.on_change(self.on_records)

    # What happened -------------------------------------------------------------------------

    def on_commit(self, commit: Commit) -> None:
        """Pass new events on."""
        if commit.stream == ROOM:
            self.check_tokens()
            for session in self.sessions:
                self.regrade(session)
        followers = self.followers.get(commit.stream)
        if followers:
            if commit.stream == ROOM:
                self._turn_out(followers)
            first = commit.rows[0].iseq
            if any(session.takes_live(commit.stream, first) for session in followers):
                for stretch in cut_rows(commit.rows, commit.end):
                    self._pass_on(commit, stretch, followers)
            else:
                for session in followers:
                    session.wake()
        if isinstance(commit.state, IncidentState):
            self._changed_streams.add(commit.stream)
            self._flush_soon()

    def regrade(self, session: Session, *, anew: bool = False) -> None:
        """Tell a console of the room's settings and what it may do: where that changed, or anew."""
        right = self.room.right_of(session.who.caller)
        if (anew or right is not session.right) and session.hello.settings:
            session.say(replace(self.settings(), right=right.value))
        session.right = right

    def on_settings(self) -> None:
        """The room's settings have changed."""
        for session in self.sessions:
            self.regrade(session, anew=True)

    def _turn_out(self, followers: set[Session]) -> None:
        """Rights have changed: who may no longer read the room's stream gets no more of it."""
        for session in tuple(followers):
            if not self.room.may_read(session.who.caller, ROOM):
                session.end.leave(ROOM)
                followers.discard(session)

    def _pass_on(self, commit: Commit, stretch: Stretch, followers: set[Session]) -> None:
        stream, first, last = commit.stream, stretch.rows[0].iseq, stretch.rows[-1].iseq
        frame = plain = b""
        size = 0
        deflated = []
        for session in followers:
            if not frame and session.takes_live(stream, first):
                frame = events_frame(stream, "live", stretch, commit.end.iseq)
                size = len(frame)
                # A frame without extensions is the same bytes for everybody, so it is serialized
                # once; what websockets would do per connection costs more than the write itself.
                plain = Frame(Opcode.TEXT, frame).serialize(mask=False)
            if not (session.is_idle() and session.end.pass_live(stream, first, last, size)):
                session.wake()
            elif session.is_plain:
                session.transport.write(plain)
                self.delivered += 1
            else:
                deflated.append(session.ws)
                self.delivered += 1
        if deflated:
            broadcast(deflated, frame, text=True)

    def on_amendment(self, stream: str, iseq: int) -> None:
        """More is known of an event: send it to everybody again."""
        for session in self.followers.get(stream, ()):
            session.end.again(stream, iseq)
            session.wake()

    def on_records(self, _records: Sequence[AlertRecord]) -> None:
        """The board changed."""
        self._flush_soon()

    def on_held(self, machine: str, stream: str, iseq: int) -> None:
        """Some machine, of a console or another server, holds a stream up to a place."""
        iseq = min(iseq, self.room.tops.get(stream, 0))
        if machine and machine != self.us.machine and iseq > self.held.get(stream, 0):
            self.held[stream] = iseq
            for follower in self.followers.get(stream, ()):
                follower.news.held.add(stream)
            self._flush_soon()

    def on_servers(self) -> None:
        """Who keeps the room has changed."""
        self._servers_changed = True
        self._flush_soon()

    def say_trouble(self, sentence: str) -> None:
        """Tell everybody what is wrong with the server, or that it is over."""
        self.trouble = sentence
        for session in self.sessions:
            session.say(Trouble(sentence[:MAX_TROUBLE]))

    def on_presence(self) -> None:
        """Somebody came, went, or moved."""
        self._people_changed = True
        self._flush_soon()

    # Gathering -----------------------------------------------------------------------------

    def _flush_soon(self) -> None:
        if self._flush is None:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(FLUSH_SECONDS, self._flush_now)

    def _flush_now(self) -> None:
        self._flush = None
        streams, self._changed_streams = self._changed_streams, set()
        for stream in streams:
            self.summaries[stream] = summarize(self.room.incidents[stream])
        for session in self.sessions:
            if session.hello.lobby:
                session.news.summaries |= streams
            session.news.people |= self._people_changed
            session.news.servers |= self._servers_changed
            if session.news:
                session.wake()
        self._people_changed = self._servers_changed = False

    def people_for(self, who: Who) -> list[Person]:
        """Everybody who is here; where they are only if `who` may read that."""
        seats = [other.seat for other in self.sessions if other.seat is not None]
        return [
            person
            if self.room.may_read(who.caller, person.where)
            else Person(person.name, since=person.since, consoles=person.consoles)
            for person in people(seats)
        ]

    def summaries_for(self, who: Who, streams: Iterable[str]) -> list[Summary]:
        """The lines of the incidents that `who` may read, as they are now."""
        for stream in self._changed_streams.intersection(streams):
            self.summaries[stream] = summarize(self.room.incidents[stream])
        return [
            self.summaries[stream]
            for stream in sorted(streams)
            if self.room.may_read(who.caller, stream)
        ]

    def welcome(self, who: Who) -> Welcome:
        """What to tell a console first."""
        room = self.room
        return Welcome(
            PROTOCOL,
            self.us.room,
            room.log.log_id,
            self.us.server,
            self.us.machine,
            room.wall(),
            who.name,
            who.account,
            room.right_of(who.caller).value,
            self.records.board.board_id,
            self.asks.known,
            self.asks.alertmanagers,
            [s for s in room.losses.streams() if room.may_read(who.caller, s)][:MAX_DAMAGED],
            boards=True,
        )

    # Consoles ------------------------------------------------------------------------------

    def follow(self, session: Session, stream: str) -> None:
        """A console receives a stream from now on."""
        self.followers.setdefault(stream, set()).add(session)

    def leave(self, session: Session, stream: str) -> None:
        """A console no longer receives a stream."""
        followers = self.followers.get(stream)
        if followers is not None:
            followers.discard(session)
            if not followers:
                del self.followers[stream]

    def remove(self, session: Session) -> None:
        """A console is gone."""
        self.sessions.discard(session)
        for stream in session.end.feeds:
            self.leave(session, stream)
        if session.seat is not None:
            self.on_presence()

    def sweep(self) -> None:
        """Cut every console that is stuck. Called once a second."""
        for session in tuple(self.sessions):
            if session.stalled(STALL_SECONDS, MUTE_SECONDS):
                self.cut += 1
                session.cut()

    def check_tokens(self) -> None:
        """End the lines whose token was revoked or has expired since they began."""
        with_token = [s for s in self.sessions if s.who.caller.token is not None]
        if with_token:
            now = self.room.wall()
            good = {t.id for t in self.room.room.tokens() if t.expires is None or t.expires > now}
            for session in with_token:
                if session.who.caller.token not in good:
                    session.close(Close.UNKNOWN_TOKEN, UNKNOWN_TOKEN)

    def cut_all(self) -> None:
        """Cut every console at once: those that are left had no time to say goodbye."""
        for session in self.sessions:
            session.transport.abort()
