"""One console's connection: its limits, and how it ends."""

from __future__ import annotations

import pytest

from tests.e2e.console_client import Console, leave_all
from tests.server.running import InProcess
from tests.waiting import wait_for
from warroom_incident.alerts import Signal
from warroom_incident.sync.wire import MAX_FOLLOWS, MAX_REASON, Close, Follow, Records, Subscribe
from warroom_server.board import Board, SavedBoard
from warroom_server.closing import close_reason
from warroom_server.room import Room
from warroom_server.session import MAX_FOLLOWED

DISK = Signal(
    source="shop",
    kind="generic",
    key="disk",
    state="firing",
    title="disk full",
    received=1_790_000_000_000,
)


@pytest.mark.parametrize("text", ["plain", "漢" * 200, "\x1b]52;c;eA==\x07" * 40, "a\nb", "é" * 61])
def test_the_reason_of_a_closing_is_clean_and_fits(text: str) -> None:
    reason = close_reason(text)
    assert reason
    assert reason.isprintable()
    assert len(reason.encode()) <= MAX_REASON


def names(begin: int, count: int) -> list[str]:
    """Names of streams that nobody declared."""
    letters = "abcdefghijklmnop"
    return [
        "i-" + "".join(letters[(n >> shift) & 15] for shift in range(0, 64, 4))
        for n in range(begin, begin + count)
    ]


async def test_a_console_follows_no_more_streams_than_its_share(house: InProcess) -> None:
    ana = await Console(user="ana").join(house.socket)
    for begin in range(0, MAX_FOLLOWED, 500):
        await ana.say(Subscribe([Follow(name) for name in names(begin, 500)]))
    await wait_for(lambda: len(house.server.hub.followers) == MAX_FOLLOWED, "its share")
    assert ana.closed is None
    await ana.say(Subscribe([Follow(names(MAX_FOLLOWED, 1)[0])]))
    code, reason = await ana.ended()
    assert code == Close.BAD_MESSAGE
    assert str(MAX_FOLLOWED) in reason
    await wait_for(lambda: house.server.hub.followers == {}, "nothing left behind")
    await leave_all([ana])


async def test_a_console_asks_for_more_streams_than_its_hello_has_room_for(
    house: InProcess,
) -> None:
    streams = names(0, MAX_FOLLOWS + 200)
    ana = await Console(user="ana").join(house.socket, *streams)
    await wait_for(lambda: all(ana.is_synced(stream) for stream in streams), "all of them")
    await leave_all([ana])


async def test_a_console_tells_nobody_what_is_on_the_board(house: InProcess) -> None:
    ana = await Console(user="ana").join(house.socket)
    await ana.say(Records("b1", 1, [Board(SavedBoard("b1", 0)).apply([DISK])[0]]))
    assert (await ana.ended())[0] == Close.FORBIDDEN
    assert len(house.server.board) == 0
    await leave_all([ana])


async def test_a_failure_of_the_server_ends_one_line_with_a_sentence(
    house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, bo = [await Console(user=u).join(house.socket) for u in ("ana", "bo")]
    stream = await bo.declare()

    async def broken(room: Room, stream: str) -> list[int]:
        raise RuntimeError("nobody thought of this")

    with monkeypatch.context() as patch:
        patch.setattr(Room, "present", broken)
        await ana.ws.send(ana.end.subscribe([stream]), text=True)
        assert await ana.ended() == (1011, "the server failed; try again")
    note = await bo.note(stream)
    await bo.follow(stream)
    await bo.has(stream, note.id)
    await leave_all([ana, bo])
