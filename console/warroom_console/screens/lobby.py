"""The lobby: the first screen, with the incidents that are open and what waits for one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from warroom_console.actions import Registry, Scope
from warroom_console.context import Ctx
from warroom_console.seat import House
from warroom_console.theme import Tone
from warroom_console.views.heading import lobby_heading, lobby_idle
from warroom_console.views.lobby import LobbyView
from warroom_console.widgets.header import Heading
from warroom_console.widgets.spans import Line

from .base import Base
from .pane import Pane

if TYPE_CHECKING:
    from textual.widget import Widget


class LobbyScreen(Base):
    """One list: incidents, alerts in none of them, people."""

    def __init__(self, house: House, registry: Registry[Ctx]) -> None:
        super().__init__(house, registry, None)
        self._pane = Pane(None, LobbyView())
        self._pane.panel.styles.height = "1fr"
        self._pane.panel.set_active(True)

    def deck(self) -> Widget:
        return self._pane.panel

    @property
    def scope(self) -> Scope:
        return Scope.LOBBY

    @property
    def pane(self) -> Pane:
        return self._pane

    def panes(self) -> Iterable[tuple[Pane, bool]]:
        yield self._pane, True

    def heading(self) -> Heading:
        return lobby_heading(self.seat, self.size.width)

    def idle(self) -> Line:
        return lobby_idle(self.seat)

    def close_view(self) -> None:
        self.stay()

    def stay(self) -> None:
        self.seat.flash("This is the lobby: ctrl+q leaves warroom.", Tone.DIM)
