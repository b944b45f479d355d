"""Questions to the server, each answered once, or with a sentence on why it was not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import count

from warroom_incident.sync.wire import Answer, Ask, encode

ANSWER_WITHIN = 20.0
"""How long an answer is waited for, in seconds; the server itself may have to ask elsewhere."""

OFFLINE = "There is no server to ask now."
TOO_OLD = "This server is too old to know."
SLOW = "The server did not answer in time; ask again."


class Asking:
    """What was asked on this connection and is not answered yet."""

    def __init__(self) -> None:
        self._send: Callable[[bytes], object] | None = None
        self._answers: frozenset[str] = frozenset()
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}

    def begin(self, send: Callable[[bytes], object], answers: Sequence[str]) -> None:
        """A server is there, which answers these questions."""
        self.lost()
        self._send, self._answers = send, frozenset(answers)

    def lost(self) -> None:
        """The server is gone, and with it its answers."""
        self._send = None
        waiting, self._waiting = self._waiting, {}
        for number, answer in waiting.items():
            if not answer.done():
                answer.set_result(Answer(number, error=OFFLINE))

    def answered(self, message: Answer) -> None:
        """An answer has come."""
        answer = self._waiting.pop(message.id, None)
        if answer is not None and not answer.done():
            answer.set_result(message)

    async def ask(self, question: Ask) -> Answer:
        """Ask, and wait for the answer; without one its `error` says why. `id` is filled in."""
        if self._send is None:
            return Answer(question.id, error=OFFLINE)
        if question.about not in self._answers:
            return Answer(question.id, error=TOO_OLD)
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        fields = {name: getattr(question, name) for name in question.__struct_fields__}
        self._send(encode(Ask(**fields | {"id": number})))
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                return await answer
        except TimeoutError:
            return Answer(number, error=SLOW)
        finally:
            self._waiting.pop(number, None)
