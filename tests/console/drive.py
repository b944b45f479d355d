"""Driving an app in a test: its screen as plain text, the bytes that it sends, golden files.

    async with app.run_test(size=(80, 24)) as pilot: ...
        screen_rows(app)                       # what the reader sees, a string a row
    async with on_wire(app, (80, 24)) as (pilot, wire):
        wire.clear(); await pilot.press("2"); await settle(pilot); len(wire)

`Pty` runs a program in a real terminal. `check_golden(app, name)` compares the screen with
`golden/<name>.txt`. Run the tests with WARROOM_TEST_GOLDEN=update to write the files anew, then
read the difference before committing it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import unicodedata
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.color import ColorSystem
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Key
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from textual.app import App
    from textual.pilot import Pilot
    from textual.screen import Screen

SETTLED_WITHIN = 60.0

GOLDEN = Path(__file__).parent / "golden"
# The isolating fixture hides WARROOM_ variables from the tests themselves.
_UPDATE = os.environ.get("WARROOM_TEST_GOLDEN") == "update"


def screen_rows(app: App[Any]) -> list[str]:
    """Return the rows of the screen as text, blanks at their ends taken off."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


def screen_text(app: App[Any]) -> str:
    """Return the whole screen as one text."""
    return "\n".join(screen_rows(app)) + "\n"


def check_golden(app: App[Any], name: str) -> None:
    """Compare the screen with its golden file, or write that file when asked to."""
    path = GOLDEN / f"{name}.txt"
    if _UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(screen_text(app), encoding="utf-8")
    assert screen_text(app) == path.read_text(encoding="utf-8")


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until everything that was asked for has been laid out and painted."""
    try:
        async with asyncio.timeout(SETTLED_WITHIN):
            await pilot.pause()
            # Looked up anew each time: a screen that went behind another one paints no more.
            while _has_work(pilot.app.screen):
                await pilot.pause()
            await pilot.pause()
    except TimeoutError:
        raise AssertionError(f"the screen is not at rest within {SETTLED_WITHIN:g} s") from None


def send_keys(app: App[Any], keys: Iterable[str]) -> None:
    """Send keys as a terminal does, to be settled after.

    `pilot.press` would wait twice for a quiet process after each of them.
    """
    driver = app._driver
    assert driver is not None
    for key in keys:
        name = key if len(key) > 1 or key.isalnum() else _character_to_key(key)
        driver.send_message(Key(name, _character_of(name)))


def _character_of(name: str) -> str | None:
    try:
        return unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
    except KeyError:
        return name if len(name) == 1 else None


def _has_work(screen: Screen[Any]) -> bool:
    return bool(screen._layout_required or screen._dirty_widgets or screen._repaint_required)


class Wire:
    """What an app wrote to its terminal."""

    def __init__(self) -> None:
        self.text = ""

    def __len__(self) -> int:
        return len(self.text.encode("utf-8", "replace"))

    def clear(self) -> None:
        """Forget what was written so far."""
        self.text = ""


class WireDriver(HeadlessDriver):
    """A terminal that nobody looks at, whose traffic is kept."""

    wire: Wire

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.wire.text += data


@asynccontextmanager
async def on_wire(
    app: App[Any], size: tuple[int, int], *, colors: ColorSystem = ColorSystem.EIGHT_BIT
) -> AsyncIterator[tuple[Pilot[Any], Wire]]:
    """Run an app that writes to a `Wire` of a terminal with 256 colours."""
    wire = Wire()
    app.driver_class = type("_WireDriver", (WireDriver,), {"wire": wire})
    app.console._color_system = colors
    async with app.run_test(headless=False, size=size) as pilot:
        await settle(pilot)
        yield pilot, wire


class Pty:
    """A program in a real terminal: what it wrote, and the means to type and to hang up."""

    def __init__(self, argv: Sequence[str], size: tuple[int, int] = (80, 24)) -> None:
        self.master, slave = pty.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environ = dict(os.environ, TERM="xterm-256color", PYTHONPATH=os.pathsep.join(sys.path))
        # A shell's size would win over the terminal's own.
        environ.pop("COLUMNS", None)
        environ.pop("LINES", None)
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True
        )
        os.close(slave)
        self.output = b""

    def read_until(self, mark: bytes, within: float = 30) -> bytes:
        """Read until `mark` was written; everything read so far is returned."""
        while mark not in self.output and self._read(within):
            pass
        assert mark in self.output, self.output[-2000:]
        return self.output

    def read_all(self, within: float = 30) -> bytes:
        """Read until the program has left."""
        while self._read(within):
            pass
        return self.output

    def type(self, text: str) -> None:
        """Type into the terminal."""
        os.write(self.master, text.encode())

    def hang_up(self) -> None:
        """Close the terminal under the program."""
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        """End the program if it still runs, and let go of the terminal."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.master >= 0:
            os.close(self.master)

    def _read(self, within: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], within)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            # Linux says EIO once the last program has closed its end.
            return False
        self.output += data
        return bool(data)
