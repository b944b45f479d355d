"""What the server writes by itself: incident numbers, and what became of linked alerts."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Coroutine, Iterable, Sequence
from itertools import count
from typing import Any

from warroom_incident.alerts import AlertRecord
from warroom_incident.door import DoorError
from warroom_incident.incident import IncidentState
from warroom_incident.linking import copy_of
from warroom_incident.merging import is_from_elsewhere
from warroom_incident.sync.wire import Summary
from warroom_incident.vocabulary import (
    AlertChanged,
    AlertLinked,
    IncidentNumbered,
    StatusSet,
)

from .board import Board
from .numbers import Numbers
from .room import SETTLING_SECONDS, Commit, Room, Unavailable

NUMBER = ("number",)

_log = logging.getLogger(__name__)


class Duties:
    """Watches commits and the board, and writes what follows from them."""

    def __init__(self, room: Room, board: Board, numbers: Numbers | None = None) -> None:
        self._room = room
        self._board = board
        self._heard = numbers or Numbers()
        self._last = 0
        self._numbering: set[str] = set()
        self._linked: dict[str, set[str]] = {}
        self._links_of: dict[str, set[str]] = {}
        self._telling: set[tuple[str, str]] = set()
        self._owing = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Watch from now on, and make up for what an earlier run left undone."""
        for state in self._room.incidents.values():
            self._last = max(self._last, *_numbers(state), 0)
            self._note_links(state)
        self._room.listeners.append(self.on_commit)
        self._board.on_change(self.on_records)
        self._make_up()

    def _make_up(self) -> None:
        incidents = list(self._room.incidents.values())
        held = Counter(state.number for state in incidents)
        for state in incidents:
            if len(state.heads(NUMBER)) != 1 or held[state.number] > 1:
                self._number(state)
        self.on_records(self._board.ordered())

    def on_commit(self, commit: Commit) -> None:
        """Number a new incident; bring newly linked alerts up to date."""
        if self._owing:
            self._owing = False
            self._make_up()
        state = commit.state
        if not isinstance(state, IncidentState):
            return
        kinds = {type(event.body) for event in commit.events}
        if IncidentNumbered in kinds:
            self._last = max(self._last, *_numbers(state))
            for each in tuple(self._room.incidents.values()):
                if each.number == state.number:
                    self._number(each)
        elif NUMBER not in state.registers:
            self._number(state)
        if not kinds.isdisjoint((AlertLinked, StatusSet)):
            self._note_links(state)
            self._keep_told(state.stream, self._links_of[state.stream])

    def learn(self, summaries: Iterable[Summary]) -> None:
        """Remember the numbers that another server's lines tell, where no event tells them yet."""
        incidents = self._room.incidents
        self._heard.learn(summaries, {s for s, state in incidents.items() if state.number})

    def on_records(self, records: Sequence[AlertRecord]) -> None:
        """Tell every open incident what became of its alerts."""
        changed: dict[str, set[str]] = {}
        for record in records:
            for stream in self._linked.get(record.uid, ()):
                changed.setdefault(stream, set()).add(record.uid)
        for stream, uids in changed.items():
            self._keep_told(stream, uids)

    def _keep_told(self, stream: str, uids: Collection[str]) -> None:
        here: list[str] = []
        elsewhere: list[str] = []
        for record in self._news(stream, uids):
            if (stream, record.uid) not in self._telling:
                self._telling.add((stream, record.uid))
                is_here = not is_from_elsewhere(record, self._board.board_id)
                (here if is_here else elsewhere).append(record.uid)
        if elsewhere:
            # The server where it came in writes it, unless it is gone.
            loop = asyncio.get_running_loop()
            later = loop.call_later(SETTLING_SECONDS, self._tell_soon, stream, elsewhere)
            self._timers[f"{stream} {elsewhere[0]}"] = later
        if here:
            self._do(self._tell(stream, here))

    def _tell_soon(self, stream: str, uids: Sequence[str]) -> None:
        self._timers.pop(f"{stream} {uids[0]}", None)
        self._do(self._tell(stream, uids))

    async def _tell(self, stream: str, uids: Collection[str]) -> None:
        """Write once for each change that stands: an alert may change again meanwhile."""
        try:
            while news := self._news(stream, uids):
                bodies = [AlertChanged(uid=each.uid, alert=copy_of(each)) for each in news]
                if not await self._write(self._room.incidents[stream], bodies):
                    break
        finally:
            self._telling.difference_update((stream, uid) for uid in uids)

    def _news(self, stream: str, uids: Collection[str]) -> list[AlertRecord]:
        """Those of some linked alerts of which an open incident does not know how they are."""
        state = self._room.incidents[stream]
        news: list[AlertRecord] = []
        for link in () if state.closed else state.links():
            record = self._board.get(link.uid) if link.uid in uids else None
            if record is None:
                continue
            if (link.alert.state, link.alert.severity) != (record.state, record.severity):
                news.append(record)
        return news

    def _note_links(self, state: IncidentState) -> None:
        linked = {link.uid for link in state.links()}
        before = self._links_of.get(state.stream, set())
        self._links_of[state.stream] = linked
        for uid in linked - before:
            self._linked.setdefault(uid, set()).add(state.stream)
        for uid in before - linked:
            self._linked[uid].discard(state.stream)

    def _number(self, state: IncidentState) -> None:
        """See that an incident has one number, and no other incident the same."""
        stream = state.stream
        if stream in self._numbering or self._number_for(state) is None:
            return
        self._numbering.add(stream)
        if self._room.is_settling(stream):  # its number may be on the way
            loop = asyncio.get_running_loop()
            timer = loop.call_later(SETTLING_SECONDS, self._look_again, stream)
            self._timers[stream] = timer
        else:
            self._do(self._give_number(state))

    def _look_again(self, stream: str) -> None:
        self._numbering.discard(stream)
        self._timers.pop(stream, None)
        self._number(self._room.incidents[stream])

    def _number_for(self, state: IncidentState) -> str | None:
        """The number that an incident must be given, None if it has a good one."""
        if state.declared is None:
            return None
        heads = state.heads(NUMBER)
        if not heads:
            return self._heard_or_next(state.stream)
        numbers = {e.body.number for e in heads if isinstance(e.body, IncidentNumbered)}
        if state.number in self._taken(state):
            return self._beside(state.number)
        return state.number if len(numbers) > 1 else None

    def _heard_or_next(self, stream: str) -> str:
        """The number that an incident was heard to have, or the next that nobody has."""
        number = self._heard.of(stream)
        if not number:
            return f"INC-{max(self._last, self._heard.highest) + 1}"
        if any(each.number == number for each in self._room.incidents.values()):
            return self._beside(number)
        return number

    def _taken(self, state: IncidentState) -> set[str]:
        """The numbers of the incidents that had theirs before this one."""
        since = _numbered_at(state)
        others = (each for each in self._room.incidents.values() if each is not state)
        return {each.number for each in others if _numbered_at(each) < since}

    def _beside(self, number: str) -> str:
        """What an incident is called whose number another one keeps: `INC-7-2`."""
        root = "-".join(number.split("-")[:2])
        given = {each.number for each in self._room.incidents.values()}
        names = (f"{root}-{n}" for n in count(2))
        return next(n for n in names if n not in given and not self._heard.stream_of(n))

    async def _give_number(self, state: IncidentState) -> None:
        try:
            number = self._number_for(state)
            if number is not None:
                body = IncidentNumbered(number=number)
                self._last = max(self._last, _plain(body))
                await self._write(state, [body])
        finally:
            self._numbering.discard(state.stream)

    async def _write(
        self, state: IncidentState, bodies: Sequence[AlertChanged | IncidentNumbered]
    ) -> bool:
        """Write events of one kind; whether they are in the log."""
        kind = bodies[0].type
        try:
            based = [(body, state.base_for(body.key)) for body in bodies]
            await self._room.write_all(state.stream, based)
        except Unavailable as error:
            _log.warning("%s could not be written: %s", kind, error)
            self._owing = True
        except DoorError as error:
            _log.error("%s does not fit: %s", kind, error)
        else:
            return True
        return False

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Begin nothing more, and wait for what was begun."""
        for timer in self._timers.values():
            timer.cancel()
        await self.finish()

    async def finish(self) -> None:
        """Wait for what was begun."""
        while self._tasks:
            await asyncio.wait(self._tasks)


def _numbers(state: IncidentState) -> list[int]:
    """Every number that an incident was ever given: none is given again."""
    given = [event.body for event in state.history(NUMBER)]
    return [_plain(body) for body in given if isinstance(body, IncidentNumbered)]


def _plain(body: IncidentNumbered) -> int:
    return int(body.number.split("-")[1])


def _numbered_at(state: IncidentState) -> tuple[float, str]:
    """Since when an incident has its number: whoever had it first keeps it."""
    heads = state.heads(NUMBER)
    stamp = heads[0].admitted if heads else None
    return (float("inf") if stamp is None else stamp, state.stream)
