"""`Palette`: find an action by its words, also one of another panel, and run it by Enter.

Palette(registry, room, scope, then=act)      # `then` gets the id of the action to do
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.cells import cell_len
from textual.geometry import Region, Size

from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.keybar import key_label
from warroom_console.widgets.menu import Choice, Menu
from warroom_console.widgets.spans import Line, column, cut, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from warroom_console.actions import Action, Offer, Registry, Scope

C = TypeVar("C")


class Palette(Menu):
    """A query line and what fits it, best first."""

    def __init__(
        self, registry: Registry[C], context: C, scope: Scope, then: Callable[[str], None]
    ) -> None:
        choices = [_choice(offer) for offer in registry.all_offers(context, scope)]
        choices += [_far(action) for action in registry.beyond(scope)]
        super().__init__("Do", choices, then, hotkeys=False)

    def place(self, screen: Size) -> Region:
        width = min(screen.width - 4, 76)
        height = min(screen.height - 5, 16)
        return Region((screen.width - width) // 2, 2, width, height)

    def heading(self) -> str:
        return "Do"

    def body(self, width: int, height: int, look: Look) -> Sequence[tuple[Line, Surface]]:
        text, at = self._query.window(width - 4)
        query: Line = (
            (" > ", Tone.ACCENT),
            (text[:at], Tone.STRONG),
            (text[at : at + 1] or " ", Tone.CARET),
            (text[at + 1 :], Tone.STRONG),
        )
        return [(query, self.SURFACE), *super().body(width, height - 1, look)]

    def _ranked(self, found: list[Choice], words: Sequence[str]) -> list[Choice]:
        """Put titles that begin with the query first, then those that contain it."""
        query = " ".join(words)

        def rank(choice: Choice) -> tuple[bool, bool, bool]:
            label = choice.label.casefold()
            return not label.startswith(query), query not in label, choice.reason is not None

        return sorted(found, key=rank) if query else found

    def _line(self, choice: Choice, width: int, look: Look) -> Line:
        able = choice.reason is None
        key = f"  {key_label(choice.key)} "
        label = max(cell_len(choice.label) for choice in self._choices) + 2
        note = choice.note if able else f"({choice.reason})"
        left: Line = (
            (f"   {column(choice.label, label)}", Tone.TEXT if able else Tone.FAINT),
            (cut(note, width - label - len(key) - 4, look.glyphs.more), Tone.DIM),
        )
        return spread(left, ((key, Tone.ACCENT if able else Tone.FAINT),), width)


def _choice(offer: Offer[C]) -> Choice:
    action = offer.action
    key = action.chord or (f":{action.command}" if action.command else "")
    return Choice(action.id, action.title, action.help, key, offer.reason)


def _far(action: Action[C]) -> Choice:
    """What another panel does: choosing it goes there first."""
    where = action.scope.value.capitalize()
    return Choice(action.id, action.title, f"{where}: {action.help}", action.chord)
