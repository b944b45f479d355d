"""Power is cut at every point of a program: what was acknowledged is there, all is whole."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.power import cuts, recorded
from warroom_incident.log import Log
from warroom_incident.outbox import Outbox

LOG = """
import os, sys
from pathlib import Path
from tests.incident.making import NOW, STREAM, Writer
from warroom_incident.log import Log
from warroom_incident.vocabulary import NoteAdded
log = Log.create_or_open(Path(sys.argv[1]) / "warroom.db", new_id="log-1")
log._db.execute("PRAGMA wal_autocheckpoint = 40")  # so that checkpoints are cut, too
os.write(1, b"opened ")
writer = Writer()
for commit in range(40):
    events = [writer.write(NoteAdded(text="x" * (1 + 250 * commit))) for _ in range(1 + commit % 3)]
    log.append(writer.entries(events), NOW)
    for event in events:
        os.write(1, f"{event.id} ".encode())
os._exit(0)
"""

OUTBOX = """
import os, sys
from pathlib import Path
from tests.incident.making import Writer
from warroom_incident.outbox import Outbox
from warroom_incident.vocabulary import NoteAdded
box = Outbox(Path(sys.argv[1]))
writer = Writer()
for number in range(24):
    events = [writer.write(NoteAdded(text="x" * (1 + 50 * number))) for _ in range(1 + number % 3)]
    box.put([writer.packets[event.id] for event in events])
    for event in events:
        os.write(1, f"{event.id} ".encode())
os._exit(0)
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_a_log_that_lost_power_has_all_it_acknowledged_and_is_whole(home: Path, seed: int) -> None:
    (home / "disk").mkdir()
    calls = recorded(LOG, home / "disk", home / "trace")
    count = 0
    for acked in cuts(calls, home / "disk", home / "cut", seed):
        count += 1
        if not acked:
            continue
        log = Log.create_or_open(home / "cut" / "warroom.db", new_id="another")
        held = {row[0].hex() for row in log._db.execute("SELECT id FROM events")}
        assert set(acked[1:]) <= held, f"cut {count} lost acknowledged events"
        assert log.log_id == "log-1"
        assert list(log.damages()) == []
        assert log._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        log.close()
    assert count > 150, "the recording holds too little"


def test_the_replay_notices_a_log_that_does_not_sync(home: Path) -> None:
    """The test of the test: without FULL, acknowledged events are lost."""
    (home / "disk").mkdir()
    careless = LOG.replace("wal_autocheckpoint = 40", "synchronous = OFF")
    calls = recorded(careless, home / "disk", home / "trace")
    lost = 0
    for acked in cuts(calls, home / "disk", home / "cut", 1):
        connection = sqlite3.connect(home / "cut" / "warroom.db")
        try:
            held = {row[0].hex() for row in connection.execute("SELECT id FROM events")}
            lost += not set(acked[1:]) <= held
        except sqlite3.Error:
            lost += bool(acked)
        finally:
            connection.close()
    assert lost > 10


@pytest.mark.parametrize("seed", [1, 2])
def test_an_outbox_that_lost_power_has_all_it_kept(home: Path, seed: int) -> None:
    (home / "disk").mkdir()
    calls = recorded(OUTBOX, home / "disk", home / "trace")
    count = 0
    for acked in cuts(calls, home / "disk", home / "cut", seed):
        count += 1
        box = Outbox(home / "cut")
        assert set(acked) <= {event.id for event, _ in box.unsent()}, f"cut {count}"
        assert not any(name.name.endswith(".damaged") for name in box.refused_path.iterdir())
    assert count > 150, "the recording holds too little"
