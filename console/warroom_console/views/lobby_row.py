"""The rows of the lobby: an incident, a person, a line that is there to be read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.theme import Glyphs, Tone
from warroom_console.times import day
from warroom_console.views.board import severity_tone
from warroom_console.widgets.row import Row
from warroom_console.widgets.spans import Line, Span, column, cut, wrap
from warroom_incident.clean import cells, clean_line
from warroom_incident.suggesting import Candidate
from warroom_incident.sync.wire import Person, Summary

_YOU = " (you)"
_MOST_NAME = 30


def is_open(summary: Summary) -> bool:
    """Whether an incident is neither resolved nor closed."""
    return summary.status not in ("resolved", "closed")


class Listed(Struct, frozen=True):
    """One incident as its row shows it."""

    summary: Summary
    age: str
    people: int
    away: bool


def note(name: str, text: str) -> Row:
    """A line that is there to be read."""
    return Row(f"note:{name}", text, lambda width: [((text, Tone.DIM),)], heading=True)


def welcome(room: Room) -> list[Row]:
    """What a newcomer sees when nothing is going on."""
    if not room.model.live and not room.model.you:
        lines = [("The server has not answered yet.", Tone.WARN)]
    elif not room.model.live:
        lines = [("No incident is known here.", Tone.STRONG)]
    elif any(record.is_open for record in room.model.records.values()):
        lines = [("No incident is open.", Tone.STRONG)]
    else:
        lines = [("No incident is open. All is quiet.", Tone.STRONG)]
    lines += [
        ("", Tone.TEXT),
        ("  d  declare an incident: a title and a severity, and everybody sees it", Tone.TEXT),
        ("  D  declare a drill, to practise", Tone.TEXT),
        ("  ?  all keys        :  commands        ctrl+q  leave", Tone.DIM),
    ]
    return [
        Row(f"welcome:{n}", (text, tone), partial(_plain, text, tone), heading=True)
        for n, (text, tone) in enumerate(lines)
    ]


def _plain(text: str, tone: Tone, width: int) -> Sequence[Line]:
    return [((line, tone),) for line in wrap(text, width)]


def draw_fold(text: str, fold: str, width: int) -> Sequence[Line]:
    """How many incidents are over, and what Enter does about it."""
    return [((text, Tone.DIM), (f"  {fold}", Tone.FAINT))]


def draw_candidate(one: Candidate, glyphs: Glyphs, width: int) -> Sequence[Line]:
    """Alerts that look like an incident: the severity and title to propose, and why."""
    why = f"  {len(one.uids)} alerts share {one.shared}"
    room = width - 16 - min(width // 2, cells(why))
    return [
        (
            (column("suggested", 10), Tone.DIM),
            (column(one.severity, 4), severity_tone(one.severity)),
            (" ", Tone.TEXT),
            (column(one.title, max(10, room), glyphs.more), Tone.TEXT),
            (cut(why, width // 2, glyphs.more), Tone.DIM),
        )
    ]


def draw_person(person: Person, where: str, me: bool, beside: int, width: int) -> Sequence[Line]:
    """Somebody who is here, where, and doing what; that begins at the cell `beside`."""
    doing = f", {person.doing}" if person.doing else ""
    consoles = f", {person.consoles} consoles" if person.consoles > 1 else ""
    you = _YOU if me else ""
    name = cut(clean_line(person.name), beside - 2 - cells(you))
    gap = " " * (beside - cells(name) - cells(you))
    return [
        (
            (f"  {name}", Tone.TEXT),
            (you + gap, Tone.DIM),
            (f"{where}{doing}{consoles}", Tone.DIM),
        )
    ]


def names_width(people: Sequence[Person], you: str) -> int:
    """How many cells the names of people take, with a gap behind them."""
    widths = [cells(clean_line(p.name)) + (len(_YOU) if p.name == you else 0) for p in people]
    return min(_MOST_NAME, max(widths, default=0)) + 2


def told(listed: Listed) -> tuple[object, ...]:
    """What a row's drawing depends on."""
    s = listed.summary
    incident = (s.id, s.title, s.severity, s.status, s.drill, s.commander, s.conflicts, s.ended_at)
    return (*incident, listed.age, listed.people, listed.away)


def draw_incident(listed: Listed, glyphs: Glyphs, width: int) -> Sequence[Line]:
    """An incident: number, severity, title, status, commander, age."""
    summary = listed.summary
    over = not is_open(summary)
    head: list[Span] = [
        (column(summary.id, 10, glyphs.more), Tone.DIM if over else Tone.ACCENT),
        (summary.severity, Tone.DIM if over else severity_tone(summary.severity)),
        (" ", Tone.TEXT),
    ]
    if summary.drill:
        head.append(("DRILL ", Tone.WARN))
    tail = _tail(listed, glyphs, width)
    room = width - 15 - 6 * summary.drill - sum(cells(clean_line(text)) for text, _ in tail)
    title = column(summary.title, max(10, room), glyphs.more)
    return [(*head, (title, Tone.DIM if over else Tone.STRONG), *tail)]


def _tail(listed: Listed, glyphs: Glyphs, width: int) -> list[Span]:
    summary = listed.summary
    tail: list[Span] = []
    if summary.conflicts:
        tail.append((f" {summary.conflicts} in conflict", Tone.WARN))
    if width >= 70:
        tail.append((f" {column(summary.status, 13)}", Tone.DIM))
    if not is_open(summary):
        ended = summary.ended_at or summary.changed_at
        tail.append((f" {day(ended)}", Tone.DIM))
        return tail
    if summary.commander is None:
        tail.append((f" {column('IC VACANT', 13)}", Tone.BAD))
    else:
        name = f"IC {clean_line(summary.commander, 10)}"
        said = f"{name} away" if listed.away else name
        tail.append((f" {column(said, 13, glyphs.more)}", Tone.WARN if listed.away else Tone.DIM))
    tail.append((f" {listed.age:>4}", Tone.DIM))
    if width >= 90:
        here = f"{listed.people} here" if listed.people else ""
        tail.append((f" {here:>7}", Tone.DIM))
    return tail
