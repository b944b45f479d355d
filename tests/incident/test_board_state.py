"""What people did to alerts stands until somebody takes it back."""

import pytest

from tests.incident.making import NOW, Writer, admitted
from warroom_incident import board
from warroom_incident.board import Acknowledged, Assigned, BoardState, Ended, Marked
from warroom_incident.event import BOARD
from warroom_incident.fields import Matcher
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    AlertAssigned,
    AlertEnded,
    AlertMarked,
    SilenceAnswered,
    SilenceAsked,
    SilenceEnded,
    WindowEnded,
    WindowOpened,
)

MATCHERS = (Matcher("service", "checkout"),)


def test_an_alert_is_acknowledged_and_given_back() -> None:
    writer, state = Writer(), BoardState()
    assert state.acknowledged("a") is None
    event = writer.act(state, AlertAcknowledged(uid="a"), BOARD)
    assert state.acknowledged("a") == Acknowledged("ana", event.shown_at)
    assert state.acknowledged("b") is None
    writer.act(state, AlertAcknowledged(uid="a", acknowledged=False), BOARD)
    assert state.acknowledged("a") is None


def test_of_two_who_took_an_alert_on_the_first_admitted_is_named_and_none_is_in_conflict() -> None:
    one = Writer("ana", seed=1).write(AlertAcknowledged(uid="a"), stream=BOARD)
    two = Writer("bo", seed=2).write(AlertAcknowledged(uid="a"), stream=BOARD)
    state = BoardState()
    state.extend([admitted(one, NOW + 2), admitted(two, NOW + 1)])
    found = state.acknowledged("a")
    assert found is not None
    assert (found.by, found.at) == ("bo", min(NOW + 1, two.head.hlc[0]))


def test_a_second_ack_changes_nothing_but_the_history() -> None:
    writer, state = Writer(), BoardState()
    writer.act(state, AlertAcknowledged(uid="a"), BOARD)
    writer.act(state, AlertAcknowledged(uid="a"), BOARD)
    assert state.acknowledged("a") is not None
    assert len(state.heads(("ack", "a"))) == 1
    assert len(state.history(("ack", "a"))) == 2


def test_an_acknowledgement_with_a_time_runs_out_and_the_alert_waits_again() -> None:
    writer, state = Writer(), BoardState()
    writer.act(state, AlertAcknowledged(uid="a", until=NOW + 60), BOARD)
    found = state.acknowledged("a", NOW + 59)
    assert found is not None
    assert found.until == NOW + 60
    assert state.acknowledged("a", NOW + 60) is None
    writer.act(state, AlertAcknowledged(uid="a", until=NOW + 120), BOARD)
    assert state.acknowledged("a", NOW + 60) is not None


def test_an_alert_is_given_to_a_person_and_left_to_anybody() -> None:
    writer, state = Writer(), BoardState()
    assert state.assigned("a") is None
    event = writer.act(state, AlertAssigned(uid="a", person="bo"), BOARD)
    assert state.assigned("a") == Assigned("bo", "ana", event.shown_at)
    writer.act(state, AlertAssigned(uid="a"), BOARD)
    assert state.assigned("a") is None


def test_an_alert_is_noise_until_that_is_taken_back() -> None:
    writer, state = Writer(), BoardState()
    event = writer.act(state, AlertMarked(uid="a", noise="not_actionable"), BOARD)
    assert state.noise("a") == Marked("not_actionable", "ana", event.shown_at)
    assert state.marks() == {"a": Marked("not_actionable", "ana", event.shown_at)}
    writer.act(state, AlertMarked(uid="a"), BOARD)
    assert state.noise("a") is None
    assert state.marks() == {}


def test_who_says_that_an_alert_is_over_has_taken_it_on_until_a_server_hears_it() -> None:
    writer, state = Writer(), BoardState()
    assert state.ended("a") is None
    event = writer.act(state, AlertEnded(uid="a", heard=NOW), BOARD)
    assert state.ended("a") == Ended(True, "ana", event.shown_at, NOW, told=False)
    assert state.acknowledged("a") == Acknowledged("ana", event.shown_at)
    state.add(admitted(event, NOW))
    assert state.acknowledged("a") is None
    writer.act(state, AlertEnded(uid="a", ended=False), BOARD)
    taken_back = state.ended("a")
    assert taken_back is not None
    assert not taken_back.over
    assert state.acknowledged("a") is None


def opened(name: str, starts_at: int, ends_at: int) -> WindowOpened:
    return WindowOpened(
        window=name,
        kind="maintenance",
        why="new switch",
        matchers=MATCHERS,
        starts_at=starts_at,
        ends_at=ends_at,
    )


def test_a_window_holds_from_its_start_to_its_end_and_may_end_before() -> None:
    writer, state = Writer(), BoardState()
    writer.act(state, opened("late", NOW + 10, NOW + 90), BOARD)
    writer.act(state, opened("early", NOW, NOW + 50), BOARD)
    early, late = state.windows(NOW)
    assert (early.window, early.holds(NOW), late.window, late.holds(NOW)) == (
        "early",
        True,
        "late",
        False,
    )
    assert [window.window for window in state.windows(NOW + 50)] == ["late"]
    writer.act(state, WindowEnded(window="late"), BOARD)
    assert state.windows(NOW + 50) == []


def test_a_silence_is_asked_for_answered_ended_and_answered_again() -> None:
    writer, server, state = Writer(), Writer("warroom", seed=2), BoardState()
    asked = SilenceAsked(
        silence="s", alertmanager="am1", matchers=MATCHERS, ends_at=NOW + 60, comment="INC-7"
    )
    writer.act(state, asked, BOARD)
    assert [(s.state, s.by) for s in state.silences()] == [("asked", "ana")]
    server.act(state, SilenceAnswered(silence="s", state="active", source_id="4f"), BOARD)
    assert [(s.state, s.source_id) for s in state.silences()] == [("active", "4f")]
    writer.act(state, SilenceEnded(silence="s"), BOARD)
    assert [s.state for s in state.silences()] == ["ending"]
    server.act(state, SilenceAnswered(silence="s", state="expired", source_id="4f"), BOARD)
    assert [s.state for s in state.silences()] == ["expired"]


def test_a_silence_that_failed_says_why() -> None:
    writer, state = Writer(), BoardState()
    asked = SilenceAsked(
        silence="s", alertmanager="am1", matchers=MATCHERS, ends_at=NOW + 60, comment="INC-7"
    )
    writer.act(state, asked, BOARD)
    writer.act(state, SilenceAnswered(silence="s", state="failed", reason="no such place"), BOARD)
    (silence,) = state.silences()
    assert (silence.state, silence.reason) == ("failed", "no such place")


def test_silences_that_are_long_over_are_left_out_where_nobody_asks_for_them() -> None:
    writer, state = Writer(), BoardState()
    for name, ends_at in (("old", NOW), ("new", NOW + 60)):
        asked = SilenceAsked(
            silence=name, alertmanager="am1", matchers=MATCHERS, ends_at=ends_at, comment="INC-7"
        )
        writer.act(state, asked, BOARD)
    assert [silence.silence for silence in state.silences(NOW)] == ["new"]
    assert len(state.silences()) == 2
    old = state.silence("old")
    assert old is not None
    assert old.ends_at == NOW
    assert state.silence("none") is None


def test_the_registers_of_a_kind_are_known_whatever_came_in_between() -> None:
    writer, state = Writer(), BoardState()
    assert list(state.keys("ack")) == []
    for uid in ("a", "b", "a"):
        writer.act(state, AlertAcknowledged(uid=uid), BOARD)
        writer.act(state, AlertMarked(uid=uid, noise="poor_details"), BOARD)
    assert list(state.keys("ack")) == [("ack", "a"), ("ack", "b")]
    assert sorted(state.registers) == sorted([*state.keys("ack"), *state.keys("noise")])


def test_of_what_was_done_to_single_alerts_a_console_that_joins_gets_the_newest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(board, "MOST_PRESENT", 3)
    writer, state = Writer(), BoardState()
    window = writer.act(state, opened("w", NOW, NOW + 60), BOARD)
    acks = [writer.act(state, AlertAcknowledged(uid=uid), BOARD) for uid in "abcd"]
    again = writer.act(state, AlertAcknowledged(uid="a", acknowledged=False), BOARD)
    end = writer.act(state, WindowEnded(window="w"), BOARD)
    assert set(state.present()) == {window.id, end.id, again.id, acks[2].id, acks[3].id}
