"""What another server lacks of this one's log, and the frames that hand it on with its proof."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from hashlib import sha256

from warroom_incident.log import LogReader
from warroom_incident.seal import ZERO
from warroom_incident.sync.handing import RELAY_EVENTS, Handing, Relaying, vouches

from .room import Room


class Owing:
    """Places of this log that a peer lacks, by stream, and what it has not answered for.

    Args:
        room: Whose log it is.
        server: The name under which that log is sealed.
        relaying: The relays of the connection.
    """

    def __init__(self, room: Room, server: str, relaying: Relaying) -> None:
        self._room = room
        self._server = server
        self._relaying = relaying
        self._places: dict[str, set[int]] = {}
        self._unanswered: dict[str, set[str]] = {}
        self._more = asyncio.Event()

    def owe(self, stream: str, places: Iterable[int]) -> None:
        """Hand on the events at these places, as soon as it goes."""
        self._places.setdefault(stream, set()).update(places)
        self._more.set()

    def answered(self, stream: str, event_id: str) -> None:
        """The peer has an event, or will not have it."""
        self._unanswered.get(stream, set()).discard(event_id)

    def refused(self, event_id: str) -> None:
        """The peer does not take an event of whatever stream."""
        for waiting in self._unanswered.values():
            waiting.discard(event_id)

    def is_even(self, stream: str) -> bool:
        """Whether nothing of a stream is owed or unanswered."""
        return not self._places.get(stream) and not self._unanswered.get(stream)

    async def frames(self) -> AsyncIterator[bytes]:
        """The frames of everything that is owed, as long as somebody asks for them."""
        while True:
            self._more.clear()
            while self._places:
                stream = next(iter(self._places))
                places = sorted(self._places[stream])
                if places:
                    # Marked before they leave the list, so that nobody takes it for even between.
                    waiting = self._unanswered.setdefault(stream, set())
                    waiting.add("")
                    del self._places[stream]
                    async for frame in self._handing_on(stream, places, waiting):
                        yield frame
                    waiting.discard("")
                else:
                    del self._places[stream]
            await self._more.wait()

    async def _handing_on(
        self, stream: str, places: list[int], waiting: set[str]
    ) -> AsyncIterator[bytes]:
        for frame in await self._room.look(lambda log: self._proof(log, stream, places[0])):
            yield frame
        for start in range(0, len(places), RELAY_EVENTS):
            events = await self._read(stream, places[start : start + RELAY_EVENTS])
            waiting.update(event.id for event in events)
            for frame in self._relaying.frames(stream, events):
                yield frame

    async def _read(self, stream: str, places: list[int]) -> list[Handing]:
        rows = await self._room.look(lambda log: log.read_at(stream, places))
        return [
            Handing(sha256(row.packet.head).hexdigest(), row.admitted, row.packet) for row in rows
        ]

    def _proof(self, log: LogReader, stream: str, first: int) -> list[bytes]:
        """That this server admitted everything from a place on."""
        end = log.end(stream)
        before = log.chain_at(stream, first - 1)
        if end.signature is None or before is None or end.iseq < first:
            return []
        return vouches(
            stream,
            log.log_id,
            self._server,
            log.entries(stream, first - 1, end.iseq),
            sealed=end.admitted,
            signature=end.signature.hex(),
            first=first,
            chain="" if before == ZERO else before.hex(),
        )
