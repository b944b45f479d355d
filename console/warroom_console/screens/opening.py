"""`Opening`: the first frame, painted from few imports while the rest is loaded behind it.

The header with what the incident was called, the panels' frames where the panels will be, and a
prompt row that says what is going on. Keys that are typed meanwhile are kept for the room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip

from warroom_console.actions import LEADERS
from warroom_console.theme import Look, Tone, look_of
from warroom_console.widgets.canvas import Canvas
from warroom_console.widgets.header import Header, Heading
from warroom_console.widgets.keybar import Hint, KeyBar
from warroom_console.widgets.layout import Arrangement, arrange, joint
from warroom_console.widgets.panel import PanelTitle
from warroom_console.widgets.prompt import Prompt
from warroom_console.widgets.spans import blank, paint
from warroom_console.widgets.terminal import PlainScreen
from warroom_incident.clean import clean_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

NAMES = {0: "Facts", 1: "Alerts", 2: "Timeline", 3: "Roles", 4: "Runbook", 5: "Comms"}
"""The panels by their numbers; 0 is the detail pane."""

_TIMELINE = 2
_MOST_KEYS = 1000


class Opening(PlainScreen):
    """What is seen before the room is."""

    def __init__(self, called: str | None) -> None:
        super().__init__()
        self._called = called
        self._typed: list[events.Key | events.Paste] = []

    def compose(self) -> ComposeResult:
        header, prompt = Header(), Prompt()
        if self._called is None:
            header.show(Heading((("warroom", Tone.ACCENT),), "", ((" lobby", Tone.TEXT),)))
        else:
            header.show(Heading(((_name(self._called), Tone.ACCENT),)))
        prompt.set_idle(((f"opening {look_of(self).glyphs.more}", Tone.DIM),))
        yield header
        yield Frames(NAMES if self._called is not None else {0: "Lobby"})
        yield prompt
        keys = KeyBar()
        leader = [Hint("i", LEADERS["i"], pinned=True)] if self._called is not None else []
        keys.show([*leader, Hint("?", "Help", pinned=True)])
        yield keys

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        event.refresh_styles = False

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if len(self._typed) < _MOST_KEYS:
            self._typed.append(events.Key(event.key, event.character))

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if len(self._typed) < _MOST_KEYS:
            self._typed.append(events.Paste(event.text))

    def hand_over(self) -> Sequence[events.Key | events.Paste]:
        """Return what was typed and pasted so far, and forget it."""
        typed, self._typed = self._typed, []
        return typed


class Frames(Canvas):
    """The panels' title lines and the dividers, where `arrange` puts them."""

    DEFAULT_CSS = "Frames { height: 1fr; width: 1fr; }"

    def __init__(self, names: dict[int, str]) -> None:
        super().__init__()
        self._names = names

    def draw(self, size: Size, look: Look) -> Sequence[Strip]:
        plan = arrange(size, _TIMELINE)
        if _TIMELINE not in self._names and plan.panels:
            plan = Arrangement({0: Region(0, 0, size.width, size.height)})
        return [
            Strip.join(self._row(plan, y, look)) for y in range(size.height if plan.panels else 0)
        ]

    def _row(self, plan: Arrangement, y: int, look: Look) -> list[Strip]:
        """Return the pieces of one row from left to right."""
        pieces: dict[int, Strip] = {}
        for number, region in plan.panels.items():
            if y == region.y:
                pieces[region.x] = self._title(number, region.width, look)
            elif region.y < y < region.bottom:
                pieces[region.x] = blank(region.width, look.palette)
        for divider in plan.dividers:
            shape = joint(look.glyphs, y, plan.joints(divider)[y])
            pieces[divider.x] = paint(((shape, Tone.FAINT),), 1, look.palette)
        return [piece for _, piece in sorted(pieces.items())]

    def _title(self, number: int, width: int, look: Look) -> Strip:
        title = PanelTitle(number or None, self._names[number])
        title.active = number == _TIMELINE or len(self._names) == 1
        return title.draw(width, look)


def _name(called: str) -> str:
    """What was typed, as the header will show it: `INC-7` for `7` and `inc-7`."""
    said = clean_line(called.strip(), 20)
    if said.isdigit():
        return f"INC-{said}"
    return said.upper() if said[:4].casefold() == "inc-" and said[4:].isdigit() else said
