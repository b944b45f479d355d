"""What the server writes by itself: incident numbers, and what became of linked alerts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any

from warroom_incident.alerts import AlertRecord
from warroom_incident.incident import IncidentState
from warroom_incident.linking import copy_of
from warroom_incident.vocabulary import (
    AlertChanged,
    AlertLinked,
    IncidentDeclared,
    IncidentNumbered,
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
        self._tasks: set[asyncio.Task[None]] = set()
        for state in room.incidents.values():
            self._last = max(self._last, _count(state.number))
            self._note_links(state)
        room.listeners.append(self.on_commit)
        board.on_change(self.on_records)

    def start(self) -> None:
        """Make up for what an earlier run left undone."""
        for state in self._room.incidents.values():
            self._number(state)
        self.on_records(self._board.ordered())

    def on_commit(self, commit: Commit) -> None:
        """Number a new incident; bring newly linked alerts up to date."""
        state = commit.state
        if not isinstance(state, IncidentState):
            return
        if any(isinstance(event.body, IncidentDeclared) for event in commit.events):
            self._number(state)
        linked = [e.body.uid for e in commit.events if isinstance(e.body, AlertLinked)]
        if linked:
            self._note_links(state)
            self.on_records([r for uid in linked if (r := self._board.get(uid))])

    def on_records(self, records: Sequence[AlertRecord]) -> None:
        """Tell every open incident what became of its alerts."""
        for record in records:
            for stream in self._linked.get(record.uid, ()):
                state = self._room.incidents[stream]
                if not state.closed and self._differs(state, record):
                    body = AlertChanged(uid=record.uid, alert=copy_of(record))
                    base = state.base_for(body.key)
                    self._do(self._write(stream, body, base))

    def _differs(self, state: IncidentState, record: AlertRecord) -> bool:
        known = next((link.alert for link in state.links() if link.uid == record.uid), None)
        return known is not None and (known.state, known.severity) != (
            record.state,
            record.severity,
        )

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
            body = IncidentNumbered(number=f"INC-{self._last}")
            self._do(self._write(state.stream, body, ()))

    async def _write(
        self, stream: str, body: AlertChanged | IncidentNumbered, base: tuple[str, ...]
    ) -> None:
        try:
            await self._room.write(stream, body, base)
        except Unavailable as error:
            _log.warning("%s could not be written: %s", body.type, error)
        finally:
            self._numbering.discard(stream)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for what was begun."""
        while self._tasks:
            await asyncio.wait(self._tasks)


def _count(number: str) -> int:
    digits = number.removeprefix("INC-").partition("-")[0]
    return int(digits) if digits.isdigit() else 0
