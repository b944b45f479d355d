"""Which servers to try, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from .places import MAX_SERVERS, PlaceError, Server, parse_server


class Route:
    """The servers of one room, as far as this console knows.

    Args:
        servers: Those that the user named, in order.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self._named = tuple(servers)
        self._first: tuple[Server, ...] = ()
        self._learned: tuple[Server, ...] = ()
        self._barred: set[str] = set()

    @property
    def round(self) -> tuple[Server, ...]:
        """Whom to try, the one that worked last first: nobody moves back by itself."""
        every = dict.fromkeys((*self._first, *self._named, *self._learned))
        return tuple(server for server in every if server.url not in self._barred)

    def learn(self, urls: Iterable[str]) -> None:
        """Note where else the room may be found: tried in order when the named servers fail."""
        found = []
        for url in urls:
            with suppress(PlaceError):  # a newer server may name ways that are not known here
                found.append(parse_server(url))
        self._learned = tuple(dict.fromkeys(found))[:MAX_SERVERS]

    def move(self, server: Server) -> None:
        """Try a server first; it stays one of those that are tried."""
        self._first = (server, *self._first)[:2]
        if server not in self._named:
            self._named = (*self._named, server)[-MAX_SERVERS:]
        self._barred.discard(server.url)

    def worked(self, server: Server) -> None:
        """A server said welcome."""
        self._first = (server,)

    def bar(self, server: Server) -> None:
        """A server lets nobody in: pass it over."""
        self._barred.add(server.url)

    def pardon(self) -> None:
        """Try those again that let nobody in."""
        self._barred.clear()

    def is_optional(self, url: str) -> bool:
        """Whether there is a way on when a server lets nobody in.

        There is for one that the user did not name, and after another one has worked.
        """
        named = any(server.url == url for server in self._named)
        return not named or any(server.url != url for server in self._first)
