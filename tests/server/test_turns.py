"""Turns: what strangers send is read a little at a time, in order, and people's words between."""

from __future__ import annotations

import asyncio
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from warroom_server.intake.serve import serve_http
from warroom_server.turns import Turns


class Clock:
    """A clock that work moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


async def test_work_past_the_time_of_a_round_waits_in_order_for_the_next() -> None:
    clock, done = Clock(), list[int]()
    turns = Turns(1.0, clock)

    def work(number: int) -> None:
        clock.now += 0.6
        done.append(number)

    for number in range(5):
        turns.take(partial(work, number))
    assert done == [0, 1]
    assert not turns.is_free
    rounds = [len(done)]
    while len(done) < 5:
        await asyncio.sleep(0)
        if len(done) != rounds[-1]:
            rounds.append(len(done))
    assert rounds == [2, 4, 5]
    assert done == [0, 1, 2, 3, 4]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert turns.is_free


async def test_work_that_fails_takes_nobody_elses_turn() -> None:
    clock, done = Clock(), list[str]()
    turns = Turns(1.0, clock)
    failures = list[dict[str, object]]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: failures.append(context))

    def slow() -> None:
        clock.now += 2

    def fail() -> None:
        raise ValueError

    turns.take(slow)
    turns.take(fail)
    turns.take(partial(done.append, "behind"))
    for _ in range(4):
        await asyncio.sleep(0)
    assert done == ["behind"]
    assert len(failures) == 1


async def test_a_body_in_a_hundred_thousand_pieces_arrives_whole_with_turns_for_others() -> None:
    sizes = list[int]()

    async def take(request: Request) -> PlainTextResponse:
        sizes.append(len(await request.body()))
        return PlainTextResponse("taken")

    http = await serve_http(Starlette(routes=[Route("/", take, methods=["POST"])]), "127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection(http.host, http.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"1\r\na\r\n" * 100_000 + b"0\r\n\r\n")
        turns = 0
        answer = asyncio.ensure_future(reader.readuntil(b"taken"))
        async with asyncio.timeout(60):
            while not answer.done():
                turns += 1
                await asyncio.sleep(0)
        assert b"200 OK" in answer.result()
        assert sizes == [100_000]
        assert turns > 10, "600 KB arrive in parts of 64"
        writer.close()
    finally:
        await http.stop()
