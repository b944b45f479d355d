"""What people did to alerts reaches a console that joins, however much there ever was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.console_client import Console
from tests.server.running import server_in_process
from warroom_incident import board
from warroom_incident.event import BOARD
from warroom_incident.vocabulary import AlertAcknowledged


async def test_a_console_that_joins_has_the_older_marks_as_well_in_the_end(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "MOST_PRESENT", 2)
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        said = [await ana.put(BOARD, AlertAcknowledged(uid=f"a{i}")) for i in range(6)]
        await ana.leave()
        assert len(house.server.room.board.present()) == 2
        bo = await Console(user="bo").join(house.socket)
        await bo.follow(BOARD)
        await bo.has(BOARD, *(event.id for event in said))
        await bo.leave()
