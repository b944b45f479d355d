"""What tests of a server's duties need: a server's view, its rest, and a disk that is full."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

import pytest

from tests.server.running import InProcess
from tests.waiting import wait_for
from warroom_incident.event import Event, Packet
from warroom_incident.incident import IncidentState
from warroom_incident.log import Entry, Log, Receipt


def state_of(house: InProcess, stream: str) -> IncidentState:
    """The server's own state of an incident."""
    return house.server.room.incidents[stream]


async def settled(house: InProcess) -> None:
    """Wait until the server has no duty left."""
    await house.server.duties.finish()


async def wait_numbered(house: InProcess, stream: str, number: str) -> None:
    """Wait until an incident is called so."""
    await wait_for(lambda: state_of(house, stream).number == number, number)


async def hand_on(house: InProcess, *events: tuple[Event, Packet], at: int | None = None) -> None:
    """Let events come as from another server, which admitted them at some time."""
    room = house.server.room
    await room.commit([Entry(event, packet, at) for event, packet in events], handed_on=True)


class FullDisk:
    """Makes commits fail as a full disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full: Callable[[Sequence[Entry]], bool] = lambda entries: False
        append = Log.append

        def failing(log: Log, entries: Sequence[Entry], now: int) -> list[Receipt]:
            if self.full(entries):
                raise sqlite3.OperationalError("database or disk is full")
            return append(log, entries, now)

        monkeypatch.setattr(Log, "append", failing)
