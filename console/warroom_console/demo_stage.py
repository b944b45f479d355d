"""The stage of the demo: a process with a throw-away server and the people who play the script.

`python -m warroom_console.demo_stage ROOT SCRIPT SPEED` sets everything up below ROOT, writes the
script's history, prints one line of JSON (`Standing`, or `{"failed": sentence}`), and plays on.
It ends when its standard input does, so that nothing stays behind whatever becomes of the demo:
then it stops the server and removes ROOT.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from warroom_incident.alerts import AlertRecord
from warroom_incident.directory import make_private
from warroom_incident.door import DoorError
from warroom_incident.event import ROOM
from warroom_incident.incident import IncidentState
from warroom_incident.log import Log
from warroom_incident.machine import machine_name
from warroom_incident.room import hash_token
from warroom_incident.schema import StorageError
from warroom_incident.vocabulary import TokenCreated

from .contact import NoServer, Unwelcome
from .demo_cast import notification
from .demo_rehearsal import SENDER, Rehearsal
from .demo_script import Ack, Act, Alert, Beat, Link, Script, ScriptError, load
from .demo_server import READY_WITHIN, CannotStage, server
from .desk import Desk
from .link import wall_ms
from .places import Places, parse_server

if TYPE_CHECKING:
    import httpx

ALERT_WITHIN = 5.0


class Standing(msgspec.Struct, frozen=True):
    """What stands once the history is written: the server's socket, and the incident's stream."""

    socket: str
    stream: str


class Failed(msgspec.Struct, frozen=True):
    """Why nothing stands."""

    failed: str


class Stage:
    """Everybody on the stage, and the alerts' way to the server.

    Args:
        past: The script's history, as it was admitted into the server's log.
        script: What is played.
        people: The desks of those who play it, by name.
        sender: Posts to the server.
        intake: The address that alerts are posted to.
    """

    def __init__(
        self,
        past: Rehearsal,
        script: Script,
        people: dict[str, Desk],
        sender: httpx.AsyncClient,
        intake: str,
    ) -> None:
        self._cast = past.cast
        self._script = script
        self._people = people
        self._sender = sender
        self._intake = intake
        self.stream = past.stream

    async def take_places(self) -> None:
        """Post the alerts of the history, and have everybody read the incident."""
        for beat in self._script.beats:
            if isinstance(beat, Alert) and beat.at < 0:
                await self._post(beat)
        for desk in self._people.values():
            await desk.open(self.stream)
            desk.here(self.stream)
            await desk.complete(self.stream, READY_WITHIN)

    # The play ------------------------------------------------------------------------------

    async def play(self, speed: float) -> None:
        """Do what follows, each beat at its second; until the incident is closed."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        coming = [beat for beat in self._script.beats if beat.at >= 0]
        for second, group in groupby(coming, key=lambda beat: beat.at):
            await asyncio.sleep(max(0.0, begun + second / speed - loop.time()))
            if any(self._state(desk).closed for desk in self._people.values()):
                return
            await self._together(list(group))

    async def _together(self, beats: Sequence[Beat]) -> None:
        """Do the beats of one second: nobody sees another's act before their own."""
        for beat in beats:
            if isinstance(beat, Alert):
                await self._post(beat)
            elif isinstance(beat, Link | Ack):
                await self._await_alert(self._people[beat.by], beat.alert)
        for beat in beats:
            if not isinstance(beat, Alert):
                self._do(beat)

    def _do(self, act: Act) -> None:
        """Write what a person says; what is not there any more is passed over."""
        desk = self._people[act.by]
        state = self._state(desk)
        stream = self._cast.stream_of(act, self.stream)
        try:
            events = desk.write_all(stream, self._cast.bodies(act, state, _alerts(desk)))
            if more := self._cast.afterwards(act, [event.id for event in events]):
                desk.write_all(stream, more)
        except (ValueError, DoorError) as error:
            _log(f"{act.by} at {act.at:g}: {error}")
            return
        doing = self._cast.doing(act, state)
        if doing is not None:
            desk.here(self.stream, doing)

    def _state(self, desk: Desk) -> IncidentState:
        return desk.model.incident(self.stream)

    # Alerts --------------------------------------------------------------------------------

    async def _post(self, alert: Alert) -> None:
        import httpx

        try:
            answer = await self._sender.post(self._intake, json=notification(alert, self._cast))
            answer.raise_for_status()
        except httpx.HTTPError as error:
            _log(f"alert {alert.name}: {type(error).__name__}")  # its text has the token

    async def _await_alert(self, desk: Desk, name: str) -> None:
        def known() -> bool:
            return any(one.labels.get("alertname") == name for one in _alerts(desk))

        await desk.until(known, ALERT_WITHIN)


def _alerts(desk: Desk) -> Iterable[AlertRecord]:
    return desk.model.records.values()


def write_history(root: Path, script: Script) -> Rehearsal:
    """Play the script's history into the log that the server is about to open.

    Raises:
        OSError: The directory cannot be written.
    """
    past = Rehearsal(script, wall_ms(), os.urandom)
    past.play(0)
    make_private(root / "data")
    log = Log.create_or_open(root / "data" / "warroom.db", new_id=secrets.token_hex(8))
    try:
        past.admit_into(log)
    finally:
        log.close()
    return past


def _log(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


# Setting up --------------------------------------------------------------------------------


def places(root: Path, who: str, url: str, token: str | None = None) -> Places:
    """The settings of one person on the stage; everything of theirs lies below `root`."""
    state, config = root / who, root / "config"
    return Places((parse_server(url),), True, state, config, token=token, machine=machine_name())


async def hand_out(root: Path, socket: str, script: Script) -> tuple[str, dict[str, str]]:
    """Make the tokens: the alert sender's, and one for each person.

    Raises:
        CannotStage: The server does not take them.
    """
    tokens = {name: secrets.token_urlsafe(32) for name in script.people}
    sender = secrets.token_urlsafe(32)
    bodies = [TokenCreated(name=SENDER, hash=hash_token(sender), kind=SENDER)]
    for name, token in tokens.items():
        bodies.append(TokenCreated(name=name, hash=hash_token(token), right="commander"))
    async with Desk(places(root, "admin", f"unix://{socket}"), board=False) as desk:
        await desk.ready()
        sent = await desk.sent([event.id for event in desk.write_all(ROOM, bodies)])
    if sent.refused or sent.waiting:
        raise CannotStage("The demo's server does not take its tokens.")
    return sender, tokens


# Running -----------------------------------------------------------------------------------


async def run(root: Path, script: Script, speed: float) -> None:
    """Set up, write the history, say so, and play until standard input ends."""
    import httpx

    over = _over()
    past = write_history(root, script)
    async with server(root) as ready, contextlib.AsyncExitStack() as stack:
        sender, tokens = await hand_out(root, ready["socket"], script)
        url = f"ws://{ready['listen']}"
        people = {name: Desk(places(root, name, url, token)) for name, token in tokens.items()}
        for desk in people.values():
            await stack.enter_async_context(desk)
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=10))
        intake = f"http://{ready['http']}/in/{SENDER}/{sender}"
        stage = Stage(past, script, people, client, intake)
        await stage.take_places()
        _say(Standing(ready["socket"], stage.stream))
        play = asyncio.create_task(stage.play(speed))
        await over.wait()
        play.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await play


def _over() -> asyncio.Event:
    """Set when standard input ends, or at a signal to end."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)

    def read() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            over.set()

    loop.add_reader(0, read)
    return over


def _say(what: Standing | Failed) -> None:
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    """Run the stage, and leave nothing behind."""
    root, name, speed = Path(arguments[0]), arguments[1], float(arguments[2])
    try:
        asyncio.run(run(root, load(name), speed))
    except (CannotStage, ScriptError, NoServer, Unwelcome, StorageError, OSError) as error:
        _say(Failed(str(error)))
    except Exception as error:
        # Whoever waits for the line has a terminal to say one sentence on.
        _say(Failed(f"The demo broke down ({type(error).__name__}: {error})."))
        raise
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
