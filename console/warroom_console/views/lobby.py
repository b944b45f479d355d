"""The lobby's list: open incidents, alerts in none of them, who is here, what was closed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from warroom_console.context import Room
from warroom_console.model import Area, Changes
from warroom_console.theme import Tone
from warroom_console.times import age, stamp
from warroom_console.views.alert_row import heading
from warroom_console.views.alerts import AlertsView
from warroom_console.views.beats import beat_badge
from warroom_console.views.board import picture_of
from warroom_console.views.due import away
from warroom_console.views.lobby_row import (
    Listed,
    draw_candidate,
    draw_fold,
    draw_incident,
    draw_person,
    is_open,
    names_width,
    note,
    told,
    welcome,
)
from warroom_console.views.sifting import fits, shown
from warroom_console.widgets.detail import fields
from warroom_console.widgets.panel import Title
from warroom_console.widgets.row import Draw, Row
from warroom_console.widgets.spans import Line
from warroom_incident.clean import clean
from warroom_incident.practice.severity import severity_of
from warroom_incident.suggesting import Candidate
from warroom_incident.sync.wire import Person, Summary

INCIDENT, ALERT, PERSON, CANDIDATE = "incident:", "alert:", "person:", "candidate:"
"""What the id of a row begins with: an incident's stream, an alert's uid, a name follows."""

FOLD = "closed"
"""The row that unfolds the incidents that are over."""

_SHOWN = frozenset({Area.SUMMARIES, Area.PEOPLE, Area.LINK, Area.YOU})

_MOST_SUGGESTED = 5
MOST = 200
"""How many alerts, and how many closed incidents, are listed."""


class LobbyView:
    """What the lobby shows. `unfolded` says whether the incidents that are over are listed."""

    name = "Lobby"

    def __init__(self) -> None:
        self.filter = ""
        self.unfolded = False
        self._board = AlertsView()

    def changed(self, room: Room, changes: Changes) -> bool:
        """Pass on to the board what changed there."""
        on_board = self._board.changed(room, changes)
        return on_board or bool(changes.areas & _SHOWN)

    # Rows ----------------------------------------------------------------------------------

    def rows(self, room: Room) -> list[Row]:
        """Four groups; those without anything to show are left out."""
        if not room.model.summaries and not self.filter:
            rows = welcome(room)
        else:
            rows = [heading("Open incidents"), *self._open(room)]
        rows += self._suggested(room)
        rows += self._alerts(room)
        rows += self._people(room)
        return [*rows, *self._closed(room)]

    def _open(self, room: Room) -> list[Row]:
        found = [s for s in open_incidents(room) if self._fits(s)]
        if not found:
            said = "None fits the filter." if self.filter else "None. d declares one."
            return [note("none", said)]
        return [self._row(room, summary) for summary in found]

    def _fits(self, summary: Summary) -> bool:
        commander = summary.commander or "vacant"
        return fits(
            self.filter, summary.id, summary.title, summary.severity, summary.status, commander
        )

    def _row(self, room: Room, summary: Summary) -> Row:
        began = room.now() - (summary.started_at or room.now())
        commander = summary.commander
        listed = Listed(
            summary,
            age(began),
            sum(person.where == summary.stream for person in room.model.people),
            commander is not None and away(room, commander),
        )
        draw = partial(draw_incident, listed, room.glyphs)
        version = (told(listed), room.glyphs)
        return Row(INCIDENT + summary.stream, version, draw, markable=False)

    def _alerts(self, room: Room) -> list[Row]:
        self._board.filter = self.filter
        count, loose = self._board.loose_rows(room, ALERT)
        if not loose:
            return []
        rows = [note("gap-alerts", ""), heading(f"Alerts in no incident ({count})"), *loose[:MOST]]
        left = len(loose) - MOST
        more = [note("more", f"and {left} more: / narrows them down")] if left > 0 else []
        return [*rows, *more]

    def _suggested(self, room: Room) -> list[Row]:
        found = candidates(room)[:_MOST_SUGGESTED]
        if not found or self.filter:
            return []
        rows = [
            Row(CANDIDATE + one.id, (one, room.glyphs), draw, markable=False)
            for one in found
            for draw in (partial(draw_candidate, one, room.glyphs),)
        ]
        return [note("gap-suggested", ""), heading("Looks like one incident: d declares it"), *rows]

    def _people(self, room: Room) -> list[Row]:
        model = room.model
        if not model.live:
            return []
        people = [p for p in model.people if fits(self.filter, p.name, _where(room, p))]
        beside = names_width(people, model.you)
        rows = [
            Row(
                PERSON + person.name,
                (person, where, model.you, beside),
                partial(draw_person, person, where, person.name == model.you, beside),
                heading=True,
            )
            for person in people
            for where in (_where(room, person),)
        ]
        return [note("gap-people", ""), heading("Here"), *rows] if rows else []

    def _closed(self, room: Room) -> list[Row]:
        over = [s for s in over_incidents(room) if self._fits(s)]
        if not over:
            return []
        rows = [note("gap-over", "")]
        word = "incident is" if len(over) == 1 else "incidents are"
        fold = "Enter folds them up" if self.unfolded else "Enter shows"
        text = f"{len(over)} {word} over"
        rows.append(Row(FOLD, (text, fold), partial(draw_fold, text, fold), markable=False))
        if self.unfolded or self.filter:
            rows += [self._row(room, summary) for summary in over[:MOST]]
        return rows

    # The rest ------------------------------------------------------------------------------

    def title(self, room: Room) -> Title:
        """How many incidents are open and how many alerts wait."""
        count = len(open_incidents(room))
        loose = len(picture_of(room).waiting.loose)
        badges: Line = ()
        if loose:
            word = "alert waits" if loose == 1 else "alerts wait"
            badges = ((f" {room.glyphs.dot}", Tone.DIM), (f" {loose} {word}", Tone.WARN))
        return Title(f"{count} open", (*badges, *beat_badge(room)), shown(self.filter))

    def empty(self, room: Room) -> str:
        """Never seen: the lobby always has something to say."""
        return "Nothing fits the filter. Esc shows everything."

    def detail(self, room: Room, row_id: str) -> Draw | None:
        """An alert's details, or an incident's summary."""
        if row_id.startswith(ALERT):
            return self._board.detail(room, row_id.removeprefix(ALERT))
        if row_id.startswith(CANDIDATE):
            return self._suggestion(room, row_id.removeprefix(CANDIDATE))
        summary = room.model.summaries.get(row_id.removeprefix(INCIDENT))
        if summary is None:
            return None
        facts = [
            ("number", summary.id),
            ("title", summary.title),
            (
                "severity",
                f"{summary.severity}: {room.model.practice.severity(summary.severity).meaning}",
            ),
            ("status", summary.status),
            ("commander", summary.commander or "vacant"),
            ("declared", stamp(summary.started_at) if summary.started_at else "unknown"),
            ("entries", str(summary.events)),
        ]
        return lambda width: fields(facts, width)

    def _suggestion(self, room: Room, name: str) -> Draw | None:
        one = next((one for one in candidates(room) if one.id == name), None)
        if one is None:
            return None
        from .alert_detail import draw_suggestion

        return draw_suggestion(one, picture_of(room).stand_all(one.uids))

    def uids(self, room: Room, row_id: str) -> Sequence[str]:
        """The alerts that a row stands for, the most urgent first."""
        if row_id.startswith(ALERT):
            return self._board.uids(row_id.removeprefix(ALERT))
        name = row_id.removeprefix(CANDIDATE)
        return next((one.uids for one in candidates(room) if one.id == name), ())

    def toggle(self, row_id: str) -> bool:
        """Fold or unfold alerts; False where the row is no fold."""
        return self._board.toggle(row_id.removeprefix(ALERT))

    def text(self, room: Room, row_id: str | None) -> str:
        """The open incidents as Markdown."""
        chosen = [
            summary
            for summary in [*open_incidents(room), *over_incidents(room)]
            if row_id == INCIDENT + summary.stream or (row_id is None and is_open(summary))
        ]
        if row_id is not None and row_id.startswith(ALERT):
            return self._board.text(room, row_id.removeprefix(ALERT))
        return clean("\n".join(f"- {s.id} {s.severity} {s.title} ({s.status})" for s in chosen))


# What there is -----------------------------------------------------------------------------


def open_incidents(room: Room) -> list[Summary]:
    """Every incident that is not over, the worst first, then the newest."""
    found = [summary for summary in room.model.summaries.values() if is_open(summary)]
    found.sort(key=lambda s: (s.drill, severity_of(s.severity).rank, -(s.started_at or 0)))
    return found


def over_incidents(room: Room) -> list[Summary]:
    """Every incident that is resolved or closed, the latest first."""
    found = [summary for summary in room.model.summaries.values() if not is_open(summary)]
    found.sort(key=lambda s: -(s.ended_at or s.changed_at))
    return found


def candidates(room: Room) -> Sequence[Candidate]:
    """The alerts in no incident that look like one, those with the newest alert first."""
    return picture_of(room).suggestions.candidates


def _where(room: Room, person: Person) -> str:
    if not person.where:
        return "in the lobby"
    summary = room.model.summaries.get(person.where)
    return f"in {summary.id}" if summary is not None else "in an incident"
