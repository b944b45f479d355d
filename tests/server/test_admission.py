"""The admission door, rule by rule."""

from __future__ import annotations

import pytest

from tests.e2e.console_client import new_author
from tests.incident.making import NOW
from warroom_incident.author import new_stream
from warroom_incident.event import ROOM, Event
from warroom_incident.fields import AlertCopy, Matcher
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body, Right
from warroom_incident.room import RoomState
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    AlertChanged,
    IncidentNumbered,
    MemberGranted,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    RoleAssigned,
    ServerListed,
    SilenceAnswered,
    SilenceAsked,
    StandbyListed,
    StatusSet,
    TokenCreated,
    TokenRevoked,
    Unknown,
    WindowOpened,
)
from warroom_server.admission import MAX_WINDOW_MS, Refusal, check
from warroom_server.identity import Caller, Who

ANA = Who("ana", Caller("ana"))
BO = Who("bo", Caller("bo"))
STREAM = new_stream(bytes)
COPY = AlertCopy(uid="u", key="k", source="s", title="t", severity="SEV1", state="firing")


class Desk:
    """An incident, and somebody who writes into it past any door."""

    def __init__(self) -> None:
        self.state = IncidentState(STREAM)
        self._author = new_author()

    def event(self, body: Body, by: str = "ana", stream: str = STREAM) -> Event:
        """An event that nobody has taken yet."""
        return self._author.write(stream, by, body)[0]

    def take(self, body: Body, by: str = "ana") -> Event:
        """An event that is in the incident."""
        event = self.event(body, by)
        self.state.add(event)
        return event


@pytest.fixture
def desk() -> Desk:
    """An empty incident."""
    return Desk()


def refusal(
    desk: Desk, body: Body, who: Who, right: Right = Right.RESPONDER, stream: str = STREAM
) -> str:
    """Why an event is not taken."""
    with pytest.raises(Refusal) as refused:
        check(desk.event(body, who.name, stream), who, right, desk.state)
    return str(refused.value)


def test_a_responder_writes_and_a_viewer_does_not(desk: Desk) -> None:
    for right in (Right.RESPONDER, Right.COMMANDER, Right.ADMIN):
        check(desk.event(NoteAdded(text="x")), ANA, right, desk.state)
    assert "only read" in refusal(desk, NoteAdded(text="x"), ANA, Right.VIEWER)


def test_a_viewer_does_not_acknowledge_either(desk: Desk) -> None:
    event = desk.event(AlertAcknowledged(uid="u"), stream="board")
    with pytest.raises(Refusal):
        check(event, ANA, Right.VIEWER, desk.state)
    check(event, ANA, Right.RESPONDER, desk.state)


@pytest.mark.parametrize(
    "body",
    [
        IncidentNumbered(number="INC-1"),
        AlertChanged(uid="u", alert=COPY),
    ],
    ids=lambda body: body.type,
)
def test_a_servers_word_is_taken_from_nobody(desk: Desk, body: Body) -> None:
    assert refusal(desk, body, ANA, Right.ADMIN) == f"only a server writes {body.type}"


@pytest.mark.parametrize(
    "body",
    [
        MemberGranted(account="ana", right="admin"),
        TokenCreated(name="t", hash="0" * 64, right="viewer"),
        TokenRevoked(name="t"),
        ServerListed(server="s", key_hex="0" * 64),
        StandbyListed(server="s", name="war2", key_hex="0" * 64, urls=("wss://war2:8764",)),
        Unknown(),
    ],
    ids=lambda body: body.type or "newer",
)
def test_the_room_is_changed_by_admins_alone(desk: Desk, body: Body) -> None:
    author = new_author()
    if isinstance(body, Unknown):
        granted = author.write(ROOM, "ana", MemberGranted(account="x"))[0]
        event = Event(granted.id, granted.head, body)
    else:
        event, _ = author.write(ROOM, "ana", body)
    for right in (Right.VIEWER, Right.RESPONDER, Right.COMMANDER):
        with pytest.raises(Refusal):
            check(event, ANA, right, RoomState())
    if isinstance(body, ServerListed):
        with pytest.raises(Refusal):
            check(event, ANA, Right.ADMIN, RoomState())
    else:
        check(event, ANA, Right.ADMIN, RoomState())


def test_a_newer_event_is_taken_from_whoever_may_write(desk: Desk) -> None:
    note = desk.event(NoteAdded(text="x"))
    newer = Event(note.id, note.head, Unknown())
    check(newer, ANA, Right.RESPONDER, desk.state)
    with pytest.raises(Refusal):
        check(newer, ANA, Right.VIEWER, desk.state)


def test_nobody_writes_under_another_account(desk: Desk) -> None:
    with pytest.raises(Refusal, match="it is by bo, but you are ana"):
        check(desk.event(NoteAdded(text="x"), "bo"), ANA, Right.ADMIN, desk.state)


def test_not_even_an_admin_changes_anothers_note(desk: Desk) -> None:
    note = desk.take(NoteAdded(text="mine"))
    for body in (NoteEdited(target=note.id, text="no"), NoteStruck(target=note.id)):
        assert refusal(desk, body, BO, Right.ADMIN) == (
            "only ana, who wrote the note, may change it"
        )
        check(desk.event(body), ANA, Right.RESPONDER, desk.state)


def test_an_edit_may_come_before_its_note(desk: Desk) -> None:
    note = desk.event(NoteAdded(text="still on its way"))
    check(desk.event(NoteEdited(target=note.id, text="x")), ANA, Right.RESPONDER, desk.state)


def test_who_closes(desk: Desk) -> None:
    closed = StatusSet(status="closed")
    check(desk.event(closed), ANA, Right.RESPONDER, desk.state)
    desk.take(RoleAssigned(role="commander", person="bo"))
    assert refusal(desk, closed, ANA) == "only the incident commander (bo) closes the incident"
    check(desk.event(closed, "bo"), BO, Right.RESPONDER, desk.state)
    check(desk.event(closed), ANA, Right.COMMANDER, desk.state)
    check(desk.event(StatusSet(status="resolved")), ANA, Right.RESPONDER, desk.state)


def test_people_of_a_shared_account_are_told_apart(desk: Desk) -> None:
    ops = Who("ana (ops)", Caller("ops"))
    note = desk.take(NoteAdded(text="x"), "bo (ops)")
    desk.take(RoleAssigned(role="commander", person="bo (ops)"))
    assert "only bo (ops), who wrote" in refusal(desk, NoteStruck(target=note.id), ops)
    assert "(bo (ops)) closes" in refusal(desk, StatusSet(status="closed"), ops)
    check(
        desk.event(NoteAdded(text="from bo's outbox"), "bo (ops)"), ops, Right.RESPONDER, desk.state
    )


@pytest.mark.parametrize("name", ["ana (ops)", "warroom", "a\nb", " ", "a" * 41])
def test_a_token_to_join_with_has_a_plain_name(desk: Desk, name: str) -> None:
    body = TokenCreated(name=name, hash="0" * 64, right="viewer")
    with pytest.raises(Refusal, match="named after its holder"):
        check(desk.event(body, stream=ROOM), ANA, Right.ADMIN, RoomState())
    sender = TokenCreated(name=name, hash="0" * 64, kind="generic")
    check(desk.event(sender, stream=ROOM), ANA, Right.ADMIN, RoomState())


@pytest.mark.parametrize("kind", ["nope", "Generic"])
def test_a_sender_is_of_a_kind_that_the_server_reads(desk: Desk, kind: str) -> None:
    body = TokenCreated(name="prom", hash="0" * 64, kind=kind)
    with pytest.raises(Refusal, match="`warroom intake kinds` lists them"):
        check(desk.event(body, stream=ROOM), ANA, Right.ADMIN, RoomState())
    known = TokenCreated(name="prom", hash="0" * 64, kind="alertmanager")
    check(desk.event(known, stream=ROOM), ANA, Right.ADMIN, RoomState())


def test_what_became_of_a_silence_is_taken_from_nobody(desk: Desk) -> None:
    event = desk.event(SilenceAnswered(silence="s", state="active"), stream="board")
    with pytest.raises(Refusal, match="only a server writes"):
        check(event, ANA, Right.ADMIN, desk.state)


def window(matcher: Matcher, *, starts_at: int = 0, ends_at: int = 60_000) -> WindowOpened:
    """A window, from the beginning of time where nothing else is said."""
    return WindowOpened(
        window="w",
        kind="suppression",
        why="flaps",
        matchers=(matcher,),
        starts_at=starts_at,
        ends_at=ends_at,
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (window(Matcher("team", "shop"), ends_at=0), "ends after it begins"),
        (window(Matcher("team", "shop"), ends_at=400 * 86_400_000), "366 days at the most"),
        (window(Matcher("team", "(", "=~")), "lacks a )"),
        (window(Matcher("team", ".*", "=~")), "not empty"),
        (
            SilenceAsked(
                silence="s",
                alertmanager="am1",
                matchers=(Matcher("team", "x", "!="),),
                ends_at=1,
                comment="INC-7",
            ),
            "not empty",
        ),
    ],
)
def test_a_window_or_silence_without_an_end_or_a_condition_is_refused(
    desk: Desk, body: Body, words: str
) -> None:
    assert words in refusal(desk, body, ANA, stream="board")


@pytest.mark.parametrize("length", [1, MAX_WINDOW_MS])
def test_a_window_with_an_end_and_a_condition_is_taken(desk: Desk, length: int) -> None:
    body = window(Matcher("team", "shop"), starts_at=NOW, ends_at=NOW + length)
    check(desk.event(body, stream="board"), ANA, Right.RESPONDER, desk.state)
