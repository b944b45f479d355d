"""Who is cut for reading nothing, and who is only slow."""

from __future__ import annotations

from warroom_server.patience import WHILE_SENDING, Patience

LOOKS = 10


def looks_until_over(*, sends: int, most: int = 1000) -> int:
    """How many looks somebody gets who owes `seen`, never says it, and sends so many bytes each."""
    patience = Patience()
    for number in range(most):
        patience.look(True, (0, 0), number * sends)
        if patience.is_over(LOOKS):
            return number
    raise AssertionError("it has no end")


def test_who_reads_and_sends_nothing_is_cut_after_so_many_looks() -> None:
    assert looks_until_over(sends=0) == LOOKS
    assert looks_until_over(sends=20) == LOOKS, "pings are no sign of reading"


def test_who_goes_on_sending_gets_more_time_but_not_for_ever() -> None:
    assert looks_until_over(sends=8000) == WHILE_SENDING * LOOKS


def test_progress_and_owing_nothing_begin_the_count_anew() -> None:
    patience = Patience()
    for number in range(10 * LOOKS):
        patience.look(True, (number // LOOKS, 0), 0)
        assert not patience.is_over(LOOKS)
    for _ in range(10 * LOOKS):
        patience.look(False, (0, 0), 0)
        assert not patience.is_over(LOOKS)


def test_a_single_byte_is_a_sign_of_life() -> None:
    patience = Patience()
    for received in (0, 0, 0, 1, 1, 1, 2):
        patience.look(False, (0, 0), received)
    assert patience.mute == 0
    for number in range(1, LOOKS):
        patience.look(False, (0, 0), 2)
        assert patience.mute == number
        assert not patience.is_over(LOOKS), "it owes nothing"
