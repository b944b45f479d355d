"""What a team made its own: definitions in `warroom.toml`, runbooks in `runbooks/*.md`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from warroom_incident.clean import clean_line
from warroom_incident.practice.library import IC_CHECKLIST, Library, own_checklist, title_in
from warroom_incident.practice.runbook import Runbook
from warroom_incident.sync.settling import MAX_CHECKLIST, MAX_RUNBOOKS, MAX_TEXT, RUNBOOK
from warroom_incident.sync.wire import MAX_FRAME, Answer, Ask, Settings, encode

from .asks import Asks, CannotAnswer
from .config import Practice
from .identity import Caller

_log = logging.getLogger(__name__)


class OwnBooks:
    """Tells consoles of them; a text is read each time, so that an edit counts at once.

    Args:
        data: The server's data directory.
        practice: The definitions of `warroom.toml`.
    """

    def __init__(self, data: Path, practice: Practice) -> None:
        self._library = Library(data)
        self._practice = practice
        self._as_of: dict[str, tuple[int, int]] = {}
        self._titles: list[tuple[str, str]] = []
        self._checklist = ""

    def offer(self, asks: Asks) -> Callable[[], Settings]:
        """Answer who asks for a runbook; returns what tells consoles of the room's settings."""
        asks.on(RUNBOOK, self.answer)
        return self.settings

    def settings(self) -> Settings:
        """The team's definitions, and which runbooks there are, for a viewer."""
        own = self._practice
        titles = list(self._titles)
        return Settings("viewer", own.severity, own.cadence, titles, self._checklist)

    def checklist(self) -> Runbook:
        """The commander's checklist: the team's own, else as it is shipped."""
        return own_checklist(self._checklist)

    def look(self) -> bool:
        """Read again what consoles are told, where a file has changed; whether that shows."""
        as_of = self._library.own_as_of("runbooks")
        if as_of == self._as_of:
            return False
        before = self._titles, self._checklist
        self._titles, self._checklist = self._read_titles(), self._read_checklist()
        self._as_of = as_of
        return (self._titles, self._checklist) != before

    def _read_checklist(self) -> str:
        if IC_CHECKLIST not in self._library.own("runbooks"):
            return ""
        with contextlib.suppress(ValueError):
            text = self._library.text("runbooks", IC_CHECKLIST)
            if len(text) <= MAX_CHECKLIST:
                return text
        _log.warning("runbooks/%s.md cannot be sent to consoles: make it shorter.", IC_CHECKLIST)
        return ""

    def _read_titles(self) -> list[tuple[str, str]]:
        """The names and titles of the team's own, sorted by name."""
        found = []
        for name in self._library.own("runbooks")[:MAX_RUNBOOKS]:
            try:
                title = title_in(self._library.text("runbooks", name))
            except ValueError:
                continue  # too large or not readable: nobody could attach it
            found.append((name, clean_line(title, 120)))
        return found

    async def answer(self, ask: Ask, _caller: Caller) -> Answer:
        """The text of the runbook that `key` names; raises `CannotAnswer` where there is none."""
        try:
            text = await asyncio.to_thread(self._library.text, "runbooks", ask.key)
        except ValueError as error:
            raise CannotAnswer(str(error)) from None
        answer = Answer(ask.id, text=text)
        if len(text) > MAX_TEXT or len(encode(answer)) > MAX_FRAME // 2:
            raise CannotAnswer(f"“{ask.key[:80]}” is too long to be sent: split it.")
        return answer
