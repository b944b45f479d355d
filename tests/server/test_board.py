"""The board: latest record per episode, numbered changes, bounded size."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.server.boards import HOUR, NOON, empty_board, keys, signal
from warroom_incident.alerts import ECHO_MS, FLAP_MS, AlertRecord, State
from warroom_server.board import Board, SavedBoard


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
