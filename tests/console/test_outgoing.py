"""Own events on their way: what waits, what was answered, what other processes left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.incident.making import Writer
from warroom_console.outgoing import Outgoing, Written
from warroom_incident.event import Packet
from warroom_incident.outbox import Outbox
from warroom_incident.vocabulary import NoteAdded


@pytest.fixture
def disk() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as found:
        yield found


class Desk:
    """An outbox, what was pushed from it, and a writer."""

    def __init__(self, home: Path, disk: ThreadPoolExecutor) -> None:
        self.pushed: list[Packet] = []
        self.disk = disk
        self.other = Outbox(home)
        self.is_welcome = True
        self.troubles: list[str] = []
        self.outgoing = Outgoing(Outbox(home), disk, self._push, self.troubles.append)
        self._writer = Writer()

    def _push(self, packets: Sequence[Packet]) -> bool:
        if self.is_welcome:
            self.pushed.extend(packets)
        return self.is_welcome

    def event(self, text: str) -> Written:
        """Something that was written."""
        event = self._writer.write(NoteAdded(text=text))
        return event, self._writer.packets[event.id]

    async def put(self, text: str) -> Written:
        """Write something and push it."""
        written = self.event(text)
        self.outgoing.put([written])
        await self.outgoing._write()
        return written


async def test_what_is_answered_while_the_outbox_is_read_waits_no_more(
    home: Path, disk: ThreadPoolExecutor
) -> None:
    desk = Desk(home, disk)
    (mine, _), (bad, _) = await desk.put("mine"), await desk.put("refused")
    others, packet = desk.event("another process's")
    desk.other.put([packet])
    looking = asyncio.create_task(desk.outgoing.look())
    await asyncio.sleep(0)
    disk.submit(lambda: None).result()  # the disk has been read, and nobody has looked at it yet
    assert [event.id for event, _ in desk.outgoing.acknowledged([mine.id])] == [mine.id]
    desk.outgoing.refused(bad.id, "no")
    assert [event.id for event in await looking] == [others.id]
    assert desk.outgoing.waiting.keys() == {others.id}
    await desk.outgoing.close()
    assert desk.other.ids() == {others.id}


async def test_what_was_written_between_hello_and_welcome_is_pushed_after_the_welcome(
    home: Path, disk: ThreadPoolExecutor
) -> None:
    desk = Desk(home, disk)
    desk.is_welcome = False
    desk.outgoing.forget_pushes()
    event, packet = await desk.put("while nobody had answered")
    assert desk.pushed == []
    assert desk.outgoing.unanswered == frozenset()
    desk.is_welcome = True
    desk.outgoing.send([event.id])
    desk.outgoing.send([event.id])
    assert desk.pushed == [packet], "once"
    await desk.outgoing.close()


async def test_an_answered_event_is_forgotten_whole(home: Path, disk: ThreadPoolExecutor) -> None:
    desk = Desk(home, disk)
    for number in range(3):
        event, _ = await desk.put(f"{number}")
        assert desk.outgoing.unanswered == {event.id}
        desk.outgoing.acknowledged([event.id])
    assert not desk.outgoing._pushed
    assert len(desk.pushed) == 3
    await desk.outgoing.close()


async def test_what_is_put_is_written_in_turns_and_pushed(
    home: Path, disk: ThreadPoolExecutor
) -> None:
    desk = Desk(home, disk)
    running = asyncio.create_task(desk.outgoing.run())
    for text in ("first", "second"):
        event, packet = desk.event(text)
        desk.outgoing.put([(event, packet)])
        async with asyncio.timeout(30):
            await desk.outgoing.kept()
        assert event.id in desk.other.ids()
        assert desk.pushed[-1] == packet
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    event, packet = desk.event("nobody has taken it up yet")
    desk.outgoing.put([(event, packet)])
    await desk.outgoing.close()
    assert event.id in desk.other.ids()


async def test_what_the_disk_does_not_take_is_pushed_all_the_same_and_written_when_it_does(
    home: Path, disk: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_outbox: Outbox, _packets: Sequence[Packet]) -> None:
        raise OSError(28, "No space left on device")

    desk = Desk(home, disk)
    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "put", full)
        event, packet = await desk.put("on a full disk")
        await desk.outgoing.look()
        assert desk.pushed == [packet]
        assert desk.outgoing.in_memory.keys() == {event.id}
        assert {said for said in desk.troubles if "in memory only" not in said} == set()
    assert desk.other.ids() == set()
    assert await desk.outgoing.look() == []
    assert desk.other.ids() == {event.id}
    assert not desk.outgoing.in_memory
    assert desk.troubles[-1] == ""


async def test_a_new_connection_carries_again_what_was_not_answered(
    home: Path, disk: ThreadPoolExecutor
) -> None:
    desk = Desk(home, disk)
    event, packet = await desk.put("sent into the dark")
    desk.outgoing.send_under(event.head.by)
    assert desk.pushed == [packet], "one connection carries it once"
    desk.outgoing.forget_pushes()
    desk.outgoing.send_under("somebody else")
    assert desk.pushed == [packet]
    desk.outgoing.send_under(event.head.by)
    assert desk.pushed == [packet, packet]
    assert desk.outgoing.unanswered == {event.id}
    await desk.outgoing.close()
