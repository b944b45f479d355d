"""Processes that stand still: a console, and the server, stopped as Ctrl+Z or a debugger does."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.arrivals import arrived
from tests.e2e.houses import desk_at
from tests.headless import headless
from tests.server.running import IMPATIENT, server_process
from tests.waiting import wait_for
from warroom_console import link, pulse
from warroom_incident.vocabulary import NoteAdded

ENOUGH = 60.0
"""Seconds to wait on a busy machine; how soon things happen is tested where the clock leaps."""


async def test_a_stopped_console_is_cut_and_catches_up_when_it_goes_on(home: Path) -> None:
    async with server_process(home, program=IMPATIENT) as process, headless() as frozen:
        url = f"unix://{process.socket}"
        async with desk_at(process, home, "ana") as ana, desk_at(process, home, "bo") as bo:
            assert await ana.ready(ENOUGH)
            assert await bo.ready(ENOUGH)
            stream = ana.declare("checkout answers 5xx", "SEV2")
            await wait_for(lambda: not ana.model.pending, "the ack")
            await bo.open(stream)
            await frozen.ask("open", user="cy", url=url, replica=str(home / "replica-cy"))
            await frozen.ask("follow", user="cy", stream=stream)
            await wait_for(lambda: len(ana.model.people) == 3, "everybody in")
            os.kill(frozen.pid, signal.SIGSTOP)
            async with asyncio.timeout(ENOUGH):
                while len(ana.model.people) == 3:
                    event = ana.write(stream, NoteAdded(text="x" * 2_000))
                    await arrived(event, bo)
            os.kill(frozen.pid, signal.SIGCONT)
            caught_up = ana.model.incident(stream).set_digest()
            answer = await frozen.ask("holds", user="cy", stream=stream, digest=caught_up)
            assert answer["holds"]
        await frozen.end()


async def test_a_stopped_console_is_cut_though_nobody_says_anything(home: Path) -> None:
    async with server_process(home) as process, headless() as frozen:
        url = f"unix://{process.socket}"
        async with desk_at(process, home, "ana") as ana:
            assert await ana.ready(ENOUGH)
            await frozen.ask("open", user="cy", url=url, replica=str(home / "replica-cy"))
            await wait_for(lambda: len(ana.model.people) == 2, "both in", ENOUGH)
            os.kill(frozen.pid, signal.SIGSTOP)
            await wait_for(lambda: len(ana.model.people) == 1, "the cut", ENOUGH)
            assert ana.model.people[0].name == ana.model.you
            os.kill(frozen.pid, signal.SIGCONT)
            await wait_for(lambda: len(ana.model.people) == 2, "the way back", ENOUGH)
        await frozen.end()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A pulse that beats often."""
    for name in ("PULSE_EVERY", "QUIET_AFTER", "SEEN_AT_LEAST_EVERY"):
        monkeypatch.setattr(pulse, name, 0.05)
    return monkeypatch


async def test_a_stopped_server_is_called_quiet_and_acknowledges_when_it_goes_on(
    home: Path, quick: pytest.MonkeyPatch
) -> None:
    async with server_process(home) as process, desk_at(process, home, "ana") as ana:
        assert await ana.ready(ENOUGH)
        stream = ana.declare("checkout answers 5xx", "SEV2")
        await wait_for(lambda: not ana.model.pending, "the ack")
        process.send(signal.SIGSTOP)
        event = ana.write(stream, NoteAdded(text="while it stands still"))
        await wait_for(lambda: ana.model.link.quiet_since, "word of the silence", ENOUGH)
        assert event.id in ana.model.incident(stream).events
        assert event.id in ana.model.pending
        process.send(signal.SIGCONT)
        await wait_for(lambda: not ana.model.pending, "the ack", ENOUGH)
        assert ana.model.live
        assert ana.model.link.quiet_since is None


async def test_a_server_that_stands_still_for_long_is_left_and_found_again(
    home: Path, quick: pytest.MonkeyPatch
) -> None:
    async with server_process(home) as process, desk_at(process, home, "ana") as ana:
        assert await ana.ready(ENOUGH)
        stream = ana.declare("checkout answers 5xx", "SEV2")
        await wait_for(lambda: not ana.model.pending, "the ack")
        quick.setattr(pulse, "DROP_AFTER", 0.3)
        quick.setattr(link, "OPEN_WITHIN", 0.2)
        process.send(signal.SIGSTOP)
        for number in range(20):
            ana.write(stream, NoteAdded(text=f"while it stands still {number}"))
        await wait_for(
            lambda: ana.model.link.reason.endswith("does not answer"), "a try in vain", ENOUGH
        )
        assert len(ana.model.pending) == 20
        quick.setattr(pulse, "DROP_AFTER", 30.0)
        quick.setattr(link, "OPEN_WITHIN", 5.0)
        process.send(signal.SIGCONT)
        await wait_for(lambda: ana.model.live and not ana.model.pending, "the acks", ENOUGH)
        async with desk_at(process, home, "bo") as bo:
            assert await bo.ready(ENOUGH)
            await bo.open(stream)
            await wait_for(lambda: stream in bo.model.synced, "all of it", ENOUGH)
            assert len(bo.model.incident(stream).entries["note.added"]) == 20
