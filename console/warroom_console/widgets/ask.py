"""What the prompt row asks: a line of text, or yes and no."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from warroom_console.widgets.keybar import Hint

PASSING = (":", "/")
"""Labels of what is of the moment: a command, a filter."""


def _nothing(_text: str) -> Sequence[str]:
    return ()


def _fine(_text: str) -> str | None:
    return None


class Ask(Struct, frozen=True):
    """A question for one line of text.

    `then` gets it, and says False where it came to nothing: the text is kept as after Esc.
    `complete` gives whole lines that the text may become, `check` a sentence when it will not do
    (the row stays open), `changed` hears every edit (live filters), `left` hears Esc. `refill` puts
    text kept by an earlier Esc back into the line, where typing replaces it and any other key goes
    on with it; without `refill` the text waits as a ghost for Tab.
    """

    label: str
    then: Callable[[str], object]
    text: str = ""
    hint: str = ""
    complete: Callable[[str], Sequence[str]] = _nothing
    check: Callable[[str], str | None] = _fine
    changed: Callable[[str], object] | None = None
    left: Callable[[], object] | None = None
    refill: bool = True
    longer: Callable[[str], object] | None = None
    """Goes on with the text where there is more room: after ctrl+e, or a paste of several lines.

    The row is idle by then.
    """
    recalls: bool = True
    """Whether the text is kept for ↑ and after Esc; never for a target that must be typed.

    After Esc a line that began with a `text` of its own is brought back by ↑.
    """

    def keys(self, past: Sequence[str]) -> list[Hint]:
        """Return the keys that work while it is answered; `past` are the lines that ↑ recalls."""
        kept = ", keeping the text" if self.recalls and self.label not in PASSING else ""
        found = [Hint("Enter", "Go on"), Hint("Esc", f"Leave{kept}")]
        if self.longer is not None:
            found.append(Hint("^E", "Editor"))
        if self.complete is not _nothing:
            found.append(Hint("Tab", "Complete"))
        if self.recalls and past:
            found.append(Hint("Up", "Earlier lines"))
        return found


def is_typed(ask: Ask, text: str) -> bool:
    """Whether a line holds something that a person typed and may want back."""
    return ask.recalls and bool(text.strip()) and text != ask.text


class Question(Struct, frozen=True):
    text: str
    then: Callable[[], None]
    left: Callable[[], object] | None
    since: float
    typed: tuple[Ask, str] | None
    """The line that was being typed, and what it held."""
