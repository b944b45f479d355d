"""Repairs a log: finds events whose bytes are not what their place says, and puts those back.

The name of a place is a hash of the event, so the right bytes prove themselves, wherever they come
from. Chains and seals stay as they are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from .door import DoorError
from .event import Event, Packet, read_packet
from .log_reader import LogReader
from .schema import StorageError, connect, connect_readonly

_AT_ONCE = 2000


class Broken(NamedTuple):
    """A place of a stream whose bytes are damaged; `entry` is the name of what belongs there."""

    stream: str
    iseq: int
    entry: bytes
    via: str | None


def read_whole(packet: Packet, entry: bytes, admitted: int | None = None) -> Event | None:
    """Read an event if it is what its place says, else None."""
    try:
        event = read_packet(packet, admitted)
    except DoorError:
        return None
    return event if event.fits(entry.hex()) else None


def broken(reader: LogReader) -> Iterator[Broken]:
    """Every damaged event of a log."""
    for stream in reader.streams():
        after = 0
        while scanned := reader.scan(stream, after, _AT_ONCE):
            for entry, row in scanned:
                if read_whole(row.packet, entry) is None:
                    yield Broken(stream, row.iseq, entry, row.packet.via)
            after = scanned[-1][1].iseq


def copies(path: Path, entry: bytes) -> Packet | None:
    """The bytes that a log or a replica holds of an event, if they are whole."""
    try:
        connection = connect_readonly(path)
    except StorageError:
        return None
    try:
        row = connection.execute(
            "SELECT CAST(head AS BLOB), CAST(body AS BLOB) FROM events WHERE id = ?", (entry,)
        ).fetchone()
    except sqlite3.DatabaseError:
        return None
    finally:
        connection.close()
    return None if row is None else Packet(*row)


def mend(
    path: Path,
    places: Iterable[Broken],
    sources: Iterable[Path],
    fetched: Mapping[bytes, Packet] = MappingProxyType({}),
) -> list[Broken]:
    """Put back what the sources have of damaged events; the places that stay damaged.

    Nobody else may write the log meanwhile.

    Args:
        path: The log.
        places: What is damaged in it.
        sources: Other logs and replicas.
        fetched: What came from elsewhere, by the names of the places.

    Raises:
        StorageError: The log cannot be written.
    """
    files = list(sources)
    left = []
    connection = connect(path, synchronous="FULL")
    try:
        for place in places:
            reason = _reason(connection, place.entry)
            held = (copies(source, place.entry) for source in files)
            for found in chain([fetched.get(place.entry)], held):
                if found is None:
                    continue
                reason_of = reason if found.body is None else None
                packet = found._replace(reason=reason_of, via=place.via)
                if read_whole(packet, place.entry) is not None:
                    put_back(connection, place.entry, packet)
                    break
            else:
                left.append(place)
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be mended: {error}.") from error
    finally:
        connection.close()
    return left


def put_back(connection: sqlite3.Connection, entry: bytes, packet: Packet) -> None:
    """Write the right bytes of an event in its place."""
    body = None if packet.body is None else packet.body.decode()
    connection.execute(
        "UPDATE events SET head = ?, body = ? WHERE id = ?", (packet.head.decode(), body, entry)
    )


def _reason(connection: sqlite3.Connection, entry: bytes) -> str | None:
    row = connection.execute("SELECT reason FROM withheld WHERE id = ?", (entry,)).fetchone()
    return None if row is None else str(row[0])
