"""`ctrl+z`: back to the shell for a while, as every program in a terminal does it."""

from __future__ import annotations

import os
import signal

from warroom_console.actions import Action, Args, Registry
from warroom_console.context import Ctx


def register(registry: Registry[Ctx]) -> None:
    """Add `ctrl+z`."""
    registry.register(
        Action("suspend", ("ctrl+z",), "Suspend", "Go back to the shell; fg there brings warroom "
               "back.", suspend, when=_without_shell, shown=False),
    )  # fmt: skip


def suspend(_ctx: Ctx, _args: Args) -> None:
    """Give the terminal back and stop, until the shell lets this process go on."""
    # The terminal's driver hears this too: it restores the terminal first, and paints all after.
    os.kill(os.getpid(), signal.SIGTSTP)


def _without_shell(_ctx: Ctx) -> str | None:
    """Why nobody would let a stopped console go on."""
    # A shell that minds jobs gives each a process group; in its own it has started none.
    if os.getpgrp() == os.getsid(0):
        return "no shell waits behind this console: ctrl+q leaves"
    return None
