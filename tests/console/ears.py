"""A listener of a link, for tests."""

from __future__ import annotations

from collections.abc import Iterable

from warroom_console.link import LinkState, Phase, Stop
from warroom_incident.sync.client_end import ClientEnd, Heard
from warroom_incident.sync.wire import PROTOCOL, Hello, Welcome

REP = "a" * 16


class Ears:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.messages: list[Heard] = []
        self.states: list[LinkState] = []
        self.changed_logs = 0
        self.clashes = 0
        self.stop_at_welcome: str | None = None

    def begin(self) -> tuple[ClientEnd, Iterable[str]]:
        return ClientEnd(Hello(PROTOCOL, "test", REP), (), None), ()

    def heard(self, message: Heard) -> None:
        self.messages.append(message)
        if self.stop_at_welcome is not None and isinstance(message, Welcome):
            raise Stop(self.stop_at_welcome)

    def clashed(self) -> None:
        """Another one writes under its name."""
        self.clashes += 1

    def log_changed(self) -> None:
        self.changed_logs += 1

    def linked(self, state: LinkState) -> None:
        self.states.append(state)

    def phases(self) -> list[Phase]:
        return [state.phase for state in self.states]
