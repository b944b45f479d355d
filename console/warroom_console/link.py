"""The link to a server: connects, says hello, carries frames, and comes back when it breaks.

It drives a `ClientEnd` and hands everything that arrives to a `Listener`. Servers are tried in
order; after a round without success it waits 0.2 s, then twice as long each time up to 5 s, with
jitter. It stops for good only where trying again cannot help. A console learns from
its server where else the room may be found, and goes there when those that its user named fail.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from warroom_incident.clean import clean_line
from warroom_incident.sync.client_end import ClientEnd, Heard
from warroom_incident.sync.uplink import Uplink
from warroom_incident.sync.wire import Close, ProtocolError, Welcome

from .dial import DialError, dial, load, why_not
from .farewell import farewell
from .places import Server
from .pulse import SLEPT_FROM, Pulse
from .route import Route

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed

FIRST_DELAY = 0.2
LONGEST_DELAY = 5.0
LASTING = 5.0
"""A connection that lasted so long was a good one: the next delay is the first again."""

WELCOME_WITHIN = 10.0
OPEN_WITHIN = 5.0

Phase = Literal["connecting", "live", "retrying", "stopped"]


class LinkState(Struct, frozen=True):
    """The link as it is. Times in milliseconds since the epoch.

    `connecting` is the first attempt, `retrying` every later one and the wait for it. `offset_ms`
    is the server's clock minus ours. `reason` is one sentence on what went wrong last.
    `quiet_since` is when a live server was last heard of, while it owes the answer to a ping.
    `slept_since` is when this machine, or this process, stopped, until a live server has answered
    it again: what came meanwhile is being read.
    """

    phase: Phase = "connecting"
    server: str = ""
    rtt_ms: int | None = None
    next_try_at: int | None = None
    heard_at: int | None = None
    reason: str = ""
    offset_ms: int = 0
    quiet_since: int | None = None
    slept_since: int | None = None


class Stop(Exception):
    """The listener wants no further attempt; the message is one sentence."""


class Listener(Protocol):
    """Whom a link serves. Everything is called in the event loop's thread."""

    def begin(self) -> tuple[ClientEnd, Iterable[str]]:
        """The machine for a new connection, and the streams to ask for."""

    def heard(self, message: Heard) -> None:
        """A message arrived. May raise `Stop`."""

    def log_changed(self) -> None:
        """The server's history is not what was read before: forget how far it was read."""

    def clashed(self) -> None:
        """Another console writes under this one's name of a replica: take a new one."""

    def linked(self, state: LinkState) -> None:
        """The link's state changed."""


def wall_ms() -> int:
    """The wall clock in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Link:
    """One console's connection to whichever server answers."""

    def __init__(
        self,
        servers: Sequence[Server],
        listener: Listener,
        *,
        token: str | None = None,
        wall: Callable[[], int] = wall_ms,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._route = Route(servers)
        self._listener = listener
        self._token = token
        self._wall = wall
        self._jitter = jitter
        self._uplink: Uplink | None = None
        self._hurry = asyncio.Event()
        self._welcomed_at: float | None = None
        self._connection: ClientConnection | None = None
        self._pulse: Pulse | None = None
        self._beat_at = self._woke_at = 0
        self._is_awake = True
        self._moving = self._sent_away = self._hung_up = False
        self.state = LinkState()

    # What others ask -----------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Whether a server has said welcome and the connection stands."""
        return self.state.phase == "live"

    def send(self, *frames: bytes) -> None:
        """Send frames in order; without a connection they are dropped."""
        if self._uplink is not None:
            for frame in frames:
                self._uplink.put(frame)

    async def drained(self) -> None:
        """Wait until what was given to `send` has left, or the connection is gone."""
        if self._uplink is not None:
            await self._uplink.drained()

    def now(self) -> int:
        """The wall clock in milliseconds."""
        return self._wall()

    def retry_now(self) -> None:
        """Do not wait for the next attempt, and try those again that let nobody in."""
        self._route.pardon()
        self._hurry.set()

    def learn(self, urls: Iterable[str]) -> None:
        """Note where else the room may be found: tried in order when the named servers fail."""
        self._route.learn(urls)

    def move(self, server: Server) -> None:
        """Go to a server now, and try it first; it stays one of those that are tried."""
        self._route.move(server)
        self._moving = True
        self._hurry.set()
        if self._connection is not None:
            self._connection.transport.abort()

    @property
    def is_optional(self) -> bool:
        """Whether the link goes on when the server that it tries now lets nobody in."""
        return self._route.is_optional(self.state.server)

    # The loop ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep connected until cancelled, or until trying again cannot help."""
        delay, loop = FIRST_DELAY, asyncio.get_running_loop()
        if self.state.phase == "stopped":
            self._change(phase="connecting", reason="")
        try:
            while True:
                self._moving = self._hung_up = False
                for server in self._route.round:
                    self._welcomed_at, self._sent_away = None, False
                    await self._try(server)
                    if self._moving:
                        break
                    if self._welcomed_at is not None:
                        # Welcome and farewell in a circle must not go round at full speed.
                        if loop.time() - self._welcomed_at > LASTING:
                            delay = FIRST_DELAY
                        if not self._sent_away:
                            break
                if self._moving:
                    delay = FIRST_DELAY
                    continue
                await self._wait(delay * self._spread())
                delay = min(delay * 2, LONGEST_DELAY)
        except Stop as stop:
            self._change(phase="stopped", rtt_ms=None, next_try_at=None, reason=str(stop))

    async def _try(self, server: Server) -> None:
        """Visit a server; one that lets nobody in is passed over, if there are others.

        Raises:
            Stop: There are none.
        """
        try:
            await self._visit(server)
        except Stop as stop:
            self._failed(server, str(stop))
            if not self.is_optional:
                raise
            self._route.bar(server)
            if not self._route.round:
                raise

    def _spread(self) -> float:
        """By how much to change a delay, so that not all consoles come at once.

        Who takes connections and ends them without a word is in trouble: it is never asked more
        often than once in the longest delay. Who is not there is looked for a little sooner.
        """
        return 1.0 + self._jitter() / 4 if self._hung_up else 0.5 + self._jitter() / 2

    async def _wait(self, seconds: float) -> None:
        self._change(phase="retrying", next_try_at=self._wall() + round(seconds * 1000))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        self._hurry.clear()  # not before: whoever hurries while an attempt hangs means the next one
        self._change(next_try_at=None)

    async def _visit(self, server: Server) -> None:
        """Connect to one server and stay as long as it lasts."""
        load()
        from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

        try:
            async with asyncio.timeout(OPEN_WITHIN):
                connection = await dial(server, self._token)
        except TimeoutError:
            self._failed(server, f"{server.url} does not answer")
            return
        except InvalidStatus as error:
            status = error.response.status_code
            if status in (401, 403):
                raise Stop(farewell(Close.UNKNOWN_TOKEN, "")) from None
            self._failed(server, f"{server.url} answers with HTTP {status}, not as a warroom")
            return
        except (OSError, WebSocketException, DialError) as error:
            ended = (WebSocketException, ConnectionResetError, BrokenPipeError)
            self._hung_up = isinstance(error, ended)
            self._failed(server, f"{server.url}: {why_not(error)}")
            return
        self._connection, self._pulse = connection, None
        try:
            await self._talk(connection, server)
        except ConnectionClosed as closed:
            self._hung_up = closed.rcvd is None
            self._closed(server, closed)
        except ProtocolError as error:
            self._broken(server, error)
            await connection.close(error.code, error.reason[:100])
        except TimeoutError:
            self._failed(server, f"{server.url} accepts connections but says nothing")
        finally:
            self._uplink = self._connection = None
            await connection.close()

    async def _talk(self, connection: ClientConnection, server: Server) -> None:
        end, streams = self._listener.begin()
        for frame in (end.hello(streams), *end.more()):
            await connection.send(frame, text=True)
        async with asyncio.timeout(WELCOME_WITHIN):
            while end.welcome is None:
                self._take(end, await _frame(connection), server)
        credit = partial(self._give_credit, end)
        self._beat_at, self._is_awake = self._wall(), True
        self._pulse = pulse = Pulse(
            connection, credit, self._answered, self._fell_silent, self._wall
        )
        assert self._uplink is not None
        tasks = [asyncio.create_task(work) for work in (self._uplink.run(), pulse.run())]
        try:
            while True:
                frame = await _frame(connection)
                self._beat()
                self._take(end, frame, server)
                pulse.heard()
                # A backlog arrives without a pause: let the screen and the keyboard in between.
                await asyncio.sleep(0)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, end: ClientEnd, frame: bytes, server: Server) -> None:
        message = end.receive(frame)
        now = self._wall()
        if isinstance(message, Welcome):
            self._hurry.clear()
            self._welcomed_at = asyncio.get_running_loop().time()
            assert self._connection is not None
            self._uplink = Uplink(self._connection)
            self.state = replace(
                self.state,
                phase="live",
                server=server.url,
                next_try_at=None,
                heard_at=now,
                reason="",
                offset_ms=message.now - now,
            )
        self._listener.heard(message)
        if isinstance(message, Welcome):
            self._route.worked(server)
            self._listener.linked(self.state)
        else:
            self._heard(now)
        self._say_seen(end.seen())

    def _heard(self, now: int) -> None:
        was_quiet = self.state.quiet_since is not None
        self.state = replace(self.state, heard_at=now, quiet_since=None)
        if was_quiet:
            self._listener.linked(self.state)

    def _beat(self) -> None:
        """Notice that no time passed here while it did elsewhere, before anything else is read."""
        now, before = self._wall(), self._beat_at
        self._beat_at = now
        if now - before >= SLEPT_FROM * 1000:
            self._woke_at, self._is_awake = now, False
            self._change(slept_since=self.state.slept_since or before)

    def _give_credit(self, end: ClientEnd) -> None:
        self._beat()
        if self._is_awake and self.state.slept_since is not None:
            self._change(slept_since=None)
        self._say_seen(end.seen(now=True))

    def _say_seen(self, seen: bytes | None) -> None:
        """Give credit, before all else that waits: without it the server sends nothing more."""
        if seen is not None and self._uplink is not None:
            self._uplink.put_first(seen)

    def _answered(self, trip: float) -> None:
        if self.live:
            rtt = round(trip * 1000)
            # What was sent before the answer has arrived by then, and is read within a beat.
            self._is_awake = self._wall() - rtt >= self._woke_at
            self._change(rtt_ms=rtt, heard_at=self._wall(), quiet_since=None)

    def _fell_silent(self) -> None:
        if self.live:
            self._change(rtt_ms=None, quiet_since=self.state.heard_at)

    # What went wrong -----------------------------------------------------------------------

    def _closed(self, server: Server, closed: ConnectionClosed) -> None:
        if closed.rcvd is None and self._pulse is not None and self._pulse.gave_up:
            self._failed(server, f"{server.url} does not answer any more")
            return
        if closed.rcvd is None:
            self._failed(server, f"the connection to {server.url} broke")
            return
        said = clean_line(closed.rcvd.reason, 120)
        try:
            code = Close(closed.rcvd.code)
        except ValueError:
            self._failed(server, f"{server.url} closed the connection: {said or 'no reason given'}")
            return
        self._broken(server, ProtocolError(code, said))

    def _broken(self, server: Server, error: ProtocolError) -> None:
        sentence = farewell(error.code, clean_line(error.reason, 120))
        self._sent_away = error.code is Close.BUSY  # another one may have time
        if error.code.final:
            raise Stop(sentence)
        if error.code is Close.LOG_CHANGED:
            self._listener.log_changed()
        elif error.code is Close.REPLICA_CLASH:
            self._listener.clashed()
        self._failed(server, sentence)

    def _failed(self, server: Server, reason: str) -> None:
        phase: Phase = "retrying" if self.live else self.state.phase
        self._uplink = None
        failed = {"phase": phase, "server": server.url, "rtt_ms": None, "reason": reason}
        self._change(**failed, quiet_since=None, slept_since=None)

    def _change(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)
        self._listener.linked(self.state)


async def _frame(connection: ClientConnection) -> bytes:
    return bytes(await connection.recv(decode=False))
