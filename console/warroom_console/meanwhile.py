"""What happens while this console is away: per incident, and for the lobby.

An absence begins when the line is lost, or with what the replica last held. It ends when a server
has brought everything; what came in between is summed up in the model's `digests`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from msgspec import Struct, field

from warroom_incident.catchup import (
    Digest,
    Glimpse,
    News,
    catch_up,
    catch_up_alerts,
    catch_up_lobby,
    glimpse,
)
from warroom_incident.event import BOARD, ROOM, Event
from warroom_incident.sync.client_end import Batch, Ordered
from warroom_incident.sync.wire import Place, Summary, Welcome

from .link import LinkState
from .model import Area, Model
from .times import MINUTE, clock, short

LOBBY = ""
"""The name under which the lobby's digest is kept."""

LONG = 20_000
"""An absence of so many milliseconds is one that a person noticed."""

FRESH = 2 * MINUTE
"""How long a move or a promotion is said, also when a line breaks meanwhile."""


class _Away(Struct):
    """An absence from one incident. `newest` is the last admission that was known before.

    It `was_open` here when the line was lost, or has been opened since.
    """

    since: int
    was_open: bool
    is_whole: bool
    newest: int
    before: Glimpse
    new: set[str] = field(default_factory=set)
    waiting: frozenset[str] = frozenset()
    refused: list[tuple[Event, str]] = field(default_factory=list)
    ended: int | None = None


class Meanwhile:
    """Sums up what happened in this console's absence.

    Args:
        model: What this console knows; it gets the digests.
        now: This machine's clock, in milliseconds.
    """

    def __init__(self, model: Model, now: Callable[[], int]) -> None:
        self._model = model
        self._now = now
        self._away: dict[str, _Away] = {}
        self._since: int | None = None
        self._ended = 0
        self._summaries: dict[str, Summary] = {}
        self._alerts: dict[str, bool] = {}
        self._common: list[News] = []
        self._lobby: list[News] = []
        self._at = self._log = ""
        self._serving: frozenset[str] | None = None
        self._lacking = 0
        self._announced: list[tuple[int, News]] = []
        self._moved_at: int | None = None
        self._came_back = False

    # Leaving -------------------------------------------------------------------------------

    def recall(self, server: str, log: str) -> None:
        """Begin with what is remembered of an earlier session: the server that it was at."""
        self._at, self._log = server, log
        if self._model.as_of is not None:
            self._leave(self._model.as_of)

    def linked(self, before: LinkState, now: LinkState, streams: Iterable[str]) -> None:
        """The link's state changes; these streams are followed."""
        if now.phase != "live":
            if before.phase == "live":
                self._lost(streams, before.heard_at)
        elif now.slept_since is not None and before.slept_since is None:
            self._lost(streams, now.slept_since)
        elif now.slept_since is None and before.slept_since is not None:
            self._awake()

    def _lost(self, streams: Iterable[str], at: int | None) -> None:
        """Since then nothing is heard, or nobody is awake to hear."""
        self._leave(at or self._now())
        for stream in streams:
            if stream not in (BOARD, ROOM):
                whole = stream in self._model.synced
                self._begin(stream, self._since or self._now(), is_whole=whole)

    def _leave(self, at: int) -> None:
        model = self._model
        model.as_of = at
        model.stale.setdefault(LOBBY, at)
        if self._since is None or self._ended:
            self._since, self._ended = at, 0
            self._summaries = dict(model.summaries)
            self._alerts = {record.uid: record.is_open for record in model.records.values()}
            self._common, self._lobby = [], []
            self._came_back = False
            self._lacking = 0

    def opened(self, stream: str, *, is_whole: bool) -> None:
        """An incident was read from the replica, as it was left by an earlier session."""
        if stream not in (BOARD, ROOM) and self._model.as_of is not None:
            self._begin(stream, 0, is_whole=is_whole)

    def _begin(self, stream: str, since: int, *, is_whole: bool) -> None:
        state = self._model.incidents.get(stream)
        known = self._away.get(stream)
        if state is None or not state.known:
            return
        self._model.stale.setdefault(stream, since or self._model.as_of or self._now())
        if known is not None and known.ended is None:
            return
        newest = max((event.admitted or 0 for event in state.events.values()), default=0)
        was_open = bool(since)
        self._away[stream] = _Away(since or newest, was_open, is_whole, newest, glimpse(state))

    # Coming back ---------------------------------------------------------------------------

    def welcomed(self, welcome: Welcome) -> None:
        """A server answered: what is known now, own work included, is no news."""
        if not self._ended:
            self._summaries = dict(self._model.summaries)
        for stream, away in self._away.items():
            if away.ended is None and not away.new:
                state = self._model.incident(stream)
                away.before = glimpse(state)
                away.waiting = frozenset(self._model.pending & state.events.keys())
        if self._at and welcome.server != self._at:
            self._moved_at = self._now()
        self._came_back = not self._moved and self._log not in ("", welcome.log)
        self._at, self._log = welcome.server, welcome.log

    def arriving(self, batch: Batch) -> None:
        """Events are about to be taken in."""
        away = self._away.get(batch.stream)
        if away is None or away.ended is not None:
            return
        known = self._model.fold(batch.stream).events
        for event in (arrival.event for arrival in batch.arrivals):
            is_new = away.is_whole or (event.admitted or 0) > away.newest
            if is_new and event.id not in known and not event.refused:
                away.new.add(event.id)

    def answered(self) -> None:
        """A server may have taken own events that had waited."""
        model = self._model
        for stream, away in self._away.items():
            if away.waiting:
                events = model.incident(stream).events
                taken = {i for i in away.waiting if i in events and events[i].admitted is not None}
                if taken:
                    away.waiting -= taken
                    away.new |= taken
                    self._again(stream)

    def refused(self, event_id: str) -> None:
        """A server did not take an own event."""
        refusal = self._model.refusals.get(event_id)
        if refusal is None:
            return
        stream = refusal.event.head.stream
        away = self._away.get(stream)
        if away is not None and event_id in away.waiting:
            away.refused.append((refusal.event, refusal.reason))
            self._again(stream)

    def compared(self, ordered: Ordered) -> None:
        """The server lacked events that it, or the one before it, had shown to this console."""
        if ordered.lacking and not self._moved:
            is_first = not self._lacking
            self._lacking += len(ordered.lacking)
            if is_first:
                self._tell_all()
            else:  # there may be hundreds of incidents to mend
                self._publish(LOBBY)
                self._publish(ordered.stream)

    def current(self, stream: str) -> None:
        """An incident's present state and newest entries have come."""
        self._model.stale.pop(stream, None)

    def caught_up(self, stream: str) -> None:
        """An incident was read to its end."""
        self.current(stream)
        away = self._away.get(stream)
        if away is not None and away.ended is None:
            away.ended = self._now()
            self._publish(stream)

    def _awake(self) -> None:
        """The line has outlived a sleep, and brought what had come meanwhile."""
        for stream in list(self._away):
            self.caught_up(stream)
        self.in_lobby(is_whole=True)

    def in_lobby(self, *, is_whole: bool) -> None:
        """More came of the list of incidents and the alerts; `is_whole` says if that was all."""
        if not is_whole:
            return
        self._model.stale.pop(LOBBY, None)
        if self._since is None or self._ended:
            return
        self._ended = self._now()
        model = self._model
        self._common = catch_up_alerts(self._alerts, model.records.values())
        self._lobby = catch_up_lobby(self._summaries, model.summaries.values())
        self._tell_all()

    # Servers -------------------------------------------------------------------------------

    def kept_by(self, places: Collection[Place]) -> None:
        """Who keeps the room, as a server says."""
        serving = frozenset(place.server for place in places if place.serves)
        before, self._serving = self._serving, serving
        new = serving - before if before is not None else frozenset()
        for place in places:
            if place.server in new and not place.here:
                said = f"{_called(place)} serves this room too{_office(place)}"
                self._announced.append((self._now(), News("server", said, True)))
        if new or self._moved:
            self._tell_all()

    @property
    def _moved(self) -> bool:
        return self._moved_at is not None and self._now() - self._moved_at < FRESH

    def _servers(self) -> list[News]:
        """What is to be said of the servers."""
        news = []
        if self._moved:
            news.append(News("server", self._where(), True))
        elif self._lacking:
            which = (
                "with a new log" if self._came_back else "with an old copy of its log, or damage"
            )
            given = f"{self._lacking:,} {'entry' if self._lacking == 1 else 'entries'}"
            said = f"the server came back {which}: this console gives it {given}"
            news.append(News("server", said, True))
        fresh = self._now() - FRESH
        return news + [one for at, one in self._announced if at > fresh]

    def _where(self) -> str:
        place = next((place for place in self._model.servers if place.here), None)
        url = self._model.link.server
        if place is None:
            return f"this console moved to {url}"
        name = f"{place.name} ({url})" if place.name else url
        return f"this console moved to {name}{_office(place)}"

    # Telling -------------------------------------------------------------------------------

    def _again(self, stream: str) -> None:
        away = self._away[stream]
        if away.ended is not None:
            self._publish(stream)

    def _tell_all(self) -> None:
        """What concerns every screen has changed."""
        for stream in (LOBBY, *self._model.incidents):
            self._publish(stream)

    def _publish(self, stream: str) -> None:
        since, until, news = self._told(stream)
        now = self._now()
        if now - until > FRESH:
            since, until, news = now, now, []
        news = [*self._servers(), *news]
        known = self._model.digests.get(stream)
        if news and (known is None or known.news != tuple(news)):
            self._model.digests[stream] = Digest(since, until, tuple(news))
            self._model.note(Area.DIGEST)

    def _told(self, stream: str) -> tuple[int, int, list[News]]:
        """From when to when this console was away, and what happened; long ago for never."""
        model = self._model
        if stream == LOBBY:
            return self._since or 0, self._ended, [*self._lobby, *self._common]
        away = self._away.get(stream)
        if away is None or away.ended is None:
            return 0, 0, []
        state = model.incident(stream)
        news = catch_up(away.before, state, away.new, model.you, away.refused)
        # Of an incident that was opened later, the lobby has told the rest.
        common = self._common if away.was_open and self._now() - self._ended < FRESH else []
        return away.since, away.ended, [*news, *common]


def _called(place: Place) -> str:
    return place.name or (place.urls[0] if place.urls else place.server)


def _office(place: Place) -> str:
    """Who made a machine the room's server, when, and how old its copy was."""
    if not place.promoted_by:
        return ""
    age = f", with a copy {short(place.since - place.as_of)} old" if place.as_of else ""
    return f": {place.promoted_by} made it the server at {clock(place.since)}Z{age}"


def is_worth_opening(digest: Digest) -> bool:
    """Whether a digest shows itself: after an absence that was noticed, or for what matters most.

    That is who commands, what of one's own was lost or decided unknowing, and where the room is.
    """
    most = ("server", "command", "refused", "facts")
    return digest.until - digest.since >= LONG or any(one.kind in most for one in digest.news)


def sentences(digest: Digest) -> list[str]:
    """A digest as lines of text, the first of them saying of which time."""
    lasted = short(digest.until - digest.since)
    return [f"since {clock(digest.since)}Z ({lasted}):", *(one.text for one in digest.news)]
