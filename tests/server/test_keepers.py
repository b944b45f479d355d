"""What consoles are told of who keeps the room."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.console_client import Console, leave_all
from tests.server.running import server_in_process
from tests.waiting import wait_for
from warroom_incident.event import ROOM
from warroom_incident.sync.wire import Hello, Servers
from warroom_incident.vocabulary import StandbyListed

URL = "wss://war2:8764"


class Follower(Console):
    """Another server, as far as this one can tell."""

    def begin(self, *streams: str) -> None:
        super().begin(*streams)
        hello = self.end._hello
        assert isinstance(hello, Hello)
        self.end._hello = Hello(
            1, "server", hello.rep, self.machine, "", [], hello.board, True, "b" * 16, True
        )


async def test_consoles_hear_who_keeps_the_room_and_on_how_many_machines(home: Path) -> None:
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        await wait_for(lambda: ana.of(Servers), "the servers")
        first = ana.of(Servers)[-1]
        assert first.machines == 1
        (own,) = first.servers
        assert (own.here, own.serves, own.server) == (True, True, house.server.hub.us.server)

        body = StandbyListed(server="b" * 16, name="war2", key_hex="b" * 64, urls=(URL,))
        await ana.put(ROOM, body)
        await wait_for(lambda: len(ana.of(Servers)[-1].servers) == 2, "the standby")
        other = ana.of(Servers)[-1].servers[1]
        assert (other.name, other.urls, other.serves, other.connected) == (
            "war2",
            [URL],
            False,
            False,
        )

        standby = await Follower(machine="elsewhere").join(house.socket, ROOM)
        await wait_for(lambda: ana.of(Servers)[-1].machines == 2, "a second machine")
        assert ana.of(Servers)[-1].servers[1].connected
        assert "root" not in {person.name for person in ana.people}
        await standby.leave()
        await wait_for(lambda: ana.of(Servers)[-1].machines == 1, "one machine again")
        await leave_all([ana])
