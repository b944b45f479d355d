"""How the board's records reach a console: all of them once, the urgent first, then changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from warroom_incident.alerts import AlertRecord
from warroom_incident.beats import Beat
from warroom_incident.changes import Change
from warroom_incident.sync.wire import FRAME_TARGET, BoardCursor, Records, encode

from .board import Board

_AT_MOST = 400
Item = AlertRecord | Beat | Change
_Item = TypeVar("_Item", bound=Item)


class RecordFrames:
    """The frames of the board's changes, encoded once for all consoles at the same revision."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._frames: dict[int, tuple[bytes, int]] = {}
        board.on_change(self._forget)

    def _forget(self, _records: Sequence[AlertRecord]) -> None:
        self._frames.clear()

    def after(self, rev: int) -> tuple[bytes, int] | None:
        """The frame of what changed after a revision, and the revision that it reaches."""
        if rev not in self._frames:
            some = fitting(self._since(rev))
            if not some:
                return None
            reached = some[-1].rev
            self._frames[rev] = (encode(records_of(self.board.board_id, reached, some)), reached)
        return self._frames[rev]

    def _since(self, rev: int) -> list[Item]:
        """What changed after a revision, in the order of revisions, without a gap."""
        records = self.board.since(rev, _AT_MOST)
        whole = len(records) < _AT_MOST
        beside = [i for i in self.board.beside.since(rev) if whole or i.rev < records[-1].rev]
        return sorted([*records, *beside], key=lambda item: item.rev)


class BoardFeed:
    """How far one console has read the board."""

    def __init__(self, frames: RecordFrames, cursor: BoardCursor) -> None:
        board = frames.board
        self._frames = frames
        self._rev = board.rev
        self._start: deque[Item] = deque()
        self._ends_at: int | None = board.rev
        """The revision that ends the first send, until its end was told."""
        if cursor.board == board.board_id and cursor.rev <= board.rev:
            self._rev = cursor.rev
        else:
            self._start.extend(board.ordered())
            self._start.extend(board.beside.since(0))

    @property
    def has_more(self) -> bool:
        """Whether the board has something that was not sent."""
        return self._ends_at is not None or self._rev < self._frames.board.rev

    def next(self) -> bytes | None:
        """The next frame, None when all is sent.

        Until the whole board was sent its frames carry revision 0, so a console that loses the
        line meanwhile starts again. A frame without records ends the first send, also where
        there was nothing to send.
        """
        if self._start:
            some = fitting([self._start[i] for i in range(min(_AT_MOST, len(self._start)))])
            for _ in some:
                self._start.popleft()
            rev = 0 if self._start else self._rev
            return encode(records_of(self._frames.board.board_id, rev, some))
        found = self._frames.after(self._rev)
        if self._ends_at is not None and (found is None or self._rev >= self._ends_at):
            self._ends_at = None
            return encode(Records(self._frames.board.board_id, self._rev, []))
        if found is None:
            return None
        frame, self._rev = found
        return frame


def records_of(board: str, rev: int, items: Sequence[Item]) -> Records:
    """The message that brings these items."""
    return Records(
        board,
        rev,
        [item for item in items if isinstance(item, AlertRecord)],
        [item for item in items if isinstance(item, Beat)],
        [item for item in items if isinstance(item, Change)],
    )


def fitting(records: Sequence[_Item]) -> list[_Item]:
    """The first records, as many as fit a frame, at least one where there is one."""
    size = 0
    some: list[_Item] = []
    for record in records:
        size += len(msgspec.json.encode(record))
        if some and size > FRAME_TARGET:
            break
        some.append(record)
    return some
