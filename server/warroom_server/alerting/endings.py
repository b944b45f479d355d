"""Ends alerts of which people say that they are over, where their source says nothing.

What people say is read from the `board` stream, so that it holds after a restart and on the next
server. A source that has spoken since knows better: such an alert stays open.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from warroom_incident.alerts import ECHO_MS
from warroom_incident.event import BOARD
from warroom_incident.vocabulary import AlertEnded

from ..board import Board
from ..room import Commit, Room

MANUAL = "manual"
"""The cause of an end that a person told."""


class Endings:
    """The one that makes the board follow what people say of its alerts' ends.

    Args:
        room: The `board` stream.
        board: The alerts.
        now: The clock, in milliseconds.
        changed: Called when the board changed here.
    """

    def __init__(
        self, room: Room, board: Board, now: Callable[[], int], changed: Callable[[], None]
    ) -> None:
        self._room = room
        self._board = board
        self._now = now
        self._changed = changed

    def start(self) -> None:
        """Do what an earlier run left undone, and what is said from now on."""
        self._room.listeners.append(self._on_commit)
        for _, uid in self._room.board.keys(AlertEnded.register):
            self._follow(uid, grace=0)

    def stop(self) -> None:
        """Look at nothing more."""
        if self._on_commit in self._room.listeners:
            self._room.listeners.remove(self._on_commit)

    def _on_commit(self, commit: Commit) -> None:
        if commit.stream != BOARD:
            return
        for event in commit.events:
            if isinstance(event.body, AlertEnded):
                # A repeat that was on its way when it was said is no news to who said it.
                self._follow(event.body.uid, grace=ECHO_MS)

    def _follow(self, uid: str, grace: int) -> None:
        said, record = self._room.board.ended(uid), self._board.get(uid)
        if said is None or record is None:
            return
        if said.over and record.is_open and record.last_seen <= said.heard + grace:
            self._board.close(uid, MANUAL, self._now())
        elif not said.over and record.resolved_by == MANUAL:
            again = msgspec.structs.replace(record, state="firing", ends_at=None, resolved_by="")
            self._board.restate([again])
        else:
            return
        self._changed()
