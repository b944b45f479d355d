"""Asks other servers of the room for events that are damaged in a log at rest.

The log's order is compared with theirs, so that only what is damaged travels. What comes proves
itself: its hash is the name of the place that it belongs to.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from warroom_incident.author import new_rep
from warroom_incident.clean import clean_line
from warroom_incident.event import ROOM, Packet, read_packet
from warroom_incident.log import LogReader
from warroom_incident.peer_token import peer_token_file
from warroom_incident.repair import Broken
from warroom_incident.room import RoomState
from warroom_incident.seal import heard_entry, void_entry, withheld_entry
from warroom_incident.sync.client_end import Batch, ClientEnd, Ordered
from warroom_incident.sync.wire import PROTOCOL, Close, Hello, ProtocolError

from .dial import DialError, dial, load, why_not
from .farewell import farewell
from .places import PlaceError, Places, Server, parse_server, token_of

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

WITHIN = 60.0
"""How long one server may take, in seconds."""


class NotFetched(Exception):
    """A server did not help; the message is one sentence."""


class _Whole:
    """The events of a log that are not damaged, as the protocol's client end asks for them."""

    def __init__(self, reader: LogReader, damaged: Iterable[Broken]) -> None:
        self._reader = reader
        self._damaged = {place.entry for place in damaged}
        self._tops = reader.streams()

    def ids(self, stream: str) -> list[str]:
        """The entries of the whole events of a stream."""
        found = self._reader.entries(stream, 0, self._tops.get(stream, 0))
        return [entry.hex() for entry in found if entry not in self._damaged]

    def set_digest(self, stream: str) -> str:
        """A digest that fits no server's: it is to be compared."""
        return "0" * 64


def peers(places: Places, log: Path, given: Sequence[str]) -> list[Server]:
    """The servers to ask: those that were named, configured as peers, or listed in the room.

    Raises:
        PlaceError: One that was named is no server's address.
    """
    found = [parse_server(url) for url in given]
    for url in (*_configured(places.config), *_listed(log)):
        try:
            found.append(parse_server(url))
        except PlaceError:
            continue
    if places.named:
        found += places.servers
    return list(dict.fromkeys(found))


def _configured(config: Path) -> list[str]:
    import tomllib

    try:
        with (config / "warroom.toml").open("rb") as file:
            urls = tomllib.load(file).get("peers", [])
    except (OSError, ValueError):
        return []
    return [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []


def _listed(log: Path) -> list[str]:
    reader = LogReader.open(log)
    try:
        state = RoomState()
        for entry, row in reader.scan(ROOM, 0, 1_000_000):
            if sha256(row.packet.head).digest() == entry:
                state.add(read_packet(row.packet, row.admitted))
    finally:
        reader.close()
    return [url for machine in state.machines() for url in machine.urls]


def refetch(
    places: Places, server: Server, log: Path, damaged: Sequence[Broken]
) -> dict[bytes, Packet]:
    """What a server has of damaged events, by the names of their places.

    Raises:
        NotFetched: It does not answer, or lets nobody read.
    """
    reader = LogReader.open(log)
    try:
        return asyncio.run(_ask(places, server, _Whole(reader, damaged), damaged))
    finally:
        reader.close()


async def _ask(
    places: Places, server: Server, whole: _Whole, damaged: Sequence[Broken]
) -> dict[bytes, Packet]:
    load()
    from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

    try:
        async with asyncio.timeout(WITHIN):
            connection = await dial(server, _token(places, server))
            try:
                return await _fetch(connection, places, whole, damaged)
            finally:
                await connection.close()
    except ConnectionClosed as closed:
        raise NotFetched(f"{server.url}: {_farewell(closed.rcvd)}") from None
    except InvalidStatus:
        raise NotFetched(f"{server.url}: {farewell(Close.UNKNOWN_TOKEN, '')}") from None
    except ProtocolError as error:
        raise NotFetched(f"{server.url}: {clean_line(error.reason, 120)}.") from None
    except TimeoutError:
        raise NotFetched(f"{server.url} does not answer.") from None
    except PlaceError as error:
        raise NotFetched(str(error)) from None
    except (OSError, WebSocketException, DialError) as error:
        raise NotFetched(f"{server.url}: {why_not(error)}.") from None


def _token(places: Places, server: Server) -> str | None:
    """The token that lies for a peer in the configuration directory, else the user's own."""
    if server.kind == "unix":
        return places.token
    parts = urlsplit(server.url)
    path = places.config / peer_token_file(parts.hostname or "", parts.port or 0)
    return token_of("", path) or places.token


async def _fetch(
    connection: ClientConnection, places: Places, whole: _Whole, damaged: Sequence[Broken]
) -> dict[bytes, Packet]:
    streams = sorted({place.stream for place in damaged})
    rep = new_rep(os.urandom)
    hello = Hello(PROTOCOL, "warroom fsck", rep, places.machine, places.user, reads=True)
    end = ClientEnd(hello, (), None, whole)
    await connection.send(end.hello(streams), text=True)
    for frame in end.more():
        await connection.send(frame, text=True)
    wanted = {place.entry for place in damaged}
    found: dict[bytes, Packet] = {}
    while not wanted <= found.keys() and not _at_end(end, streams):
        message = end.receive(bytes(await connection.recv(decode=False)))
        if isinstance(message, Batch):
            for arrival in message.arrivals:
                found |= dict.fromkeys(_names(arrival.packet) & wanted, arrival.packet)
        elif isinstance(message, Ordered):
            await connection.send(message.fetch, text=True)
        if (seen := end.seen()) is not None:
            await connection.send(seen, text=True)
    return found


def _at_end(end: ClientEnd, streams: Sequence[str]) -> bool:
    readings = [end.readings.get(stream) for stream in streams]
    return all(reading is not None and reading.synced for reading in readings)


def _names(packet: Packet) -> set[bytes]:
    """The places that an event may belong to: as admitted, withheld, refused, or only heard of."""
    id_ = sha256(packet.head).digest()
    return {id_, withheld_entry(id_), void_entry(id_), heard_entry(id_)}


def _farewell(said: object) -> str:
    code, reason = getattr(said, "code", 0), clean_line(getattr(said, "reason", ""), 120)
    return f"{reason}." if code else "the connection broke."
