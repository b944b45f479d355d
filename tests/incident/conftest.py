"""What tests of the log and the protocol start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.incident.making import new_log, sign
from tests.incident.talking import Server
from warroom_incident.log import Log


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    """The simplest server, with an empty log."""
    found = Server(home / "warroom.db")
    yield found
    found.log.close()


@pytest.fixture
def log(home: Path) -> Iterator[Log]:
    """A signing log with nothing in it."""
    found = new_log(home / "warroom.db", sign=sign)
    yield found
    found.close()
