"""A running server, and somebody in it; tests with needs of their own make their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.console_client import Console, leave_all
from tests.server.running import InProcess, server_in_process


@pytest.fixture
async def house(home: Path) -> AsyncIterator[InProcess]:
    """A running server."""
    async with server_in_process(home) as running:
        yield running


@pytest.fixture
async def ana(house: InProcess) -> AsyncIterator[Console]:
    """Somebody in it."""
    console = await Console(user="ana").join(house.socket)
    yield console
    await leave_all([console])
