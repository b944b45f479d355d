"""`KeyBar`: one row of what the next key does, fed by the action registry.

    bar.show(hints(registry.offers(context, Scope.ALERTS)))

What is disabled now is dimmed and stays where it is; all of it while something else has the
keyboard. On narrow screens the last hints go first, the
pinned ones never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.bar import Bar
from warroom_console.widgets.spans import Line, Span, paint, spread, width_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.strip import Strip

    from warroom_console.actions import Offer

_NAMES = {
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "tab": "Tab",
    "shift+tab": "S-Tab",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
}


def key_label(key: str) -> str:
    """Return a key as people write it: `a`, `^P`, `Enter`."""
    if key.startswith("ctrl+"):
        return "^" + key[5:].upper()
    if key.startswith("f") and key[1:].isdigit():
        return key.upper()
    return _NAMES.get(key, key)


class Hint(Struct, frozen=True):
    """A key and what it does; `pinned` ones stay when the row is short."""

    key: str
    title: str
    enabled: bool = True
    pinned: bool = False


def hints(offers: Iterable[Offer[Any]], pinned: Sequence[str] = ("help",)) -> list[Hint]:
    """Return hints for offers that have a key; `pinned` are ids of actions that always show."""
    return [
        Hint(
            key_label(offer.action.keys[0]),
            offer.action.title,
            offer.reason is None,
            offer.action.id in pinned,
        )
        for offer in offers
        if offer.action.keys and offer.action.shown
    ]


class KeyBar(Bar):
    """The last row of the screen."""

    SURFACE = Surface.BAR

    def __init__(self) -> None:
        super().__init__()
        self._hints: tuple[Hint, ...] = ()
        self._lent: tuple[Hint, ...] | None = None

    def show(self, hints: Iterable[Hint]) -> None:
        """Show other hints."""
        fresh = tuple(hints)
        if fresh != self._hints:
            self._hints = fresh
            self.redraw()

    def lend(self, hints: Iterable[Hint] | None) -> None:
        """Say that something else has the keyboard: show its hints or, where it has none, dim.

        None gives the row back.
        """
        lent = None if hints is None else tuple(hints)
        if lent != self._lent:
            self._lent = lent
            self.redraw()

    @property
    def _shown(self) -> Sequence[Hint]:
        if self._lent is None:
            return self._hints
        return self._lent or [replace(hint, enabled=False) for hint in self._hints]

    def draw(self, width: int, look: Look) -> Strip:
        pinned = _line(hint for hint in self._shown if hint.pinned)
        room = width - width_of(pinned)
        free: list[Hint] = [hint for hint in self._shown if not hint.pinned]
        while free and width_of(_line(free)) > room:
            free.pop()
        return paint(spread(_line(free), pinned, width), width, look.palette, self.SURFACE)

    def on_resize(self) -> None:
        self.redraw()


def _line(hints: Iterable[Hint]) -> Line:
    spans: list[Span] = []
    for hint in hints:
        spans.append((f" {hint.key}", Tone.ACCENT if hint.enabled else Tone.FAINT))
        spans.append((f" {hint.title} ", Tone.DIM if hint.enabled else Tone.FAINT))
    return tuple(spans)
