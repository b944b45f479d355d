"""Power is cut at every point of a program: what was acknowledged is there, all is whole."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tests.incident.making import NOW, STREAM
from tests.power import cuts, recorded
from warroom_incident.log import Log
from warroom_incident.outbox import Outbox
from warroom_incident.replica import Replica
from warroom_incident.slot import Slot
from warroom_incident.vocabulary import NoteAdded

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

CONSOLE = """
import os, sys
from pathlib import Path
from tests.incident.making import NOW, STREAM
from warroom_incident.outbox import Outbox
from warroom_incident.proofs import Placed, Sealed
from warroom_incident.replica import Kept, Replica
from warroom_incident.slot import Slot
from warroom_incident.sync.wire import Follow
from warroom_incident.vocabulary import NoteAdded
home = Path(sys.argv[1])
place = 0
for session in range(4):
    slot = Slot.take(home, lambda: NOW, os.urandom)
    box, replica = Outbox(home), None
    for number in range(4):
        event, packet = slot.author.write(STREAM, "ana", NoteAdded(text="x" * 500), ())
        box.put([packet])
        os.write(1, f"wrote/{event.id}/{event.head.rep}/{event.head.n} ".encode())
        if number == 3:
            continue  # what is unsent when the session ends
        place += 1
        replica = replica or Replica.open(slot.path)  # it syncs the directory
        replica.save(
            events=[Kept(event.id, STREAM, NOW, packet)],
            cursors=[Follow(STREAM, "log-1", place, "00" * 32)],
            places=[Placed("log-1", STREAM, place, bytes.fromhex(event.id))],
            seals=[Sealed("log-1", STREAM, place, NOW, "war1", "00")],
        )
        os.write(1, f"sent/{event.id} ".encode())
        box.sent([event.id])
    replica.close()
    slot.close()
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


@pytest.mark.parametrize("seed", [1, 2])
def test_a_console_that_lost_power_keeps_its_words_and_uses_no_count_twice(
    home: Path, seed: int
) -> None:
    (home / "disk").mkdir()
    calls = recorded(CONSOLE, home / "disk", home / "trace")
    count = 0
    for said in cuts(calls, home / "disk", home / "cut", seed):
        count += 1
        told = [word.split("/") for word in said]
        wrote = {word[1]: (word[2], int(word[3])) for word in told if word[0] == "wrote"}
        sent = {word[1] for word in told if word[0] == "sent"}
        unsent = {event.id for event, _ in Outbox(home / "cut").unsent()}
        assert wrote.keys() - sent <= unsent, f"cut {count} lost words"
        slot = Slot.take(home / "cut", lambda: NOW, os.urandom)
        event, _ = slot.author.write(STREAM, "ana", NoteAdded(text="afterwards"), ())
        assert (event.head.rep, event.head.n) not in wrote.values(), f"cut {count}"
        replica = Replica.open(slot.path)
        assert not [path for path in slot.path.iterdir() if "damaged" in path.name], f"cut {count}"
        held = {event_id for event_id, *_ in replica.some(STREAM, wrote)}
        assert len(held) == len(replica.events(STREAM)), "nothing but what was written"
        for cursor in replica.cursors():
            assert cursor.iseq == len(held), "a cursor claims what was lost"
        for proof in replica.proofs(STREAM):
            assert {entry.hex() for entry in proof.ids} == held
        replica.close()
        slot.close()
    assert count > 100, "the recording holds too little"
