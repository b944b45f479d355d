"""A console on a still desk, driven by keys.

async with at_console(desk, stream=STREAM) as console:
    await console.press("i", "c")
    assert "IC ana" in console.header
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from textual.pilot import Pilot

from tests.console.drive import screen_rows, send_keys, settle
from tests.console.still_desk import StillDesk
from tests.waiting import wait_for
from warroom_console.app import Console
from warroom_console.screens.base import Base
from warroom_console.theme import DEFAULT_LOOK, Look


class AtConsole:
    """Somebody who presses keys and reads the screen."""

    def __init__(self, app: Console, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> Base:
        """The screen in front."""
        assert self.app.base is not None
        return self.app.base

    @property
    def rows(self) -> list[str]:
        """The rows of the screen."""
        return screen_rows(self.app)

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.rows)

    @property
    def header(self) -> str:
        """The first row."""
        return self.rows[0]

    @property
    def prompt(self) -> str:
        """The prompt row."""
        return self.rows[-2].strip()

    @property
    def keys(self) -> str:
        """The key bar."""
        return self.rows[-1]

    async def settle(self) -> None:
        """Wait until everything that was asked for is drawn."""
        await settle(self.pilot)
        await wait_for(lambda: not self.app.workers._workers, "work to end")
        await settle(self.pilot)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            send_keys(self.app, [key])
            await self.settle()

    async def type(self, text: str, *then: str) -> None:
        """Type a text, then press keys."""
        send_keys(self.app, text)
        await self.settle()
        await self.press(*then)

    async def sees(self, text: str) -> None:
        """Wait until a text is on the screen."""
        await wait_for(lambda: text in self.text, f"“{text}” on the screen")
        await self.settle()


@asynccontextmanager
async def at_console(
    desk: StillDesk,
    size: tuple[int, int] = (80, 24),
    *,
    stream: str | None = None,
    look: Look = DEFAULT_LOOK,
) -> AsyncIterator[AtConsole]:
    """Run a console; questions take an answer at once."""
    app = Console(desk, stream, look)
    async with app.run_test(size=size) as pilot:
        console = AtConsole(app, pilot)
        await console.settle()
        patience = count()
        for screen in app._screens:
            screen.prompt.clock = lambda: float(next(patience))
        yield console
