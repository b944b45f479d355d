"""What one console is told besides events: gathered while its line is busy, and sent last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from warroom_incident.sync.server_end import ServerEnd
from warroom_incident.sync.wire import BoardCursor, Held, Presence, Summaries

from .board_feed import BoardFeed
from .summaries import in_frames

if TYPE_CHECKING:
    from .hub import Hub
    from .identity import Who


class News:
    """What has changed since this console was told.

    `people` and `servers` say that something did, `summaries` and `held` of which streams.
    """

    def __init__(self, hub: Hub, end: ServerEnd) -> None:
        self.people = False
        self.servers = False
        self.summaries: set[str] = set()
        self.held: set[str] = set()
        self._hub = hub
        self._end = end
        self._board: BoardFeed | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        has_records = self._board is not None and self._board.has_more
        return bool(self.people or self.servers or self.summaries or self.held or has_records)

    def read_board(self, cursor: BoardCursor) -> None:
        """Tell of the board's records from a cursor on."""
        self._board = BoardFeed(self._hub.records, cursor)

    def next(self, who: Who) -> list[bytes]:
        """The frames of the most urgent news there is, none without any."""
        for make in self._KINDS:
            if frames := make(self, who):
                return frames
        return []

    def _summaries(self, who: Who) -> list[bytes]:
        changed, self.summaries = self.summaries, set()
        lines = self._hub.summaries_for(who, changed)
        if not lines:
            return []
        return [self._end.message(Summaries(some)) for some in in_frames(lines)]

    def _people(self, who: Who) -> list[bytes]:
        changed, self.people = self.people, False
        return [self._end.message(Presence(self._hub.people_for(who)))] if changed else []

    def _servers(self, _who: Who) -> list[bytes]:
        changed, self.servers = self.servers, False
        return [self._end.message(self._hub.keepers.servers())] if changed else []

    def _held(self, _who: Who) -> list[bytes]:
        changed, self.held = self.held, set()
        return [self._end.message(Held(stream, self._hub.held[stream])) for stream in changed]

    def _records(self, _who: Who) -> list[bytes]:
        frame = self._board.next() if self._board else None
        return [] if frame is None else [self._end.sent(frame)]

    _KINDS: tuple[Callable[[News, Who], list[bytes]], ...] = (
        _summaries,
        _people,
        _servers,
        _held,
        _records,
    )
