"""How the board's records reach a console: all once, the urgent first, then what changes."""

from __future__ import annotations

import msgspec

from warroom_incident.alerts import RECORD_BYTES, Severity, Signal
from warroom_incident.beats import Beat
from warroom_incident.changes import Change
from warroom_incident.sync.wire import FRAME_TARGET, MAX_FRAME, BoardCursor, Records
from warroom_server.board import Board, SavedBoard
from warroom_server.board_feed import BoardFeed, RecordFrames, fitting


def signal(key: str, severity: Severity = "SEV3", title: str = "t") -> Signal:
    """An alert that fires."""
    return Signal(
        source="s",
        kind="generic",
        key=key,
        state="firing",
        severity=severity,
        title=title,
        received=1,
    )


def board_of(count: int, title: str = "t") -> Board:
    """A board with so many alerts, one of them urgent."""
    board = Board(SavedBoard("b1", 0))
    board.apply([signal(str(i), "SEV1" if i == count - 1 else "SEV3", title) for i in range(count)])
    return board


def drain(feed: BoardFeed) -> list[Records]:
    """Every frame that is due."""
    found = []
    while (frame := feed.next()) is not None:
        assert len(frame) < MAX_FRAME
        found.append(msgspec.json.decode(frame, type=Records))
    return found


def test_a_new_console_gets_everything_once_the_urgent_first() -> None:
    board = board_of(1500)
    feed = BoardFeed(RecordFrames(board), BoardCursor("", 0))
    frames = drain(feed)
    records = [record for frame in frames for record in frame.records]
    assert len({record.uid for record in records}) == len(records) == 1500
    assert records[0].severity == "SEV1"
    assert {frame.rev for frame in frames[:-2]} == {0}
    assert frames[-1].rev == board.rev
    assert not feed.has_more


def test_a_console_that_knows_the_board_gets_only_what_changed() -> None:
    board = board_of(10)
    feed = BoardFeed(RecordFrames(board), BoardCursor("b1", board.rev))
    assert drain(feed) == [Records("b1", board.rev, [])]
    board.apply([signal("new")])
    assert feed.has_more
    (frame,) = drain(feed)
    assert [record.key for record in frame.records] == ["new"]


def test_a_frame_without_records_ends_the_first_send_also_of_an_empty_board() -> None:
    empty = BoardFeed(RecordFrames(Board(SavedBoard("b1", 0))), BoardCursor("", 0))
    assert empty.has_more
    assert drain(empty) == [Records("b1", 0, [])]
    assert not empty.has_more
    board = board_of(1500)
    for cursor in (BoardCursor("", 0), BoardCursor("b1", 0), BoardCursor("b1", 700)):
        feed = BoardFeed(RecordFrames(board), cursor)
        counts = [len(frame.records) for frame in drain(feed)]
        assert counts[-1] == 0
        assert all(counts[:-1])


def test_the_first_send_ends_while_the_board_goes_on_changing() -> None:
    board = board_of(3)
    feed = BoardFeed(RecordFrames(board), BoardCursor("b1", 1))
    for number in range(5):
        board.apply([signal(f"late{number}")])
    frames = drain(feed)
    assert [len(frame.records) for frame in frames].count(0) == 1
    assert frames[-1].rev == board.rev


def test_a_cursor_of_another_board_or_of_the_future_starts_again() -> None:
    board = board_of(3)
    for cursor in (BoardCursor("b0", 1), BoardCursor("b1", board.rev + 1)):
        feed = BoardFeed(RecordFrames(board), cursor)
        assert sum(len(frame.records) for frame in drain(feed)) == 3


def test_a_change_while_the_board_is_sent_comes_after_it() -> None:
    board = board_of(1500)
    feed = BoardFeed(RecordFrames(board), BoardCursor("", 0))
    assert feed.next() is not None
    board.apply([signal("late")])
    assert drain(feed)[-1].records[-1].key == "late"


def test_consoles_at_the_same_revision_share_one_frame() -> None:
    board = board_of(1)
    frames = RecordFrames(board)
    feeds = [BoardFeed(frames, BoardCursor("b1", board.rev)) for _ in range(2)]
    for feed in feeds:
        drain(feed)
    board.apply([signal("new")])
    one, two = [feed.next() for feed in feeds]
    assert one is not None
    assert one is two


def test_a_frame_holds_at_least_one_record_and_never_too_many() -> None:
    records = board_of(100, "李" * 400).ordered()
    some = fitting(records)
    assert 0 < len(some) < 100
    assert len(msgspec.json.encode(some)) < FRAME_TARGET + RECORD_BYTES
    assert len(fitting(records[:1])) == 1
    assert fitting([]) == []


def beat(last_seen: int) -> Beat:
    """A sign of life."""
    return Beat(source="am", name="Watchdog", last_seen=last_seen, every=60)


def deploy(uid: str, at: int = 5) -> Change:
    """Something that was deployed."""
    return Change(uid=uid, service="web", kind="deploy", title="v" * 900, at=at)


def test_heartbeats_and_changes_come_after_the_alerts_and_before_the_end() -> None:
    board = board_of(3)
    board.beat(beat(1))
    board.change([deploy(f"{n:03}", n) for n in range(60)], 60)
    frames = drain(BoardFeed(RecordFrames(board), BoardCursor("", 0)))
    assert [bool(frame.records or frame.beats or frame.changes) for frame in frames][-2:] == [
        True,
        False,
    ]
    assert len(frames) > 3
    assert len(frames[0].records) == 3
    assert [each.name for frame in frames for each in frame.beats] == ["Watchdog"]
    assert len({each.uid for frame in frames for each in frame.changes}) == 60
    assert {frame.rev for frame in frames[:-2]} == {0}
    assert frames[-1] == Records("b1", board.rev, [])


def test_what_is_new_beside_the_alerts_is_sent_once_in_its_turn() -> None:
    board = board_of(3)
    feed = BoardFeed(RecordFrames(board), BoardCursor("b1", board.rev))
    drain(feed)
    board.beat(beat(1))
    board.apply([signal("new")])
    board.change([deploy("c")], 9)
    (frame,) = drain(feed)
    assert (len(frame.beats), len(frame.records), len(frame.changes)) == (1, 1, 1)
    assert frame.rev == board.rev
    board.beat(beat(1))
    board.change([deploy("c")], 9)
    assert not feed.has_more
    board.beat(beat(2))
    (frame,) = drain(feed)
    assert [each.last_seen for each in frame.beats] == [2]


def test_nothing_beside_the_alerts_is_passed_over_when_many_alerts_change() -> None:
    board = board_of(700)
    board.change([deploy("c")], 9)
    board.apply([signal(f"more {n}") for n in range(700)])
    feed = BoardFeed(RecordFrames(board), BoardCursor("b1", 1))
    frames = drain(feed)
    assert [each.uid for frame in frames for each in frame.changes] == ["c"]
    assert len({r.uid for frame in frames for r in frame.records}) == 1399
