"""The console: the app around the lobby and the incidents' screens.

It starts with an `Opening` in front, from few imports; what the room needs is imported and brought
in by `enter` once the first frame is on the terminal.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.binding import Binding, BindingType

from warroom_incident.clean import clean_line

from .pace import Pace
from .screens.opening import Opening
from .theme import DEFAULT_LOOK, Look, Tone
from .unsaved import Unsaved, read_unsaved, write_unsaved
from .widgets.terminal import TerminalApp

if TYPE_CHECKING:
    from textual.screen import Screen

    from .actions import Registry
    from .context import Ctx
    from .desk import Desk
    from .past import Past
    from .ringing import Ringing
    from .screens.base import Base

S = TypeVar("S", bound="Screen[Any]")

_FIRST, _LOBBY = "first", "lobby"
KEEP_EVERY = 3
"""Seconds after which what is typed is kept on the disk, where it has changed."""

_TWICE_WITHIN = 2.0
_SHOWN_OF_TEXT = 200


def _told(texts: list[str]) -> str:
    """The last of some texts, and how many more there are."""
    more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
    return f"“{clean_line(texts[-1].strip(), _SHOWN_OF_TEXT)}”{more}"


class Console(TerminalApp[None]):
    """Everything on this terminal. The desk is open before it starts and closed after it."""

    DEFAULT_MODE = _FIRST
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", show=False, priority=True),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]

    desk: Desk
    past: Past
    _ringing: Ringing

    def __init__(
        self,
        desk: Desk | None = None,
        stream: str | None = None,
        look: Look = DEFAULT_LOOK,
        *,
        called: str | None = None,
        opened: Callable[[Console], Awaitable[None]] | None = None,
    ) -> None:
        """A console at a desk or, without one, before an opening.

        Args:
            desk: The way to the room, where it is open already.
            stream: The incident to show first, None for the lobby.
            look: How everything is drawn.
            called: What the opening calls the incident.
            opened: Awaited once the opening is on the terminal; brings the desk to `enter`.
        """
        super().__init__(look)
        self._opened = opened
        self._opening: Opening | None = Opening(called)
        self._mode_of: dict[str | None, str] = {}
        self._pace = Pace()
        self._drawing: asyncio.TimerHandle | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._due_at = 0.0
        self._soon = False
        self._interrupted = 0.0
        self._unkept_ticks = 0
        self._unsubscribe: Callable[[], None] = lambda: None
        self._screens: list[Base] = []
        self._first = stream
        if desk is None:
            self.add_mode(_FIRST, lambda: self._styled(self._opening or Opening(called)))
        else:
            self._mode_of[stream] = _FIRST
            self.add_mode(_FIRST, partial(self._screen_for, stream))
            self._furnish(desk)

    def _furnish(self, desk: Desk) -> None:
        from .past import Past
        from .ringing import Ringing
        from .verbs.all import registry

        self.desk = desk
        self.past = Past()
        self._actions: Registry[Ctx] = registry()
        self._ringing = Ringing(desk.model.joined_at)
        self._kept = self._on_disk = read_unsaved(desk.unsaved_path)

    def wall(self) -> int:
        """This machine's clock, in milliseconds."""
        return self.desk.link.now()

    # Screens -------------------------------------------------------------------------------

    async def enter(self, desk: Desk, stream: str | None) -> None:
        """Put the room in the opening's place, and let it have the keys that were typed so far."""
        self._furnish(desk)
        self._begin()
        await self._show(stream, leaving=_FIRST)
        if self._kept.texts and self.base is not None:
            said = f"Kept from last time, where you typed it: {_told(self._kept.texts)}"
            self.base.prompt.flash(said)
        self.screen.call_after_refresh(self._type_again)

    def _type_again(self) -> None:
        if self._opening is not None:
            for event in self._opening.hand_over():
                self.post_message(event)
            self._opening = None

    def _screen_for(self, stream: str | None) -> Base:
        screen: Base
        if stream is None:
            from .screens.lobby import LobbyScreen

            screen = LobbyScreen(self, self._actions)
        else:
            from .screens.room import RoomScreen

            screen = RoomScreen(self, self._actions, stream)
        if (typed := self._kept.screens.get(stream or "")) is not None:
            screen.restore(typed)
        self._screens.append(screen)
        return self._styled(screen)

    def _styled(self, screen: S) -> S:
        """A new screen; nothing has changed that all styles would have to be parsed again for."""
        screen._css_update_count = self._css_update_count
        return screen

    async def _show(self, stream: str | None, leaving: str | None = None) -> None:
        """Put a screen in front. It stays as it was left: cursors, filters, unsaved texts.

        A mode for each: of screens in one stack, those below would be painted too.
        """
        mode = self._mode_of.get(stream)
        if mode is None:
            mode = self._mode_of[stream] = stream or _LOBBY
            self.add_mode(mode, partial(self._screen_for, stream))
        await self.show_mode(mode, leaving)

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
        front = stack[-1] if stack else None
        return next((screen for screen in self._screens if screen is front), None)

    # Drawing -------------------------------------------------------------------------------

    def on_mount(self) -> None:
        if self._opened is not None:
            self.call_later(self._open)
            return
        self._begin()
        if self._first is not None:
            self.run_worker(self.desk.open(self._first))

    def _open(self) -> None:
        """Have the opening on the terminal, and the room brought in behind it."""
        self.paint()
        if self._opened is not None:
            self.run_worker(self._opened(self), group="enter")

    def _begin(self) -> None:
        """Draw what changes from now on."""
        # The desk's own tasks bring news too, and they know nothing of the running app.
        home = copy_context()
        model = self.desk.model
        model.take()  # the first screen draws all that came before it
        self._unsubscribe = model.subscribe(lambda urgent: home.run(self._stirred, urgent))
        self._tick()

    def on_unmount(self) -> None:
        self._unsubscribe()
        for timer in (self._drawing, self._ticking):
            if timer is not None:
                timer.cancel()

    def _stirred(self, urgent: bool) -> None:
        """Draw own actions at once and all others' together, a little later."""
        if urgent:
            if not self._soon:
                self._soon = True
                self.call_later(self._draw_changes)
        elif self._drawing is None:
            self._due_at = time.monotonic() + self._pace.wait
            self._drawing = self._after(self._pace.wait, self._flush_waiting)

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
            self._keep_texts()
        self._ticking = self._after(1.0 - self.wall() % 1000 / 1000 + 0.01, self._tick)

    def _after(self, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        """Call something in the app's turn: Textual's own timers take a task each."""
        return asyncio.get_running_loop().call_later(seconds, self.call_later, call)

    # Leaving -------------------------------------------------------------------------------

    def leave(self) -> None:
        """Leave the console; who commands an incident, or left a text unsaved, is asked first."""
        front = self.base
        commanded = self._commanded() if front is not None else []
        lost = self._lost() if front is not None else ""
        if front is None or not (commanded or lost):
            self.exit()
            return
        numbers = ", ".join(clean_line(number, 20) for number in commanded)
        if commanded and lost:
            said = f"You command {numbers}, and {lost}. Leave?"
        elif commanded:
            said = f"You command {numbers}; i h hands over. Leave, and be shown as away?"
        else:
            said = f"{lost} for your next console. Leave?"
        front.prompt.confirm(said, self.exit)

    def _lost(self) -> str:
        """What was typed and would be left unsaved, empty for nothing."""
        texts = self._unsaved.texts
        return f"{_told(texts)} is kept unsaved" if texts else ""

    @property
    def _unsaved(self) -> Unsaved:
        """What was typed on all screens; what an earlier console kept for others stays."""
        own = {screen.seat.stream or "": screen.unsaved for screen in self._screens}
        screens = {**self._kept.screens, **own}
        return Unsaved({stream: typed for stream, typed in screens.items() if typed})

    def _keep_texts(self) -> None:
        """Keep what is being typed now and then: a console may end without a word."""
        self._unkept_ticks += 1
        if self._unkept_ticks < KEEP_EVERY:
            return
        self._unkept_ticks, unsaved = 0, self._unsaved
        if unsaved != self._on_disk and write_unsaved(self.desk.unsaved_path, unsaved):
            self._on_disk = unsaved

    def exit(self, *args: Any, **options: Any) -> None:
        """Leave, in whatever way; what was typed and not saved is kept for the next console."""
        if self._screens:
            write_unsaved(self.desk.unsaved_path, self._unsaved)
        super().exit(*args, **options)

    def _commanded(self) -> list[str]:
        model = self.desk.model
        return [
            summary.id
            for summary in model.summaries.values()
            if summary.status != "closed" and summary.commander == model.you and model.you
        ]

    def _fatal_error(self) -> None:
        """Say one sentence; the traceback, with all that it shows, goes to a private file."""
        from rich.text import Text

        from .mishap import record

        error = self._exception or RuntimeError("the screen failed")
        self.panic(Text(record(error)))

    async def action_quit(self) -> None:
        self.leave()

    def action_interrupt(self) -> None:
        """ctrl+c: the second within two seconds leaves whatever stands in the way."""
        now = time.monotonic()
        front = self.base
        if front is None or now - self._interrupted < _TWICE_WITHIN:
            self.exit()
        self._interrupted = now
        if front is not None:
            lost = self._lost()
            more = f"; {lost}" if lost else ""
            front.prompt.flash(f"ctrl+c again leaves at once{more}.", Tone.WARN)
