"""Own events on their way: kept durably in the outbox, in order, and then handed to the link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from msgspec import Struct

from warroom_incident.event import Event, Packet
from warroom_incident.outbox import Outbox, Refused

from .naming import is_name_on

T = TypeVar("T")
Written = tuple[Event, Packet]


class Sent(Struct, frozen=True):
    """What became of some events: acknowledged, refused (with reasons), or still waiting."""

    acknowledged: frozenset[str]
    refused: dict[str, str]
    waiting: frozenset[str]


class Outgoing:
    """The events of this user that no server has acknowledged yet.

    Args:
        outbox: Where they rest.
        disk: The thread that writes them.
        push: Called with events that are durable here; it sends them if it can.
        trouble: Called with a sentence when the disk does not take an event, with an empty one
            when it does again.
    """

    def __init__(
        self,
        outbox: Outbox,
        disk: ThreadPoolExecutor,
        push: Callable[[Sequence[Packet]], bool],
        trouble: Callable[[str], None],
    ) -> None:
        self.outbox = outbox
        self._push = push
        self._trouble = trouble
        self.waiting: dict[str, Written] = {}
        """Every unacknowledged event by its id, those found in the outbox among them."""
        self.in_memory: dict[str, Written] = {}
        """Those of them that the disk did not take."""
        self._unwritten: list[Written] = []
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._pushed: set[str] = set()
        self._answered: set[str] = set()
        self._disk = disk

    # Writing -------------------------------------------------------------------------------

    def put(self, written: Sequence[Written]) -> None:
        """Take events in order; returns at once, `kept` waits for the disk."""
        self.waiting.update({event.id: (event, packet) for event, packet in written})
        self._unwritten.extend(written)
        self._idle.clear()
        self._more.set()

    async def run(self) -> None:
        """Write what is put, in order, until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            await self._write()

    async def _write(self) -> None:
        """Whatever came in while the disk was busy goes there in one go."""
        while self._unwritten:
            batch, self._unwritten = self._unwritten, []
            await self._keep(batch)
            self.send([event.id for event, _ in batch])
        self._idle.set()

    async def _keep(self, batch: Sequence[Written]) -> None:
        """Write events to the outbox; those that the disk does not take stay in memory."""
        packets = [packet for _, packet in batch]
        try:
            await self._run(lambda: self.outbox.put(packets))
        except OSError as error:
            self.in_memory.update((event.id, (event, packet)) for event, packet in batch)
            self._trouble(
                f"This machine's disk does not take your events ({error.strerror}): this console "
                "keeps them in memory only, so leave it open until they are sent."
            )
        else:
            for event, _ in batch:
                self.in_memory.pop(event.id, None)
            if not self.in_memory:
                self._trouble("")

    async def kept(self) -> None:
        """Wait until everything that was put has been written, or the disk refused it."""
        await self._idle.wait()

    # Sending -------------------------------------------------------------------------------

    def send(self, ids: Iterable[str]) -> None:
        """Push events that this connection has not carried yet."""
        fresh = [id_ for id_ in ids if id_ in self.waiting and id_ not in self._pushed]
        if fresh and self._push([self.waiting[id_][1] for id_ in fresh]):
            self._pushed.update(fresh)

    def send_under(self, account: str) -> None:
        """Push all that waits under any name of an account: those who wrote it may not come."""
        waiting = [event for event, _ in self.waiting.values()]
        mine = [event for event in waiting if is_name_on(account, event.head.by)]
        self.send(event.id for event in sorted(mine, key=lambda event: event.order))

    @property
    def unanswered(self) -> frozenset[str]:
        """What this connection has carried, and the server has not answered."""
        return frozenset(self._pushed & self.waiting.keys())

    def forget_pushes(self) -> None:
        """A new connection has carried nothing."""
        self._pushed.clear()

    async def look(self) -> list[Event]:
        """Read what other processes of this user have left in the outbox since the last look.

        What the disk did not take before is tried again.
        """
        if self.in_memory:
            await self._keep(list(self.in_memory.values()))
        self._answered.clear()
        has_ballast, found = await self._run(lambda: (self.outbox.weigh(), self._unsent()))
        if has_ballast and not self.in_memory:
            self._trouble("")
        # What was answered while the disk was read lay there still, and waits no more.
        known = self.waiting.keys() | self._answered
        new = [pair for pair in found if pair[0].id not in known]
        self.waiting.update({event.id: (event, packet) for event, packet in new})
        return [event for event, _ in new]

    def _unsent(self) -> list[Written]:
        if self.outbox.ids() <= self.waiting.keys():
            return []
        return self.outbox.unsent()

    # Answers -------------------------------------------------------------------------------

    def acknowledged(self, ids: Iterable[str]) -> list[Written]:
        """A server has made events durable; those that waited are returned and forgotten."""
        known = [self.waiting.pop(id_) for id_ in ids if id_ in self.waiting]
        for event, _ in known:
            self.in_memory.pop(event.id, None)
            self._pushed.discard(event.id)
            self._answered.add(event.id)
        if known:
            self._disk.submit(self.outbox.sent, [event.id for event, _ in known])
        return known

    def refused(self, event_id: str, reason: str) -> Written | None:
        """A server does not admit an event: it is set aside with the reason."""
        written = self.waiting.pop(event_id, None)
        if written is not None:
            self._pushed.discard(event_id)
            self._answered.add(event_id)
            self.in_memory.pop(event_id, None)
            self._disk.submit(self.outbox.refuse, event_id, reason)
        return written

    def forget(self, ids: Sequence[str]) -> None:
        """Drop what was set aside of events that a server has after all."""
        self._disk.submit(self.outbox.sent, list(ids))

    def dismiss(self, event_id: str) -> None:
        """List what was set aside of an event no longer; its text stays on the disk."""
        self._disk.submit(self.outbox.dismiss, event_id)

    def kept_refused(self) -> list[Refused]:
        """What a server did not admit and is kept here, of earlier sessions too."""
        return self.outbox.refusals()

    async def _run(self, work: Callable[[], T]) -> T:
        # Whoever waits may be cancelled; what stands in the thread's queue is done all the same.
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._disk, work))

    async def close(self) -> None:
        """Finish what the disk has to do."""
        if self._unwritten:
            await self._write()
        await self._run(lambda: None)
