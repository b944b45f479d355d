"""Makes and ends the silences that people ask for, at their source, and says what came of it.

What is to be done is read from the `board` stream, so that a restart forgets nothing. A silence
carries its name in the comment: where an answer was lost, it is looked for before it is made.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from warroom_incident.board import Silence
from warroom_incident.clean import clean_line
from warroom_incident.door import DoorError
from warroom_incident.event import BOARD
from warroom_incident.matching import show_matchers
from warroom_incident.telling import moment
from warroom_incident.vocabulary import NoteAdded, SilenceAnswered, SilenceAsked, SilenceEnded

from ..room import Commit, Room, Unavailable
from .api import Api, ApiError

FIRST_DELAY, LONGEST_DELAY = 1.0, 30.0
"""Seconds between attempts."""

GIVE_UP_MS = 5 * 60_000
"""How long making a silence is tried: one that comes into force much later surprises people."""

FIRST_TRY_MS = 5_000
"""How old a wish is at its first try: later ones may find made what an earlier one asked for."""

SETTLED_MS = 30 * 86_400_000
"""So long after its end a silence is none that anybody waits for."""

UNKNOWN_MS = 30_000
"""How long another server of the room has time to make a silence that this one cannot."""

_log = logging.getLogger(__name__)


class Silences:
    """The one that talks to the sources about silences.

    Args:
        room: The `board` stream, and where the outcome is written.
        apis: The sources by their names.
        now: The clock, in milliseconds.
        done: Told the name of a source when something was done there.
    """

    def __init__(
        self,
        room: Room,
        apis: Mapping[str, Api],
        now: Callable[[], int],
        done: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self._room = room
        self._apis = apis
        self._now = now
        self._done = done
        self._busy: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Do what an earlier run left undone, and what is asked from now on."""
        self._room.listeners.append(self._on_commit)
        self._look()

    async def stop(self) -> None:
        """Begin nothing more. What is not done is done after the next start."""
        if self._on_commit in self._room.listeners:
            self._room.listeners.remove(self._on_commit)
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _on_commit(self, commit: Commit) -> None:
        if commit.stream == BOARD and any(
            isinstance(event.body, SilenceAsked | SilenceEnded) for event in commit.events
        ):
            self._look()

    def _look(self) -> None:
        for silence in self._room.board.silences(self._now() - SETTLED_MS):
            if silence.state in ("asked", "ending") and silence.silence not in self._busy:
                task = asyncio.get_running_loop().create_task(self._see_through(silence.silence))
                self._busy[silence.silence] = task

    def _now_is(self, name: str) -> Silence | None:
        return self._room.board.silence(name)

    async def _see_through(self, name: str) -> None:
        """Try until a silence is as people want it, or cannot be."""
        delay = FIRST_DELAY
        try:
            while (silence := self._now_is(name)) and silence.state in ("asked", "ending"):
                try:
                    answer = await self._serve(silence, again=delay > FIRST_DELAY)
                    if answer is not None:
                        await self._answer(silence, answer)
                        continue
                except Unavailable as error:
                    _log.warning("What became of a silence could not be written: %s", error)
                await asyncio.sleep(delay)
                delay = min(2 * delay, LONGEST_DELAY)
        except DoorError as error:
            _log.error("What became of a silence does not fit: %s", error)
        finally:
            self._busy.pop(name, None)

    async def _serve(self, silence: Silence, *, again: bool) -> SilenceAnswered | None:
        """Try once; None to try again later."""
        api = self._apis.get(silence.alertmanager)
        if api is None:
            if self._now() - silence.at < UNKNOWN_MS:
                return None
            known = ", ".join(sorted(self._apis)) or "none"
            return _failed(silence, f"no [[alertmanager]] has this name here; there is {known}")
        try:
            if silence.state == "ending":
                return await self._end(api, silence)
            if silence.ends_at <= self._now():
                return _failed(silence, "its end had come before it could be made")
            source_id = await self._make(api, silence, again=again)
        except ApiError as error:
            if silence.state == "ending":
                if self._now() >= silence.ends_at:
                    return _ended(silence, silence.source_id, "it ran out by itself")
                return None
            if error.is_final or self._now() - silence.at > GIVE_UP_MS:
                return _failed(silence, str(error))
            return None
        self._done(api.name)
        return SilenceAnswered(silence=silence.silence, state="active", source_id=source_id)

    async def _make(self, api: Api, silence: Silence, *, again: bool) -> str:
        if again or self._now() - silence.at > FIRST_TRY_MS:
            found = await self._find(api, silence)
            if found:
                return found
        comment = self._comment(silence)
        author = clean_line(f"warroom/{silence.by}", 100)
        now = self._now()
        return await api.silence(silence.matchers, now, silence.ends_at, author, comment)

    async def _end(self, api: Api, silence: Silence) -> SilenceAnswered:
        source_id = silence.source_id or await self._find(api, silence)
        if source_id:
            await api.expire(source_id)
            self._done(api.name)
        return _ended(silence, source_id)

    async def _find(self, api: Api, silence: Silence) -> str:
        """The id of a silence that was made and not answered; empty for none."""
        mark = _mark(silence)
        held = (each for each in await api.silences() if not each.is_over)
        return next((each.id for each in held if each.comment.endswith(mark)), "")

    def _comment(self, silence: Silence) -> str:
        state = self._room.incidents.get(silence.incident)
        number = state.number if state is not None else ""
        said = clean_line(silence.comment, 300)
        if number and number not in said:
            said = f"{number} {said}"
        return said + _mark(silence)

    async def _answer(self, silence: Silence, answer: SilenceAnswered) -> None:
        """Write what became of a silence on the board, and into the incident that it is for."""
        await self._room.write(BOARD, answer, self._room.board.base_for(answer.key))
        state = self._room.incidents.get(silence.incident)
        if state is not None and state.declared is not None:
            note = NoteAdded(text=_told(silence, answer))
            await self._room.write(silence.incident, note, state.known_closings())


def _mark(silence: Silence) -> str:
    return f" [warroom {clean_line(silence.silence, 64)}]"


def _failed(silence: Silence, reason: str) -> SilenceAnswered:
    return SilenceAnswered(silence=silence.silence, state="failed", reason=clean_line(reason, 200))


def _ended(silence: Silence, source_id: str, reason: str = "") -> SilenceAnswered:
    return SilenceAnswered(
        silence=silence.silence, state="expired", source_id=source_id, reason=reason
    )


def _told(silence: Silence, answer: SilenceAnswered) -> str:
    what = clean_line(show_matchers(silence.matchers), 300)
    where = silence.alertmanager
    match answer.state:
        case "active":
            until = moment(silence.ends_at)
            return f"{where} silences {what} until {until}, as {silence.by} asked."
        case "expired":
            return f"{where} no longer silences {what}."
        case "failed":
            return f"{where} does not silence {what}, as {silence.by} asked: {answer.reason}."
