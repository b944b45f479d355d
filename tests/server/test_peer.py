"""The line to a peer: what it does when this server's own disk fails."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.console_client import Console, leave_all
from tests.server.running import ME, server_in_process
from tests.waiting import wait_for
from warroom_incident.log import Entry, Receipt
from warroom_server import peer
from warroom_server.commits import Ends
from warroom_server.config import Config
from warroom_server.keys import load_or_create
from warroom_server.peer_line import Address
from warroom_server.reach import Doors
from warroom_server.server import Server


async def test_a_standby_comes_back_after_as_many_failures_as_it_waits_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "UNWRITTEN", 1)
    (home / "b").mkdir()
    async with server_in_process(home) as house:
        key = load_or_create(home / "b" / "room.key", secrets.token_bytes, house.server.hub.us.room)
        address = Address(f"unix://{house.socket}", house.socket)
        standby = Server(home / "b" / "room", Config(), key, [address], standby=True)
        await standby.start(Doors(home / "b" / "socket", None, None), ME)
        ana = await Console(user="ana").join(house.socket)
        stream = await ana.declare()
        await wait_for(lambda: stream in standby.room.incidents, "the incident")
        commits, failures = standby.room.commits, list[int]()
        append, fails = commits._append, [True]

        def failing(entries: Sequence[Entry], now: int) -> tuple[list[Receipt], Ends]:
            if entries and fails[0]:
                failures.append(len(entries))
                raise sqlite3.OperationalError("disk I/O error")
            return append(entries, now)

        monkeypatch.setattr(commits, "_append", failing)
        note = await ana.note(stream, "while its disk fails")
        await wait_for(lambda: failures, "a failure")
        fails[0] = False
        await wait_for(lambda: note.id in standby.room.incidents[stream].events, "the note")
        await leave_all([ana])
        await standby.stop()
