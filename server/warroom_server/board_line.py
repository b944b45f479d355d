"""The alert boards of two servers over one line: each tells the other, and takes the newest word.

The server that was called tells its board as it does any reader; this is the other direction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from warroom_incident.alerts import AlertRecord
from warroom_incident.sync.uplink import Uplink
from warroom_incident.sync.wire import BoardCursor, Records

from .board import Board
from .board_feed import BoardFeed, RecordFrames

GATHER_SECONDS = 0.2
"""How long changes are gathered before they are told."""


class BoardLine:
    """Tells a server that this one calls what is on the board here."""

    def __init__(self, board: Board) -> None:
        self._frames = RecordFrames(board)
        self._changed = asyncio.Event()
        board.on_change(self._on_change)

    def _on_change(self, _records: Sequence[AlertRecord]) -> None:
        self._changed.set()

    async def tell(self, uplink: Uplink) -> None:
        """Tell all of the board, then what changes, until cancelled."""
        feed = BoardFeed(self._frames, BoardCursor("", 0))
        while True:
            self._changed.clear()
            while (frame := feed.next()) is not None:
                uplink.put(frame)
                await uplink.drained()
            await self._changed.wait()
            await asyncio.sleep(GATHER_SECONDS)


def take_in(board: Board, message: Records, now: int) -> None:
    """Take in what another server says of its board."""
    board.adopt(message.records, now)
    board.adopt_beats(message.beats)
    board.change(message.changes, now)
