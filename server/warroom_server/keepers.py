"""Who keeps the room: the listed machines, and which of them hold all of it now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warroom_incident.event import ROOM
from warroom_incident.sync.wire import Place, Servers

from .exchange import Us
from .room import Commit, Room

if TYPE_CHECKING:
    from .peer import Peer

MOST = 64
"""How many machines are told of."""


@dataclass(frozen=True, slots=True)
class Follower:
    """Another server that follows this one: its name, and the machine that it runs on."""

    server: str
    machine: str


class Keepers:
    """Knows the machines that keep the room.

    Args:
        room: Its streams.
        us: This server.
        changed: Called when there is something to tell consoles.
    """

    def __init__(self, room: Room, us: Us, changed: Callable[[], None]) -> None:
        self._room = room
        self._us = us
        self._changed = changed
        self._followers: list[Follower] = []
        self.peers: list[Peer] = []
        room.listeners.append(self._on_commit)

    def _on_commit(self, commit: Commit) -> None:
        if commit.stream == ROOM:
            self._changed()

    def came(self, follower: Follower) -> None:
        """Another server follows this one from now on."""
        self._followers.append(follower)
        self._changed()

    def went(self, follower: Follower) -> None:
        """It does so no longer."""
        if follower in self._followers:
            self._followers.remove(follower)
            self._changed()

    def _in_step(self) -> Iterable[Follower]:
        """The servers that hold what this one holds, as far as a line to them tells."""
        yield from self._followers
        for peer in self.peers:
            if peer.welcome is not None:
                yield Follower(peer.welcome.server, peer.welcome.machine)

    @property
    def machines(self) -> int:
        """How many machines hold all of the room, this one included."""
        return len({self._us.machine, *(each.machine for each in self._in_step())})

    def servers(self) -> Servers:
        """What consoles are told."""
        in_step = {each.server for each in self._in_step()}
        us = self._us.server
        places = [
            Place(
                machine.server,
                machine.key_hex,
                machine.name,
                list(machine.urls),
                machine.serves,
                machine.server == us,
                machine.server in in_step,
                machine.since,
                machine.promoted_by,
                machine.as_of,
            )
            for machine in self._room.room.machines()[:MOST]
        ]
        return Servers(places, self.machines)
