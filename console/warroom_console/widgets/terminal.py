"""The app and screen that every console screen starts from: quiet on the wire, clean on exit.

    class Console(TerminalApp):
        def get_default_screen(self): return RoomScreen()
    Console(choose_look(os.environ)).run(mouse=False)

`TerminalApp` carries the `Look`, sends 256 colours at most, cleans every segment, leaves in good
order on SIGHUP and SIGTERM, and redraws everything on ctrl+l. `TerminalScreen` changes its focus
without repainting and shows `Sheet`s (menus, help, editors) above its widgets.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from rich.color import ColorSystem
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from warroom_console.linefilter import AsciiFilter, CleanFilter
from warroom_console.theme import DEFAULT_LOOK, THEMES, Look
from warroom_console.widgets.sheet import Host, Sheet
from warroom_incident.clean import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.driver import Driver
    from textual.filter import LineFilter

    from warroom_console.widgets.editor import Editor

R = TypeVar("R")
_KEY_PATIENCE = 1.0
"""Seconds that the next key waits for a handler that hangs."""
_LEAVE_WITHIN = 10.0
"""Seconds that a console may take to leave in good order once its terminal is gone."""
_SAVE_TITLE, _RESTORE_TITLE = "\x1b[22;0t", "\x1b[23;0t"
_LONGEST_TITLE = 80
_TITLED = frozenset(
    (
        *("alacritty", "contour", "foot", "ghostty", "gnome", "iterm2", "kitty", "konsole"),
        *("mintty", "putty", "rxvt", "screen", "st", "tmux", "vte", "wezterm", "xterm"),
    )
)
"""Terminals (the first part of TERM) that are known to take a title; others might print it."""
_SIGNALS = (signal.SIGHUP, signal.SIGTERM)


def key_name(event: events.Key) -> str:
    """Return a key press as the action registry spells it: `a`, `!`, `space`, `ctrl+p`."""
    if event.is_printable and event.character and event.character != " ":
        return event.character
    return event.key


class TerminalApp(App[R], Generic[R]):
    """An app for a terminal at the far end of a slow line."""

    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+l", "redraw", show=False, priority=True),
    ]

    def __init__(
        self, look: Look = DEFAULT_LOOK, *, driver_class: type[Driver] | None = None
    ) -> None:
        super().__init__(driver_class=driver_class, ansi_color=True if look.ansi else None)
        self.look = look
        for theme in THEMES:
            self.register_theme(theme)
        # Nothing is styled yet: to set `theme` would have all styles parsed and applied twice more.
        self.set_reactive(App.theme, look.theme)
        self.stylesheet.set_variables(self.get_css_variables())
        for name, on in (("-dark-mode", look.dark), ("-light-mode", not look.dark)):
            self.set_class(on, name, update=False)
        self.animation_level = "none"
        self._clean = CleanFilter()
        self._entitled: str | None = None
        # The palette is exact in 256 colours; naming them takes a third less than spelling RGB.
        if self.console._color_system is ColorSystem.TRUECOLOR:
            self.console._color_system = ColorSystem.EIGHT_BIT

    def get_driver_class(self) -> type[Driver]:
        """Read the keys of a terminal through the gate for pastes."""
        from textual.drivers.linux_driver import LinuxDriver

        found = super().get_driver_class()
        if found is not LinuxDriver:
            return found
        from .pasting import PasteDriver

        return PasteDriver

    def on_mount(self) -> None:
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            # A test's event loop may live in a thread, where no handler can be set.
            with suppress(RuntimeError, ValueError, NotImplementedError):
                loop.add_signal_handler(number, self._leave, number)
        threading.Thread(target=self._watch_terminal, args=(loop,), daemon=True).start()
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())

    def _watch_terminal(self, loop: asyncio.AbstractEventLoop) -> None:
        """Leave when the terminal is gone.

        A terminal that does not control this process goes without a signal; reading from it then
        returns at once for ever, and a write may hold the event loop for good.
        """
        hang_up = select.poll()
        hang_up.register(0, 0)
        while not hang_up.poll():
            pass
        with suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(self._leave, signal.SIGHUP)
        time.sleep(_LEAVE_WITHIN)
        os._exit(128 + signal.SIGHUP)

    def delay_update(self, delay: float = 0.05) -> None:
        """Do nothing: Textual would paint no other screen for so long, `show_mode` knows when."""

    async def show_mode(self, mode: str, leaving: str | None = None) -> None:
        """Put a mode's screen in front, and paint it once and as soon as it is filled.

        The screen of the mode `leaving` is removed.
        """
        with self.batch_update():
            await self.switch_mode(mode)
            if leaving is not None:
                await self.remove_mode(leaving)
            turned = asyncio.Event()
            self.screen.call_next(turned.set)
            await turned.wait()
            turned.clear()
            self.call_next(turned.set)
            await turned.wait()
        self.paint()

    def paint(self) -> None:
        """Lay out and paint what is due; of a fresh screen Textual would do it a beat later."""
        screen = self.screen
        if screen._repaint_required:
            # Textual would paint what is dirty when it has laid it out, and then the whole.
            screen._repaint_required = False
            screen._dirty_widgets.clear()
            screen._dirty_widgets.add(screen)
        screen._on_timer_update()

    def entitle(self, title: str) -> None:
        """Give the terminal's window a title; the one that it had comes back at the end."""
        driver = self._driver
        if driver is None or title == self._entitled or not self._can_entitle:
            return
        save = _SAVE_TITLE if self._entitled is None else ""
        self._entitled = title
        driver.write(f"{save}\x1b]0;{clean_line(title, _LONGEST_TITLE)}\x07")

    @property
    def _can_entitle(self) -> bool:
        terminal = re.split(r"[-.]", os.environ.get("TERM", ""))[0]
        return not self.is_headless and terminal in _TITLED

    def on_unmount(self) -> None:
        if self._entitled is not None and self._driver is not None:
            self._driver.write(_RESTORE_TITLE)
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            with suppress(RuntimeError, ValueError, NotImplementedError):
                loop.remove_signal_handler(number)

    async def on_event(self, event: events.Event) -> None:
        """Handle one key to its end before the next is looked at.

        Textual sends a key to the widget that has the focus when the key is read. On a slow link
        keys come in bursts: the `a` of a quickly typed `:ack` would go to the list, which has not
        handed the focus to the prompt yet, and acknowledge something.
        """
        typed = isinstance(event, events.Key | events.Paste) and not event.is_forwarded
        target = (self.focused or self.screen) if typed and self._screen_stack else None
        await super().on_event(event)
        if target is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(_passed(target), _KEY_PATIENCE)

    def _leave(self, number: int) -> None:
        self.exit(return_code=128 + number)

    def get_line_filters(self) -> Sequence[LineFilter]:
        own = [AsciiFilter()] if self.look.glyphs.more.isascii() else []
        return [self._clean, *own, *super().get_line_filters()]

    def action_redraw(self) -> None:
        """Clear the terminal and paint everything, for when something else wrote to it."""
        if self._driver is not None:
            self._driver.write("\x1b[2J")
        self.screen.refresh()


async def _passed(target: Widget) -> None:
    """Wait until the messages that `target` and its ancestors hold now have been handled.

    A key climbs from queue to queue, so each is waited for in turn.
    """
    for node in target.ancestors_with_self:
        if not isinstance(node, Widget) or not node.is_running:
            break
        done = asyncio.Event()
        if not node.call_later(done.set):
            break
        await done.wait()


class PlainScreen(Screen[None]):
    """A screen without what Textual's own have: nothing is drawn that nobody sees."""

    DEFAULT_CSS = "PlainScreen { overflow: hidden; background: $background; }"
    AUTO_FOCUS = None
    BLANK = True
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def _extend_compose(self, widgets: list[Widget]) -> None:
        """Add neither tooltips nor toasts."""


class TerminalScreen(PlainScreen):
    """A screen with sheets, whose focus moves without a repaint."""

    DEFAULT_CSS = "TerminalScreen { layers: default above; }"

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self) -> None:
        super().__init__()
        self._host = Host()
        self._sheet: Sheet | Editor | None = None
        self._beneath: Widget | None = None
        self._kept: dict[str, str] = {}

    def on_mount(self) -> None:
        self.mount(self._host)

    def _compositor_refresh(self) -> None:
        # Textual would draw what a batch holds back too, and throw it away.
        if not self.app._batch_count:
            super()._compositor_refresh()

    @property
    def sheet(self) -> Sheet | Editor | None:
        """The menu, help or editor that is open above the widgets."""
        return self._sheet

    def open_sheet(self, sheet: Sheet | Editor) -> None:
        """Open a sheet and give it the keyboard; one that is open already closes."""
        if self._sheet is None:
            self._beneath = self.focused
        else:
            self._sheet.remove()
        self._sheet = sheet
        self._host.put(sheet.place(self.size))
        if isinstance(sheet, Sheet):
            sheet.closed = partial(self._close_sheet, sheet)
        else:
            sheet.closed = partial(self._close_editor, sheet)
            if (kept := self._kept.get(sheet.key)) is not None:
                sheet.resume(kept)
        self._host.mount(sheet)
        self.set_focus(sheet if isinstance(sheet, Sheet) else sheet.area, scroll_visible=False)

    def _close_sheet(self, sheet: Sheet | Editor) -> None:
        if sheet is not self._sheet:
            return
        self._sheet = None
        beneath, self._beneath = self._beneath, None
        if beneath is not None and not beneath.is_attached:
            beneath = None
        self.set_focus(beneath, scroll_visible=False)
        sheet.remove()
        self._host.put(Region(0, 0, 0, 0))

    def _close_editor(self, editor: Editor, kept: str | None) -> None:
        if kept is None:
            self._kept.pop(editor.key, None)
        else:
            self._kept[editor.key] = kept
        self._close_sheet(editor)

    @property
    def unsaved_texts(self) -> dict[str, str]:
        """The texts that were left with Esc and not saved since, and what an open editor holds.

        They are named by their editors' keys.
        """
        kept, sheet = dict(self._kept), self._sheet
        if sheet is not None and not isinstance(sheet, Sheet) and sheet.changed:
            kept[sheet.key] = sheet.text
        return kept

    def restore_texts(self, texts: Mapping[str, str]) -> None:
        """Offer texts again that were kept elsewhere."""
        self._kept.update(texts)

    def on_resize(self) -> None:
        if self._sheet is not None:
            self._host.put(self._sheet.place(self.size))
