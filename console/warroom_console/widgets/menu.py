"""`Menu`: a visible list to choose from, by key, by cursor or by typing.

    Menu("Incident", choices_of(registry.offers(room, scope, "i")), then=act)     # a leader's menu
    Menu("Severity", [Choice("SEV1", "SEV1", note="customers down")], then=set, hotkeys=False)

`then` gets the chosen id after the menu has closed and the keyboard is back. A disabled choice
stays in sight and says why when it is chosen. With `hotkeys` a choice's key picks it; without, what
is typed filters the list, and `other` gets what fits nothing in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from rich.cells import cell_len
from textual.geometry import Region, Size

from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.keybar import key_label
from warroom_console.widgets.lineedit import LineEdit
from warroom_console.widgets.sheet import Sheet
from warroom_console.widgets.spans import Line, Span, column, cut

if TYPE_CHECKING:
    from textual import events

    from warroom_console.actions import Offer


class Choice(Struct, frozen=True):
    """Something to choose. `reason` says why it cannot be chosen now; `heading` names its group.

    A choice without an id is there to be read.
    """

    id: str
    label: str
    note: str = ""
    key: str = ""
    reason: str | None = None
    heading: str = ""

    def matches(self, words: Sequence[str]) -> bool:
        """Say whether every word occurs in what the choice shows."""
        text = f"{self.label} {self.note} {self.key} {self.heading}".casefold()
        return all(word in text for word in words)


def choices_of(offers: Iterable[Offer[Any]], heading: str = "") -> list[Choice]:
    """Return offers of the action registry as choices."""
    return [
        Choice(
            offer.action.id,
            offer.action.title,
            offer.action.help,
            offer.action.keys[0] if offer.action.keys else "",
            offer.reason,
            heading,
        )
        for offer in offers
    ]


class Menu(Sheet):
    """A list of choices in the lower left corner, just above the prompt."""

    def __init__(
        self,
        title: str,
        choices: Iterable[Choice],
        then: Callable[[str], None],
        *,
        left: Callable[[], object] | None = None,
        other: Callable[[str], object] | None = None,
        hotkeys: bool = True,
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = list(choices)
        self._then, self._left, self._other = then, left, other
        self._hotkeys = hotkeys
        self._query = LineEdit()
        self._found = self._choices
        self._at = self._first()
        self._top = 0
        self._complaint = ""

    # Where and what

    def place(self, screen: Size) -> Region:
        height = min(len(self._choices) + 2, screen.height - 3)
        label = max((cell_len(choice.label) for choice in self._choices), default=0)
        note = max((cell_len(_note(choice)) for choice in self._choices), default=0)
        wanted = max(34, label + note + self._key_width() + 8, cell_len(self._title) + 6)
        width = min(screen.width, wanted)
        return Region(0, screen.height - 2 - height, width, height)

    def heading(self) -> str:
        return self._title if not self._query.text else f"{self._title}: {self._query.text}"

    def footing(self) -> Line:
        if self._complaint:
            return ((f" {self._complaint} ", Tone.WARN),)
        return ((" Enter choose  Esc leave ", Tone.DIM),)

    def body(self, width: int, height: int, look: Look) -> Sequence[tuple[Line, Surface]]:
        if not self._found:
            said = " nothing fits: Enter goes on with it" if self._other else " nothing fits"
            return [(((said, Tone.DIM),), self.SURFACE)]
        self._scroll(height)
        return [
            (self._line(choice, width, look), self._surface(place))
            for place, choice in enumerate(self._found[self._top : self._top + height], self._top)
        ]

    @property
    def chosen(self) -> Choice | None:
        """The choice under the cursor."""
        return self._found[self._at] if self._at < len(self._found) else None

    # Keys

    def press(self, key: str, character: str | None) -> None:
        self._complaint = ""
        match key:
            case "escape":
                self._leave()
            case "enter":
                self._choose(self.chosen)
            case "up" | "down" | "tab" | "shift+tab":
                self._move(1 if key in ("down", "tab") else -1)
            case "pageup" | "pagedown":
                step = max(1, self.size.height - 3)
                self._move(step if key == "pagedown" else -step)
            case _:
                self._typed(key, character)
        self.redraw()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if not self._hotkeys:
            self._query.insert(event.text.splitlines()[0] if event.text else "")
            self._filter()
            self.redraw()

    def _typed(self, key: str, character: str | None) -> None:
        if self._hotkeys:
            for choice in self._choices:
                if choice.key and choice.key in (key, character):
                    self._choose(choice)
                    return
            if key in ("j", "k"):
                self._move(1 if key == "j" else -1)
            elif character is not None:
                self._complaint = f"{character} chooses nothing here"
            return
        if character is not None:
            self._query.insert(character)
        elif not self._query.press(key):
            return
        self._filter()

    def _filter(self) -> None:
        words = self._query.text.casefold().split()
        self._found = self._ranked([c for c in self._choices if c.matches(words)], words)
        self._at = self._first()
        self._top = 0

    def _ranked(self, found: list[Choice], _words: Sequence[str]) -> list[Choice]:
        return found

    def _first(self) -> int:
        """Return the first choice that can be chosen, the first one when none can."""
        able = (n for n, choice in enumerate(self._found) if choice.id and choice.reason is None)
        return next(able, 0)

    def _move(self, delta: int) -> None:
        able = [place for place, choice in enumerate(self._found) if choice.id]
        if not able:
            return
        at = able.index(self._at) if self._at in able else 0
        self._at = able[max(0, min(at + delta, len(able) - 1))]

    def _choose(self, choice: Choice | None) -> None:
        if choice is None and self._other is not None:
            self.close()
            self._other(self._query.text)
        if choice is None or not choice.id:
            return
        if choice.reason is not None:
            self._complaint = f"{choice.label}: {choice.reason}"
            return
        self.close()
        self._then(choice.id)

    def _leave(self) -> None:
        self.close()
        if self._left is not None:
            self._left()

    # Drawing

    def _scroll(self, height: int) -> None:
        lowest = max(0, len(self._found) - height)
        self._top = min(max(self._top, self._at - height + 1), self._at, max(lowest, 0))

    def _surface(self, place: int) -> Surface:
        return Surface.CURSOR if place == self._at else self.SURFACE

    def _key_width(self) -> int:
        return max((len(key_label(choice.key)) for choice in self._choices), default=0) + 2

    def _line(self, choice: Choice, width: int, look: Look) -> Line:
        able = choice.reason is None
        keys = self._key_width() if any(choice.key for choice in self._choices) else 1
        label = max((cell_len(choice.label) for choice in self._choices), default=0)
        spans: list[Span] = [
            (column(f" {key_label(choice.key)}", keys), Tone.ACCENT if able else Tone.FAINT),
            (column(choice.label, label + 2), Tone.TEXT if able else Tone.FAINT),
        ]
        room = max(0, width - keys - label - 3)
        spans.append((cut(_note(choice), room, look.glyphs.more), Tone.DIM))
        return tuple(spans)


def _note(choice: Choice) -> str:
    """What is said beside a choice: what it does or, while it cannot be chosen, why not."""
    return choice.note if choice.reason is None else f"({choice.reason})"
