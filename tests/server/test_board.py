"""The board: latest record per episode, numbered changes, bounded size."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, strategies as st

from warroom_incident.alerts import ECHO_MS, FLAP_MS, AlertRecord, Severity, Signal, State
from warroom_server.board import Board, SavedBoard

NOON = 1_795_262_400_000
HOUR = 3_600_000


def signal(
    key: str, state: State = "firing", at: int = NOON, severity: Severity = "SEV2"
) -> Signal:
    return Signal(
        source="gen",
        kind="generic",
        key=key,
        state=state,
        title=f"alert {key}",
        received=at,
        severity=None if state == "resolved" else severity,
    )


def empty_board(retention_ms: int = HOUR, max_records: int = 100) -> Board:
    return Board(SavedBoard("b0a4d", 0), retention_ms=retention_ms, max_records=max_records)


def keys(records: Sequence[AlertRecord]) -> list[str]:
    return [record.key for record in records]


def test_every_change_has_a_revision_of_its_own_and_the_cursor_goes_on_from_the_last() -> None:
    board = empty_board()
    assert [r.rev for r in board.apply([signal("a"), signal("b")])] == [1, 2]
    board.apply([signal("a", "resolved", NOON + 1)])
    assert [(r.key, r.rev) for r in board.since(0)] == [("b", 2), ("a", 3)]
    assert keys(board.since(2)) == ["a"]
    assert board.since(3) == []
    assert board.rev == 3


def test_a_record_that_changed_twice_in_one_slice_is_told_once() -> None:
    board = empty_board()
    changed = board.apply([signal("a"), signal("b"), signal("a", at=NOON + 1)])
    assert [(r.key, r.count, r.rev) for r in changed] == [("b", 1, 2), ("a", 2, 3)]


def test_pages_of_a_cursor_cover_everything_once() -> None:
    board = empty_board()
    board.apply(signal(str(i)) for i in range(25))
    seen: list[str] = []
    rev = 0
    while page := board.since(rev, limit=10):
        assert len(page) <= 10
        seen += keys(page)
        rev = page[-1].rev
    assert seen == [str(i) for i in range(25)]


def test_open_alerts_come_worst_first_then_loudest_then_newest() -> None:
    board = empty_board()
    board.apply(
        [
            signal("minor", severity="SEV4"),
            signal("older", severity="SEV1"),
            signal("newer", at=NOON + 1, severity="SEV1"),
            signal("blind", "nodata", at=NOON + 2, severity="SEV1"),
            signal("over", severity="SEV1"),
            signal("over", "resolved", NOON + 3),
        ]
    )
    assert keys(board.open()) == ["newer", "older", "blind", "minor"]
    assert keys(board.ordered()) == ["newer", "older", "blind", "minor", "over"]


def test_an_episode_is_found_by_its_uid_and_by_its_alert() -> None:
    board = empty_board()
    (record,) = board.apply([signal("a")])
    assert board.get(record.uid) == board.newest("gen", "a") == record
    assert board.get("0" * 20) is None
    assert board.newest("gen", "b") is None


def test_an_earlier_episode_stays_beside_the_newer_one() -> None:
    board = empty_board()
    later = NOON + FLAP_MS + HOUR
    board.apply([signal("a"), signal("a", "resolved", NOON + 1), signal("a", at=later)])
    assert [(r.episode, r.state) for r in board.ordered()] == [
        (later, "firing"),
        (NOON, "resolved"),
    ]


def test_listeners_hear_changes_until_they_leave() -> None:
    board = empty_board()
    heard: list[str] = []
    leave = board.on_change(lambda records: heard.extend(keys(records)))
    board.apply([signal("a")])
    board.apply([signal("never seen", "resolved")])
    leave()
    leave()
    board.apply([signal("b")])
    assert heard == ["a"]


def test_a_listener_that_fails_harms_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    board = empty_board()
    heard: list[str] = []

    def fails(records: Sequence[AlertRecord]) -> None:
        raise RuntimeError("broken view")

    board.on_change(fails)
    board.on_change(lambda records: heard.extend(keys(records)))
    board.apply([signal("a")])
    assert heard == ["a"]
    assert "listener of the alert board failed" in caplog.text


def test_a_late_copy_of_a_beginning_after_its_unseen_end_opens_nothing() -> None:
    board = empty_board()
    begin = msgspec.structs.replace(signal("k", at=NOON + ECHO_MS), starts_at=NOON - HOUR)
    end = msgspec.structs.replace(signal("k", "resolved"), starts_at=NOON - HOUR, ends_at=NOON)
    assert board.apply([end, begin]) == []
    assert board.open() == board.ordered() == []


def test_closing_by_hand_says_so_and_happens_once() -> None:
    board = empty_board()
    (record,) = board.apply([signal("a")])
    over = board.close(record.uid, "manual", NOON + HOUR)
    assert over is not None
    assert (over.state, over.resolved_by, over.ends_at) == ("resolved", "manual", NOON + HOUR)
    assert board.close(record.uid, "manual", NOON + HOUR) is None
    assert board.close("0" * 20, "manual", NOON) is None
    assert board.since(record.rev) == [over]


def test_resolved_episodes_are_forgotten_after_their_retention_and_open_ones_never() -> None:
    board = empty_board(retention_ms=HOUR)
    board.apply([signal("open"), signal("over"), signal("over", "resolved", NOON + 1)])
    assert board.forget(NOON + HOUR) == []
    assert len(board.forget(NOON + HOUR + 2)) == 1
    assert keys(board.ordered()) == ["open"]
    assert board.newest("gen", "over") is None


def test_a_full_board_lets_the_longest_resolved_go() -> None:
    board = empty_board(max_records=3)
    for i, key in enumerate("abc"):
        board.apply([signal(key, at=NOON + i), signal(key, "resolved", NOON + 10 + i)])
    board.apply([signal("d", at=NOON + 20)])
    assert keys(board.ordered()) == ["d", "c", "b"]


def test_a_board_full_of_open_alerts_says_so_and_keeps_what_it_has() -> None:
    outcomes: list[tuple[str, str]] = []
    board = Board(SavedBoard("b", 0), max_records=2, on_outcome=lambda *o: outcomes.append(o))
    board.apply([signal("a"), signal("b"), signal("c"), signal("d", at=NOON + 1)])
    (card,) = (r for r in board.open() if r.source == "warroom")
    assert card.title.startswith("the alert board is full")
    assert card.count == 2
    assert {"a", "b"} < {r.key for r in board.open()}
    assert outcomes.count(("gen", "rejected")) == 2


def test_a_board_is_no_longer_full_once_a_tenth_of_its_places_is_free() -> None:
    board = empty_board(max_records=10)
    board.apply([signal(str(i)) for i in range(11)])
    board.apply([signal("0", "resolved", NOON + 1)])
    assert not board.settle(NOON + 2), "with the card itself ten are open"
    board.apply([signal("1", "resolved", NOON + 3)])
    assert board.settle(NOON + 4)
    assert [r for r in board.open() if r.source == "warroom"] == []
    assert not board.settle(NOON + 5)


def test_what_changed_is_saved_once_and_can_be_given_back() -> None:
    board = empty_board(retention_ms=HOUR)
    board.apply([signal("a"), signal("b")])
    unsaved = board.take_unsaved()
    assert (sorted(keys(unsaved.records)), unsaved.gone, unsaved.rev) == (["a", "b"], (), 2)
    assert board.take_unsaved().records == ()
    board.give_back(unsaved)
    assert sorted(keys(board.take_unsaved().records)) == ["a", "b"]


def test_a_forgotten_record_is_deleted_and_not_written() -> None:
    board = empty_board(retention_ms=HOUR)
    board.apply([signal("a"), signal("a", "resolved", NOON + 1)])
    (uid,) = board.forget(NOON + 2 * HOUR)
    unsaved = board.take_unsaved()
    assert (unsaved.records, unsaved.gone) == ((), (uid,))


def test_a_board_taken_up_again_goes_on_where_it_was() -> None:
    board = empty_board()
    board.apply([signal("a"), signal("b"), signal("a", "resolved", NOON + 1)])
    again = Board(SavedBoard("b0a4d", board.rev, tuple(board.ordered())))
    assert again.since(0) == board.since(0)
    assert again.ordered() == board.ordered()
    (changed,) = again.apply([signal("a", at=NOON + 2)])
    assert (changed.flaps, changed.rev) == (1, board.rev + 1)


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(("firing", "resolved", "nodata"))),
        max_size=60,
    ),
    st.integers(1, 5),
)
def test_a_client_that_follows_the_cursor_holds_what_the_board_holds(
    story: list[tuple[str, State]], every: int
) -> None:
    board = empty_board()
    mirror: dict[str, AlertRecord] = {}
    rev = 0
    for i, (key, state) in enumerate(story):
        board.apply([signal(key, state, NOON + i * FLAP_MS)])
        if i % every == 0:
            while page := board.since(rev, limit=2):
                mirror.update((r.uid, r) for r in page)
                rev = page[-1].rev
    mirror.update((r.uid, r) for r in board.since(rev))
    assert sorted(mirror.values(), key=lambda r: r.rev) == board.since(0)
    assert len(board) == len(mirror)
    assert keys(board.open()) == keys([r for r in board.ordered() if r.is_open])


def test_a_long_history_is_compacted_without_losing_a_cursor() -> None:
    board = empty_board()
    for i in range(3000):
        board.apply([signal(str(i % 3), at=NOON + i)])
    assert [r.rev for r in board.since(2998)] == [2999, 3000]
    assert [r.rev for r in board.since(0)] == [2998, 2999, 3000]


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
