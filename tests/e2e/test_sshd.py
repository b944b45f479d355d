"""OpenSSH's own sshd carries a full-screen console into the room through `ssh -t`."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import pwd
import shutil
import signal
import socket
import struct
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.houses import desk_at
from tests.server.running import server_process
from tests.waiting import wait_for
from warroom_incident.vocabulary import NoteAdded

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/sbin")

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {root}/host_key
AuthorizedKeysFile {root}/authorized_keys
PidFile {root}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
"""


@pytest.fixture
def sshd_program() -> str:
    """The real program; a machine without it fails, it does not pass the test over."""
    assert SSHD, "install openssh-server: this test drives the real sshd"
    assert shutil.which("ssh"), "install openssh-client: this test drives the real ssh"
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd separates its privileges
    return SSHD


@asynccontextmanager
async def sshd(program: str, root: Path) -> AsyncIterator[list[str]]:
    """A real sshd on a loopback port; yields the `ssh` command that reaches it."""
    for name in ("host_key", "user_key"):
        keygen = await asyncio.create_subprocess_exec(
            "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / name)
        )
        assert await keygen.wait() == 0
    (root / "authorized_keys").write_text((root / "user_key.pub").read_text())
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (root / "sshd_config").write_text(CONFIG.format(port=port, root=root))
    process = await asyncio.create_subprocess_exec(
        program, "-D", "-e", "-f", str(root / "sshd_config"), stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            while b"Server listening" not in (line := await process.stderr.readline()):
                assert line, "sshd did not start"
        yield [
            "ssh",
            *("-F", "/dev/null", "-i", str(root / "user_key"), "-p", str(port)),
            *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={root}/known"),
            *("-o", "LogLevel=ERROR"),
            f"{pwd.getpwuid(os.getuid()).pw_name}@127.0.0.1",
        ]
    finally:
        process.terminate()
        await process.wait()


class Pty:
    """A person's own terminal with one command in it."""

    def __init__(self, command: list[str]) -> None:
        self.shown = b""
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            os.environ["TERM"] = "xterm-256color"
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a run under nohup would hand that on
            os.execvp(command[0], command)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def _read(self) -> None:
        with suppress(BlockingIOError):
            try:
                data = os.read(self._master, 65536)
            except OSError:
                data = b""
            if not data:
                asyncio.get_running_loop().remove_reader(self._master)
            self.shown += data

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    async def shows(self, text: str) -> None:
        """Wait until a text was written to the terminal."""
        await wait_for(lambda: text.encode() in self.shown, f"{text!r} on the terminal", 30)

    async def close(self) -> None:
        """Close the window, and wait until the command has ended."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        await wait_for(lambda: os.waitpid(self._pid, os.WNOHANG)[0], "the end of ssh")


async def test_a_responder_joins_through_ssh_and_both_see_each_others_notes(
    home: Path, sshd_program: str
) -> None:
    async with (
        server_process(home) as server,
        sshd(sshd_program, home) as ssh,
        desk_at(server, home, "ana") as ana,
    ):
        await ana.ready()
        stream = ana.declare("checkout answers 5xx", "SEV2")
        ana.write(stream, NoteAdded(text="looking at the load balancer"))
        remote = (
            f"WARROOM_SERVER=unix://{server.socket} WARROOM_REPLICA={home}/remote"
            f" WARROOM_USER=bo {sys.executable} -m warroom_console join INC-1"
        )
        terminal = Pty([*ssh[:1], "-t", *ssh[1:], remote])
        try:
            await terminal.shows("checkout answers 5xx")
            await terminal.shows("looking at the load balancer")
            terminal.type("n")
            terminal.type("rolled back 3f2c\r")
            await wait_for(
                lambda: any(
                    isinstance(event.body, NoteAdded) and event.body.text == "rolled back 3f2c"
                    for event in ana.model.incident(stream).events.values()
                ),
                "the note that was typed through ssh",
            )
            await wait_for(
                lambda: any(person.name.startswith("bo (") for person in ana.model.people),
                "who came through ssh",
            )
        finally:
            await terminal.close()
        await wait_for(
            lambda: not any(person.name.startswith("bo (") for person in ana.model.people),
            "the console's end when its window closes",
        )
