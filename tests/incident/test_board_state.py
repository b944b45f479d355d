"""What people did to alerts stands until somebody takes it back."""

from tests.incident.making import NOW, Writer, admitted
from warroom_incident.board import Acknowledged, BoardState
from warroom_incident.event import BOARD
from warroom_incident.vocabulary import AlertAcknowledged


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
