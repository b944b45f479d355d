"""What the lobby and an incident's screen share: header, prompt, key bar, keys and sheets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable
from inspect import isawaitable
from typing import TYPE_CHECKING

from textual import events, on

from warroom_console.actions import LEADERS, PANELS, Action, Args, Registry, Scope, reach
from warroom_console.context import Ctx
from warroom_console.mishap import record
from warroom_console.model import Area, Changes
from warroom_console.seat import House, Seat
from warroom_console.theme import Tone
from warroom_console.times import MINUTE
from warroom_console.unsaved import Typed
from warroom_console.widgets.header import Header, Heading
from warroom_console.widgets.keybar import Hint, KeyBar, hints
from warroom_console.widgets.menu import Menu, choices_of
from warroom_console.widgets.prompt import Ask, Prompt
from warroom_console.widgets.row import Draw
from warroom_console.widgets.rows import RowsView
from warroom_console.widgets.spans import Line
from warroom_console.widgets.terminal import TerminalScreen, key_name

from .absence import Absence
from .line import CommandLine
from .pane import Pane

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.widget import Widget

_ELSEWHERE = frozenset({Area.LINK, Area.TROUBLE})
"""What no panel shows: the link's round trips alone must not draw one."""

PINNED = ("help",)
"""What the key bar shows however narrow it is."""


class Base(TerminalScreen):
    """A screen of the console. Subclasses say what lies between header and prompt."""

    def __init__(self, house: House, registry: Registry[Ctx], stream: str | None) -> None:
        super().__init__()
        self.header = Header()
        self.prompt = Prompt()
        self.keys = KeyBar()
        self.absence = Absence(self)
        self.registry = registry
        self.house = house
        self.seat = Seat(house, self, stream)
        self._minute = 0
        self._in_front = False

    # What subclasses say -------------------------------------------------------------------

    @property
    @abstractmethod
    def scope(self) -> Scope:
        """Where keys are looked up."""

    @property
    @abstractmethod
    def pane(self) -> Pane:
        """The pane that keys act on."""

    @abstractmethod
    def panes(self) -> Iterable[tuple[Pane, bool]]:
        """Every pane, and whether its rows are in sight."""

    @abstractmethod
    def deck(self) -> Widget:
        """What lies between header and prompt."""

    @abstractmethod
    def heading(self) -> Heading:
        """What the header says now."""

    @abstractmethod
    def idle(self) -> Line:
        """What the prompt row says while there is nothing else to say."""

    def activate(self, number: int) -> None:
        """Make a panel the active one."""

    def zoom(self) -> None:
        """Give the active panel the whole screen, or end that."""

    def step(self, delta: int) -> None:
        """Activate the next or the previous panel."""

    def unzoom(self) -> bool:
        """End a zoom; say whether there was one."""
        return False

    @property
    def unsaved(self) -> Typed:
        """The texts that were typed here and neither saved nor sent."""
        return Typed(self.unsaved_texts, self.prompt.unsent)

    def restore(self, typed: Typed) -> None:
        """Offer texts again that an earlier console kept."""
        self.restore_texts(typed.editors)
        self.prompt.restore(typed.lines)

    def window_title(self) -> str:
        """What the terminal's window is called while this screen is in front."""
        return "warroom"

    # Drawing -------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.deck()
        yield self.prompt
        yield self.keys
        yield self.absence.notice

    def on_resize(self) -> None:
        self.call_after_refresh(self.absence.look)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        # No style changes while a screen is away.
        event.refresh_styles = False
        if self._in_front:
            # Textual says it twice of the first screen of a mode.
            event.prevent_default()
            return
        self._in_front = True
        self.seat.arrive()
        self._minute = self.seat.now() // MINUTE
        self.draw_panes()
        if self.focused is None:
            self.pane.rows.focus(scroll_visible=False)

    def on_screen_suspend(self) -> None:
        self._in_front = False

    def flush(self, changes: Changes) -> None:
        """Draw what changed in the model."""
        self.take_note(changes)
        if changes.events or changes.areas - _ELSEWHERE:
            for pane, in_sight in self.panes():
                pane.refresh(self.seat, in_sight=in_sight)
        self.draw_rest()

    def take_note(self, changes: Changes) -> None:
        """Tell the views what changed, for when they are drawn next."""
        for pane, _ in self.panes():
            pane.changed(self.seat, changes)

    def draw_panes(self) -> None:
        """Bring everything on the screen up to date; what stays the same costs nothing."""
        for pane, in_sight in self.panes():
            pane.draw(self.seat, in_sight=in_sight)
        self.draw_rest()

    def draw_rest(self) -> None:
        """Bring header, prompt and key bar up to date."""
        self.header.show(self.heading())
        self.house.entitle(self.window_title())
        self.prompt.set_idle(self.idle())
        self.keys.show(self.key_hints())
        self.absence.look()

    def key_hints(self) -> list[Hint]:
        """What the key bar shows; the incident's menu stays however narrow the bar is."""
        found = hints(self.registry.offers(self.seat, self.scope), PINNED)
        if self.seat.stream is not None:
            found.insert(0, Hint("i", LEADERS["i"], pinned=True))
        return found

    def tick(self) -> None:
        """A second has passed: clocks go on, and ages once a minute."""
        minute = self.seat.now() // MINUTE
        if minute != self._minute:
            self._minute = minute
            self.draw_panes()
        else:
            self.header.show(self.heading())

    def on_rows_view_cursor_moved(self, _moved: RowsView.CursorMoved) -> None:
        self.pane.retitle(self.seat)
        self.draw_rest()

    def on_rows_view_opened(self, _opened: RowsView.Opened) -> None:
        # Textual calls this handler of every class that has one, so subclasses override `open_row`.
        self.open_row()

    def open_row(self) -> None:
        """Do what Enter does on a row here."""
        action = self.registry.find(self.scope, "enter")
        if action is not None:
            self.act(action)

    # Keys ----------------------------------------------------------------------------------

    @on(Prompt.Turned)
    @on(events.DescendantFocus)
    def lend_keys(self) -> None:
        """Let the key bar say only what the next key does, whatever has the keyboard."""
        beneath = None if self.sheet is None else ()
        self.keys.lend(self.prompt.hints if self.prompt.busy else beneath)

    def on_key(self, event: events.Key) -> None:
        key = key_name(event)
        if self.sheet is not None:
            return
        if key in LEADERS:
            event.stop()
            self._lead(key)
        elif action := self.registry.find(self.scope, key):
            event.stop()
            event.prevent_default()
            self.act(action)
        elif len(key) == 1:
            where = self.registry.elsewhere(self.scope, key)
            self.seat.flash(where or f"{key} does nothing here: ? shows the keys.", Tone.DIM)

    def on_paste(self, _event: events.Paste) -> None:
        if self.sheet is None:
            way = "n begins a note" if self.seat.stream is not None else "d declares an incident"
            self.seat.flash(f"Nothing takes text here: {way}.", Tone.WARN)

    def _lead(self, leader: str) -> None:
        offers = self.registry.offers(self.seat, self.scope, leader)
        if not offers:
            self.seat.flash(f"Nothing here begins with {leader}.", Tone.WARN)
            return
        self.open_sheet(Menu(LEADERS[leader], choices_of(offers), self.run))

    def run(self, action_id: str) -> None:
        """Do an action of the registry, or say why not."""
        self.act_there(self.registry[action_id])

    def act_there(self, action: Action[Ctx], args: Args | None = None) -> None:
        """Do an action where it works: in its panel, whose row is then seen to be acted on."""
        if action.scope not in reach(self.scope):
            self.activate(next(n for n, scope in PANELS.items() if scope is action.scope))
            self.draw_panes()
        self.act(action, args)

    def act(self, action: Action[Ctx], args: Args | None = None) -> None:
        """Do an action, or say why not."""
        reason = action.when(self.seat)
        if reason is not None:
            self.seat.flash(f"{action.title}: {reason}", Tone.WARN)
            return
        self.seat.begin()
        try:
            done = action.do(self.seat, args or Args())
        except Exception as error:
            self.seat.flash(record(error), Tone.BAD)
            return
        finally:
            self.seat.acting = False
        if isawaitable(done):
            self.run_worker(self.finish(done), exit_on_error=False)

    async def finish(self, done: Awaitable[None]) -> None:
        """Wait for what an action began; what goes wrong is flashed."""
        try:
            await done
        except Exception as error:
            self.seat.flash(record(error), Tone.BAD)

    # The stage -----------------------------------------------------------------------------

    def command(self) -> None:
        """Ask for a `:` line."""
        CommandLine(self).ask()

    def show_help(self) -> None:
        """Show all keys that work here."""
        from warroom_console.widgets.help import Help

        self.open_sheet(Help(self.registry, self.seat, self.scope, self.run))

    def show_palette(self) -> None:
        """Find an action by its words."""
        from warroom_console.widgets.palette import Palette

        self.open_sheet(Palette(self.registry, self.seat, self.scope, self.run))

    def show_detail(self) -> None:
        """Show everything about the row under the cursor."""
        pane, row = self.pane, self.pane.rows.cursor
        source = pane.view.detail(self.seat, row) if row is not None else None
        if source is None:
            self.seat.flash("There is no row under the cursor: j and k move it.", Tone.WARN)
        else:
            self.about(pane.view.name, source)

    def about(self, title: str, source: Draw) -> None:
        """Show lines above the panels, to be read."""
        from .about import About

        self.open_sheet(About(title, source))

    def sift(self) -> None:
        """Ask for the active panel's filter; it works while it is typed."""
        pane = self.pane

        def changed(text: str) -> None:
            pane.view.filter = text
            pane.draw(self.seat, in_sight=True)

        self.prompt.ask(
            Ask(
                "/",
                changed,
                text=pane.view.filter,
                hint="words that occur, !word that does not; Esc shows all",
                changed=changed,
                left=lambda: changed(""),
                refill=False,
            )
        )

    def urgent(self) -> None:
        """Go to the most urgent row, or to the next that nobody here has seen."""
        self.seat.flash("Nothing is urgent here.", Tone.DIM)

    def show_meanwhile(self) -> None:
        """Show what happened while this console was away."""
        self.absence.ask()

    def show_due(self) -> None:
        """List all that is due."""
        self.seat.flash("Nothing is due here.", Tone.DIM)

    def redraw(self) -> None:
        """Paint everything again."""
        self.house.action_redraw()

    def freeze(self) -> None:
        """Keep the active panel as it is, or let it go on."""
        self.pane.frozen = not self.pane.frozen
        self.draw_panes()

    def mark_range(self) -> None:
        """Mark rows by moving the cursor, from here on; again, end that."""
        spanning = self.pane.rows.toggle_range()
        if not self.pane.rows.targets:
            self.seat.flash("There is no row here to mark.", Tone.WARN)
        elif spanning:
            self.seat.flash("Moving marks rows: v ends that, Esc unmarks all.", Tone.DIM)
        self._count_marks()

    def mark(self) -> None:
        """Mark the row under the cursor and go on to the next."""
        self.pane.rows.toggle_mark()
        self.pane.rows.move(1)
        self._count_marks()

    def _count_marks(self) -> None:
        self.pane.retitle(self.seat)
        self.draw_rest()

    def follow(self) -> None:
        """Keep the last row in sight, or stop doing so."""
        rows = self.pane.rows
        rows.follow(not rows.following)
        self.pane.draw(self.seat, in_sight=True)

    def back(self) -> None:
        """Give up what is shown above the panels, marks, filter or zoom, whichever is there.

        It never leaves the screen.
        """
        pane = self.pane
        if self.absence.put_away():
            return
        if pane.rows.marks:
            pane.rows.mark(())
            pane.retitle(self.seat)
        elif pane.view.filter:
            pane.view.filter = ""
            pane.draw(self.seat, in_sight=True)
        elif not self.unzoom():
            self.stay()
        self.draw_rest()

    def stay(self) -> None:
        """Say which key leaves: nothing was there to give up."""
        self.seat.flash("q or :lobby leaves the incident.", Tone.DIM)

    def close_view(self) -> None:
        """Go back to the lobby; the lobby itself stays."""
        self.house.open_lobby()

    def quit(self) -> None:
        """Leave the console."""
        self.house.leave()
