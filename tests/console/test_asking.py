"""A question is answered once, or with a sentence on why it was not."""

import asyncio

import pytest

from tests.waiting import wait_for
from warroom_console import asking
from warroom_console.asking import OFFLINE, SLOW, TOO_OLD, Asking
from warroom_incident.sync.wire import Answer, Ask, read_from_console


class Line:
    """What was sent."""

    def __init__(self) -> None:
        self.sent: list[Ask] = []

    def send(self, frame: bytes) -> None:
        """Take a frame."""
        message = read_from_console(frame)
        assert isinstance(message, Ask)
        self.sent.append(message)


async def test_an_answer_finds_its_question() -> None:
    line, desk = Line(), Asking()
    desk.begin(line.send, ["noise"])
    first = asyncio.create_task(desk.ask(Ask(0, "noise", days=7)))
    second = asyncio.create_task(desk.ask(Ask(0, "noise", days=9)))
    await wait_for(lambda: len(line.sent) == 2, "both questions")
    assert [ask.days for ask in line.sent] == [7, 9]
    desk.answered(Answer(line.sent[1].id, count=9))
    desk.answered(Answer(line.sent[0].id, count=7))
    desk.answered(Answer(999))
    assert (await first).count == 7
    assert (await second).count == 9


async def test_without_a_server_or_with_an_old_one_nothing_is_asked() -> None:
    line, desk = Line(), Asking()
    assert (await desk.ask(Ask(0, "noise"))).error == OFFLINE
    desk.begin(line.send, ["other"])
    assert (await desk.ask(Ask(0, "noise"))).error == TOO_OLD
    assert line.sent == []


async def test_a_question_is_answered_when_the_server_goes_or_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line, desk = Line(), Asking()
    desk.begin(line.send, ["noise"])
    waiting = asyncio.create_task(desk.ask(Ask(0, "noise")))
    await wait_for(lambda: line.sent, "the question")
    desk.lost()
    assert (await waiting).error == OFFLINE
    monkeypatch.setattr(asking, "ANSWER_WITHIN", 0.0)
    desk.begin(line.send, ["noise"])
    assert (await desk.ask(Ask(0, "noise"))).error == SLOW
