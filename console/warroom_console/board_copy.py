"""This console's copy of the server's board: alerts, heartbeats and changes, as last heard of."""

from __future__ import annotations

from warroom_incident.changes import worth_keeping
from warroom_incident.clock import Wall
from warroom_incident.sync.wire import BoardCursor, Records

from .model import Area, Model
from .saver import Saver


class BoardCopy:
    """Brings the board's records into the model and the replica.

    Args:
        model: Where they are shown.
        saver: What keeps them.
        cursor: How far the board was read before.
        wanted: Whether the board is to be received at all.
        wall: The clock, in milliseconds.
    """

    def __init__(
        self, model: Model, saver: Saver, cursor: BoardCursor | None, *, wanted: bool, wall: Wall
    ) -> None:
        self._model = model
        self._saver = saver
        self._wanted = wanted
        self._wall = wall
        self.cursor = cursor if wanted else None
        self.whole = not wanted
        """Whether all that the board held when this connection began has come."""

    def begin(self) -> BoardCursor | None:
        """A new connection begins: what to ask for, None where the board is not wanted."""
        self.whole = not self._wanted
        return (self.cursor or BoardCursor("", 0)) if self._wanted else None

    def welcomed(self, board: str) -> None:
        """The server keeps this board: another one's copy is worth nothing."""
        if self.cursor is not None and self.cursor.board != board:
            self._forget()

    def recorded(self, message: Records) -> None:
        """Take in what is new."""
        self.welcomed(message.board)
        model = self._model
        self.cursor = BoardCursor(message.board, message.rev)
        model.records.update({record.uid: record for record in message.records})
        self._saver.keep_records(message.records, self.cursor)
        self.whole = self.whole or not (message.records or message.beats or message.changes)
        if message.beats:
            beats = {**model.beats, **{beat.key: beat for beat in message.beats}}
            model.beats = {key: beat for key, beat in beats.items() if beat.is_watched}
            model.note(Area.BEATS)
        if message.changes:
            changes = {**model.changes, **{change.uid: change for change in message.changes}}
            kept = worth_keeping(changes.values(), self._wall())
            model.changes = {change.uid: change for change in kept}
            model.note(Area.CHANGES)
        self._saver.keep_told(message.beats, message.changes)
        model.note_records(record.uid for record in message.records)

    def _forget(self) -> None:
        self.cursor = None
        model = self._model
        model.records.clear()
        model.beats.clear()
        model.changes.clear()
        self._saver.forget_records()
        model.note(Area.RECORDS, Area.BEATS, Area.CHANGES)
