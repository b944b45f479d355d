"""The whole server: opens the data, the doors and the duties, and drains them in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from socket import gethostname

from websockets.asyncio.server import Server as Door, ServerConnection

from warroom_incident.directory import make_private
from warroom_incident.event import ROOM
from warroom_incident.incident import IncidentState
from warroom_incident.log import Log, LogReader
from warroom_incident.machine import machine_name
from warroom_incident.reducers import Right
from warroom_incident.slot import Slot
from warroom_incident.sync.wire import Close
from warroom_incident.vocabulary import IncidentDeclared, MemberGranted, ServerListed

from .alerting.office import AlertOffice, OfficeDeps
from .backups import Backups
from .board import Board
from .config import Config, config_directory
from .disk import Disk
from .duties import Duties
from .exchange import Us
from .hub import Hub
from .identity import Caller, UnknownCaller, token_caller
from .in_step import InStep
from .intake.app import IntakeDeps, intake_app
from .intake.request import Refused
from .intake.senders import Senders
from .intake.serve import HttpServer, serve_http
from .intake.source import Source
from .intake.store import IntakeStore, IntakeUnavailable
from .intake.worker import IntakeWorker
from .keys import ServerKey
from .listeners import listen_tcp, listen_unix, tls_context
from .metrics import Metrics, Traffic
from .numbers import Numbers
from .own_books import OwnBooks
from .peer import Peer
from .peer_line import Address
from .reach import Doors, addresses
from .room import Commit, Room, Unavailable
from .session import Session
from .standby import Standby, is_promoted, mark_promoted

DRAIN_SECONDS = 3.5
"""How long a stopping server waits for consoles and senders; it has 5 s in all."""

CUT_SECONDS = 0.5
"""How long it waits for those who were cut."""


class StartError(Exception):
    """The server cannot start; the message is one sentence that says what to do."""


def now_ms() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


class Server:
    """A running server. Made by `start`, ended by `stop`.

    Args:
        data: Where its log lies.
        config: What was configured.
        key: The room's id and its own key.
        peers: Other servers to keep in step with; a standby follows the first of them.
        standby: Whether it waits to be promoted.
    """

    def __init__(
        self,
        data: Path,
        config: Config,
        key: ServerKey,
        peers: Sequence[Address] = (),
        *,
        standby: bool = False,
    ) -> None:
        self._data = data
        self._config = config
        self._key = key
        self._addresses = tuple(peers)
        self._books = OwnBooks(data, config.practice)
        self.is_standby = standby and not is_promoted(data)
        self.on_promoted: Callable[[str], None] = lambda _line: None
        """Told the line that says so when a standby begins to serve."""
        self._standby: Standby | None = None
        self._line = ""
        self._doors: list[Door] = []
        self._http: HttpServer | None = None
        self._draining = False
        self._stack = contextlib.AsyncExitStack()

    async def start(self, doors: Doors, owner: str) -> str:
        """Open everything and return the line that says so.

        Args:
            doors: Where to listen.
            owner: The account that gets admin rights in a new room.

        Raises:
            StartError, StorageError, ListenError, CannotListen: Nothing stays open.
        """
        try:
            return await self._start(doors, owner)
        except BaseException:
            await self.stop()
            raise

    async def _start(self, doors: Doors, owner: str) -> str:
        self._lock_data()
        self._open_room()
        if not self.is_standby:
            await self._take_office(owner)
        await self._open_intake()
        self.hub = Hub(self.room, self.board, self._us(doors))
        self.hub.settings = self._books.offer(self.hub.asks)
        self._watch()
        await self._look_at_files()
        self._open_peers(owner)
        self.office.answer(self.hub.asks)
        if not self.is_standby:
            self.duties.start()
            self.office.start()
        self.worker.start()
        sweep = asyncio.create_task(self._sweep())
        self._stack.callback(sweep.cancel)
        copying = asyncio.create_task(self.backups.run())
        self._stack.callback(copying.cancel)
        self._line = await self._open_doors(doors)
        first = f"standby of={self._addresses[0].url}" if self.is_standby else "ready"
        return f"{first} {self._line}"

    def _us(self, doors: Doors) -> Us:
        mode = self._config.socket.mode
        urls = addresses(doors, int(mode, 8) if mode else None, self._config.urls)
        key = self._key
        return Us(key.room, key.name, key.public_hex, machine_name(), gethostname()[:80], urls)

    def _lock_data(self) -> None:
        make_private(self._data)
        lock = os.open(self._data / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._stack.callback(os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(
                f"Another server uses {self._data}; stop it or choose another --data."
            ) from error

    def _open_room(self) -> None:
        path = self._data / "warroom.db"
        log = Log.create_or_open(path, new_id=secrets.token_hex(8), sign=self._key.sign)
        slot = Slot.take(self._data, now_ms, secrets.token_bytes)
        self._stack.callback(slot.close)
        default = Right(self._config.access.default)
        self.disk = Disk(self._data)
        self.backups = Backups(path, now_ms, self._say_trouble)
        try:
            self.room = Room(log, LogReader.open(path), slot.author, now_ms, default)
        except sqlite3.DatabaseError as error:
            raise StartError(
                f"{path} is damaged beyond reading ({error}): put the newest copy from "
                f"{self._data / 'backups'} in its place."
            ) from error
        self.room.commits.make_room = self.disk.make_room
        self._stack.push_async_callback(self.room.close)

    async def _take_office(self, owner: str, promoted_by: str = "", as_of: int = 0) -> None:
        """See that the room has an admin, and that it lists this server's key."""
        state = self.room.room
        if not state.events:
            await self.room.write(ROOM, MemberGranted(account=owner, right="admin"))
        name, key = self._key.name, self._key.public_hex
        if (name, key, True) not in {(m.server, m.key_hex, m.serves) for m in state.machines()}:
            body = ServerListed(server=name, key_hex=key, promoted_by=promoted_by, as_of=as_of)
            await self.room.write(ROOM, body, state.base_for(body.key))

    # Following others ----------------------------------------------------------------------

    def _open_peers(self, owner: str) -> None:
        hub = self.hub
        for address in self._addresses:
            peer = Peer(
                address,
                self.room,
                self.board,
                hub.us,
                standby=self.is_standby,
                changed=hub.on_servers,
                holds=hub.on_held,
                heard=self.duties.learn,
            )
            hub.keepers.peers.append(peer)
            self._stack.push_async_callback(_ended, asyncio.create_task(peer.run()))
        if self.is_standby:
            first = hub.keepers.peers[0]
            in_step = InStep(self._data, sum(self.room.tops.values()))
            promote = partial(self._promote, owner)
            self._standby = Standby(self.room, hub.us, first, hub.welcome, promote, in_step)

    async def _promote(self, owner: str, by: str, as_of: int) -> None:
        """Serve from now on: admit events, do a server's duties, and say so everywhere."""
        await asyncio.to_thread(mark_promoted, self._data)
        await self._take_office(owner, by, as_of)
        self.duties.start()
        self.office.start()
        self._standby = None
        self.is_standby = False
        for peer in self.hub.keepers.peers:
            peer.standby = False
            peer.again()
        self.on_promoted(f"ready {self._line}")

    async def _open_intake(self) -> None:
        self.metrics = Metrics(version("warroom"))
        try:
            observe = self.metrics.db_write_seconds.labels("intake").observe
            store = await IntakeStore.open(self._data / "intake.db", on_commit=observe)
        except IntakeUnavailable as error:
            raise StartError(f"The alerts cannot be kept: {error}.") from error
        self._stack.push_async_callback(store.close)
        self.board = Board(await store.load_board(), on_outcome=self.metrics.count_signal)
        self.metrics.watch_board(self.board.ordered)
        self.store = store
        self.duties = Duties(self.room, self.board, Numbers(self._data))
        self._stack.push_async_callback(self.duties.stop)
        self.senders = Senders((config_directory(), self._data), self._config.sources)
        self.room.kinds = self.senders
        self.worker = IntakeWorker(
            store,
            self.board,
            self.metrics,
            find_source=self.senders.source,
            kinds=lambda: self.senders.kinds,
            refresh=self.senders.look_again,
        )
        self._stack.push_async_callback(self.worker.stop)
        self.board.on_adopted = self.worker.save
        at_work = (self.room, self.board, store, self.senders)
        deps = OfficeDeps(*at_work, now_ms, self.worker.save, self._books.checklist)
        self.office = AlertOffice(self._config, config_directory(), deps)
        self._stack.push_async_callback(self.office.stop)

    async def _open_doors(self, doors: Doors) -> str:
        mode = self._config.socket.mode
        self._doors.append(
            await listen_unix(doors.socket, int(mode, 8) if mode else None, self._serve)
        )
        self._stack.callback(doors.socket.unlink, missing_ok=True)
        http = listen = "off"
        if doors.http is not None:
            deps = IntakeDeps(
                self._source,
                self.store,
                self.worker,
                self.metrics,
                self._why_not_ready,
                full=lambda: self.disk.for_people_only,
                newest=self.board.newest,
                shown=self.board.ordered,
                kinds=lambda: self.senders.kinds,
            )
            self._http = await serve_http(intake_app(deps), *doors.http)
            http = self._http.address
        if doors.listen is not None:
            tls = tls_context(doors.cert, doors.key) if doors.cert and doors.key else None
            door = await listen_tcp(*doors.listen, tls, self._serve)
            self._doors.append(door)
            host, port = next(iter(door.sockets)).getsockname()[:2]
            listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        log = self.room.log.log_id
        return f"socket={doors.socket} http={http} listen={listen} log={log}"

    # Serving -------------------------------------------------------------------------------

    async def _serve(self, ws: ServerConnection, who: Caller | str | None) -> None:
        if self._standby is not None:
            await self._standby.answer(ws, self._known(who))
            return
        try:
            if who is None:
                raise UnknownCaller("a token is needed here; ask an admin for one")
            caller = token_caller(self.room.room, who, now_ms()) if isinstance(who, str) else who
        except UnknownCaller as error:
            await ws.close(Close.UNKNOWN_TOKEN, str(error)[:120])
            return
        await Session(ws, caller, self.room, self.hub).run()

    def _known(self, who: Caller | str | None) -> Caller | None:
        if not isinstance(who, str):
            return who
        try:
            return token_caller(self.room.room, who, now_ms())
        except UnknownCaller:
            return None

    def _source(self, token: str) -> Source | None:
        if self.is_standby:
            raise Refused(
                503, "This is a standby and takes no alerts. Try the server.", retry_seconds=5
            )
        found = self.room.room.token_for(token, now_ms())
        return self.senders.source(found.name, found.kind) if found and found.kind else None

    async def _why_not_ready(self) -> str | None:
        if self._draining:
            return "The server is stopping."
        if self.is_standby:
            return "This is a standby until `warroom promote`."
        try:
            await self.room.check_writable()
            await self.store.check()
            if self.disk.is_full:
                return self.disk.sentence
        except (Unavailable, IntakeUnavailable) as error:
            return f"The server cannot write: {error}."
        return None

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.hub.sweep()
            if self._standby is not None:
                self._standby.look()
            await self._look_at_files()
            self.hub.check_tokens()

    async def _look_at_files(self) -> None:
        def look() -> tuple[bool, bool]:
            return self.disk.look(), self._books.look()

        has_trouble, has_books = await asyncio.to_thread(look)
        if has_trouble:
            self._say_trouble()
        if has_books:
            self.hub.on_settings()

    def _say_trouble(self) -> None:
        self.hub.say_trouble(self.disk.sentence or self.backups.sentence)

    def _watch(self) -> None:
        hub, metrics = self.hub, self.metrics
        metrics.ws_connections.labels("console").set_function(lambda: len(hub.sessions))
        metrics.watch_consoles(lambda: Traffic(hub.delivered, hub.cut))
        metrics.watch_incidents(hub.summaries.values)
        files = {"log": self._data / "warroom.db", "intake": self._data / "intake.db"}
        metrics.watch_files(files)
        self.room.commits.on_commit_seconds = metrics.db_write_seconds.labels("log").observe
        self.room.listeners.append(self._count_declared)

    def _count_declared(self, commit: Commit) -> None:
        state = commit.state
        declared = [e.body for e in commit.events if isinstance(e.body, IncidentDeclared)]
        if isinstance(state, IncidentState) and any(not body.drill for body in declared):
            self.metrics.incidents_declared.labels(state.severity).inc()

    # Ending --------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Take nothing new, finish what was begun, tell the consoles, close the data."""
        self._draining = True
        for door in self._doors:
            door.close(code=Close.RESTART, reason="the server restarts")
        closing = [door.wait_closed() for door in self._doors]
        if self._http is not None:
            closing.append(self._http.stop())
        done = asyncio.gather(*closing, return_exceptions=True)
        await asyncio.wait([done], timeout=DRAIN_SECONDS)
        if self._doors and not done.done():  # who does not read cannot be told
            self.hub.cut_all()
            await asyncio.wait([done], timeout=CUT_SECONDS)
        await self._stack.aclose()


async def _ended(task: asyncio.Task[None]) -> None:
    """End a task that goes on for ever."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
