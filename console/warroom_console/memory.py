"""What this console remembers: brings kept streams, summaries and alerts into the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from warroom_incident.event import BOARD, ROOM, Event
from warroom_incident.reducers import Right
from warroom_incident.sync.wire import Place

from .home import Home, Loaded
from .meanwhile import Meanwhile
from .model import Area, Model
from .naming import name_on
from .own_practice import KEPT, recall_settings
from .places import Places
from .saver import Saver


class Memory:
    """Shows in the model what the replica and the outbox hold, each stream once.

    `forget` is told of streams that are not whole here: they are read from their beginning;
    `meanwhile` of what was known when this console was opened.
    """

    def __init__(
        self,
        places: Places,
        model: Model,
        home: Home,
        saver: Saver,
        meanwhile: Meanwhile,
        forget: Callable[[str], None] = lambda _stream: None,
    ) -> None:
        self._places = places
        self._model = model
        self._home = home
        self._saver = saver
        self._meanwhile = meanwhile
        self._forget = forget
        self._loaded = {ROOM}  # the accounts and tokens of a room are never kept here

    def restore(self, room: str, *, board: bool) -> None:
        """Show what was last heard of the room, and take it over from another process's replica.

        Args:
            room: The room's name where the replica does not know it.
            board: Whether the alert board is shown.
        """
        model = self._model
        with self._home.newest() as newest:
            meta, summaries = newest.meta(), newest.summaries()
        model.room = meta.get("room", room)
        model.account = meta.get("account", "")
        model.you = meta.get("you", "")
        if model.you and meta.get("user", "") != self._places.user:
            model.you = name_on(model.account, self._places.user)
        if "right" in meta:
            model.right = Right(meta["right"])
        recall_settings(model, meta.get(KEPT, ""))
        model.servers = _places(meta.get("servers", "[]"))
        model.as_of = int(meta["heard_at"]) if "heard_at" in meta else None
        model.summaries = {summary.stream: summary for summary in summaries}
        if board:
            self._restore_records()
            self.load(BOARD)
        self._meanwhile.recall(meta.get("server", ""), meta.get("log", ""))
        if not self._home.own_is_newest:
            # A cursor without the records that it counts would hide them for good.
            heard = {name: value for name, value in meta.items() if name not in ("board", "rev")}
            self._saver.keep_meta(**heard)
            self._saver.keep_summaries(model.summaries.values())

    def _restore_records(self) -> None:
        """Show the alerts of whoever read the board furthest, and take them over."""
        with self._home.board() as source:
            cursor = source.board()  # before the records: another process may be writing both
            self._model.records = {record.uid: record for record in source.records()}
            beats, changes = source.told()
        self._model.beats = {beat.key: beat for beat in beats}
        self._model.changes = {change.uid: change for change in changes}
        if not self._home.own_has_board:
            self._saver.forget_records()
            self._saver.keep_records(self._model.records.values(), cursor)
            self._saver.keep_told(beats, changes)

    def knows(self, stream: str) -> bool:
        """Whether a stream was read from the replica, or never lay there."""
        return stream in self._loaded

    def begin(self, stream: str) -> None:
        """A stream begins here: there is nothing to read."""
        self._loaded.add(stream)

    def load(self, stream: str) -> None:
        """Read a stream from the replica, unless that was done before."""
        if stream not in self._loaded:
            self.take_in(stream, self._home.load(stream))

    def take_in(self, stream: str, loaded: Loaded) -> None:
        """Show a stream that was read, unless that was done before."""
        if stream in self._loaded:
            return
        self._loaded.add(stream)
        if loaded.has_holes:
            self._forget(stream)
        self._model.fold(stream).extend(loaded.events)
        is_whole = loaded.places_known and loaded.cursor.iseq > 0
        self._meanwhile.opened(stream, is_whole=is_whole)
        if loaded.places_known:
            for event in loaded.events:
                self._model.places.setdefault(event.id, loaded.cursor.iseq)
        if loaded.copies:
            self._saver.keep_copies(loaded.copies, loaded.cursor)
        self._model.touch(stream, [event.id for event in loaded.events])

    def show(self, events: Iterable[Event]) -> None:
        """Let own events count before any server has them."""
        model = self._model
        changed: dict[str, list[str]] = {}
        for event in events:
            stream = event.head.stream
            self.load(stream)
            model.pending.add(event.id)
            model.fold(stream).add(event)
            changed.setdefault(stream, []).append(event.id)
        for stream, ids in changed.items():
            if stream not in (BOARD, ROOM) and model.incident(stream).declared is not None:
                from warroom_incident.showing import summarize

                model.summaries[stream] = summarize(model.incident(stream))
                model.note(Area.SUMMARIES, urgent=True)
            model.touch(stream, ids, urgent=True)


def _places(text: str) -> list[Place]:
    try:
        return msgspec.json.decode(text, type=list[Place])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
