"""A console behind 64 kbit/s with a long history to read."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from tests.e2e.arrivals import acknowledged
from tests.e2e.console_client import Console
from tests.e2e.leaps import now, room, same
from tests.leaping import pass_time, run_leaping
from tests.waiting import wait_for
from warroom_console.link import LinkState
from warroom_incident.sync.handing import RELAY_BYTES
from warroom_incident.sync.wire import CREDIT, FRAME_TARGET
from warroom_incident.vocabulary import NoteAdded

RATE = 8_000
BACKLOG = 20_000_000
LONG = "x" * 8_000
AN_HOUR = 3_600.0

IN_FLIGHT = (CREDIT + FRAME_TARGET) / RATE
"""How long what may be on its way takes to arrive, in seconds."""


def test_twenty_megabytes_over_64_kbits_come_without_a_break_and_hold_nobody_up(
    home: Path,
) -> None:
    async def test() -> None:
        async with room(home) as here:
            ana = await Console(user="ana").join(here.socket)
            stream = await ana.declare()
            await ana.follow(stream)
            for _ in range(BACKLOG // len(LONG) // 50):
                for _ in range(50):
                    ana.write(stream, NoteAdded(text=LONG))
                await ana.flush()
                await ana.settled(*ana.outbox)
            bo = await here.desk("bo", latency=0.1, rate=RATE)
            states: list[LinkState] = []
            bo.model.subscribe(lambda _urgent: states.append(bo.model.link))
            began = now()
            await bo.open(stream)
            while stream not in bo.model.synced:
                await pass_time(200)
                assert now() - began < AN_HOUR
                written = now()
                mine = bo.write(stream, NoteAdded(text="mine"))
                await acknowledged(bo, mine)
                assert now() - written <= IN_FLIGHT, "the backlog goes before an ack"
                assert mine.id in bo.model.incident(stream).events
            live = await ana.note(stream, "read to the end")
            written = now()
            await wait_for(lambda: live.id in bo.model.incident(stream).events, "what is new")
            assert now() - written < 10
            assert {state.phase for state in states} == {"live"}
            assert not any(state.quiet_since for state in states)
            trips = [state.rtt_ms for state in states if state.rtt_ms is not None]
            assert max(trips) / 1000 <= IN_FLIGHT, "pings queue behind the backlog"
            assert here.lines["bo"].accepted == 1, "the line broke"
            await ana.leave()

    run_leaping(test)


def test_an_emptied_server_is_refilled_over_64_kbits_without_a_break(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            bo = await here.desk("bo", latency=0.1)
            stream = bo.declare("checkout answers 5xx", "SEV2")
            for _ in range(200):
                bo.write(stream, NoteAdded(text=LONG))
            await same(stream, bo)
            await here.stop()
            await asyncio.to_thread(shutil.rmtree, here.data)
            wire = here.lines["bo"]
            wire.rate = RATE
            await here.start()
            bo.link.retry_now()
            await wait_for(lambda: bo.model.live, "a line to the empty server")
            lines, began = wire.accepted, now()
            states: list[LinkState] = []
            bo.model.subscribe(lambda _urgent: states.append(bo.model.link))

            def refilled() -> bool:
                held = here.server.room.state(stream)
                return held.set_digest() == bo.model.incident(stream).set_digest()

            while not refilled():
                await pass_time(20)
                assert now() - began < 2 * 200 * len(LONG) / RATE
                written = now()
                mine = bo.write(stream, NoteAdded(text="mine"))
                await acknowledged(bo, mine)
                assert now() - written <= 2 * RELAY_BYTES / RATE + IN_FLIGHT, "own words wait"
            assert now() - began > 100 * len(LONG) / RATE, "it came over the slow line"
            assert wire.accepted == lines, "the line broke"
            assert {state.phase for state in states} == {"live"}
            trips = [state.rtt_ms for state in states if state.rtt_ms is not None]
            assert max(trips) / 1000 <= IN_FLIGHT, "pings queue behind what is sent"

    run_leaping(test)


def test_many_own_notes_leave_over_64_kbits_without_a_break(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            bo = await here.desk("bo", latency=0.1, rate=RATE)
            stream = bo.declare("checkout answers 5xx", "SEV2")
            await same(stream, bo)
            wire = here.lines["bo"]
            wire.cut()
            for _ in range(100):
                bo.write(stream, NoteAdded(text=LONG))
            await bo.kept()
            wire.heal()
            bo.link.retry_now()
            await wait_for(lambda: bo.model.live, "a line")
            lines = wire.accepted
            await wait_for(lambda: not bo.model.pending, "the acks", 30)
            assert wire.accepted == lines, "the line broke"
            await same(stream, bo)

    run_leaping(test)


def test_servers_catch_up_both_ways_over_64_kbits_without_a_break(home: Path) -> None:
    async def test() -> None:
        async with room(home) as here:
            there = await here.second(home / "there")
            ana, bo = await here.desk("ana"), await there.desk("bo")
            stream = ana.declare("checkout answers 5xx", "SEV2")
            await wait_for(lambda: stream in bo.model.summaries, "the incident")
            await bo.open(stream)
            await same(stream, ana, bo)
            wire = here.lines["peer"]
            wire.cut()
            for _ in range(100):
                for desk in (ana, bo):
                    desk.write(stream, NoteAdded(text=LONG))
            for desk in (ana, bo):
                await acknowledged(desk)
            wire.rate = RATE
            wire.heal()
            await wait_for(lambda: there.server.hub.keepers.peers[0].welcome, "the line")
            lines, began = wire.accepted, now()
            await same(stream, ana, bo, within=600)
            assert now() - began > 100 * len(LONG) / RATE, "it came over the slow line"
            assert wire.accepted == lines, "the line broke"

    run_leaping(test)
