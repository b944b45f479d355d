"""`Help`: every key that works here, filtered by typing, run by Enter.

    Help(registry, room, scope, then=act)      # `then` gets the id of the action to do

Disabled actions stay in the list, dimmed. What the list cuts of the action under the cursor, and
why it is disabled, is told whole below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.cells import cell_len
from textual.geometry import Region, Size

from warroom_console.actions import LEADERS, Offer, Registry, Scope, reach
from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.keybar import key_label
from warroom_console.widgets.menu import Choice, Menu
from warroom_console.widgets.row import NAVIGATION
from warroom_console.widgets.spans import Line, column, cut, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

C = TypeVar("C")
_KEY, _TITLE = 10, 16
_TOLD = 2
"""Rows in which the chosen action is told whole: its sentence may be cut in the list."""
_HEADINGS = {Scope.ROOM: "Room", Scope.LOBBY: "Lobby", Scope.EVERYWHERE: "Everywhere"}


class Help(Menu):
    """The `?` screen."""

    def __init__(
        self, registry: Registry[C], context: C, scope: Scope, then: Callable[[str], None]
    ) -> None:
        super().__init__(
            f"Keys in {scope.value}", _choices(registry, context, scope), then, hotkeys=False
        )

    def place(self, screen: Size) -> Region:
        width = min(screen.width - 4, 100)
        height = screen.height - 4
        return Region((screen.width - width) // 2, 1, width, height)

    def footing(self) -> Line:
        if self._complaint:
            return super().footing()
        return ((" type to filter  Enter do it  Esc leave ", Tone.DIM),)

    def body(self, width: int, height: int, look: Look) -> Sequence[tuple[Line, Surface]]:
        if not self._found:
            return super().body(width, height, look)
        told = self._told(width, look)
        height -= len(told)
        lines: list[tuple[Line, Surface]] = []
        at = 0
        heading = ""
        for place, choice in enumerate(self._found):
            if choice.heading != heading:
                heading = choice.heading
                lines.append((((f" {heading}", Tone.ACCENT),), self.SURFACE))
            if place == self._at:
                at = len(lines)
            lines.append((self._line(choice, width, look), self._surface(place)))
        # A reader at the first line of a group sees the group's name too.
        self._top = min(max(self._top, at - height + 1), max(0, at - 1))
        shown = lines[self._top : self._top + height]
        shown += [((), self.SURFACE)] * (height - len(shown))
        return [*shown, *told]

    def _told(self, width: int, look: Look) -> list[tuple[Line, Surface]]:
        chosen, rule = self.chosen, look.glyphs.rule
        edge: Line = ((" " + rule * (width - 2), Tone.FAINT),)
        text = chosen.note if chosen is not None else ""
        if chosen is not None and chosen.reason is not None:
            text = f"{text} Not now: {chosen.reason}."
        lines = [*wrap(text, width - 2), *[""] * _TOLD][:_TOLD]
        told: list[Line] = [((f" {line}", Tone.TEXT),) for line in lines]
        return [(line, self.SURFACE) for line in (edge, *told)]

    def _line(self, choice: Choice, width: int, look: Look) -> Line:
        room = width - _KEY - _TITLE - 4
        more = look.glyphs.more
        key, label = "   " + column(choice.key, _KEY), column(choice.label, _TITLE - 1) + " "
        if choice.reason is None:
            note = cut(choice.note, room, more)
            return ((key, Tone.STRONG), (label, Tone.TEXT), (note, Tone.DIM))
        told = cut(choice.note, room, more)
        left = room - cell_len(told)
        # Half a reason says nothing: it is told whole once the cursor is here.
        reason = cut(f" ({choice.reason})", left, more) if told == choice.note and left > 12 else ""
        return (
            (key, Tone.FAINT),
            (label, Tone.FAINT),
            (told, Tone.FAINT),
            (reason, Tone.DIM),
        )


def _choices(registry: Registry[C], context: C, scope: Scope) -> list[Choice]:
    found: list[Choice] = []
    offers = registry.offers(context, scope)
    for place in reach(scope):
        name = _HEADINGS.get(place, place.value.capitalize())
        found.extend(_choice(offer, name) for offer in offers if offer.action.scope is place)
    for leader, name in LEADERS.items():
        offers = registry.offers(context, scope, leader)
        found.extend(_choice(offer, name) for offer in offers)
    found.extend(Choice("", "", text, key, None, "Lists") for key, text in NAVIGATION)
    return found


def _choice(offer: Offer[C], heading: str) -> Choice:
    action = offer.action
    keys = " ".join(key_label(key) for key in action.keys)
    if action.leader:
        keys = f"{action.leader} {keys}"
    elif not keys and action.command:
        keys = f":{action.command}"
    return Choice(action.id, action.title, action.help, keys, offer.reason, heading)
