"""`CommandLine`: the `:` line of a screen, which asks, completes, complains and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warroom_console.actions import PANELS, Scope, reach
from warroom_console.widgets.prompt import Ask

if TYPE_CHECKING:
    from .base import Base


class CommandLine:
    """What a screen does with a line behind `:`."""

    def __init__(self, screen: Base) -> None:
        self._screen = screen
        self._registry, self._seat = screen.registry, screen.seat

    def ask(self) -> None:
        """Ask for the line."""
        self._screen.prompt.ask(
            Ask(
                ":",
                self._run,
                complete=lambda line: self._registry.complete(self._seat, line),
                check=self._complaint,
                refill=False,
            )
        )

    def _complaint(self, line: str) -> str | None:
        """Why a line cannot be run here, while it can still be mended."""
        if complaint := self._registry.complaint(self._seat, line):
            return complaint
        action, args = self._registry.find_command(line)
        if action.scope in reach(self._screen.scope):
            return action.when(self._seat) if args.text else None
        if self._seat.stream is None or action.scope not in PANELS.values():
            where = "the lobby" if action.scope is Scope.LOBBY else "an incident"
            return f"{action.title} works in {where}"
        return None

    def _run(self, line: str) -> None:
        action, args = self._registry.find_command(line)
        self._screen.act_there(action, args)
