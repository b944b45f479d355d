"""What tests of the protocol start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.incident.talking import Server


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    """The simplest server, with an empty log."""
    found = Server(home / "warroom.db")
    yield found
    found.log.close()
