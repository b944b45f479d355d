"""The seat: one person at one screen, with the means to act. It is the `Ctx` of every verb."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from warroom_incident.door import DoorError
from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body

from .actions import Scope
from .context import Stage, View
from .desk import Desk
from .model import Model
from .past import Deed, Past
from .theme import Glyphs, Tone, look_of
from .widgets.menu import Choice, Menu
from .widgets.prompt import Ask

if TYPE_CHECKING:
    from .screens.base import Base
    from .widgets.rows import RowsView

_NOWHERE = IncidentState("")


def _inside(said: str) -> str:
    """What was said, in the middle of a sentence; a number such as INC-7 stays as it is."""
    return said[:1].lower() + said[1:] if said[1:2].islower() else said


class House(Protocol):
    """What the app has for all of its screens."""

    desk: Desk
    past: Past

    def wall(self) -> int:
        """This machine's clock, in milliseconds."""

    def open_incident(self, stream: str) -> None:
        """Go to an incident's screen."""

    def open_lobby(self) -> None:
        """Go to the lobby."""

    def entitle(self, title: str) -> None:
        """Give the terminal's window a title."""

    def action_redraw(self) -> None:
        """Clear the terminal and paint everything."""

    def leave(self) -> None:
        """Leave the console, after a question if something would be left behind."""


class Seat:
    """One person at one screen."""

    def __init__(self, house: House, screen: Base, stream: str | None) -> None:
        self._house = house
        self._screen = screen
        self.stream = stream
        self._doing = ""
        self._aimed: RowsView | None = None
        self.acting = False
        """Whether an action begins just now: the rows that it looks at are those it acts on."""

    # What is known -------------------------------------------------------------------------

    @property
    def desk(self) -> Desk:
        """The way to the room."""
        return self._house.desk

    @property
    def model(self) -> Model:
        """What this console knows."""
        return self._house.desk.model

    @property
    def state(self) -> IncidentState:
        """The incident that is open; an empty one in the lobby."""
        return self.model.incident(self.stream) if self.stream else _NOWHERE

    @property
    def glyphs(self) -> Glyphs:
        """The characters to draw with."""
        return look_of(self._screen).glyphs

    def now(self) -> int:
        """The room's clock: this machine's, corrected by what the server said."""
        return self._house.wall() + self.model.link.offset_ms

    def people(self) -> Sequence[str]:
        """Names to offer: who is here, who holds a role, who wrote."""
        here = [person.name for person in self.model.people]
        holders = [held.holder for held in self.state.roles().values()]
        return list(dict.fromkeys((*here, *holders, *self.state.people())))

    # Where the person is -------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        """The screen."""
        return self._screen

    @property
    def scope(self) -> Scope:
        """Where the person is."""
        return self._screen.scope

    @property
    def view(self) -> View | None:
        """The active panel's view."""
        return self._screen.pane.view

    @property
    def cursor(self) -> str | None:
        """The id of the row under the cursor."""
        return self._screen.pane.rows.cursor

    @property
    def targets(self) -> tuple[str, ...]:
        """The marked rows, else the one under the cursor."""
        rows = self._screen.pane.rows
        if self.acting and rows.marks:
            self._aimed = rows
        return rows.targets

    def activate(self, number: int) -> None:
        """Make a panel the active one."""
        self._screen.activate(number)

    def move_to(self, row_id: str) -> None:
        """Put the active panel's cursor on a row."""
        self._screen.pane.rows.move_to(row_id)

    def open_incident(self, stream: str) -> None:
        """Go to an incident's screen."""
        self._house.open_incident(stream)

    def open_lobby(self) -> None:
        """Go to the lobby."""
        self._house.open_lobby()

    def refresh(self) -> None:
        """Draw the panels again."""
        self._screen.draw_panes()

    def run(self, work: Coroutine[object, object, None]) -> None:
        """Do something that waits, while the screen goes on."""
        self._screen.run_worker(self._screen.finish(work), exit_on_error=False)

    def begin(self) -> None:
        """An action begins: it has looked at no rows yet."""
        self.acting, self._aimed = True, None

    # Writing -------------------------------------------------------------------------------

    def write(
        self, *bodies: Body, base: tuple[str, ...] | None = None, said: str = ""
    ) -> list[Event]:
        """Write events to the open incident."""
        if self.stream is None:
            self.flash("No incident is open: choose one in the lobby.", Tone.WARN)
            return []
        return self.write_to(self.stream, *bodies, base=base, said=said)

    def write_to(
        self, stream: str, *bodies: Body, base: tuple[str, ...] | None = None, said: str = ""
    ) -> list[Event]:
        """Write events to a stream."""
        try:
            if base is None:
                events = self.desk.write_all(stream, bodies)
            else:
                events = [self.desk.write(stream, body, base) for body in bodies]
        except DoorError as refused:
            self.flash(str(refused), Tone.BAD)
            return []
        self._house.past.add(Deed(stream, tuple(events), said))
        if self._aimed is not None:
            # What was done to marked rows is done: the next key must not act on them unseen.
            self._aimed.mark(())
            self._aimed = None
            self._screen.pane.retitle(self)
        if said:
            undo = f" {self.glyphs.dot} u undo" if self._can_undo(events) else ""
            self._screen.prompt.flash(said, tail=undo)
        return events

    def _can_undo(self, events: Sequence[Event]) -> bool:
        from .undo import CannotUndo

        try:
            for event in events:
                self.desk.undo_body(event)
        except CannotUndo:
            return False
        return True

    def undo(self) -> None:
        """Take the person's last action back, or say why that cannot be done."""
        from .undo import CannotUndo

        deed = self._house.past.take()
        if deed is None:
            self.flash("There is nothing to undo.", Tone.WARN)
            return
        refused = self.model.refusals
        try:
            bodies = [
                self.desk.undo_body(event)
                for event in reversed(deed.events)
                if event.id not in refused
            ]
            self.desk.write_all(deed.stream, bodies)
        except (CannotUndo, DoorError) as error:
            self.flash(str(error), Tone.WARN)
            return
        self.flash(f"Undone: {_inside(deed.said)}" if deed.said else "Undone.")

    # Saying and asking ---------------------------------------------------------------------

    def flash(self, text: str, tone: Tone = Tone.TEXT) -> None:
        """Say something in the prompt row."""
        self._screen.prompt.flash(text, tone)

    def ask(self, ask: Ask) -> None:
        """Ask for a line of text in the prompt row."""
        self._screen.prompt.ask(ask)

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        """Ask `[y/N]`; default No."""
        self._screen.prompt.confirm(question, then)

    def confirm_typed(self, question: str, target: str, then: Callable[[], None]) -> None:
        """Ask for the target's name, typed out."""
        self._screen.prompt.confirm_typed(question, target, then)

    def choose(
        self,
        title: str,
        choices: Iterable[Choice],
        then: Callable[[str], None],
        other: Callable[[str], object] | None = None,
    ) -> None:
        """Open a menu; without keys of its own it filters by what is typed."""
        offered = list(choices)
        hotkeys = any(choice.key for choice in offered)
        self._screen.open_sheet(Menu(title, offered, then, other=other, hotkeys=hotkeys))

    def edit(
        self,
        key: str,
        title: str,
        text: str,
        save: Callable[[str], object],
        left: Callable[[str], object] | None = None,
        check: Callable[[str], str | None] | None = None,
    ) -> None:
        """Open the editor."""
        from .widgets.editor import Editor

        self._screen.open_sheet(Editor(key, title, text, save=save, check=check, left=left))

    def show_text(self, title: str, text: str) -> None:
        """Show text with nothing else on the screen."""
        from .screens.bare import Bare

        self._screen.open_sheet(Bare(title, text))

    def copy(self, text: str, what: str) -> None:
        """Put text on the clipboard and flash how that went."""
        from .clipboard import copy

        async def run() -> None:
            said = await copy(text, what, self._screen.app)
            self.flash(said)

        self._screen.run_worker(run())

    # Presence ------------------------------------------------------------------------------

    def here(self, doing: str) -> None:
        """Tell the others what this person does; empty for nothing."""
        self._doing = doing
        self.arrive()

    def arrive(self) -> None:
        """Tell the others that this person looks at this screen."""
        self.desk.here(self.stream or "", self._doing)
