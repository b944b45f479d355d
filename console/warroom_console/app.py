"""The console: the app around the lobby and the incidents' screens."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.timer import Timer

from warroom_incident.clean import clean_line

from .actions import Registry
from .contact import NoServer, Unwelcome
from .context import Ctx
from .desk import Desk, OtherRoom
from .mishap import record
from .naming import NoIncident
from .pace import Pace
from .past import Past
from .places import Places
from .ringing import Ringing
from .screens.base import Base
from .screens.lobby import LobbyScreen
from .screens.room import RoomScreen
from .theme import DEFAULT_LOOK, Look, Tone, choose_look
from .verbs.all import registry as all_actions
from .widgets.terminal import TerminalApp

BAD_INPUT, UNREACHABLE, REFUSED = 2, 3, 4
_FIRST, _LOBBY = "first", "lobby"
_TWICE_WITHIN = 2.0
_FIRST_WITHIN = 0.3


class Console(TerminalApp[None]):
    """Everything on this terminal. The desk is open before it starts and closed after it."""

    DEFAULT_MODE = _FIRST
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", show=False, priority=True),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]

    def __init__(
        self,
        desk: Desk,
        stream: str | None = None,
        look: Look = DEFAULT_LOOK,
        *,
        actions: Registry[Ctx] | None = None,
    ) -> None:
        super().__init__(look)
        self.desk = desk
        self.past = Past()
        self._actions = actions or all_actions()
        self._first = stream
        self._mode_of: dict[str | None, str] = {stream: _FIRST}
        self.add_mode(_FIRST, partial(self._screen_for, stream))
        self._pace = Pace()
        self._ringing = Ringing(desk.model.joined_at)
        self._drawing: Timer | None = None
        self._due_at = 0.0
        self._soon = False
        self._interrupted = 0.0
        self._unsubscribe: Callable[[], None] = lambda: None
        self._screens: list[Base] = []

    def wall(self) -> int:
        """This machine's clock, in milliseconds."""
        return self.desk.link.now()

    # Screens -------------------------------------------------------------------------------

    def _screen_for(self, stream: str | None) -> Base:
        if stream is None:
            screen: Base = LobbyScreen(self, self._actions)
        else:
            screen = RoomScreen(self, self._actions, stream)
        self._screens.append(screen)
        return screen

    async def _show(self, stream: str | None) -> None:
        """Put a screen in front. It stays as it was left: cursors, filters, unsaved texts.

        A mode for each: of screens in one stack, those below would be painted too.
        """
        mode = self._mode_of.get(stream)
        if mode is None:
            mode = self._mode_of[stream] = stream or _LOBBY
            self.add_mode(mode, partial(self._screen_for, stream))
        await self.switch_mode(mode)

    def open_incident(self, stream: str) -> None:
        """Go to an incident's screen; what the replica has is shown at once."""
        self.run_worker(self._enter(stream), exclusive=True, group="enter")

    async def _enter(self, stream: str) -> None:
        await self.desk.open(stream)
        await self._show(stream)

    def open_lobby(self) -> None:
        """Go to the lobby."""
        self.run_worker(self._show(None), exclusive=True, group="enter")

    @property
    def base(self) -> Base | None:
        """The screen in front, None before there is one and after the last has gone."""
        stack = self.screen_stack
        screen = stack[-1] if stack else None
        return screen if isinstance(screen, Base) else None

    # Drawing -------------------------------------------------------------------------------

    def on_mount(self) -> None:
        # The desk's own tasks bring news too, and they know nothing of the running app.
        home = copy_context()
        model = self.desk.model
        model.take()  # the first screen draws all that came before it
        self._unsubscribe = model.subscribe(lambda urgent: home.run(self._stirred, urgent))
        if self._first is not None:
            self.run_worker(self.desk.open(self._first))
        self._tick()

    def on_unmount(self) -> None:
        self._unsubscribe()

    def _stirred(self, urgent: bool) -> None:
        """Draw own actions at once and all others' together, a little later."""
        if urgent:
            if not self._soon:
                self._soon = True
                self.call_later(self._draw_changes)
        elif self._drawing is None:
            self._due_at = time.monotonic() + self._pace.wait
            self._drawing = self.set_timer(self._pace.wait, self._flush_waiting)

    def _flush_waiting(self) -> None:
        late = time.monotonic() - self._due_at
        self._drawing = None
        cost = self._draw_changes()
        self._pace.drew(cost, late)

    def _draw_changes(self) -> float:
        self._soon = False
        began = time.monotonic()
        model = self.desk.model
        if model.changed and self.is_running:
            changes = model.take()
            if self._ringing.rings(model, changes, self.wall()):
                self.bell()
            front = self.base
            for screen in self._screens:
                if screen is not front:
                    screen.take_note(changes)
            if front is not None and front.is_mounted:
                front.flush(changes)
        return time.monotonic() - began

    def _tick(self) -> None:
        """Once a second, when the second changes, let the clocks go on."""
        front = self.base
        if front is not None and front.is_mounted:
            front.tick()
        self.set_timer(1.0 - self.wall() % 1000 / 1000 + 0.01, self._tick)

    # Leaving -------------------------------------------------------------------------------

    def leave(self) -> None:
        """Leave the console; who commands an incident, or left a text unsaved, is asked first."""
        front = self.base
        commanded = self._commanded()
        unsaved = sum(screen.unsaved for screen in self._screens)
        if front is not None and commanded:
            numbers = ", ".join(clean_line(number, 20) for number in commanded)
            said = f"You command {numbers}: others will see you away. Hand over with i h, or leave?"
        elif front is not None and unsaved:
            texts = "A text is" if unsaved == 1 else f"{unsaved} texts are"
            said = f"{texts} not saved and would be lost. Leave?"
        else:
            self.exit()
            return
        front.prompt.confirm(said, self.exit)

    def _commanded(self) -> list[str]:
        model = self.desk.model
        return [
            summary.id
            for summary in model.summaries.values()
            if summary.status != "closed" and summary.commander == model.you and model.you
        ]

    def _fatal_error(self) -> None:
        """Say one sentence; the traceback, with all that it shows, goes to a private file."""
        error = self._exception or RuntimeError("the screen failed")
        self.panic(Text(record(error)))

    async def action_quit(self) -> None:
        self.leave()

    def action_interrupt(self) -> None:
        """ctrl+c: the second within two seconds leaves whatever stands in the way."""
        now = time.monotonic()
        if now - self._interrupted < _TWICE_WITHIN:
            self.exit()
        self._interrupted = now
        if (front := self.base) is not None:
            front.prompt.flash("Press ctrl+c again to leave at once.", Tone.WARN)


# Running -----------------------------------------------------------------------------------


def run(places: Places, incident: str | None, *, ascii_only: bool = False) -> int:
    """Open the console in the lobby, or in an incident, and return the exit code.

    Args:
        places: The user's settings.
        incident: What somebody calls the incident: `INC-7`, `7`, or its stream.
        ascii_only: Draw with nothing but ASCII, as is done where the terminal takes no UTF-8.
    """
    plain = ascii_only or "utf" not in (sys.stdout.encoding or "utf-8").lower()
    try:
        return asyncio.run(_run(places, incident, choose_look(os.environ, ascii_only=plain)))
    except (NoServer, OSError) as error:
        return _fail(str(error), UNREACHABLE)
    except (Unwelcome, OtherRoom) as error:
        return _fail(str(error), REFUSED)
    except NoIncident as error:
        return _fail(str(error), BAD_INPUT)


async def _run(places: Places, incident: str | None, look: Look) -> int:
    async with Desk(places) as desk:
        stream = None
        if incident is not None:
            stream = await _find(desk, incident)
            await _present(desk, stream)
        app = Console(desk, stream, look)
        await app.run_async(mouse=False)
        return app.return_code or 0


async def _find(desk: Desk, incident: str) -> str:
    try:
        return desk.resolve(incident)
    except NoIncident:
        # The replica may be older than the incident.
        await desk.ready()
        if not desk.has_picture:
            raise NoServer(f"No warroom server: {desk.model.link.reason}.") from None
        return desk.resolve(incident)


async def _present(desk: Desk, stream: str) -> None:
    """Read an incident; wait a moment for the server, so that the first picture is a true one."""
    await desk.open(stream)
    await desk.until(lambda: stream in desk.model.current or desk.offline, _FIRST_WITHIN)


def _fail(sentence: str, code: int) -> int:
    sys.stderr.write(f"{clean_line(sentence)}\n")
    return code
