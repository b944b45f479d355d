"""Mends a server's history: compares it with what this console holds, and hands on what it lacks.

After a takeover, a restored backup or a lost disk the server's log is another one. The console then
compares each stream that it holds, fetches what it lacks and relays what the server lacks, with the
seals that prove what an earlier server admitted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Sequence
from itertools import zip_longest
from typing import Any

from warroom_incident.event import ROOM, Event
from warroom_incident.proofs import Placed, Proof, Sealed
from warroom_incident.seal import ZERO, link
from warroom_incident.sync.client_end import Handed, Ordered, Seal
from warroom_incident.sync.handing import Handing, Relaying, vouches
from warroom_incident.sync.wire import Follow, Welcome

from .home import Home
from .link import Link
from .memory import Memory
from .model import Model
from .saver import Saver

PAGE = 2000
"""How many events to hand on are read at once."""

EACH_WITHIN = 120.0
"""Seconds that one stream's mending may take before the next one's turn."""


class Mending:
    """Compares and relays. It is the `Holdings` of the protocol's console end.

    Args:
        follow: Asks the server for a stream, without showing it.
        leave: Ends that.
    """

    def __init__(
        self,
        model: Model,
        home: Home,
        saver: Saver,
        memory: Memory,
        link: Link,
        follow: Callable[[str], None],
        leave: Callable[[str], None],
    ) -> None:
        self._model = model
        self._home = home
        self._saver = saver
        self._memory = memory
        self._link = link
        self._follow = follow
        self._leave = leave
        self._work: set[asyncio.Task[None]] = set()
        self._round: asyncio.Task[None] | None = None

    # Holdings ------------------------------------------------------------------------------

    def set_digest(self, stream: str) -> str:
        """The digest of the events held of a stream that a server has had."""
        ids = list(self.ids(stream))
        return f"{sum(int(id_, 16) for id_ in ids) % 2**256:064x}" if ids else ""

    def ids(self, stream: str) -> Iterable[str]:
        """The entries of those events: for a void another name than the event's id."""
        if stream == ROOM:
            return []
        events = self._model.fold(stream).events
        return [event.entry for event in events.values() if event.admitted is not None]

    # Relaying ------------------------------------------------------------------------------

    def placed(
        self, stream: str, places: Iterable[tuple[int, str]], seal: Seal | None, welcome: Welcome
    ) -> None:
        """Keep where the server has events, by their entries: with its seal that is a proof."""
        self._saver.keep_places(
            Placed(welcome.log, stream, iseq, bytes.fromhex(entry)) for iseq, entry in places
        )
        if seal is not None:
            log, server = welcome.log, welcome.server
            self._saver.keep_seal(
                Sealed(log, stream, seal.iseq, seal.sealed, server, seal.signature)
            )

    def handed(self, handed: Handed, welcome: Welcome) -> None:
        """The server has what was handed on, and will not send that back."""
        places = range(handed.first, handed.first + len(handed.ids))
        self._model.places.update(zip(handed.ids, places, strict=True))
        entries = zip(places, handed.ids, strict=True)
        self.placed(handed.stream, entries, handed.seal, welcome)

    def compared(self, ordered: Ordered, welcome: Welcome, relaying: Relaying) -> None:
        """Fetch what is lacking here and relay what the server lacks."""
        self._link.send(ordered.fetch)
        self.placed(ordered.stream, ordered.common.items(), None, welcome)
        contested = self._model.fold(ordered.stream).contested()
        if ordered.lacking or ordered.unvouched or contested:
            wanted = frozenset((*ordered.lacking, *ordered.unvouched, *contested))
            sure = frozenset((*ordered.lacking, *self._own(ordered)))
            self._start(self._relay(ordered.stream, wanted, sure, relaying))

    def _own(self, ordered: Ordered) -> list[str]:
        """What the server has on hearsay of this person's own events."""
        if not ordered.unvouched:
            return []
        events = self._model.fold(ordered.stream).events.values()
        you = self._model.you
        # What came here on hearsay may be forged in this very name: only its author has it whole.
        written = {event.entry for event in events if event.head.by == you and event.via is None}
        return [entry for entry in ordered.unvouched if entry in written]

    async def _relay(
        self, stream: str, provable: frozenset[str], wanted: frozenset[str], relaying: Relaying
    ) -> None:
        """Send the events that are wanted, and those that can be proven, in displayed order."""
        await self._saver.save()
        loop = asyncio.get_running_loop()
        reading = loop.run_in_executor(None, self._home.proofs, stream)
        fold = self._model.fold(stream)
        ordered = fold.ordered  # sorted while the proofs are read
        proofs = await reading
        ids = set(wanted)
        if not provable <= wanted:
            proven = {id_.hex() for proof in proofs for id_ in proof.ids}
            ids |= provable & proven
        for proof in proofs:
            await self._send(_vouches_for(ids, proof))
        events = [event for id_ in ordered if (event := fold.events[id_]).entry in ids]
        relaying.owe(stream, [event.id for event in events])
        async for page, packets in self._pages(stream, events):
            found = {packet.id for packet in packets}
            relaying.answered(stream, [event.id for event in page if event.id not in found])
            await self._send(relaying.frames(stream, packets))

    async def _pages(
        self, stream: str, events: list[Event]
    ) -> AsyncIterator[tuple[list[Event], list[Handing]]]:
        """Events with what is kept of them; a page is read while the one before is sent."""
        loop = asyncio.get_running_loop()
        pages = [events[start : start + PAGE] for start in range(0, len(events), PAGE)]
        read = self._home.packets
        coming = [loop.run_in_executor(None, read, stream, page) for page in pages[:1]]
        for page, following in zip_longest(pages, pages[1:]):
            packets = await coming.pop()
            if following is not None:
                coming.append(loop.run_in_executor(None, read, stream, following))
            yield page, packets

    async def _send(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            self._link.send(frame)
            await self._link.drained()

    # Everything that is held ---------------------------------------------------------------

    def begin(self, welcome: Welcome, wanted: Iterable[str], cursors: Iterable[Follow]) -> None:
        """A server answered: mend what was read in another log than its own, or is damaged there.

        What is wanted is compared anyway.
        """
        held = {cursor.stream: cursor.log for cursor in cursors if cursor.log}
        mended = [
            stream
            for stream, log in held.items()
            if (log != welcome.log or stream in welcome.damaged) and stream not in (ROOM, *wanted)
        ]
        if self._round is not None:
            self._round.cancel()
        self._round = self._start(self._mend(mended)) if mended else None

    async def _mend(self, streams: Sequence[str]) -> None:
        for stream in streams:
            if not self._memory.knows(stream):
                self._memory.take_in(stream, await self._home.read(stream))
            self._follow(stream)
            await self._synced(stream)
            self._leave(stream)

    async def _synced(self, stream: str) -> None:
        await self._model.until(lambda: stream in self._model.synced, EACH_WITHIN)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    def stop(self) -> None:
        """End what is under way; the next connection begins it again."""
        for task in self._work:
            task.cancel()

    async def close(self) -> None:
        """End what is under way and wait for its end."""
        self.stop()
        await asyncio.gather(*self._work, return_exceptions=True)


def _vouches_for(ids: Collection[str], proof: Proof) -> list[bytes]:
    """The frames that prove some entries, from the first of them on; none for none."""
    seal, chain = proof.seal, ZERO
    for before, entry in enumerate(proof.ids):
        if entry.hex() in ids:
            return vouches(
                seal.stream,
                seal.log,
                seal.server,
                proof.ids[before:],
                sealed=seal.sealed,
                signature=seal.signature,
                first=before + 1,
                chain=chain.hex() if before else "",
            )
        chain = link(chain, entry)
    return []
