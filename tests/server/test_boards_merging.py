"""Boards of two servers tell each other what they hold: of each alert the newest word counts."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.server.boards import HOUR, NOON, empty_board, keys, signal
from warroom_incident.alerts import State
from warroom_incident.beats import Beat
from warroom_server.board import Board, SavedBoard


def two_boards() -> tuple[Board, Board]:
    one, other = (Board(SavedBoard(name, 0), retention_ms=HOUR) for name in ("a", "b"))
    return one, other


def swap(one: Board, other: Board, at: int = NOON) -> None:
    """Tell each board all that the other holds, until neither changes any more."""
    for _ in range(5):
        before = one.rev, other.rev
        other.adopt(one.ordered(), at)
        one.adopt(other.ordered(), at)
        if before == (one.rev, other.rev):
            return
    raise AssertionError("the boards tell each other the same for ever")


def said(board: Board) -> set[tuple[str, str, int]]:
    return {(r.uid, r.state, r.last_seen) for r in board.ordered()}


def test_another_servers_alerts_are_shown_and_nothing_new_is_nothing_to_tell() -> None:
    other, board = two_boards()
    (first,) = other.apply([signal("disk")])
    board.adopt([first], NOON)
    assert keys(board.open()) == ["disk"]
    again = board.rev
    board.adopt([first], NOON)
    assert board.rev == again, "nothing new is nothing to tell"
    (over,) = other.apply([signal("disk", "resolved", at=NOON + 2_000)])
    board.adopt([over], NOON)
    assert board.open() == []


def test_two_boards_that_both_heard_of_a_source_hold_all_of_it() -> None:
    one, other = two_boards()
    one.apply([signal("disk")])
    other.apply([signal("cpu", at=NOON + 10)])
    swap(one, other)
    assert sorted(keys(one.open())) == sorted(keys(other.open())) == ["cpu", "disk"]
    assert said(one) == said(other)


def test_an_end_that_comes_in_at_the_other_server_ends_the_episode_on_both() -> None:
    one, other = two_boards()
    (first,) = one.apply([signal("disk")])
    swap(one, other)
    (over,) = other.apply([signal("disk", "resolved", at=NOON + 5_000)])
    assert over.uid == first.uid
    other.adopt([first], NOON)
    assert other.open() == [], "an old word does not open it again"
    swap(one, other)
    assert one.open() == other.open() == []


def test_an_end_that_comes_in_before_its_beginning_was_told_ends_it() -> None:
    one, other = two_boards()
    one.apply([signal("disk")])
    other.apply([signal("disk", "resolved", at=NOON + 50)])
    swap(one, other)
    assert one.open() == other.open() == []
    assert said(one) == said(other)


def test_an_alert_that_began_on_both_sides_of_a_cut_has_one_open_episode() -> None:
    one, other = two_boards()
    one.apply([signal("disk")])
    other.apply([signal("disk", at=NOON + 60_000)])
    one.apply([signal("disk", at=NOON + 90_000)])
    swap(one, other)
    assert [r.first_seen for r in one.open()] == [r.first_seen for r in other.open()]
    assert len(one.open()) == 1
    assert said(one) == said(other)
    one.apply([signal("disk", "resolved", at=NOON + 95_000)])
    swap(one, other)
    assert one.open() == other.open() == []


def test_a_server_whose_clock_is_ahead_does_not_bring_back_what_has_ended() -> None:
    one, other = two_boards()
    one.apply([signal("disk", at=NOON + 60_000)])
    swap(one, other)
    other.apply([signal("disk", "resolved", at=NOON)])
    swap(one, other)
    assert one.open() == other.open() == []


def test_what_a_board_says_anew_without_hearing_more_reaches_the_other() -> None:
    one, other = two_boards()
    (first,) = one.apply([signal("disk")])
    swap(one, other)
    for state in ("suppressed", "firing"):
        known = one.get(first.uid)
        assert known is not None
        one.revise([msgspec.structs.replace(known, state=state)])
        swap(one, other)
        assert [r.state for r in other.open()] == [state]


def test_a_full_board_takes_open_episodes_of_another_before_its_own_ended_ones() -> None:
    one = Board(SavedBoard("a", 0), retention_ms=HOUR, max_records=2)
    other = empty_board()
    one.apply([signal("a"), signal("b"), signal("b", "resolved", at=NOON + 1)])
    one.adopt(other.apply([signal("c")]), NOON)
    one.adopt(other.apply([signal("d")]), NOON)
    assert sorted(keys(one.ordered())) == ["a", "c"]


def test_neither_old_ends_nor_another_servers_own_cards_are_taken_in() -> None:
    one, other = two_boards()
    other.apply([signal("disk"), signal("disk", "resolved")])
    own = msgspec.structs.replace(signal("late"), source="warroom")
    one.adopt([*other.ordered(), *other.apply([own])], NOON + 2 * HOUR)
    assert one.ordered() == []


@pytest.mark.parametrize(
    "change",
    [{"last_seen": 1 << 70}, {"count": -(1 << 60)}, {"summary": "x" * 20_000}, {"uid": ""}],
)
def test_a_record_that_no_board_could_have_made_is_not_taken_in(change: dict[str, object]) -> None:
    one, other = two_boards()
    (record,) = other.apply([signal("disk")])
    one.adopt([msgspec.structs.replace(record, **change)], NOON)
    assert len(one) == 0


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(["x", "y"]),
            st.sampled_from(["firing", "acknowledged", "resolved"]),
            st.integers(0, 900_000),
            st.none() | st.integers(-900_000, 900_000),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_boards_that_told_each_other_all_say_the_same_whatever_came_in_where(
    words: list[tuple[bool, str, State, int, int | None, bool]],
) -> None:
    one, other = two_boards()
    for is_one, key, state, after, start, tells in words:
        starts_at = None if start is None else NOON + start
        word = msgspec.structs.replace(signal(key, state, NOON + after), starts_at=starts_at)
        (one if is_one else other).apply([word])
        if tells:
            swap(one, other)
    swap(one, other)
    assert said(one) == said(other)
    names = [(r.source, r.key) for r in one.open()]
    assert len(names) == len(set(names)), "an alert has one open episode"


def test_what_is_taken_in_is_announced_and_kept_and_nothing_new_is_not() -> None:
    one, other = two_boards()
    announced: list[str] = []
    kept: list[int] = []
    one.on_change(lambda records: announced.extend(keys(records)))
    one.on_adopted = lambda: kept.append(one.rev)
    told = other.apply([signal("disk"), signal("cpu")])
    for _ in range(2):
        one.adopt(told, NOON)
    assert announced == ["disk", "cpu"]
    assert kept == [one.rev]


def test_of_a_heartbeat_the_later_word_counts_and_who_was_asked_stays_each_servers_own() -> None:
    board, _ = two_boards()
    watchdog = Beat(source="am", name="Watchdog", last_seen=NOON, every=60_000)
    board.beat(watchdog)
    board.adopt_beats([msgspec.structs.replace(watchdog, last_seen=NOON - 1)])
    assert board.beside.beats["am/Watchdog"].last_seen == NOON
    board.adopt_beats(
        [
            msgspec.structs.replace(watchdog, last_seen=NOON + 1),
            msgspec.structs.replace(watchdog, name="api", kind="poll"),
            msgspec.structs.replace(watchdog, name="forgotten", every=0),
            msgspec.structs.replace(watchdog, name="new"),
        ]
    )
    found = {key: beat.last_seen for key, beat in board.beside.beats.items()}
    assert found == {"am/Watchdog": NOON + 1, "am/new": NOON}
