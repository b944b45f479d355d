"""The link over a bad line: what is said, and how soon, in seconds of a clock that leaps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.http11 import Request, Response

from tests.console.ears import Ears
from tests.console.fake_room import FakeRoom, fake_room
from tests.leaping import leaping_wall, pass_time, run_leaping
from tests.proxy import Proxy, tcp_front, unix_back, unix_proxy
from tests.waiting import wait_for
from warroom_console.link import FIRST_DELAY, LONGEST_DELAY, Link
from warroom_console.places import parse_server
from warroom_incident.sync.wire import Presence

STALE_WITHIN = 10.0
BACK_WITHIN = 40.0


def now() -> float:
    """Seconds of the running loop."""
    return asyncio.get_running_loop().time()


@dataclass
class Line:
    """A link to a room with a proxy between. `slept` moves this machine's wall clock on, in ms."""

    room: FakeRoom
    proxy: Proxy
    url: str
    ears: Ears = field(default_factory=Ears)
    slept: int = 0

    def __post_init__(self) -> None:
        self.link = Link([parse_server(self.url)], self.ears, wall=self.wall, jitter=lambda: 0.0)

    def wall(self) -> int:
        """This machine's clock."""
        return leaping_wall() + self.slept

    async def live(self) -> None:
        """Wait until it is live and has measured the way there and back."""
        await wait_for(lambda: self.link.state.rtt_ms is not None and self.link.live, "a live link")


@asynccontextmanager
async def line(root: Path, kind: str) -> AsyncIterator[Line]:
    """A link that is live, over a line that may be made bad."""
    async with AsyncExitStack() as stack:
        room = await stack.enter_async_context(fake_room(root / "room"))
        if kind == "unix":
            url = f"unix://{root}/line"
            proxy = await stack.enter_async_context(unix_proxy(room.path, root / "line"))
        else:
            proxy = unix_back(room.path)
            url = f"ws://127.0.0.1:{await stack.enter_async_context(tcp_front(proxy))}"
        made = Line(room, proxy, url)
        task = asyncio.create_task(made.link.run())
        try:
            await made.live()
            yield made
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def over_a_line(root: Path, test: Callable[[Line], Awaitable[None]], kind: str = "unix") -> None:
    """Run a test with such a line."""

    async def run() -> None:
        async with line(root, kind) as made:
            await test(made)

    run_leaping(run)


both_kinds = pytest.mark.parametrize("kind", ["unix", "tcp"])
"""What a line is made of."""

FAULTS: dict[str, Callable[[Proxy], None]] = {
    "blackhole": Proxy.blackhole,
    "half open": Proxy.lose_server,
    "nothing comes": lambda proxy: proxy.down.stall(),
    "nothing goes": lambda proxy: proxy.up.stall(),
}


@both_kinds
@pytest.mark.parametrize("fault", FAULTS)
def test_a_line_that_is_dead_unsaid_is_called_quiet_then_given_up(
    fault: str, kind: str, home: Path
) -> None:
    async def test(line: Line) -> None:
        FAULTS[fault](line.proxy)
        began = now()
        await wait_for(lambda: line.link.state.quiet_since, "word of the silence")
        assert now() - began <= STALE_WITHIN
        assert line.link.live, "it may come back"
        await wait_for(lambda: line.link.state.phase == "retrying", "the end of patience")
        assert "does not answer any more" in line.link.state.reason
        line.proxy.heal()
        await wait_for(lambda: line.link.live, "a new line")
        assert now() - began <= BACK_WITHIN

    over_a_line(home, test, kind)


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "half open"])
def test_a_line_that_is_held_up_for_a_while_is_the_same_line_afterwards(
    fault: str, home: Path
) -> None:
    async def test(line: Line) -> None:
        FAULTS[fault](line.proxy)
        await wait_for(lambda: line.link.state.quiet_since, "word of the silence")
        line.proxy.heal()
        await wait_for(lambda: line.link.state.quiet_since is None, "a sign of life")
        assert line.link.live
        assert line.room.greeted == 1

    over_a_line(home, test)


def test_after_ten_minutes_without_a_network_it_is_back_within_one_wait(home: Path) -> None:
    async def test(line: Line) -> None:
        line.proxy.blackhole()
        await pass_time(600)
        assert line.link.state.phase == "retrying"
        assert "does not answer" in line.link.state.reason
        line.proxy.heal()
        began = now()
        await line.live()
        assert now() - began <= LONGEST_DELAY + 1

    over_a_line(home, test)


def test_who_is_hung_up_on_without_a_word_comes_no_more_often_than_every_five_seconds(
    home: Path,
) -> None:
    async def test(line: Line) -> None:
        line.proxy.cut()
        await pass_time(60)
        before = line.proxy.accepted
        await pass_time(600)
        assert 60 < line.proxy.accepted - before <= 600 / LONGEST_DELAY
        began = now()
        line.proxy.heal()
        line.link.retry_now()
        await wait_for(lambda: line.link.live, "a live link")
        assert now() - began < 1, "the key does not wait"

    over_a_line(home, test)


def test_the_delay_begins_anew_after_a_line_that_lasted(home: Path) -> None:
    async def test(line: Line) -> None:
        line.proxy.cut()
        await pass_time(60)
        line.proxy.heal()
        await line.live()
        await pass_time(10)
        line.proxy.hang_up()
        began = now()
        await wait_for(lambda: line.room.greeted == 3, "the next line")
        assert now() - began < 1

    over_a_line(home, test)


BREAKS: dict[str, Callable[[Proxy], None]] = {
    "hung up": Proxy.hang_up,
    "reset": lambda proxy: proxy.hang_up(reset=True),
    "in the middle of what it says": lambda proxy: proxy.cut_in_the_middle(proxy.up, 3),
    "in the middle of what it hears": lambda proxy: proxy.cut_in_the_middle(proxy.down, 3),
}


@both_kinds
@pytest.mark.parametrize("how", BREAKS)
def test_a_line_that_breaks_is_replaced_at_once(how: str, kind: str, home: Path) -> None:
    async def test(line: Line) -> None:
        await pass_time(10)
        BREAKS[how](line.proxy)
        await line.room.say_to_all(Presence([]))
        await wait_for(lambda: line.room.greeted == 2 and line.link.live, "a new line")
        assert [s.reason for s in line.ears.states if "broke" in s.reason]
        assert "stopped" not in line.ears.phases()

    over_a_line(home, test, kind)


def test_a_laptop_that_wakes_up_does_not_wait_for_a_line_that_died_meanwhile(home: Path) -> None:
    async def test(line: Line) -> None:
        line.proxy.lose_server()
        line.slept = 8 * 3_600_000
        began = now()
        await wait_for(lambda: line.room.greeted == 2 and line.link.live, "a new line")
        assert now() - began <= STALE_WITHIN

    over_a_line(home, test)


def test_a_laptop_that_wakes_up_says_so_until_it_is_answered_again(home: Path) -> None:
    async def test(line: Line) -> None:
        await pass_time(10)
        before, line.slept = line.wall(), 8 * 3_600_000
        began = now()
        await wait_for(lambda: line.link.state.slept_since is not None, "the waking up")
        since = line.link.state.slept_since
        assert since is not None
        assert before - 2000 <= since <= before
        await wait_for(lambda: line.link.state.slept_since is None, "the answer")
        assert line.link.live
        assert now() - began <= STALE_WITHIN

    over_a_line(home, test)


def test_a_laptop_that_wakes_up_keeps_a_line_that_still_stands(home: Path) -> None:
    async def test(line: Line) -> None:
        for step in (86_400_000, -86_400_000):
            line.slept += step
            await pass_time(60)
        assert line.room.greeted == 1
        assert line.link.live
        assert line.link.state.quiet_since is None

    over_a_line(home, test)


async def another_wait(link: Link, ears: Ears) -> None:
    """Try at once, and wait until that was in vain."""
    planned = ears.states[-1].next_try_at
    link.retry_now()
    await wait_for(lambda: ears.states[-1].next_try_at not in (None, planned), "another wait")


def test_whoever_tries_at_once_waits_for_nothing(home: Path) -> None:
    async def test() -> None:
        ears = Ears()
        link = Link([parse_server(f"unix://{home}/nobody")], ears, wall=leaping_wall)
        task = asyncio.create_task(link.run())
        await wait_for(lambda: ears.states and ears.states[-1].next_try_at, "the first wait")
        began = now()
        for _ in range(6):
            await another_wait(link, ears)
        assert now() - began < FIRST_DELAY
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run_leaping(test)


async def first_wait(url: str, chance: float) -> int:
    """How many milliseconds a link waits after its first try in vain."""
    ears = Ears()
    link = Link([parse_server(url)], ears, wall=leaping_wall, jitter=lambda: chance)
    task = asyncio.create_task(link.run())
    began = leaping_wall()
    next_try = await wait_for(lambda: ears.states and ears.states[-1].next_try_at, "a wait")
    assert next_try
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return next_try - began


def test_consoles_that_lost_one_server_do_not_all_come_back_at_one_moment(home: Path) -> None:
    async def test() -> None:
        waits = [await first_wait(f"unix://{home}/nobody", chance) for chance in (0.0, 0.5, 1.0)]
        assert waits == [100, 150, 200]

    run_leaping(test)


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN])
def test_a_door_that_turns_the_token_away_ends_it_for_good(status: HTTPStatus, home: Path) -> None:
    async def test() -> None:
        async def never(ws: ServerConnection) -> None:
            raise AssertionError("nobody comes in")

        def refuse(ws: ServerConnection, _request: Request) -> Response:
            return ws.respond(status, "no\n")

        path = home / "socket"
        async with await unix_serve(never, str(path), process_request=refuse):
            link = Link([parse_server(f"unix://{path}")], Ears(), wall=leaping_wall)
            async with asyncio.timeout(60):
                await link.run()
            assert link.state.phase == "stopped"
            assert link.state.reason.endswith(".")

    run_leaping(test)
