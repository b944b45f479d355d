"""What the server writes by itself: incident numbers, and what became of linked alerts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any

from warroom_incident.alerts import AlertRecord
from warroom_incident.door import DoorError
from warroom_incident.incident import IncidentState
from warroom_incident.linking import copy_of
from warroom_incident.vocabulary import (
    AlertChanged,
    AlertLinked,
    IncidentNumbered,
    StatusSet,
)

from .board import Board
from .room import Commit, Room, Unavailable

_log = logging.getLogger(__name__)


class Duties:
    """Watches commits and the board, and writes what follows from them."""

    def __init__(self, room: Room, board: Board) -> None:
        self._room = room
        self._board = board
        self._last = 0
        self._numbering: set[str] = set()
        self._linked: dict[str, set[str]] = {}
        self._telling: set[tuple[str, str]] = set()
        self._owing = False
        self._tasks: set[asyncio.Task[None]] = set()
        for state in room.incidents.values():
            self._last = max(self._last, *_numbers(state), 0)
            self._note_links(state)
        room.listeners.append(self.on_commit)
        board.on_change(self.on_records)

    def start(self) -> None:
        """Make up for what was left undone, by an earlier run or while the log was not writable."""
        for state in self._room.incidents.values():
            self._number(state)
        self.on_records(self._board.ordered())

    def on_commit(self, commit: Commit) -> None:
        """Number a new incident; bring newly linked alerts up to date."""
        if self._owing:
            self._owing = False
            self.start()
        state = commit.state
        if not isinstance(state, IncidentState):
            return
        self._number(state)
        if any(isinstance(event.body, AlertLinked | StatusSet) for event in commit.events):
            self._note_links(state)
            for link in state.links():
                self._keep_told(state.stream, link.uid)

    def on_records(self, records: Sequence[AlertRecord]) -> None:
        """Tell every open incident what became of its alerts."""
        for record in records:
            for stream in self._linked.get(record.uid, ()):
                self._keep_told(stream, record.uid)

    def _keep_told(self, stream: str, uid: str) -> None:
        if (stream, uid) not in self._telling and self._news(stream, uid) is not None:
            self._telling.add((stream, uid))
            self._do(self._tell(stream, uid))

    async def _tell(self, stream: str, uid: str) -> None:
        """Write once for each change that stands: the alert may change again meanwhile."""
        try:
            while (body := self._news(stream, uid)) is not None:
                base = self._room.incidents[stream].base_for(body.key)
                if not await self._write(stream, body, base):
                    break
        finally:
            self._telling.discard((stream, uid))

    def _news(self, stream: str, uid: str) -> AlertChanged | None:
        """What an open incident does not know about a linked alert, None if nothing."""
        state, record = self._room.incidents[stream], self._board.get(uid)
        if record is None or state.closed:
            return None
        known = next((link.alert for link in state.links() if link.uid == uid), None)
        if known is None or (known.state, known.severity) == (record.state, record.severity):
            return None
        return AlertChanged(uid=uid, alert=copy_of(record))

    def _note_links(self, state: IncidentState) -> None:
        linked = {link.uid for link in state.links()}
        for uid in linked:
            self._linked.setdefault(uid, set()).add(state.stream)
        for uid, streams in self._linked.items():
            if uid not in linked:
                streams.discard(state.stream)

    def _number(self, state: IncidentState) -> None:
        unnumbered = ("number",) not in state.registers
        if unnumbered and state.declared is not None and state.stream not in self._numbering:
            self._numbering.add(state.stream)
            self._last += 1
            self._do(self._give_number(state, f"INC-{self._last}"))

    async def _give_number(self, state: IncidentState, number: str) -> None:
        try:
            body = IncidentNumbered(number=number)
            await self._write(state.stream, body, state.base_for(body.key))
        finally:
            self._numbering.discard(state.stream)

    async def _write(
        self, stream: str, body: AlertChanged | IncidentNumbered, base: tuple[str, ...]
    ) -> bool:
        """Write an event; whether it is in the log."""
        try:
            await self._room.write(stream, body, base)
        except Unavailable as error:
            _log.warning("%s could not be written: %s", body.type, error)
            self._owing = True
        except DoorError as error:
            _log.error("%s does not fit: %s", body.type, error)
        else:
            return True
        return False

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for what was begun."""
        while self._tasks:
            await asyncio.wait(self._tasks)


def _numbers(state: IncidentState) -> list[int]:
    """Every number that an incident was ever given: none is given again."""
    given = [event.body for event in state.history(("number",))]
    return [int(body.number.split("-")[1]) for body in given if isinstance(body, IncidentNumbered)]
