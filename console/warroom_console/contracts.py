"""What views and verbs are given: the room as one person sees it, and the means to act in it.

A view turns the model into rows and never acts; a verb acts and never draws. Both know only these
protocols, so both are tested without a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Protocol

from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body

from .actions import Scope
from .desk import Desk
from .model import Model
from .theme import Glyphs, Tone
from .widgets.menu import Choice
from .widgets.panel import Title
from .widgets.prompt import Ask
from .widgets.row import Draw, Row


class Room(Protocol):
    """What a view reads."""

    @property
    def model(self) -> Model:
        """What this console knows."""

    @property
    def stream(self) -> str | None:
        """The incident that is open, None in the lobby."""

    @property
    def state(self) -> IncidentState:
        """The incident that is open; an empty one in the lobby."""

    @property
    def glyphs(self) -> Glyphs:
        """The characters to draw with."""

    def now(self) -> int:
        """The wall clock in milliseconds."""


class View(Protocol):
    """One panel: what it shows of the room."""

    name: str
    filter: str
    """What the person typed behind `/`, empty for everything."""

    def rows(self, room: Room) -> list[Row]:
        """The rows, in order. A row's version names everything that its drawing depends on."""

    def title(self, room: Room) -> Title:
        """The title line: counts and badges, and the live status while the panel is collapsed."""

    def empty(self, room: Room) -> str:
        """What to say when there are no rows, and which key begins."""

    def detail(self, room: Room, row_id: str) -> Draw | None:
        """Everything about one row, for the detail pane."""

    def text(self, room: Room, row_id: str | None) -> str:
        """One row, or with None the whole panel as Markdown, for the clipboard."""


class Stage(Protocol):
    """What a verb asks of the screen itself."""

    def back(self) -> None:
        """Give up marks, filter or zoom, whichever is there; it never leaves the screen."""

    def close_view(self) -> None:
        """Go back to the lobby; the lobby itself stays."""

    def quit(self) -> None:
        """Leave the console, after a question if something would be left behind."""

    def redraw(self) -> None:
        """Paint everything again, for when something else wrote to the terminal."""

    def step(self, delta: int) -> None:
        """Activate the next or the previous panel."""

    def zoom(self) -> None:
        """Give the active panel the whole screen, or end that."""

    def freeze(self) -> None:
        """Keep the active panel as it is, or let it go on."""

    def sift(self) -> None:
        """Ask for the active panel's filter."""

    def command(self) -> None:
        """Ask for a `:` line."""

    def show_help(self) -> None:
        """Show all keys that work here."""

    def show_palette(self) -> None:
        """Find an action by its words."""

    def show_detail(self) -> None:
        """Show everything about the row under the cursor."""

    def about(self, title: str, source: Draw) -> None:
        """Show lines above the panels, to be read."""

    def mark(self) -> None:
        """Mark the row under the cursor, or unmark it."""

    def mark_range(self) -> None:
        """Mark every row that the cursor passes from here on, or end that."""

    def follow(self) -> None:
        """Keep the last row in sight, or stop doing so."""

    def urgent(self) -> None:
        """Go to the most urgent row, or to the next that nobody here has seen."""

    def show_meanwhile(self) -> None:
        """Show what happened while this console was away; when it is in sight, all of it."""

    def show_due(self) -> None:
        """List all that is due; choosing one goes there or sees to it."""

    def run(self, action_id: str) -> None:
        """Do an action of the registry, or say why not."""


class Ctx(Room, Protocol):
    """What a verb acts with: the person's cursor, words and incident."""

    @property
    def desk(self) -> Desk:
        """The way to the room."""

    @property
    def stage(self) -> Stage:
        """The screen that the person looks at."""

    @property
    def scope(self) -> Scope:
        """Where the person is."""

    @property
    def view(self) -> View | None:
        """The active panel's view."""

    @property
    def cursor(self) -> str | None:
        """The id of the row under the cursor of the active panel."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The marked rows of the active panel, else the one under the cursor."""

    def write(
        self, *bodies: Body, base: tuple[str, ...] | None = None, said: str = ""
    ) -> list[Event]:
        """Write events to the open incident, show them at once, and offer `u`.

        `base` is what the person had seen when the edit began; None means what stands now. `said`
        is the flash, e.g. "Severity SEV2"; " · u undo" is added. What the door refuses is flashed
        as its one sentence, and nothing is returned.
        """

    def write_to(
        self, stream: str, *bodies: Body, base: tuple[str, ...] | None = None, said: str = ""
    ) -> list[Event]:
        """As `write`, to another stream such as `board`."""

    def undo(self) -> None:
        """Take the person's last action back, or say why that cannot be done."""

    def flash(self, text: str, tone: Tone = Tone.TEXT) -> None:
        """Say something in the prompt row."""

    def ask(self, ask: Ask) -> None:
        """Ask for a line of text in the prompt row."""

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        """Ask `[y/N]`; default No."""

    def confirm_typed(self, question: str, target: str, then: Callable[[], None]) -> None:
        """Ask for the target's name, typed out, before something leaves the room."""

    def choose(
        self,
        title: str,
        choices: Iterable[Choice],
        then: Callable[[str], None],
        other: Callable[[str], object] | None = None,
    ) -> None:
        """Open a menu; `then` gets the id of what was chosen.

        `other` gets what was typed and fits no choice.
        """

    def edit(
        self,
        key: str,
        title: str,
        text: str,
        save: Callable[[str], object],
        left: Callable[[str], object] | None = None,
        check: Callable[[str], str | None] | None = None,
    ) -> None:
        """Open the editor. What is left unsaved under a key is offered again.

        `check` may say why a text will not do; `save` says False where it could not be saved.
        """

    def show_text(self, title: str, text: str) -> None:
        """Show text with nothing else on the screen, for selecting it with the terminal."""

    def copy(self, text: str, what: str) -> None:
        """Put text on the clipboard and flash how that went."""

    def here(self, doing: str) -> None:
        """Tell the others what this person does, e.g. `editing draft k3f9`; empty for nothing."""

    def activate(self, number: int) -> None:
        """Make a panel the active one."""

    def move_to(self, row_id: str) -> None:
        """Put the active panel's cursor on a row."""

    def open_incident(self, stream: str) -> None:
        """Go to an incident's screen."""

    def open_lobby(self) -> None:
        """Go to the lobby."""

    def refresh(self) -> None:
        """Draw the panels again: a view's option changed."""

    def run(self, work: Coroutine[object, object, None]) -> None:
        """Do something that waits, such as a question to the server, while the screen goes on."""

    def people(self) -> Sequence[str]:
        """Names to offer: who is here, who holds a role, who wrote."""
