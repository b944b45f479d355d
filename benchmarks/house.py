"""A server whose lines to its peers are up when its parent says so.

`python -m benchmarks.house DATA CONFIG SOCKET STREAM EVENTS [PEER...]` prints `ready`, takes up the
lines at once for each line that it reads, and prints `whole` when it holds so many events of the
stream.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from pathlib import Path

from warroom_server.config import Config
from warroom_server.keys import load_or_create
from warroom_server.peer_line import read_address
from warroom_server.reach import Doors
from warroom_server.room import Commit
from warroom_server.server import Server


async def run(
    data: Path, config: Path, socket: Path, stream: str, events: int, urls: list[str]
) -> None:
    """Serve until the standard input ends."""
    key = load_or_create(config / "room.key", secrets.token_bytes)
    server = Server(data, Config(), key, [read_address(url, config) for url in urls])
    await server.start(Doors(socket, None, None, None, None), "root")

    def look(commit: Commit) -> None:
        if commit.stream == stream and len(commit.state.events) == events:
            say("whole")

    server.room.listeners.append(look)
    say("ready")
    while await asyncio.to_thread(sys.stdin.readline):
        for peer in server.hub.keepers.peers:
            peer.again()
    await server.stop()


def say(word: str) -> None:
    """Tell the parent."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    where = [Path(argument) for argument in sys.argv[1:4]]
    asyncio.run(run(where[0], where[1], where[2], sys.argv[4], int(sys.argv[5]), sys.argv[6:]))
