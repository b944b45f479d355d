"""Suspending a console: only where a shell can bring it back, with the terminal as it was."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.console.drive import Pty
from tests.console.fake_ctx import FakeCtx
from warroom_console.actions import Registry, Scope
from warroom_console.context import Ctx
from warroom_console.verbs import suspending
from warroom_console.views.roles import RolesView

SHELL = """
import os, sys, time
# A shell that minds jobs: the console in a group of its own, in the terminal's foreground.
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    while os.tcgetpgrp(0) != os.getpgrp():
        time.sleep(0.01)
    os.execv(sys.executable, [sys.executable, "-c", os.environ["CHILD"]])
import signal
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
os.setpgid(child, child)
os.tcsetpgrp(0, child)
_, how = os.waitpid(child, os.WUNTRACED)
os.tcsetpgrp(0, os.getpgrp())
print("stopped", os.WIFSTOPPED(how), flush=True)
os.tcsetpgrp(0, child)
os.kill(child, signal.SIGCONT)
os.waitpid(child, 0)
"""
CHILD = """
import os
from tests.console.demo_room import DemoApp
from warroom_console.verbs.suspending import suspend
from warroom_console.theme import choose_look


class Room(DemoApp):
    def on_ready(self):
        self.app_resume_signal.subscribe(self, lambda _: self.call_later(self.back))
        self.call_after_refresh(suspend, None, None)

    def back(self):
        self.call_after_refresh(self.exit)


Room(choose_look(os.environ)).run(mouse=False)
"""


@pytest.fixture
def registry() -> Registry[Ctx]:
    found: Registry[Ctx] = Registry()
    suspending.register(found)
    return found


def test_without_a_shell_it_says_so_and_stops_nothing(
    registry: Registry[Ctx], monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = FakeCtx(RolesView(), Scope.ROLES)
    stopped: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *told: stopped.append(told))
    monkeypatch.setattr(os, "getpgrp", lambda: 7)
    monkeypatch.setattr(os, "getsid", lambda _pid: 7)
    assert ctx.press(registry, "ctrl+z") == "no shell waits behind this console: ctrl+q leaves"
    assert stopped == []
    monkeypatch.setattr(os, "getsid", lambda _pid: 1)
    assert ctx.press(registry, "ctrl+z") is None
    assert stopped == [(os.getpid(), signal.SIGTSTP)]


def test_the_terminal_is_the_shells_while_the_console_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHILD", CHILD)
    # A session leader with a controlling terminal, as a login shell is one.
    program = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n{SHELL}"
    terminal = Pty([sys.executable, "-c", program], (80, 24))
    try:
        while_stopped, _, _ = terminal.read_until(b"stopped True").partition(b"stopped True")
        assert while_stopped.count(b"\x1b[?1049h") == while_stopped.count(b"\x1b[?1049l") == 1
        terminal.read_all()
        assert terminal.process.wait(30) == 0
        again = terminal.output.rpartition(b"\x1b[?1049h")[2]
        for shown in (b"Timeline", b"Runbook", b"Comms"):
            assert shown in while_stopped
            assert shown in again, "all of the screen is painted again"
    finally:
        terminal.close()
