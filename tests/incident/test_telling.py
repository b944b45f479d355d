"""Every event as one readable line."""

from typing import Any

import msgspec
import pytest

from warroom_incident.author import Author, Counters
from warroom_incident.clock import HybridClock
from warroom_incident.event import BOARD, ROOM, Event
from warroom_incident.fields import AlertCopy, Matcher, StepCopy
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body, Write
from warroom_incident.telling import spoken_time, tell
from warroom_incident.vocabulary import (
    TYPES,
    AlertAcknowledged,
    AlertAssigned,
    AlertChanged,
    AlertEnded,
    AlertLinked,
    AlertMarked,
    ChecklistAttached,
    DraftOpened,
    DraftReadied,
    DraftSaved,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    IncidentNumbered,
    MemberGranted,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    RoleAssigned,
    ServerListed,
    SeveritySet,
    SilenceAnswered,
    SilenceAsked,
    SilenceEnded,
    StatusSet,
    StepNoted,
    StepOwned,
    StepSet,
    TitleSet,
    TokenCreated,
    TokenRevoked,
    Unknown,
    WindowEnded,
    WindowOpened,
)

STREAM = "i-" + "a" * 16
COPY = AlertCopy(uid="u", key="k", source="s", title="disk full", severity="SEV1", state="resolved")


MATCHERS = (Matcher("alertname", "Disk"),)
WINDOW = WindowOpened(
    window="w",
    kind="maintenance",
    why="new switch",
    matchers=MATCHERS,
    starts_at=0,
    ends_at=3_600_000,
)
SILENCE = SilenceAsked(
    silence="s", alertmanager="am1", matchers=MATCHERS, ends_at=3_600_000, comment="INC-7"
)


class Story:
    """Events of one author, told one after the other."""

    def __init__(self, stream: str = STREAM) -> None:
        self._author = Author(Counters("a" * 16), HybridClock(lambda: 1000), lambda n: bytes(n))
        self._stream = stream
        self.state: Fold = IncidentState(stream) if stream.startswith("i-") else Fold()

    def write(self, body: Body, by: str = "ana") -> Event:
        base = self.state.base_for(body.key) if isinstance(body, Write) else ()
        event, _ = self._author.write(self._stream, by, body, base)
        self.state.add(event)
        return event

    def line(self, body: Body, by: str = "ana") -> str:
        return tell(self.write(body, by), self.state).text


@pytest.fixture
def story() -> Story:
    story = Story()
    story.write(
        ChecklistAttached(
            checklist="c", title="First steps", steps=(StepCopy(id="s", text="Name a scribe\nnow"),)
        )
    )
    story.write(DraftOpened(draft="d", audience="customers", title="Checkout is down"))
    return story


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (IncidentDeclared(title="x"), "ana declared the incident: x"),
        (IncidentDeclared(title="x", drill=True), "ana declared a drill: x"),
        (IncidentNumbered(number="INC-7"), "ana numbered the incident INC-7"),
        (TitleSet(title="y"), "ana renamed the incident: y"),
        (SeveritySet(severity="SEV2"), "ana set severity SEV2"),
        (StatusSet(status="resolved"), "ana set status resolved"),
        (ImpactSet(field="users", text="all"), "ana stated the users affected: all"),
        (ImpactSet(field="users"), "ana took back the users affected"),
        (RoleAssigned(role="commander", person="ana"), "ana took the role of incident commander"),
        (RoleAssigned(role="commander", person="bo"), "ana made bo incident commander"),
        (RoleAssigned(role="sme:database", person="bo"), "ana made bo SME database"),
        (
            ImpactSet(field="started_at", text="2023-11-13T13:05:00Z"),
            "ana stated the start of the impact: 2023-11-13 13:05Z",
        ),
        (
            ImpactSet(field="started_at", text="about noon"),
            "ana stated the start of the impact: about noon",
        ),
        (RoleAssigned(role="scribe"), "ana released the role of scribe"),
        (RoleAssigned(role="juggler", person="bo"), "ana made bo juggler"),
        (NoteAdded(text="just words"), "just words"),
        (NoteEdited(target="gone", text="z"), "ana edited an entry that is not here: z"),
        (AlertLinked(uid="u", alert=COPY), "ana linked the alert disk full"),
        (AlertLinked(uid="u"), "ana unlinked the alert u"),
        (AlertChanged(uid="u", alert=COPY), "the alert disk full is resolved"),
        (ChecklistAttached(checklist="e", title="T", steps=()), "ana attached the checklist “T”"),
        (StepSet(checklist="c", step="s", state="done"), "ana ticked “Name a scribe”"),
        (StepSet(checklist="c", step="s", state="skipped"), "ana skipped “Name a scribe”"),
        (StepSet(checklist="c", step="?", state="open"), "ana opened “a step that is not here”"),
        (StepOwned(checklist="c", step="s", owner="bo"), "ana gave “Name a scribe” to bo"),
        (StepOwned(checklist="c", step="s", owner="ana"), "ana took “Name a scribe”"),
        (StepOwned(checklist="c", step="s"), "ana left “Name a scribe” to anybody"),
        (StepNoted(checklist="c", step="s", text="q"), "ana noted on “Name a scribe”: q"),
        (DraftOpened(draft="e", audience="internal", title="T"),
         "ana began a draft for internal: T"),
        (DraftSaved(draft="d", text="z"), "ana saved the draft “Checkout is down”"),
        (DraftReadied(draft="d", version="v"), "ana marked the draft “Checkout is down” ready"),
        (DraftReadied(draft="?"), "ana marked a draft not ready"),
    ],
)  # fmt: skip
def test_an_incidents_event_reads_as_a_sentence(story: Story, body: Body, line: str) -> None:
    assert story.line(body) == line


@pytest.mark.parametrize(
    ("stream", "body", "line"),
    [
        (BOARD, AlertAcknowledged(uid="u"), "ana acknowledged the alert u"),
        (BOARD, AlertAcknowledged(uid="u", acknowledged=False), "ana gave back the alert u"),
        (BOARD, AlertAcknowledged(uid="u", until=1_800_000),
         "ana acknowledged the alert u until 1970-01-01 00:30Z"),
        (BOARD, AlertAssigned(uid="u", person="bo"), "ana gave the alert u to bo"),
        (BOARD, AlertAssigned(uid="u", person="ana"), "ana took the alert u"),
        (BOARD, AlertAssigned(uid="u"), "ana left the alert u to anybody"),
        (BOARD, AlertMarked(uid="u", noise="poor_details"),
         "ana called the alert u noise (poor details)"),
        (BOARD, AlertMarked(uid="u"), "ana no longer calls the alert u noise"),
        (BOARD, AlertEnded(uid="u"), "ana says that the alert u is over"),
        (BOARD, AlertEnded(uid="u", ended=False), "ana no longer says that the alert u is over"),
        (BOARD, WINDOW, "ana opened a maintenance window until 1970-01-01 01:00Z: new switch"),
        (BOARD, WindowEnded(window="?"), "ana ended a window that is not here"),
        (BOARD, SILENCE,
         'ana asked am1 to silence alertname=Disk until 1970-01-01 01:00Z: INC-7'),
        (BOARD, SilenceEnded(silence="?"), "ana asked to end a silence that is not here"),
        (BOARD, SilenceAnswered(silence="?", state="failed", reason="no route"),
         "a silence that is not here failed: no route"),
        (ROOM, MemberGranted(account="bo", right="viewer"), "ana gave bo the right “viewer”"),
        (ROOM, MemberGranted(account="bo"), "ana gave bo the default right"),
        (ROOM, TokenCreated(name="am", hash="f" * 64), "ana created the token am"),
        (ROOM, TokenRevoked(name="am"), "ana revoked the token am"),
        (ROOM, ServerListed(server="s", key_hex="f" * 64), "ana listed the server s"),
    ],
)  # fmt: skip
def test_what_happens_on_the_board_and_in_the_room_reads_as_well(
    stream: str, body: Body, line: str
) -> None:
    assert Story(stream).line(body) == line


def test_what_ends_a_window_or_a_silence_names_it() -> None:
    story = Story(BOARD)
    story.write(WINDOW)
    story.write(SILENCE)
    ended = story.line(WindowEnded(window="w"))
    assert ended == "ana ended the maintenance window “new switch”"
    answered = story.line(SilenceAnswered(silence="s", state="active", source_id="1"), "warroom")
    assert answered == "the silence of alertname=Disk at am1 is active"


def test_a_write_says_what_it_replaced(story: Story) -> None:
    story.write(SeveritySet(severity="SEV3"))
    assert story.line(SeveritySet(severity="SEV2")) == "ana set severity SEV2 (was SEV3)"
    assert story.line(SeveritySet(severity="SEV2")) == "ana set severity SEV2"
    story.write(RoleAssigned(role="commander", person="bo"))
    line = story.line(RoleAssigned(role="commander", person="cy"))
    assert line == "ana made cy incident commander (was bo)"


def test_a_settled_conflict_names_both_sides(story: Story) -> None:
    author = Author(Counters("b" * 16), HybridClock(lambda: 1000), lambda n: bytes(n))
    story.write(SeveritySet(severity="SEV3"))
    other, _ = author.write(STREAM, "bo", SeveritySet(severity="SEV2"), ())
    story.state.add(other)
    line = story.line(SeveritySet(severity="SEV1"))
    assert line.startswith("ana set severity SEV1 (was SEV")
    assert "SEV2" in line
    assert "SEV3" in line


def test_a_note_is_told_in_its_last_words(story: Story) -> None:
    note = story.write(NoteAdded(text="wrong"))
    assert story.line(NoteEdited(target=note.id, text="right")) == "ana edited ana's note: right"
    assert tell(note, story.state).text == "right"
    assert story.line(NoteStruck(target=note.id)) == "ana struck out ana's note"
    assert story.line(NoteStruck(target=note.id, struck=False)) == "ana restored ana's note"
    assert story.line(EntryStarred(target=note.id)) == "ana starred ana's note"


def test_an_alert_keeps_its_name_after_it_was_unlinked(story: Story) -> None:
    story.write(AlertLinked(uid="u", alert=COPY))
    assert story.line(AlertLinked(uid="u")) == "ana unlinked the alert disk full"


def test_machinery_is_told_apart_from_people(story: Story) -> None:
    numbered = story.write(IncidentNumbered(number="INC-1"), by="warroom")
    assert tell(numbered, story.state).system
    assert not tell(story.write(NoteAdded(text="x")), story.state).system


def test_a_type_from_a_newer_console_is_named(story: Story) -> None:
    event = story.write(NoteAdded(text="x"))
    head = msgspec.structs.replace(event.head, type="moon.landed")
    newer = msgspec.structs.replace(event, head=head, body=Unknown())
    told = tell(newer, story.state)
    assert (told.kind, told.text) == ("unknown", "ana wrote moon.landed, from a newer console")


def test_a_withheld_event_says_why(story: Story) -> None:
    event = story.write(NoteAdded(text="secret"))
    withheld = msgspec.structs.replace(event, body=Unknown(), withheld="a password")
    told = tell(withheld, story.state)
    assert "a password" in told.text
    assert "secret" not in told.text


def test_every_type_of_the_vocabulary_has_its_own_words() -> None:
    told_as_unknown = {
        name for name, kind in TYPES.items() if tell(_sample(name, kind), Fold()).kind == "unknown"
    }
    assert told_as_unknown == set()


def _sample(name: str, kind: type[Body]) -> Event:
    """An event of a type whose fields hold their zeroes: only the type matters here."""
    story = Story()
    event = story.write(NoteAdded(text="x"))
    known: dict[str, Any] = {
        "alert": COPY,
        "steps": (),
        "matchers": (),
        "until": 0,
        "ends_at": 0,
        "kind": "maintenance",
        "state": "active",
    }
    values = {field.name: known.get(field.name, "x") for field in msgspec.structs.fields(kind)}
    head = msgspec.structs.replace(event.head, type=name)
    return msgspec.structs.replace(event, head=head, body=kind(**values))


def test_a_time_of_the_same_day_is_told_without_its_date() -> None:
    noon = 1_700_000_000_000  # 2023-11-14T22:13:20Z
    assert spoken_time("2023-11-14T13:05:00Z", noon) == "13:05Z"
    assert spoken_time("2023-11-15T13:05:00+02:00", noon) == "2023-11-15 11:05Z"
    assert spoken_time("9999-99-99", noon) == "9999-99-99"
