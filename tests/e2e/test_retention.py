"""A replica drops incidents that were closed long ago; whoever opens one reads it again."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.houses import desk_at
from tests.server.running import server_process
from tests.waiting import wait_for
from warroom_incident.replica import Replica
from warroom_incident.vocabulary import NoteAdded, StatusSet


async def test_an_old_incident_that_was_dropped_meanwhile_is_read_whole_when_it_is_opened(
    home: Path,
) -> None:
    async with server_process(home) as process:
        async with desk_at(process, home, "ana") as ana:
            await ana.ready()
            stream = ana.declare("checkout answers 5xx", "SEV2")
            for number in range(20):
                ana.write(stream, NoteAdded(text=f"note {number}"))
            ana.write(stream, StatusSet(status="closed"))
            await wait_for(lambda: not ana.model.pending)
            await wait_for(lambda: ana.model.summaries[stream].status == "closed")
            await wait_for(lambda: ana.model.incident(stream).number == "INC-1", "its number")
            count = len(ana.model.incident(stream).events)
        async with desk_at(process, home, "ana") as ana:
            await ana.ready()
            other = Replica.open(home / "replica-ana" / "slot-0")
            assert len(other.events(stream)) == count
            assert other.prune(2**53, keep=()) == 1
            other.close()
            await ana.open(stream)
            await wait_for(lambda: stream in ana.model.synced)
            assert len(ana.model.incident(stream).events) == count
        async with desk_at(process, home, "ana") as ana:
            assert len(ana.load(stream).events) == count
