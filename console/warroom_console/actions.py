"""The action registry: what a responder can do, and by which key, word or menu.

One list of `Action` feeds the key bar, the `?` help, the palette, the `:` line, the README's key
table and the tests. Nothing here knows a screen: the registry is generic over the context `C` that
actions are asked and done in.

    registry: Registry[Room] = Registry()
    registry.register(Action("alerts.ack", ("a",), "Ack", "Say that you look at it.", do=ack,
                             scope=Scope.ALERTS, when=needs_alert, command="ack"))
    action = registry.find(Scope.ALERTS, "a")

A letter means one thing everywhere: it may serve in several panels, under one title; registering
anything else raises `Clash`. Enter, space and other named keys do what a panel makes of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct

C = TypeVar("C")


class Scope(StrEnum):
    """Where an action's key works."""

    EVERYWHERE = "everywhere"
    LOBBY = "lobby"
    ROOM = "room"
    """Every panel of an open incident."""
    ALERTS = "alerts"
    TIMELINE = "timeline"
    ROLES = "roles"
    RUNBOOK = "runbook"
    COMMS = "comms"


PANELS: dict[int, Scope] = {
    1: Scope.ALERTS,
    2: Scope.TIMELINE,
    3: Scope.ROLES,
    4: Scope.RUNBOOK,
    5: Scope.COMMS,
}
"""The five panels by their number, the same at every size."""

LEADERS: dict[str, str] = {"i": "Incident", "!": "Leaves the room"}
"""Keys that open a menu of what may follow, with the menu's title."""


class Clash(ValueError):
    """Two actions want the same key, command or id."""


class BadCommand(ValueError):
    """A `:` line that cannot be understood; the message says what to do."""


class Args(Struct, frozen=True):
    """What followed the command's word: `text` as typed, `words` split like a shell would."""

    text: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Split `text` at blanks, minding quotes; an open quote ends where the line ends."""
        import shlex

        try:
            return tuple(shlex.split(self.text))
        except ValueError:
            return tuple(self.text.split())


def allowed(_context: object) -> None:
    """Allow the action at any time: the default for `Action.when`."""


def no_hints(_context: object, _args: Args) -> Iterable[str]:
    """Offer no completion: the default for `Action.hints`."""
    return ()


def any_args(_context: object, _args: Args) -> str | None:
    """Take any argument: the default for `Action.check`."""
    return None


class Action(Struct, Generic[C], frozen=True):
    """One thing that a responder can do.

    `id` is dotted ("alerts.ack"). `keys` are printable characters or Textual key names ("space",
    "enter", "ctrl+p"). `title` is a word for the key bar, `help` one sentence. `tier` is 0
    (reversible, acts at once), 1 (asks) or 2 (leaves the room, wants its target typed). `when`
    gives None, or the reason why not now. `command` is the word on the `:` line, `usage` shows its
    arguments and `hints` completes the last of them.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    help: str
    do: Callable[[C, Args], Awaitable[None] | None]
    tier: int = 0
    scope: Scope = Scope.EVERYWHERE
    leader: str | None = None
    when: Callable[[C], str | None] = allowed
    command: str = ""
    usage: str = ""
    hints: Callable[[C, Args], Iterable[str]] = no_hints
    check: Callable[[C, Args], str | None] = any_args
    """Why the command's argument will not do, one sentence; None when it will.

    It is asked only where something follows the command's word.
    """
    shown: bool = True
    """Whether the key bar may show it; help, palette and command line always do."""

    @property
    def chord(self) -> str:
        """Return the first key as one presses it, leader first: `a`, `i s`, or nothing."""
        if not self.keys:
            return ""
        return f"{self.leader} {self.keys[0]}" if self.leader else self.keys[0]


class Offer(Struct, Generic[C], frozen=True):
    """An action as it stands in a context: `reason` is why it is disabled, None when it is not."""

    action: Action[C]
    reason: str | None


class Registry(Generic[C]):
    """All actions, in the order of registration."""

    def __init__(self) -> None:
        self._by_id: dict[str, Action[C]] = {}
        self._by_key: dict[tuple[str | None, str], list[Action[C]]] = {}
        self._by_command: dict[str, Action[C]] = {}

    def register(self, *actions: Action[C]) -> None:
        """Add actions.

        Raises `Clash` when an id, a command or a key is taken, and ValueError for a bad tier or
        leader.
        """
        for action in actions:
            self._check(action)
            self._by_id[action.id] = action
            for key in action.keys:
                self._by_key.setdefault((action.leader, key), []).append(action)
            if action.command:
                self._by_command[action.command] = action

    def __iter__(self) -> Iterator[Action[C]]:
        return iter(self._by_id.values())

    def __getitem__(self, action_id: str) -> Action[C]:
        return self._by_id[action_id]

    def find(self, scope: Scope, key: str, leader: str | None = None) -> Action[C] | None:
        """Return what `key` does in `scope`; the narrowest scope wins."""
        for place in reach(scope):
            for action in self._by_key.get((leader, key), ()):
                if action.scope is place:
                    return action
        return None

    def elsewhere(self, scope: Scope, key: str) -> str:
        """Say where a key works that does nothing in `scope`; empty where it never does."""
        found = self._by_key.get((None, key), ())
        if not found:
            return ""
        panels = {scope: number for number, scope in PANELS.items()}
        named = [
            f"{panels[a.scope]} {a.scope.value.capitalize()}" for a in found if a.scope in panels
        ]
        if scope is Scope.LOBBY:
            where = "an incident: Enter opens one"
        elif named:
            where = " and ".join(named)
        else:
            where = "the lobby: q goes there"
        return f"{found[0].title} works in {where}."

    def find_command(self, line: str) -> tuple[Action[C], Args]:
        """Split a `:` line into its action and arguments.

        Raises `BadCommand` when no command has that name or more than one begins so.
        """
        word, _, rest = line.strip().partition(" ")
        if exact := self._by_command.get(word):
            return exact, Args(rest.strip())
        close = sorted(name for name in self._by_command if word and name.startswith(word))
        if len(close) == 1:
            return self._by_command[close[0]], Args(rest.strip())
        if close:
            raise BadCommand(f"{word} could be {', '.join(close)}: type more of it")
        raise BadCommand(f"no command {word or 'given'}: press Tab for the list or ? for help")

    def complaint(self, context: C, line: str) -> str | None:
        """Return why a `:` line cannot be run, None when it can."""
        try:
            action, args = self.find_command(line)
        except BadCommand as bad:
            return str(bad)
        return action.check(context, args) if args.text else None

    def complete(self, context: C, line: str) -> list[str]:
        """Return whole `:` lines that `line` may become, best first."""
        word, blank, rest = line.lstrip().partition(" ")
        if not blank:
            return [name for name in sorted(self._by_command) if name.startswith(word)]
        action = self._by_command.get(word)
        if action is None:
            return []
        last = rest.rpartition(" ")[2]
        head = line[: len(line) - len(last)]
        found = action.hints(context, Args(rest))
        return [head + hint for hint in found if hint.casefold().startswith(last.casefold())]

    def offers(self, context: C, scope: Scope, leader: str | None = None) -> list[Offer[C]]:
        """List what can be done in `scope`: the panel's own actions first, then the wider ones.

        With a leader, only what may follow it; without, only what needs none.
        """
        chosen = [
            action
            for place in reach(scope)
            for action in self._by_id.values()
            if action.scope is place and action.leader == leader
        ]
        return [Offer(action, action.when(context)) for action in chosen]

    def all_offers(self, context: C, scope: Scope) -> list[Offer[C]]:
        """List all that can be done in `scope`, what follows a leader included."""
        plain = self.offers(context, scope)
        return plain + [offer for key in LEADERS for offer in self.offers(context, scope, key)]

    def beyond(self, scope: Scope) -> list[Action[C]]:
        """List what only the other panels of an incident do; each kind of thing once."""
        if scope not in PANELS.values():
            return []
        near = {action.title for action in self._by_id.values() if action.scope in reach(scope)}
        far = [a for panel in PANELS.values() for a in self._by_id.values() if a.scope is panel]
        return list({a.title: a for a in reversed(far) if a.title not in near}.values())[::-1]

    def markdown_table(self) -> str:
        """Return the README's key table: a stable order, one line an action."""
        lines = ["| Key | Where | Action | What it does |", "| --- | --- | --- | --- |"]
        for scope in Scope:
            for action in self._by_id.values():
                if action.scope is scope:
                    lines.append(_table_line(action))
        return "\n".join(lines) + "\n"

    def _check(self, action: Action[C]) -> None:
        if action.tier not in (0, 1, 2):
            raise ValueError(f"{action.id}: tier is 0, 1 or 2, not {action.tier}")
        if action.leader is not None and action.leader not in LEADERS:
            raise ValueError(f"{action.id}: {action.leader} is no leader")
        if action.id in self._by_id:
            raise Clash(f"{action.id} is registered twice")
        if action.command and action.command in self._by_command:
            taken = self._by_command[action.command]
            raise Clash(f"command {action.command}: {action.id} and {taken.id}")
        for key in action.keys:
            if action.leader is None and key in LEADERS:
                raise Clash(f"{action.id}: {key} opens a menu")
            for other in self._by_key.get((action.leader, key), ()):
                if _meet(action.scope, other.scope) or (
                    len(key) == 1 and action.title != other.title
                ):
                    raise Clash(f"key {key}: {action.id} and {other.id}")


def reach(scope: Scope) -> Sequence[Scope]:
    """Return the scopes whose keys work in `scope`, narrowest first."""
    match scope:
        case Scope.EVERYWHERE:
            return (scope,)
        case Scope.LOBBY | Scope.ROOM:
            return (scope, Scope.EVERYWHERE)
        case _:
            return (scope, Scope.ROOM, Scope.EVERYWHERE)


def _meet(one: Scope, other: Scope) -> bool:
    """Say whether both scopes can be in force at the same time."""
    return one in reach(other) or other in reach(one)


def _table_line(action: Action[C]) -> str:
    keys = " ".join(f"`{_cell(key)}`" for key in action.keys)
    if action.leader:
        keys = f"`{action.leader}` {keys}"
    where = action.scope.value
    line = f"{action.command} {action.usage}".rstrip()
    command = f" (`:{_cell(line)}`)" if line else ""
    asks = ("", " Asks first.", " Wants its target typed.")[action.tier]
    return f"| {keys} | {where} | {_cell(action.title)}{command} | {_cell(action.help)}{asks} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
