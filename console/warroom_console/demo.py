"""`warroom demo`: a throw-away room with a scripted incident in it, and this terminal's console.

    with Scene.open("checkout", speed=4) as scene:
        ...                                       # scene.places, scene.stream

Everything lies in one temporary directory. The stage, a process of its own, holds the server and
the people of the script, and removes the directory when this process ends in whatever way.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Self

import msgspec

from warroom_incident.clean import clean_line
from warroom_incident.machine import machine_name

from .demo_script import DEFAULT, ScriptError, load
from .places import Places, parse_server
from .saying import fail

BAD_INPUT = 2
UNREACHABLE = 3
INTERRUPTED = 130

SET_UP_WITHIN = 60.0
"""How long the stage may take to stand, in seconds; a small machine under load needs some."""

_END_WITHIN = 12.0
_SOCKET_PATH = 90
"""The most bytes of a Unix socket's path that every system takes, with room to spare."""


class NoScene(Exception):
    """The demo cannot be set up; the message is one sentence."""


class Scene:
    """A room that stands, with the script being played in it."""

    def __init__(self, root: Path, stage: subprocess.Popen[bytes], stream: str) -> None:
        self.root = root
        self._stage = stage
        self.stream = stream

    @classmethod
    def open(cls, script: str = DEFAULT, speed: float = 1.0) -> Self:
        """Set a room up and wait until its history is written.

        Raises:
            NoScene: It does not stand.
        """
        root = _temporary()
        try:
            with (root / "stage.log").open("wb") as log:
                stage = subprocess.Popen(
                    [
                        *(sys.executable, "-P", "-m", "warroom_console.demo_stage"),
                        *(str(root), script, str(speed)),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=environment(root),
                    # In a session of its own no key or hang-up of the terminal ends it first.
                    start_new_session=True,
                )
        except OSError as error:
            rmtree(root, ignore_errors=True)
            raise NoScene(f"The demo cannot be started: {error.strerror}.") from None
        scene = cls(root, stage, "")
        try:
            scene.stream = _standing(stage)
        except BaseException:
            scene.close()
            raise
        return scene

    @property
    def places(self) -> Places:
        """The settings for this person's console in the room."""
        server = parse_server(f"unix://{self.root / 'socket'}")
        state, config = self.root / "you", self.root / "config"
        # It is this machine that the server runs on: no event is held by another one.
        return Places((server,), True, state, config, machine=machine_name())

    @property
    def pid(self) -> int:
        """The stage's process, which leads a group of its own."""
        return self._stage.pid

    def close(self) -> None:
        """End the play, stop the server, and leave nothing behind."""
        if self._stage.stdin is not None:
            self._stage.stdin.close()
        try:
            self._stage.wait(_END_WITHIN)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Where the stage could not end in order, its server would live on without it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._stage.pid, signal.SIGKILL)
            self._stage.wait()
            if self._stage.stdout is not None:
                self._stage.stdout.close()
            rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def environment(root: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which nothing of this user's own is read or written."""
    kept = {name: value for name, value in environ.items() if not name.startswith("WARROOM_")}
    homes = ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "CACHE_HOME", "RUNTIME_DIR")
    kept |= {f"XDG_{name}": str(root / name.lower().replace("_", "-")) for name in homes}
    return kept | {
        "WARROOM_CONFIG": str(root / "config"),
        "WARROOM_DATA": str(root / "data"),
        "WARROOM_SERVER": f"unix://{root / 'socket'}",
    }


def _temporary() -> Path:
    root = Path(tempfile.mkdtemp(prefix="warroom-demo-"))
    if len(bytes(root / "socket")) <= _SOCKET_PATH:
        return root
    root.rmdir()
    return Path(tempfile.mkdtemp(prefix="warroom-demo-", dir="/tmp"))


def _standing(stage: subprocess.Popen[bytes]) -> str:
    """Wait for the stage's line; return the stream of the incident."""
    from .demo_stage import Failed, Standing

    line = _read_line(stage)
    try:
        return msgspec.json.decode(line, type=Standing).stream
    except msgspec.MsgspecError:
        pass
    try:
        raise NoScene(clean_line(msgspec.json.decode(line, type=Failed).failed))
    except msgspec.MsgspecError:
        raise NoScene("The demo was not set up in time: try again on a quieter machine.") from None


def _read_line(stage: subprocess.Popen[bytes]) -> bytes:
    assert stage.stdout is not None
    line = b""
    until = time.monotonic() + SET_UP_WITHIN
    while not line.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not select.select([stage.stdout], [], [], left)[0]:
            break
        chunk = os.read(stage.stdout.fileno(), 4096)
        if not chunk:
            break
        line += chunk
    return line


# The command -------------------------------------------------------------------------------


def run(script: str | None = None, speed: float = 1.0) -> int:
    """Play a script and open the console in it; return the process's exit code.

    Args:
        script: The name of a shipped script, or the path of one that ends in `.toml`.
        speed: How many seconds of the script pass in one of ours.
    """
    name = script or DEFAULT
    try:
        load(name)
    except ScriptError as error:
        return _ended(str(error), BAD_INPUT)
    if find_spec("warroom_server") is None:
        return _ended("The demo needs the server: install the whole `warroom` package.", BAD_INPUT)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _ended("The demo needs a terminal: run it in one.", BAD_INPUT)
    sys.stdout.write("Setting up a drill: a throw-away server, and people who play an incident.\n")
    sys.stdout.flush()
    try:
        with Scene.open(name, speed) as scene:
            return _visit(scene)
    except NoScene as error:
        return _ended(str(error), UNREACHABLE)
    except KeyboardInterrupt:
        return INTERRUPTED


def _visit(scene: Scene) -> int:
    # What a person's own settings say must not reach into a room that is thrown away.
    for name in [name for name in os.environ if name.startswith(("WARROOM_", "XDG_"))]:
        del os.environ[name]
    os.environ.update(environment(scene.root))
    start = import_module(".start", __package__)
    code: int = start.run(scene.places, scene.stream)
    return code


def _ended(sentence: str, code: int) -> int:
    fail(sentence)
    return code
