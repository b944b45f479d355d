"""Strangers who come in numbers: they make room for one another and never fill a door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.e2e.console_client import Console, leave_all
from tests.server.running import server_in_process
from warroom_server import listeners
from warroom_server.intake import serve
from warroom_server.intake.serve import serve_http

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def is_cut(line: Line) -> bool:
    """Wait until the server ends a line, which says nothing before that."""
    with suppress(ConnectionResetError):
        async with asyncio.timeout(10):
            assert await line[0].read() == b""
    return True


@asynccontextmanager
async def silent(count: int, host: str, port: int) -> AsyncIterator[list[Line]]:
    """Connections that say nothing, in the order in which they came."""
    lines = [await asyncio.open_connection(host, port) for _ in range(count)]
    try:
        yield lines
    finally:
        for _, writer in lines:
            writer.close()


async def test_strangers_at_a_door_for_consoles_make_room_and_people_keep_theirs(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "MAX_STRANGERS", 3)
    async with server_in_process(home, listen=("127.0.0.1", 0)) as house:
        host, _, port = house.ready.listen.rpartition(":")
        people = [await Console(user=name).join(house.socket) for name in ("ana", "bo", "cy", "di")]
        async with silent(5, host, int(port)) as lines:
            assert await is_cut(lines[0])
            assert await is_cut(lines[1])
            assert not lines[2][0].at_eof()
        await people[0].declare()
        assert all(console.closed is None for console in people)
        await leave_all(people)


async def test_senders_that_send_nothing_make_room_for_those_that_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("here")

    monkeypatch.setattr(serve, "MAX_CONNECTIONS", 3)
    http = await serve_http(Starlette(routes=[Route("/", answer)]), "127.0.0.1", 0)
    try:
        async with silent(3, http.host, http.port) as lines:
            reader, writer = await asyncio.open_connection(http.host, http.port)
            assert await is_cut(lines[0])
            for _ in range(2):
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                async with asyncio.timeout(10):
                    assert b"here" in await reader.readuntil(b"here")
            async with silent(2, http.host, http.port):
                assert await is_cut(lines[1])
                assert await is_cut(lines[2])
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                async with asyncio.timeout(10):
                    assert b"here" in await reader.readuntil(b"here"), "it was the last to speak"
            writer.close()
    finally:
        await http.stop()
