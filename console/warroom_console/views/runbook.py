"""The Runbook panel: one attached checklist at a time, with its sections and steps.

Which checklist is shown is this person's own choice; every one that is attached stands in the
first line. A row's id is `CHECKLIST/STEP`. Commands are there to be read and copied: nothing here
runs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.theme import Glyphs, Tone
from warroom_console.times import clock
from warroom_console.views.sifting import fits, shown
from warroom_console.widgets.detail import fields, prose
from warroom_console.widgets.panel import Title
from warroom_console.widgets.row import Draw, Row
from warroom_console.widgets.spans import Line, cut, fit, spread, wrap
from warroom_incident.clean import cells, clean, clean_line
from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.parts import Checklist, Step
from warroom_incident.vocabulary import StepNoted, StepSet

_WORDS = {"open": "open", "doing": "under way", "done": "done", "skipped": "skipped"}
_BESIDE = 20
"""The most cells that a step's owner and time take of its line."""


class StepRow(Struct, frozen=True):
    """What the row of a step depends on."""

    text: str
    command: str
    state: str
    beside: str
    notes: int
    mine: bool


class RunbookView:
    """What the Runbook panel shows. `chosen` is the checklist that the person wants to see."""

    name = "Runbook"

    def __init__(self) -> None:
        self.filter = ""
        self.chosen: str | None = None

    def checklist(self, state: IncidentState) -> Checklist | None:
        """The checklist that is shown: the chosen one, else the first."""
        lists = state.checklists()
        found = next((one for one in lists if one.id == self.chosen), None)
        return found or (lists[0] if lists else None)

    def turn(self, state: IncidentState, by: int) -> Checklist | None:
        """Show the checklist so many places further on, around the end; return it."""
        lists = state.checklists()
        at = next((n for n, one in enumerate(lists) if one.id == self.chosen), 0)
        if not lists:
            return None
        found = lists[(at + by) % len(lists)]
        self.chosen = found.id
        return found

    def rows(self, room: Room) -> list[Row]:
        """The steps under the headings of their sections, below a line of all checklists."""
        lists = room.state.checklists()
        current = self.checklist(room.state)
        if current is None:
            return []
        rows = list(self._steps(room, current))
        if len(lists) > 1 and rows:
            tabs = tuple((one.title, progress(one), one.id == current.id) for one in lists)
            draw = partial(_draw_tabs, tabs, room.glyphs)
            rows.insert(0, Row("tabs", (tabs, room.glyphs), draw, heading=True))
        return rows

    def _steps(self, room: Room, checklist: Checklist) -> Iterator[Row]:
        section = ""
        for number, step in enumerate(checklist.steps):
            if not fits(self.filter, step.copy.text, step.owner or "", step.state):
                continue
            if step.copy.section != section:
                section = step.copy.section
                same = [one for one in checklist.steps if one.copy.section == section]
                heading = (section, progress(Checklist("", "", tuple(same))))
                draw = partial(_draw_section, heading)
                yield Row(f"{checklist.id}#{number}", heading, draw, heading=True)
            about = _about(step, room.model.you)
            draw = partial(_draw_step, about, room.glyphs)
            yield Row(f"{checklist.id}/{step.copy.id}", (about, room.glyphs), draw)

    def title(self, room: Room) -> Title:
        """How far the checklist is; collapsed, what is to be done next."""
        current = self.checklist(room.state)
        if current is None:
            return Title(filter=shown(self.filter))
        lists = room.state.checklists()
        place = next(n for n, one in enumerate(lists, 1) if one.id == current.id)
        which = f" {room.glyphs.dot} list {place} of {len(lists)}"
        badges: Line = ((which, Tone.DIM),) if len(lists) > 1 else ()
        return Title(progress(current), badges, shown(self.filter), "", _next(current))

    def empty(self, room: Room) -> str:
        """What to say without steps, and which key begins."""
        if self.checklist(room.state) is None:
            return "No runbook yet. A attaches one."
        if self.filter:
            return "No step fits the filter. Esc shows them all."
        return "This runbook has no steps to tick. < and > show the others."

    def detail(self, room: Room, row_id: str) -> Draw | None:
        """A step's whole text, its command, notes, and who did what with it."""
        found = find(room.state, row_id)
        if found is None:
            return None
        checklist, step = found
        past = room.state.history(("step", checklist.id, step.copy.id))
        return partial(_draw_detail, checklist.title, step, past, room.glyphs)

    def text(self, room: Room, row_id: str | None) -> str:
        """A step's command or, where it has none, its text; the checklist as Markdown tasks."""
        if row_id is not None:
            found = find(room.state, row_id)
            return clean(found[1].copy.command or found[1].copy.text) if found else ""
        current = self.checklist(room.state)
        return clean("\n".join(_markdown(current))) if current else ""


def find(state: IncidentState, row_id: str) -> tuple[Checklist, Step] | None:
    """The checklist and step of a row."""
    checklist_id, slash, step_id = row_id.partition("/")
    for checklist in state.checklists():
        if slash and checklist.id == checklist_id:
            for step in checklist.steps:
                if step.copy.id == step_id:
                    return checklist, step
    return None


def progress(checklist: Checklist) -> str:
    """`4/15`: how many steps are done or skipped."""
    return f"{checklist.settled}/{len(checklist.steps)}"


def headline(step: Step) -> str:
    """The first line of a step: what to do."""
    return clean_line(step.copy.text.partition("\n")[0])


def _next(checklist: Checklist) -> Line:
    """What is under way or, if nothing is, to be done next."""
    for state, word in (("doing", "now: "), ("open", "next: ")):
        for step in checklist.steps:
            if step.state == state:
                who = step.owner or (step.by if state == "doing" else None)
                called = who.partition(" (")[0] if who else ""
                owner: Line = ((f" ({clean_line(called, 20)})", Tone.DIM),) if called else ()
                return ((word, Tone.DIM), (headline(step), Tone.TEXT), *owner)
    return (("all done", Tone.GOOD),) if checklist.steps else ()


def _about(step: Step, you: str) -> StepRow:
    who, at = step.owner, ""
    if step.state in ("done", "skipped"):
        who = step.by
        at = f" {clock(step.at)}" if step.at is not None else ""
    elif step.state == "doing":
        who = step.owner or step.by
    beside = cut(who or "", _BESIDE - cells(at)) + at
    return StepRow(
        headline(step), step.copy.command or "", step.state, beside, len(step.notes), who == you
    )


def _markdown(checklist: Checklist) -> Iterator[str]:
    yield f"## {checklist.title}"
    section = ""
    for step in checklist.steps:
        if step.copy.section != section:
            section = step.copy.section
            yield f"\n### {section}\n"
        tick = "x" if step.state in ("done", "skipped") else " "
        told = f" ({_WORDS.get(step.state, step.state)})" if step.state != "open" else ""
        yield f"- [{tick}] {headline(step)}{told}"


# Drawing -----------------------------------------------------------------------------------


def _draw_tabs(
    tabs: tuple[tuple[str, str, bool], ...], glyphs: Glyphs, width: int
) -> Sequence[Line]:
    """Draw the titles of all checklists; where not all fit, the one in sight is among them."""
    right: Line = (("< >", Tone.ACCENT),)
    room, between = width - 5, 3
    needs = [cells(title) + 1 + cells(count) for title, count, _ in tabs]
    share = max(12, room // len(tabs) - between)
    at = next(place for place, (_, _, here) in enumerate(tabs) if here)
    all_fit = sum(needs) + between * (len(tabs) - 1) <= room
    first = 0 if all_fit else max(0, at + 1 - max(1, room // (share + between)))
    # The one in sight takes what the others leave.
    left = room - sum(min(need, share) + between for need in needs[first:]) + between
    line: list[tuple[str, Tone]] = []
    for place, (title, count, here) in enumerate(tabs[first:], first):
        if line:
            line.append((f" {glyphs.bar} ", Tone.FAINT))
        most = needs[place] if all_fit else share
        if here and not all_fit:
            most = max(share, min(needs[place], share + left))
        line.append((cut(title, most - cells(count) - 1, glyphs.more), _tab_tone(here)))
        line.append((f" {count}", Tone.DIM))
    return [spread(fit(tuple(line), room, glyphs.more), right, width)]


def _tab_tone(here: bool) -> Tone:
    return Tone.STRONG if here else Tone.DIM


def _draw_section(heading: tuple[str, str], width: int) -> Sequence[Line]:
    name, count = heading
    return [((cut(name, width - cells(count) - 2), Tone.ACCENT), (f"  {count}", Tone.DIM))]


def _draw_step(step: StepRow, glyphs: Glyphs, width: int) -> Sequence[Line]:
    box = {"open": glyphs.todo, "doing": glyphs.doing, "done": glyphs.done}.get(
        step.state, glyphs.skipped
    )
    ink = {"doing": Tone.STRONG, "open": Tone.TEXT}.get(step.state, Tone.DIM)
    marked = {"doing": Tone.WARN, "done": Tone.GOOD}.get(step.state, ink)
    right = _right(step)
    indent = cells(box) + 1
    room = max(8, width - indent)
    beside = sum(cells(text) for text, _ in right)
    texts = wrap(step.text, max(8, room - beside - 1), room)
    first: Line = ((f"{box} ", marked), (texts[0], ink))
    lines = [spread(first, right, width)]
    pad = (" " * indent, ink)
    lines += [(pad, (text, ink)) for text in texts[1:]]
    if step.command and step.state in ("open", "doing"):
        lines.append(fit((pad, (_command(step.command), Tone.DIM)), width, glyphs.more))
    return lines


def _right(step: StepRow) -> Line:
    noted = f"{step.notes} note{'s' if step.notes > 1 else ''}" if step.notes else ""
    spans: list[tuple[str, Tone]] = []
    if noted:
        spans.append((f" {noted}", Tone.DIM))
    if step.beside:
        active = step.state in ("open", "doing")
        tone = Tone.ACCENT if active and step.mine else Tone.TEXT if active else Tone.DIM
        spans.append((f" {step.beside}", tone))
    return tuple(spans)


def _command(command: str) -> str:
    lines = command.splitlines()
    rest = f"  (and {len(lines) - 1} more lines)" if len(lines) > 1 else ""
    return f"$ {clean_line(lines[0])}{rest}"


def _draw_detail(
    title: str, step: Step, past: list[Event], glyphs: Glyphs, width: int
) -> Sequence[Line]:
    say, *details = step.copy.text.split("\n")
    lines = prose(say, width, Tone.STRONG)
    lines += [line for text in details for line in prose(text, width)]
    if step.copy.command:
        lines += [(), (("Command  ", Tone.ACCENT), ("y copies it", Tone.DIM))]
        lines += prose(step.copy.command, width)
    lines.append(())
    state = _WORDS.get(step.state, step.state)
    if step.by is not None and step.at is not None:
        state += f" since {clock(step.at)}Z, by {step.by}"
    where = f"{title} {glyphs.arrow} {step.copy.section}" if step.copy.section else title
    pairs = [("state", state), ("owner", step.owner or "nobody"), ("in", where)]
    lines += fields(pairs, width, label=6)
    if step.notes:
        lines += [(), (("Notes", Tone.ACCENT),)]
    for note in step.notes:
        lines += _draw_note(note, width)
    if len(past) > 1:
        lines += [(), (("Who did what", Tone.ACCENT),)]
        lines += [_change(event) for event in past]
    return lines


def _draw_note(note: Event, width: int) -> list[Line]:
    body = note.body
    assert isinstance(body, StepNoted)
    head: Line = ((f"{clock(note.shown_at)}  ", Tone.DIM), (note.head.by, Tone.STRONG))
    return [head, *(((" " * 7, Tone.TEXT), *line) for line in prose(body.text, max(8, width - 7)))]


def _change(event: Event) -> Line:
    body = event.body
    assert isinstance(body, StepSet)
    said = _WORDS.get(body.state, body.state)
    return (
        (f"{clock(event.shown_at)}  ", Tone.DIM),
        (said, Tone.TEXT),
        (f"  by {event.head.by}", Tone.DIM),
    )
