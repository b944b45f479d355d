"""`Prompt`: the one row in which the console asks and answers.

    prompt.flash("Acked A-7 · u undo")                  # what just happened, for some seconds
    prompt.ask(Ask(":", run, complete=registry_lines))  # a line of text; Tab completes, ↑ recalls
    prompt.confirm("Resolve INC-42?", then=resolve)     # [y/N]
    prompt.confirm_typed("Publish to customers", "customers", then=publish)

Every `then` is called once, after the row is idle again and the focus is back where it was. Bind
the ids that it acts on when the key is pressed: what is under the cursor later is another matter.
Esc leaves without calling it and keeps the text, which is offered again under the same label; a
question that comes up while a line is typed gives the line back after a no. Keys pressed in the
first 250 ms of a question are dropped, so that a held key answers nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.message import Message

from warroom_console.theme import Look, Tone
from warroom_console.widgets.ask import PASSING, Ask, Question, is_typed
from warroom_console.widgets.bar import Bar
from warroom_console.widgets.keybar import Hint
from warroom_console.widgets.lineedit import LONGEST, LineEdit
from warroom_console.widgets.past import Past
from warroom_console.widgets.spans import Line, abridge, paint, width_of
from warroom_console.widgets.typed_line import TypedLine
from warroom_incident.clean import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual import events
    from textual.strip import Strip
    from textual.timer import Timer
    from textual.widget import Widget

__all__ = ["GUARD", "Ask", "Prompt"]

GUARD = 0.25
"""Seconds for which a fresh question takes no key."""


class Prompt(Bar, can_focus=True):
    """The prompt row. It is always on screen, so that nothing moves when it is used."""

    clock: Callable[[], float] = staticmethod(time.monotonic)
    """Seconds, for the key-repeat guard."""

    def __init__(self) -> None:
        super().__init__()
        self._idle: Line = ()
        self._flash: Line = ()
        self._tail = ""
        self._timer: Timer | None = None
        self._ask: Ask | None = None
        self._question: Question | None = None
        self._edit = LineEdit()
        self._complaint = ""
        self._kept: dict[str, str] = {}
        self.past = Past()
        """What was typed before, by label."""
        self._cycle: tuple[Sequence[str], int] | None = None
        self._stem = ""
        self._offered = False
        self._back: Widget | None = None

    class Turned(Message):
        """The row asks something else than before, or nothing any more."""

    # Saying

    def set_idle(self, line: Line) -> None:
        """Set what the row says when there is nothing else to say."""
        self._idle = line
        self.redraw()

    def flash(
        self, text: str | Line, tone: Tone = Tone.TEXT, seconds: float = 8, *, tail: str = ""
    ) -> None:
        """Say what happened; while something is being asked, say it afterwards.

        Where the row is too short the text is cut, never the `tail`.
        """
        self._flash = ((text, tone),) if isinstance(text, str) else text
        self._tail = tail
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(seconds, self._unflash)
        self.redraw()

    @property
    def shown(self) -> Line:
        """What the idle row says now."""
        return (*self._flash, (self._tail, Tone.TEXT)) if self._flash else self._idle

    # Asking

    @property
    def busy(self) -> bool:
        """Whether the row waits for an answer."""
        return self._ask is not None or self._question is not None

    @property
    def hints(self) -> list[Hint]:
        """The keys that work while the row waits for an answer."""
        if self._question is not None:
            return [Hint("y", "Yes"), Hint("n", "No")]
        return self._ask.keys(self.past.of(self._ask.label)) if self._ask is not None else []

    @property
    def text(self) -> str:
        """What has been typed."""
        return self._edit.text

    @property
    def unsent(self) -> dict[str, str]:
        """What was typed and not sent, by label; no commands and filters."""
        kept = dict(self._kept)
        if self._typed is not None:
            kept[self._typed[0].label] = self._typed[1]
        return {label: text for label, text in kept.items() if label not in PASSING}

    def restore(self, lines: Mapping[str, str]) -> None:
        """Offer lines again that were kept elsewhere."""
        self._kept.update(lines)

    @property
    def _typed(self) -> tuple[Ask, str] | None:
        """The line that is being typed, also behind a question, where there is something in it."""
        typed = self._question.typed if self._question is not None else None
        if self._ask is not None:
            typed = self._ask, self._edit.text
        return typed if typed is not None and is_typed(*typed) else None

    def ask(self, ask: Ask) -> None:
        """Ask for a line of text."""
        self._keep_typed()
        self._take_focus()
        self._ask, self._question = ask, None
        self._complaint = ""
        self.past.leave()
        self._cycle = None
        kept = self._kept.get(ask.label, "") if ask.recalls and ask.refill else ""
        self._edit.set(ask.text or kept)
        self._offered = bool(kept and not ask.text)
        self.post_message(self.Turned())
        self.redraw()

    def confirm(
        self, question: str, then: Callable[[], None], left: Callable[[], object] | None = None
    ) -> None:
        """Ask for y or n; Enter, n and Esc mean no."""
        self._take_focus()
        typed = (self._ask, self._edit.text) if self._ask is not None else None
        self._ask = None
        self._question = Question(question, then, left, self.clock(), typed)
        self.post_message(self.Turned())
        self.redraw()

    def confirm_typed(self, question: str, target: str, then: Callable[[], None]) -> None:
        """Ask for the target's name, typed out, before something leaves the room."""

        def check(text: str) -> str | None:
            return None if text.strip() == target else f"type {target} to go on, Esc to leave"

        hint = f"type {target}"
        self.ask(Ask(f"{question} ", lambda _: then(), hint=hint, check=check, recalls=False))

    # Keys

    def on_key(self, event: events.Key) -> None:
        if not self.busy:
            return
        event.stop()
        event.prevent_default()
        key = event.key
        if self._question is not None:
            self._answer(self._question, key)
        elif self._ask is not None:
            if event.is_printable and event.character:
                self._type(event.character)
            else:
                self._press(self._ask, key)

    def on_paste(self, event: events.Paste) -> None:
        if self._ask is None:
            return
        event.stop()
        text = event.text.strip("\r\n")
        fits = len(text) <= LONGEST - len(self._edit.text)
        if self._ask.longer is not None and ("\n" in text or not fits):
            self._go_longer(self._ask.longer, text)
            return
        self._type(text)
        if not fits:
            self._complaint = f"cut off: a line holds {LONGEST} characters"
            self.redraw()

    def _go_longer(self, longer: Callable[[str], object], pasted: str = "") -> None:
        """Go on where there is more room, with what is pasted at the cursor."""
        text, at = self._edit.text, self._edit.at
        if self._offered and pasted:
            text, at = "", 0
        self._finish()
        longer(text[:at] + pasted + text[at:])

    def on_blur(self) -> None:
        """Leave a question that lost the keyboard: nothing may wait where nobody looks."""
        # One question may lead to the next: the keyboard was lost for a moment and is back.
        if self.busy and self.screen.focused is not self:
            self._back = None
            self._leave(go_on=False)

    def _answer(self, question: Question, key: str) -> None:
        if key == "escape" or (key in ("n", "N", "enter") and not self._guarded(question)):
            self._leave()
        elif key in ("y", "Y") and not self._guarded(question):
            self._keep_typed()
            self._finish()
            question.then()

    def _guarded(self, question: Question) -> bool:
        return self.clock() - question.since < GUARD

    def _type(self, text: str) -> None:
        if self._offered and self._ask is not None:
            # Replaced, not lost: ↑ brings it back.
            self.past.add(self._ask.label, self._edit.text)
            self._edit.set("")
        elif self._cycle is not None and text != " ":
            # Who types on while going round the candidates takes none of them.
            self._edit.set(self._stem)
        self._edit.insert(clean(text, newlines=False))
        self._edited()

    def _press(self, ask: Ask, key: str) -> None:
        if self._offered:
            self._offered = False
            self.redraw()
        match key:
            case "escape":
                self._leave()
            case "enter":
                self._submit(ask)
            case "tab" | "shift+tab":
                self._complete(ask, 1 if key == "tab" else -1)
            case "up" | "down":
                self._recall_line(ask, -1 if key == "up" else 1)
            case "ctrl+e" if ask.longer is not None:
                self._go_longer(ask.longer)
            case "right" if self._edit.at == len(self._edit.text) and self._ghost(ask):
                self._complete(ask, 1)
            case "backspace" if not self._edit.text:
                self._leave()
            case _ if self._edit.press(key):
                self._edited()

    def _edited(self) -> None:
        self._complaint = ""
        self._cycle = None
        self._offered = False
        if self._ask is not None and self._ask.changed is not None:
            self._ask.changed(self._edit.text)
        self.redraw()

    def _submit(self, ask: Ask) -> None:
        text = self._edit.text
        complaint = ask.check(text)
        if complaint is not None:
            self._complaint = complaint
            self.redraw()
            return
        if ask.recalls:
            self._kept.pop(ask.label, None)
            self.past.add(ask.label, text)
        self._finish()
        if ask.then(text) is False and ask.recalls:
            self._kept[ask.label] = text

    def _leave(self, *, go_on: bool = True) -> None:
        ask, question = self._ask, self._question
        typed = question.typed if question is not None and go_on else None
        if typed is None:
            self._keep_typed()
        self._finish()
        left = ask.left if ask is not None else question.left if question is not None else None
        if left is not None:
            left()
        if typed is not None:
            self._go_on(*typed)

    def _go_on(self, ask: Ask, text: str) -> None:
        """Ask again, with what was typed before a question came up."""
        self.ask(ask)
        self._edit.set(text)
        self._offered = False
        self.redraw()

    def _keep_typed(self) -> None:
        """Keep what was typed, so that it can be gone on with."""
        if self._typed is None:
            return
        ask, text = self._typed
        if ask.text:
            self.past.add(ask.label, text)
        else:
            self._kept[ask.label] = text

    def _complete(self, ask: Ask, step: int) -> None:
        if self._cycle is None:
            ghost = self._ghost(ask)
            kept = self._kept.get(ask.label, "")
            found = list(ask.complete(self._edit.text)) or ([ghost] if ghost else [])
            if not self._edit.text and kept and ask.recalls:
                found = [kept, *found]
            if not found:
                return
            self._cycle = found, -1 if step > 0 else 0
            self._stem = self._edit.text
        lines, place = self._cycle
        place = (place + step) % len(lines)
        self._edit.set(lines[place])
        self._edited()
        # One candidate is an answer, several are a round to go through.
        self._cycle = (lines, place) if len(lines) > 1 else None

    def _recall_line(self, ask: Ask, step: int) -> None:
        found = self.past.step(ask.label, step, self._kept.get(ask.label))
        if ask.recalls and found is not None:
            self._edit.set(found)
            self._edited()

    def _ghost(self, ask: Ask) -> str:
        """Return the line that Tab would make of the text, when it continues it."""
        text = self._edit.text
        if not text:
            return self._kept.get(ask.label, "") if ask.recalls else ""
        return next((line for line in ask.complete(text) if line.startswith(text)), "")

    # Drawing

    def _take_focus(self) -> None:
        if not self.busy:
            self._back = self.screen.focused
        self.screen.set_focus(self, scroll_visible=False)

    def _finish(self) -> None:
        self._ask = self._question = None
        self._offered = False
        self._edit.set("")
        back, self._back = self._back, None
        if back is not None and back.is_attached:
            self.screen.set_focus(back, scroll_visible=False)
        self.post_message(self.Turned())
        self.redraw()

    def _unflash(self) -> None:
        self._flash = ()
        self.redraw()

    def draw(self, width: int, look: Look) -> Strip:
        more = look.glyphs.more
        if self._question is not None:
            text = abridge(self._question.text, width - 8, more)
            asked: Line = ((" " + text, Tone.WARN), (" [y/N] ", Tone.STRONG))
            return paint(asked, width, look.palette, more=more)
        if self._ask is not None:
            return self._draw_ask(self._ask, width, look)
        said: Line = ((" ", Tone.TEXT), *self._said(width - 1, more))
        return paint(said, width, look.palette, more=more)

    def _said(self, width: int, more: str) -> Line:
        if len(self._flash) != 1:
            return self._flash or self._idle
        ((text, tone),) = self._flash
        tail: Line = ((self._tail, Tone.TEXT),)
        return ((abridge(text, width - width_of(tail), more), tone), *tail)

    def _draw_ask(self, ask: Ask, width: int, look: Look) -> Strip:
        label: Line = ((" " + ask.label, Tone.ACCENT),)
        said, tone = ask.hint, Tone.DIM
        if self._complaint:
            said, tone = self._complaint, Tone.WARN
        elif self._cycle is not None:
            said = f"{self._cycle[1] + 1} of {len(self._cycle[0])}"
        elif self._offered:
            said = "typing replaces it, → goes on with it"
        right: Line = ((f"{said} ", tone),) if said else ()
        typed = TypedLine(label, self._edit, self._ghost(ask), right)
        return typed.draw(width, look, offered=self._offered, wrong=bool(self._complaint))

    def on_resize(self) -> None:
        self.redraw()
