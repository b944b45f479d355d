"""The Comms panel: drafts for each audience, who is editing them, and which may go out.

A draft is a row with the beginning of its text. When two people saved unseen of each other, both
versions stand below it until somebody merges them. A row's id is `DRAFT` or `DRAFT/VERSION`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.theme import Glyphs, Tone
from warroom_console.times import clock
from warroom_console.views.sifting import fits, shown
from warroom_console.widgets.detail import prose
from warroom_console.widgets.panel import Title
from warroom_console.widgets.row import Draw, Row
from warroom_console.widgets.spans import Line, column, cut, fit, joined, spread, wrap
from warroom_incident.clean import cells, clean, clean_line
from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.parts import Draft, Version
from warroom_incident.practice.audience import audience_of
from warroom_incident.practice.template import QUESTION
from warroom_incident.vocabulary import DraftReadied, DraftSaved

EDITING = "editing draft "
"""What the others are told while a draft is edited, with its id behind."""
WRITING = "writing to "
"""What the others are told while a first version is written, with the audience behind."""

NEW = "new:"
"""Before an audience: the name of a first version that was not saved yet."""

_EXCERPT = 3
_OLDER = 3


class DraftRow(Struct, frozen=True):
    """What the row of a draft depends on."""

    audience: str
    title: str
    state: str
    tone: Tone
    saved: str
    gaps: int
    editors: tuple[str, ...]
    unsaved: bool
    excerpt: tuple[str, ...]


class CommsView:
    """What the Comms panel shows. `unsaved` names the drafts with text left in the editor."""

    name = "Comms"

    def __init__(self) -> None:
        self.filter = ""
        self.unsaved: frozenset[str] = frozenset()

    def rows(self, room: Room) -> list[Row]:
        """The drafts in the order in which they were begun, then who is about to begin one."""
        rows: list[Row] = []
        for draft in room.state.drafts():
            about = self._about(draft, room)
            texts = [version.text for version in draft.versions]
            if fits(self.filter, about.audience, about.title, about.state, *texts):
                draw = partial(_draw_draft, about, room.glyphs)
                rows.append(Row(draft.id, (about, room.glyphs), draw))
                rows += _versions(draft, room.glyphs)
        if not self.filter:
            rows += _beginners(room)
            rows += [_left(about) for about in sorted(self.unsaved) if about.startswith(NEW)]
        return rows

    def _about(self, draft: Draft, room: Room) -> DraftRow:
        state, tone = standing(room.state, draft)
        text = draft.versions[0].text if len(draft.versions) == 1 else ""
        lines = [line for line in clean(text).splitlines() if line.strip()][:_EXCERPT]
        return DraftRow(
            audience_of(draft.audience).title,
            draft.title,
            state,
            tone,
            _saved(draft),
            len(gaps(text)),
            editors(room, draft.id),
            draft.id in self.unsaved,
            tuple(lines),
        )

    def title(self, room: Room) -> Title:
        """How many drafts there are; collapsed, how each of them stands."""
        drafts = room.state.drafts()
        split = [draft for draft in drafts if len(draft.versions) > 1]
        badges: Line = ((f" {len(split)} to merge", Tone.WARN),) if split else ()
        parts = [self._status(draft, room) for draft in reversed(drafts)]
        for name, audience in beginners(room):
            parts.insert(0, ((f"{name} is writing to {audience.lower()}", Tone.TEXT),))
        status = joined(parts, (f" {room.glyphs.dot} ", Tone.FAINT))
        return Title(str(len(drafts)) if drafts else "", badges, shown(self.filter), "", status)

    def _status(self, draft: Draft, room: Room) -> Line:
        about = self._about(draft, room)
        head = ((f"{about.audience} ", Tone.DIM), (_number(draft), Tone.DIM))
        if about.editors:
            return (*head, (f" {about.editors[0]} is editing", Tone.WARN))
        return (*head, (f" {about.state}", about.tone))

    def empty(self, room: Room) -> str:
        """What to say without drafts, and which key begins."""
        if self.filter:
            return "No draft fits the filter. Esc shows them all."
        return "Nothing was drafted yet. t begins a draft from a template."

    def detail(self, room: Room, row_id: str) -> Draw | None:
        """The whole text, and every version with who saved it."""
        found = find(room.state, row_id)
        if found is None:
            return None
        draft, version = found
        past = room.state.history(("draft", draft.id))
        ready = room.state.heads(("ready", draft.id))[:1]
        about = self._about(draft, room)
        return partial(_draw_detail, about, draft, version, past, ready, room.glyphs)

    def text(self, room: Room, row_id: str | None) -> str:
        """A draft's text as it would go out; the panel as Markdown."""
        if row_id is not None:
            found = find(room.state, row_id)
            if found is None:
                return ""
            draft, version = found
            return clean(version.text if version else merged(draft))
        return clean("\n".join(line for draft in room.state.drafts() for line in _markdown(draft)))


# What stands -------------------------------------------------------------------------------


def find(state: IncidentState, row_id: str) -> tuple[Draft, Version | None] | None:
    """The draft of a row, and the version where the row is one of several."""
    draft_id, _, version_id = row_id.partition("/")
    for draft in state.drafts():
        if draft.id == draft_id:
            version = next((one for one in draft.versions if one.id == version_id), None)
            if version is None and len(draft.versions) == 1:
                version = draft.versions[0]
            return draft, version
    return None


def standing(state: IncidentState, draft: Draft) -> tuple[str, Tone]:
    """How a draft stands, in words: a later edit makes what was marked ready stale."""
    if len(draft.versions) > 1:
        return "saved unseen of each other: e merges them", Tone.WARN
    if draft.ready is not None:
        return "ready", Tone.GOOD
    marked = state.heads(("ready", draft.id))[:1]
    if any(isinstance(e.body, DraftReadied) and e.body.version is not None for e in marked):
        return "edited since it was ready", Tone.WARN
    return "draft", Tone.DIM


def merged(draft: Draft) -> str:
    """The text to edit: the one that stands, or all of them one below the other."""
    if len(draft.versions) == 1:
        return draft.versions[0].text
    parts = (f"--- {one.by}, {clock(one.at)}Z ---\n{one.text}" for one in draft.versions)
    return "\n\n".join(parts)


def gaps(text: str) -> list[str]:
    """The questions in brackets that a text still asks."""
    return [clean_line(found) for found in QUESTION.findall(text)]


def editors(room: Room, draft: str) -> tuple[str, ...]:
    """The others who have a draft open in their editor."""
    return tuple(
        clean_line(person.name, 30)
        for person in room.model.people
        if person.doing == EDITING + draft and person.name != room.model.you
    )


def beginners(room: Room) -> list[tuple[str, str]]:
    """The others who are writing a first version here, and the title of its audience."""
    return [
        (
            clean_line(person.name, 30),
            audience_of(clean_line(person.doing[len(WRITING) :], 30)).title,
        )
        for person in room.model.people
        if person.doing.startswith(WRITING)
        and person.where == room.stream
        and person.name != room.model.you
    ]


def _beginners(room: Room) -> Iterator[Row]:
    for name, audience in beginners(room):
        said: Line = (
            (f"{audience}  ", Tone.DIM),
            (f"{name} is writing a first version", Tone.WARN),
        )
        draw = partial(_draw_line, said)
        yield Row(f"writing/{name}/{audience}", said, draw, heading=True)


def _left(about: str) -> Row:
    audience = audience_of(about[len(NEW) :]).title
    said: Line = ((f"{audience}  ", Tone.DIM), ("your unsaved first version waits: t", Tone.WARN))
    return Row(about, said, partial(_draw_line, said), heading=True)


def _versions(draft: Draft, glyphs: Glyphs) -> Iterator[Row]:
    if len(draft.versions) > 1:
        for version in draft.versions:
            draw = partial(_draw_version, version, glyphs)
            yield Row(f"{draft.id}/{version.id}", (version, glyphs), draw)


def _number(draft: Draft) -> str:
    return f"v{draft.saved}" if draft.saved else "empty"


def _saved(draft: Draft) -> str:
    if len(draft.versions) == 1:
        version = draft.versions[0]
        return f"{_number(draft)} {clean_line(version.by, 20)} {clock(version.at)}"
    return f"{len(draft.versions)} versions" if draft.versions else "empty"


def _markdown(draft: Draft) -> Iterator[str]:
    yield f"## {audience_of(draft.audience).title}: {draft.title}\n"
    yield merged(draft)
    yield ""


# Drawing -----------------------------------------------------------------------------------


def _draw_line(line: Line, width: int) -> Sequence[Line]:
    return [fit(line, width)]


def _draw_draft(row: DraftRow, glyphs: Glyphs, width: int) -> Sequence[Line]:
    left: list[tuple[str, Tone]] = [
        (cut(row.audience, 16), Tone.STRONG),
        (f"  {row.title}", Tone.TEXT),
    ]
    right: list[tuple[str, Tone]] = [(row.saved, Tone.DIM), (f"  {row.state}", row.tone)]
    if cells(row.state) > 26 and width < 90:
        right = [(row.state, row.tone)]
    lines = [spread(tuple(left), tuple(right), width)]
    told = _told(row)
    if told:
        lines.append(
            fit((("  ", Tone.TEXT), *joined(told, (f" {glyphs.dot} ", Tone.FAINT))), width)
        )
    for text in row.excerpt:
        lines.append((("  ", Tone.TEXT), (cut(text, max(1, width - 2), glyphs.more), Tone.DIM)))
    return lines


def _told(row: DraftRow) -> list[Line]:
    """What needs somebody: who is editing, what is unsaved, what is still asked."""
    told: list[Line] = []
    if row.editors:
        are = "is" if len(row.editors) == 1 else "are"
        told.append(((f"{', '.join(row.editors)} {are} editing", Tone.WARN),))
    if row.unsaved:
        told.append((("your unsaved text waits: e", Tone.WARN),))
    if row.gaps:
        questions = "question" if row.gaps == 1 else "questions"
        told.append(((f"{row.gaps} {questions} to answer", Tone.ACCENT),))
    return told


def _draw_version(version: Version, glyphs: Glyphs, width: int) -> Sequence[Line]:
    head: Line = (
        (f"  {glyphs.mark} ", Tone.WARN),
        (clean_line(version.by, 20), Tone.STRONG),
        (f" {clock(version.at)}", Tone.DIM),
    )
    lines: list[Line] = [fit(head, width, glyphs.more)]
    for text in [line for line in clean(version.text).splitlines() if line.strip()][:_EXCERPT]:
        lines.append((("    ", Tone.TEXT), (cut(text, max(1, width - 4), glyphs.more), Tone.TEXT)))
    return lines


def _draw_detail(
    row: DraftRow,
    draft: Draft,
    version: Version | None,
    past: list[Event],
    ready: list[Event],
    glyphs: Glyphs,
    width: int,
) -> Sequence[Line]:
    lines: list[Line] = [((f"{row.audience}: {row.title}", Tone.STRONG),)]
    wants = audience_of(draft.audience).wants
    lines += prose(wants, width, Tone.DIM) if wants else []
    lines += prose(_state(row, ready), width, row.tone)
    lines += [fit(line, width, glyphs.more) for line in _told(row)]
    lines.append(())
    lines += prose((version.text if version else merged(draft)).strip("\n"), width)
    lines += [(), (("Versions", Tone.ACCENT),)]
    marks = {one.id for one in draft.versions}
    for number, event in reversed(list(enumerate(past, 1))):
        lines.append(_version_line(number, event, event.id in marks))
    older = [(n, e) for n, e in enumerate(past, 1) if e.id not in marks][-_OLDER:]
    for number, event in reversed(older):
        body = event.body
        assert isinstance(body, DraftSaved)
        lines += [(), ((f"v{number} by {event.head.by}", Tone.ACCENT),)]
        lines += [((text, Tone.DIM),) for text in wrap(body.text.strip("\n"), width)]
    return lines


def _state(row: DraftRow, ready: list[Event]) -> str:
    if row.state == "ready" and ready:
        return f"ready since {clock(ready[0].shown_at)}Z, says {ready[0].head.by}"
    return row.state


def _version_line(number: int, event: Event, stands: bool) -> Line:
    body = event.body
    text = body.text if isinstance(body, DraftSaved) else ""
    first = next((line for line in clean(text).splitlines() if line.strip()), "(empty)")
    return (
        (column(f"v{number}", 4), Tone.TEXT if stands else Tone.DIM),
        (f"{clock(event.shown_at)} {column(event.head.by, 8)} ", Tone.DIM),
        (first, Tone.TEXT if stands else Tone.FAINT),
    )
