"""How the timeline tells what happened."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from tests.console.fake_ctx import drawn
from tests.console.still_desk import MINUTE, Reader, StillDesk
from tests.incident.making import NOW, STREAM, Writer, admitted
from warroom_console.model import Area, Refusal
from warroom_console.times import DAY
from warroom_console.views.entry import MOST_LINES
from warroom_console.views.entry_detail import draw_detail
from warroom_console.views.timeline import TimelineView
from warroom_console.widgets.spans import plain
from warroom_incident.fields import StepCopy
from warroom_incident.vocabulary import (
    ChecklistAttached,
    EntryStarred,
    IncidentDeclared,
    IncidentNumbered,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    SeveritySet,
    StatusSet,
    StepSet,
)


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    desk.says("ana", IncidentDeclared(title="Checkout is down"))
    return desk


class Told:
    """A timeline view that hears of every change, as on a screen."""

    def __init__(self, desk: StillDesk) -> None:
        self.desk = desk
        self.view = TimelineView()

    def lines(self, width: int = 78) -> list[str]:
        """Everything on the panel."""
        room = Reader(self.desk)
        self.view.changed(room, self.desk.model.take())
        return [line for row in self.view.rows(room) for line in drawn(row, width)]

    @property
    def last(self) -> str:
        """The last line."""
        return self.lines()[-1]


@pytest.fixture
def told(desk: StillDesk) -> Told:
    return Told(desk)


def test_an_entry_has_its_time_its_mark_its_author_and_its_text(told: Told) -> None:
    assert told.lines() == [
        "Tue 14 Nov 2023",
        "22:13 ● ana declared the incident: Checkout is down",
    ]


def test_the_mark_follows_an_own_entry_to_the_server_and_beyond(
    told: Told, desk: StillDesk
) -> None:
    desk.write(STREAM, NoteAdded(text="mine"))
    assert told.last == "22:13 ○ ana mine"
    desk.acknowledge_all()
    assert told.last == "22:13 ● ana mine"
    desk.model.held[STREAM] = 99
    desk.model.note(Area.MARKS)
    assert told.last == "22:13 ◉ ana mine"


def test_a_backdated_note_stands_where_it_happened_and_says_when_it_was_noted(
    told: Told, desk: StillDesk
) -> None:
    desk.says("bo", NoteAdded(text="first errors", at=NOW - 20 * MINUTE))
    assert told.lines()[1] == "21:53 ● bo  first errors (noted at 22:13)"


def test_an_entry_that_took_long_to_arrive_says_so(told: Told, desk: StillDesk) -> None:
    desk.says("bo", NoteAdded(text="from the train"), took=42 * MINUTE)
    assert told.last == "22:13 ● bo  from the train (arrived +42m)"


def test_an_entry_that_nobody_vouches_for_says_who_handed_it_on(
    told: Told, desk: StillDesk
) -> None:
    note = desk.says("bo", NoteAdded(text="roll it back"))
    state = desk.model.incident(STREAM)
    state._rebuild(msgspec.structs.replace(state.events[note.id], via="mallory"))
    assert told.last == "22:13 ● bo  roll it back (via mallory)"
    facts = draw_detail(Reader(desk), state.events[note.id])(78)
    assert any("mallory, on whose word alone it stands" in plain(line) for line in facts)


def test_an_edited_note_shows_its_last_wording(told: Told, desk: StillDesk) -> None:
    note = desk.says("bo", NoteAdded(text="teh pool"))
    told.lines()
    desk.says("bo", NoteEdited(target=note.id, text="the pool"))
    lines = told.lines()
    assert "22:13 ● bo  the pool (edited)" in lines
    assert lines[-1] == "22:13 ● bo  edited bo's note: the pool"


def test_stars_and_strokes_read_without_colour(told: Told, desk: StillDesk) -> None:
    note = desk.says("bo", NoteAdded(text="wrong"))
    told.lines()
    desk.says("bo", NoteStruck(target=note.id))
    desk.says("ana", EntryStarred(target=note.id))
    assert "22:13 ● bo  ★ (struck out) wrong" in told.lines()


def test_what_a_closing_did_not_know_is_late(told: Told, desk: StillDesk) -> None:
    desk.says("bo", NoteAdded(text="before"), base=())
    state = desk.model.incident(STREAM)
    seen = dict(state.vector)
    told.lines()
    desk.says("cy", NoteAdded(text="unseen"), base=())
    desk.says("ana", StatusSet(status="closed", seen=seen))
    assert "22:13 ● cy  unseen (late, after close)" in told.lines()
    assert "22:13 ● bo  before" in told.lines()


def test_a_decision_says_that_there_were_new_facts_also_when_those_arrive_later(
    told: Told, desk: StillDesk
) -> None:
    stated = admitted(Writer("bo", seed=9).write(SeveritySet(severity="SEV1")), NOW)
    desk.clock.now += MINUTE
    taken = desk.says("ana", SeveritySet(severity="SEV3"))
    assert told.last == "22:14 ● ana set severity SEV3"
    desk.model.incident(STREAM).add(stated)
    desk.model.touch(STREAM, [stated.id])
    assert told.last == "22:14 ● ana set severity SEV3 (new facts since)"
    draw = told.view.detail(Reader(desk), taken.id)
    assert draw is not None
    assert "new facts    bo set severity SEV1 at 22:13" in [
        plain(line).strip() for line in draw(60)
    ]


def test_long_and_many_lined_notes_wrap_under_their_text(told: Told, desk: StillDesk) -> None:
    desk.says("bo", NoteAdded(text="one two three four five six\nseven"))
    assert told.lines(40)[-2:] == ["22:13 ● bo  one two three four five six", "            seven"]
    assert told.lines(34)[-3:] == [
        "22:13 ● bo  one two three four",
        "            five six",
        "            seven",
    ]


def test_a_long_paste_shows_its_beginning_and_how_much_there_is(
    told: Told, desk: StillDesk
) -> None:
    desk.says("bo", NoteAdded(text="\n".join(f"pod-{n}" for n in range(30))))
    shown = [line.split()[-1] for line in told.lines() if "pod-" in line]
    assert shown == [f"pod-{n}" for n in range(MOST_LINES)]
    assert told.last.strip() == f"… {30 - MOST_LINES} more lines: Enter shows them"
    desk.says("bo", NoteAdded(text="\n".join(f"all-{n}" for n in range(MOST_LINES + 1))))
    assert told.last.strip() == f"all-{MOST_LINES}"


def test_every_day_has_its_heading(told: Told, desk: StillDesk) -> None:
    desk.clock.now += 2 * 60 * MINUTE
    desk.says("bo", NoteAdded(text="after midnight"))
    assert told.lines()[2:] == ["Wed 15 Nov 2023", "00:13 ● bo  after midnight"]


def test_machinery_can_be_hidden_and_then_all_but_notes(told: Told, desk: StillDesk) -> None:
    desk.says("warroom", IncidentNumbered(number="INC-1"))
    severity = desk.says("ana", SeveritySet(severity="SEV2"))
    desk.says("bo", NoteAdded(text="noted"))
    assert len(told.lines()) == 5
    told.view.depth = 1
    assert not any("numbered" in line for line in told.lines())
    told.view.depth = 2
    assert [line[8:].strip() for line in told.lines()[1:]] == ["bo      noted"]
    desk.says("ana", EntryStarred(target=severity.id))
    assert any("set severity SEV2" in line for line in told.lines())


def test_the_filter_looks_at_text_author_and_kind(told: Told, desk: StillDesk) -> None:
    desk.says("bo", NoteAdded(text="pool is full"))
    desk.says("cy", NoteAdded(text="disk is full"))
    for wanted, count in (("full", 2), ("full !bo", 1), ("NOTE pool", 1), ("nowhere", 0)):
        told.view.filter = wanted
        assert sum("full" in line for line in told.lines()) == count


def test_what_others_wrote_is_unseen_until_looked_at(told: Told, desk: StillDesk) -> None:
    told.lines()
    desk.clock.now += MINUTE
    note = desk.says("bo", NoteAdded(text="new"))
    desk.says("warroom", IncidentNumbered(number="INC-1"))
    desk.write(STREAM, NoteAdded(text="mine"))
    told.lines()
    assert told.view.unseen == {note.id}


def test_what_was_there_before_the_console_is_not_unseen(told: Told, desk: StillDesk) -> None:
    desk.model.joined_at = NOW + 1
    desk.says("bo", NoteAdded(text="old"))
    told.lines()
    assert told.view.unseen == set()


def test_entries_are_told_anew_when_what_they_speak_of_arrives(told: Told, desk: StillDesk) -> None:
    desk.says("bo", StepSet(checklist="c", step="s1", state="done"))
    assert "a step that is not here" in told.last
    desk.says(
        "ana",
        ChecklistAttached(checklist="c", title="List", steps=(StepCopy(id="s1", text="Drain"),)),
    )
    assert any("bo  ticked “Drain”" in line for line in told.lines())


def test_the_collapsed_title_is_the_last_that_a_person_wrote(told: Told, desk: StillDesk) -> None:
    desk.says("bo", NoteAdded(text="errors fall\nslowly"))
    desk.says("warroom", IncidentNumbered(number="INC-1"))
    title = told.view.title(Reader(desk))
    assert title.count == "3"
    assert plain(title.status) == "22:13 bo: errors fall"


def test_the_detail_tells_all_times_and_wordings(told: Told, desk: StillDesk) -> None:
    note = desk.says("bo", NoteAdded(text="teh pool", at=NOW - MINUTE), took=5 * MINUTE)
    desk.says("bo", NoteEdited(target=note.id, text="the pool", at=NOW - MINUTE))
    draw = told.view.detail(Reader(desk), note.id)
    assert draw is not None
    text = "\n".join(plain(line) for line in draw(60))
    for part in ("the pool", "teh pool", "22:12:20Z", "22:13:20Z", "5m after it was written"):
        assert part in text
    assert told.view.detail(Reader(desk), "unknown") is None


def test_copied_it_is_markdown(told: Told, desk: StillDesk) -> None:
    note = desk.says("bo", NoteAdded(text="one\ntwo"))
    desk.says("bo", NoteStruck(target=note.id))
    told.lines()
    room = Reader(desk)
    assert told.view.text(room, note.id) == "- 2023-11-14 22:13:20Z bo: ~~one\n  two~~"
    assert told.view.text(room, None).count("\n- ") == 2


def test_names_are_cut_to_a_column_and_cleaned(told: Told, desk: StillDesk) -> None:
    desk.says("a-very-long-name\x1b[31m (ops)", NoteAdded(text="hi"))
    assert told.last == "22:13 ● a-very-lo… hi"


def test_a_refused_note_is_shown_once_with_its_words_to_whoever_wrote_it(told: Told) -> None:
    before = len(told.lines())
    note = told.desk.says("ana", NoteAdded(text="my own words"))
    void = msgspec.structs.replace(note, withheld="refused: you may only read here")
    told.desk.model.incident(STREAM).add(void)
    told.desk.model.refusals[note.id] = Refusal(note, "you may only read here", NOW)
    told.desk.model.touch(STREAM, [note.id])
    assert "my own words" in told.last
    assert len(told.lines()) == before + 1


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_it_reads_as_if_it_were_opened_then(
    told: Told, desk: StillDesk, seed: int
) -> None:
    random = Random(seed)
    notes = [desk.says("bo", NoteAdded(text="first"))]

    def note() -> None:
        body = NoteAdded(text=f"note {len(notes)}")
        who = random.choice(["ana", "bo", "a longer name"])
        notes.append(desk.write(STREAM, body) if who == "ana" else desk.says(who, body))

    def backdated() -> None:
        at = desk.clock.now - random.randrange(3 * DAY)
        notes.append(desk.says("bo", NoteAdded(text="before", at=at)))

    def change() -> None:
        target = random.choice(notes).id
        changes = (NoteEdited(target=target, text="better"), EntryStarred(target=target))
        desk.says("bo", random.choice([*changes, NoteStruck(target=target)]))

    def refused() -> None:
        desk.refuse(desk.write(STREAM, NoteAdded(text="unwelcome")), "No.")

    def held() -> None:
        desk.model.held[STREAM] = len(desk.model.incident(STREAM).events) - 1
        desk.model.note(Area.MARKS)

    def later() -> None:
        desk.clock.now += random.choice([MINUTE, DAY])

    def decide() -> None:
        desk.says("ana", StatusSet(status=random.choice(["investigating", "resolved"])))

    steps = [note, note, note, backdated, change, refused, held, later, decide]
    for _ in range(40):
        random.choice([*steps, desk.acknowledge_all])()
        told.view.depth = random.choice([0, 0, 0, 1])
        fresh = Told(desk)
        fresh.view.depth = told.view.depth
        shown = told.lines()
        assert shown == [line for row in fresh.view.rows(Reader(desk)) for line in drawn(row, 78)]
