"""Who may do what, which tokens are good, which servers are trusted."""

from collections.abc import Sequence
from itertools import permutations
from random import Random

from hypothesis import given, strategies as st

from tests.incident.making import NOW, Writer, admitted, withheld
from warroom_incident.event import ROOM, Event, read_packet, void_of
from warroom_incident.reducers import Right
from warroom_incident.room import Machine, Member, RoomState, hash_token
from warroom_incident.vocabulary import (
    MemberGranted,
    RightName,
    ServerListed,
    StandbyListed,
    TokenCreated,
    TokenRevoked,
)


def room(events: Sequence[Event]) -> RoomState:
    state = RoomState()
    state.extend(events)
    return state


def token(name: str = "prom", secret: str = "s3cret", expires: int | None = None) -> TokenCreated:
    return TokenCreated(name=name, hash=hash_token(secret), kind="alertmanager", expires=expires)


def test_rights_rise_and_cover_what_lies_below() -> None:
    rights = list(Right)
    for place, right in enumerate(rights):
        assert [right.covers(other) for other in rights] == [n <= place for n in range(4)]


def test_an_account_is_granted_a_right_and_loses_it() -> None:
    writer, state = Writer(), RoomState()
    assert state.right("bo") is None
    writer.act(state, MemberGranted(account="bo", right="commander"), ROOM)
    assert state.right("bo") is Right.COMMANDER
    writer.act(state, MemberGranted(account="bo"), ROOM)
    assert state.right("bo") is None


def test_members_are_listed_by_name_with_what_counts_now_and_who_granted_it() -> None:
    writer, state = Writer("root"), RoomState()
    grants: list[tuple[str, RightName | None]] = [
        ("zoe", "viewer"),
        ("bo", "admin"),
        ("cy", "admin"),
        ("bo", "responder"),
        ("cy", None),
    ]
    for account, right in grants:
        writer.clock.now += 1000
        writer.act(state, MemberGranted(account=account, right=right), ROOM)
    assert state.members() == [
        Member("bo", Right.RESPONDER, "root", NOW + 4000),
        Member("zoe", Right.VIEWER, "root", NOW + 1000),
    ]


def test_servers_are_known_by_their_keys_and_a_key_is_replaced() -> None:
    writer, state = Writer(), RoomState()
    writer.act(state, ServerListed(server="a", key_hex="1" * 64), ROOM)
    writer.act(state, ServerListed(server="b", key_hex="2" * 64), ROOM)
    writer.act(state, ServerListed(server="a", key_hex="3" * 64), ROOM)
    assert state.servers() == {"a": "3" * 64, "b": "2" * 64}


def test_a_listed_standby_is_trusted_and_becomes_a_server_that_keeps_its_addresses() -> None:
    writer, state = Writer(), RoomState()
    urls = ("unix:///run/warroom/socket", "wss://war2:8764")
    writer.act(state, ServerListed(server="a", key_hex="1" * 64), ROOM)
    writer.act(state, StandbyListed(server="b", name="war2", key_hex="2" * 64, urls=urls), ROOM)
    assert state.servers() == {"a": "1" * 64, "b": "2" * 64}
    assert state.machines() == [
        Machine("a", "1" * 64, True, since=NOW),
        Machine("b", "2" * 64, False, "war2", urls),
    ]
    body = ServerListed(server="b", key_hex="2" * 64, promoted_by="bo", as_of=NOW - 9)
    writer.act(state, body, ROOM)
    assert state.machines()[1] == Machine(
        "b", "2" * 64, True, "war2", urls, since=NOW, promoted_by="bo", as_of=NOW - 9
    )


def test_a_standby_is_listed_anew_with_other_addresses() -> None:
    writer, state = Writer(), RoomState()
    for urls in (("ws://127.0.0.1:1",), ("ws://127.0.0.1:2",)):
        body = StandbyListed(server="b", name="war2", key_hex="2" * 64, urls=urls)
        writer.act(state, body, ROOM)
    assert [machine.urls for machine in state.machines()] == [("ws://127.0.0.1:2",)]


def test_a_token_opens_until_it_expires_or_is_revoked() -> None:
    writer, state = Writer(), RoomState()
    made = writer.act(state, token(expires=NOW + 10), ROOM)
    found = state.token_for("s3cret", NOW)
    assert found is not None
    assert (found.id, found.name, found.kind, found.right) == (
        made.id,
        "prom",
        "alertmanager",
        None,
    )
    assert state.token_for("s3cret", NOW + 10) is None
    assert state.token_for("S3cret", NOW) is None
    assert state.token_for("\udcff", NOW) is None
    assert [t.name for t in state.tokens()] == ["prom"], "an expired one is still listed"
    state.add(writer.write(TokenRevoked(name="prom"), made, stream=ROOM))
    assert state.token_for("s3cret", NOW) is None
    assert state.tokens() == []


def test_a_token_for_a_person_carries_a_right() -> None:
    state = RoomState()
    body = TokenCreated(name="bot", hash=hash_token("x"), right="viewer")
    Writer().act(state, body, ROOM)
    (found,) = state.tokens()
    assert found.right is Right.VIEWER
    assert found.expires is None


def test_tokens_are_listed_the_oldest_first_and_an_admission_moves_them() -> None:
    ahead = Writer("ana", seed=1, now=NOW + 100).write(token("one"), stream=ROOM)
    other = Writer("bo", seed=2).write(token("two"), stream=ROOM)
    state = room([ahead, other])
    assert [t.name for t in state.tokens()] == ["two", "one"]
    state.add(admitted(ahead, NOW - 1))
    assert [(t.name, t.created) for t in state.tokens()] == [("one", NOW - 1), ("two", NOW)]


@given(st.randoms(use_true_random=False))
def test_a_revocation_counts_even_before_the_token_arrives(random: Random) -> None:
    writer = Writer()
    made = writer.write(token(), stream=ROOM)
    revoked = writer.write(TokenRevoked(name="prom"), made, stream=ROOM)
    stamped = [admitted(made, NOW + 5), admitted(revoked, NOW + 5)]
    gone = [withheld(writer.packets[event.id]) for event in (made, revoked)]
    events = [made, revoked, *stamped, *gone]
    expected = room(events)
    random.shuffle(events)
    state = room(events)
    assert state.tokens() == expected.tokens() == []
    assert state.state_digest() == expected.state_digest()
    assert state.present() == []


def test_a_token_that_stands_belongs_to_the_present() -> None:
    made = Writer().write(token(), stream=ROOM)
    assert room([made]).present() == [made.id]


def test_a_revocation_of_which_only_the_head_is_known_still_revokes() -> None:
    writer = Writer()
    made = writer.write(token(), stream=ROOM)
    revoked = writer.write(TokenRevoked(name="prom"), made, stream=ROOM)
    gone = withheld(writer.packets[revoked.id])
    for events in permutations([made, gone]):
        assert room(events).tokens() == []
    assert room([made, read_packet(void_of(writer.packets[revoked.id], "no"))]).tokens(), "a void"


def test_nothing_that_gives_or_takes_rights_is_undone_by_withholding_its_body() -> None:
    writer = Writer()
    admin = writer.write(MemberGranted(account="bo", right="admin"), stream=ROOM)
    viewer = writer.write(MemberGranted(account="bo", right="viewer"), admin, stream=ROOM)
    listed = writer.write(ServerListed(server="s1", key_hex="ab" * 32), stream=ROOM)
    gone = [withheld(writer.packets[event.id]) for event in (viewer, listed)]
    for events in permutations([admin, viewer, listed, *gone]):
        assert room(events).right("bo") is Right.VIEWER
        assert room(events).servers() == {"s1": "ab" * 32}


def test_a_replaced_right_never_returns_where_only_the_head_of_the_later_is_known() -> None:
    writer = Writer()
    admin = writer.write(MemberGranted(account="bo", right="admin"), stream=ROOM)
    viewer = writer.write(MemberGranted(account="bo", right="viewer"), admin, stream=ROOM)
    later = writer.write(MemberGranted(account="cy", right="admin"), stream=ROOM)
    for events in permutations([admin, withheld(writer.packets[viewer.id]), later]):
        assert room(events).right("bo") is None
        assert room(events).right("cy") is Right.ADMIN
    whole = room([admin, withheld(writer.packets[viewer.id]), viewer])
    assert whole.right("bo") is Right.VIEWER, "the body is there after all"
