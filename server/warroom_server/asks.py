"""The questions of consoles that this server answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from warroom_incident.clean import clean_line
from warroom_incident.sync.wire import Answer, Ask

from .identity import Caller

ANSWER_WITHIN = 15.0
"""How long an answer may take, in seconds; a console waits a little longer."""

MAX_ASKED = 8
"""How many questions of one console may wait for their answers."""

MAX_ERROR = 280
_log = logging.getLogger(__name__)

Answering = Callable[[Ask, Caller], Awaitable[Answer]]


class CannotAnswer(Exception):
    """There is no answer; the message is one sentence that says why."""


class Asks:
    """Who answers what. `alertmanagers` names the places where alerts can be silenced."""

    def __init__(self) -> None:
        self._answering: dict[str, Answering] = {}
        self.alertmanagers: list[str] = []

    @property
    def known(self) -> list[str]:
        """What may be asked."""
        return sorted(self._answering)

    def on(self, about: str, answering: Answering) -> None:
        """Let `answering` answer one kind of question; it may raise `CannotAnswer`."""
        self._answering[about] = answering

    async def answer(self, ask: Ask, caller: Caller) -> Answer:
        """The answer for a caller, which says so where there is none."""
        answering = self._answering.get(ask.about)
        if answering is None:
            return Answer(ask.id, error="This server does not know that question.")
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                return await answering(ask, caller)
        except CannotAnswer as error:
            return Answer(ask.id, error=clean_line(str(error), MAX_ERROR))
        except TimeoutError:
            return Answer(ask.id, error="The answer took too long; ask again.")
        except Exception:
            _log.exception("a question could not be answered")
            return Answer(ask.id, error="The server failed to answer; its log says why.")


class Questions:
    """What one console has asked; `say` sends it an answer."""

    def __init__(self, asks: Asks, say: Callable[[Answer], None], caller: Caller) -> None:
        self._asks = asks
        self._caller = caller
        self._say = say
        self._open: set[asyncio.Task[None]] = set()

    def ask(self, ask: Ask) -> None:
        """Answer when that is done."""
        if len(self._open) >= MAX_ASKED:
            self._say(Answer(ask.id, error="Too much was asked at once; wait for the answers."))
            return
        task = asyncio.get_running_loop().create_task(self._answer(ask))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _answer(self, ask: Ask) -> None:
        self._say(await self._asks.answer(ask, self._caller))

    def drop(self) -> None:
        """The console is gone: nobody waits for answers."""
        for task in tuple(self._open):
            task.cancel()
