"""A context for verbs and views without a screen, a disk or a server.

    ctx = FakeCtx(RolesView(), Scope.ROLES)
    ctx.says("bo", RoleAssigned(role="deputy", person="bo"))     # somebody else, who saw everything
    ctx.says("bo", body, base=())                                # who had seen nothing
    ctx.press(registry, "c")                                     # as the person at this console

What a verb wants of the person is kept for the test to answer: `asked`, `confirmed`, `menu`,
`editor`. The clock stands at `NOW` and moves a minute with every event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from tests.incident.making import NOW, STREAM, Writer, base_of
from warroom_console.actions import Args, Registry, Scope
from warroom_console.context import Ctx, View
from warroom_console.desk import Desk
from warroom_console.link import LinkState
from warroom_console.model import Model
from warroom_console.theme import Glyphs, Tone
from warroom_console.undo import undo
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_console.widgets.row import Draw, Row
from warroom_console.widgets.spans import plain
from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body
from warroom_incident.sync.wire import Person
from warroom_incident.vocabulary import IncidentDeclared

MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu that a verb opened."""

    title: str
    choices: Sequence[Choice]
    then: Callable[[str], None]

    def pick(self, label: str) -> None:
        """Choose the one choice whose label begins so."""
        (found,) = [choice for choice in self.choices if choice.label.startswith(label)]
        self.then(found.id)


@dataclass(frozen=True, slots=True)
class Editing:
    """An editor that a verb opened."""

    key: str
    title: str
    text: str
    save: Callable[[str], object]
    left: Callable[[str], object]


class FakeCtx:
    """What a verb acts with, kept for looking at."""

    def __init__(
        self, view: View, scope: Scope, *, you: str = "ana", config: Path = Path("/nowhere")
    ) -> None:
        self._view, self._scope = view, scope
        self.places = SimpleNamespace(config=config)
        self.model = Model(NOW)
        self.model.you = self.model.account = you
        self.model.link = LinkState("live")
        self.model.people = [Person(you)]
        self.stream: str | None = STREAM
        self.glyphs = Glyphs()
        self.clock = NOW
        self.writers: dict[str, Writer] = {}
        self.cursor: str | None = None
        self.marks: tuple[str, ...] = ()
        self.flashed: list[str] = []
        self.asked: Ask | None = None
        self.confirmed: tuple[str, Callable[[], None]] | None = None
        self.menu: Menu | None = None
        self.editor: Editing | None = None
        self.shown: tuple[str, str] | None = None
        self.copied: list[tuple[str, str]] = []
        self.doing: list[str] = []
        self.written: list[Event] = []
        self.redrawn = 0
        self.active = 0
        self.names: Sequence[str] = ()
        self.says(you, IncidentDeclared(title="Checkout is down"))

    # Others, and time

    def says(self, who: str, body: Body, base: tuple[str, ...] | None = None) -> Event:
        """Somebody writes an event; `base` is what they had seen, by default what stands."""
        self.clock += MINUTE
        writer = self.writers.setdefault(who, Writer(who, seed=len(self.writers) + 1))
        writer.clock.now = self.clock
        event = writer.write(body, *(base_of(self.state, body) if base is None else base))
        self.state.add(event)
        return event

    def arrive(self, *people: Person) -> None:
        """Others are here from now on."""
        self.model.people = [*self.model.people, *people]

    # The person at this console

    def press(self, registry: Registry[Ctx], key: str) -> str | None:
        """Press a key of the panel; return why that is not possible, None when it was done."""
        action = registry.find(self.scope, key)
        assert action is not None, key
        reason = action.when(self.ctx)
        if reason is None:
            action.do(self.ctx, Args())
        return reason

    def command(self, registry: Registry[Ctx], line: str) -> None:
        """Type a `:` line; what it is refused for is among the flashes."""
        if complaint := registry.complaint(self.ctx, line):
            self.flash(complaint)
            return
        action, args = registry.find_command(line)
        assert action.when(self.ctx) is None
        action.do(self.ctx, args)

    @property
    def ctx(self) -> Ctx:
        """This, as verbs see it."""
        return cast("Ctx", self)

    # As a room

    @property
    def state(self) -> IncidentState:
        return self.model.incident(self.stream or STREAM)

    def now(self) -> int:
        return self.clock

    # As a context

    @property
    def desk(self) -> Desk:
        return cast("Desk", self)

    @property
    def scope(self) -> Scope:
        return self._scope

    @scope.setter
    def scope(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def view(self) -> View:
        return self._view

    @property
    def targets(self) -> tuple[str, ...]:
        return self.marks or (() if self.cursor is None else (self.cursor,))

    def write(
        self, *bodies: Body, base: tuple[str, ...] | None = None, said: str = ""
    ) -> list[Event]:
        events = [self.says(self.model.you, body, base) for body in bodies]
        self.written += events
        self.flash(said)
        return events

    def undo(self) -> None:
        """Undo what was written last."""
        self.write(undo(self.written[-1], self.state))

    def flash(self, text: str, tone: Tone = Tone.TEXT) -> None:
        self.flashed.append(text)

    def ask(self, ask: Ask) -> None:
        self.asked = ask

    def answer(self, text: str) -> None:
        """Answer what was asked; fails with the complaint when that will not do."""
        assert self.asked is not None
        assert self.asked.check(text) is None, self.asked.check(text)
        self.asked.then(text)

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        self.confirmed = (question, then)

    def choose(
        self,
        title: str,
        choices: Iterable[Choice],
        then: Callable[[str], None],
        other: Callable[[str], object] | None = None,
    ) -> None:
        self.menu = Menu(title, list(choices), then)

    def edit(
        self,
        key: str,
        title: str,
        text: str,
        save: Callable[[str], object],
        left: Callable[[str], object] | None = None,
        check: Callable[[str], str | None] | None = None,
    ) -> None:
        assert left is not None
        self.editor = Editing(key, title, text, save, left)

    def show_text(self, title: str, text: str) -> None:
        self.shown = (title, text)

    def copy(self, text: str, what: str) -> None:
        self.copied.append((text, what))

    def here(self, doing: str) -> None:
        self.doing.append(doing)

    def activate(self, number: int) -> None:
        self.active = number

    def move_to(self, row_id: str) -> None:
        self.cursor = row_id

    def refresh(self) -> None:
        self.redrawn += 1

    def people(self) -> Sequence[str]:
        return self.names or tuple(person.name for person in self.model.people)


def drawn(row: Row, width: int = 78) -> list[str]:
    """A row's lines as text."""
    return [plain(line).rstrip() for line in row.draw(width)]


def panel(view: View, ctx: FakeCtx, width: int = 78) -> list[str]:
    """All lines of a panel as text."""
    return [line for row in view.rows(ctx) for line in drawn(row, width)]


def status(view: View, ctx: FakeCtx) -> str:
    """What the collapsed panel says."""
    title = view.title(ctx)
    return "".join((title.count, plain(title.badges), " | ", plain(title.status)))


def detail(view: View, ctx: FakeCtx, row_id: str, width: int = 60) -> str:
    """The detail of a row as text."""
    draw: Draw | None = view.detail(ctx, row_id)
    assert draw is not None
    return "\n".join(plain(line).rstrip() for line in draw(width))
