"""A still of the demo: a desk that shows a script as it stands at one second, and never moves."""

from __future__ import annotations

from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from warroom_console.demo_rehearsal import Rehearsal
from warroom_console.demo_script import load
from warroom_console.desk import Desk
from warroom_console.link import Link, LinkState
from warroom_console.places import Places
from warroom_incident.showing import summarize
from warroom_incident.sync.wire import Person

if TYPE_CHECKING:
    from warroom_incident.incident import IncidentState

START = 1_773_498_060_000
"""Second 0 of the script: 14 March 2026, 14:21 UTC."""

YOU = "cy"
ROUND_TRIP = 12
_SEED = 7


class Still(Desk):
    """A desk without a disk and a server; what it shows is the script at a second."""

    def __init__(self, script: str, second: float) -> None:
        self._now = START + round(second * 1000)
        nowhere = Path("/nowhere")
        super().__init__(Places((), False, nowhere, nowhere), wall=self._wall_clock)
        self.link = cast("Link", SimpleNamespace(now=self._wall_clock))
        rehearsal = Rehearsal(load(script), START, Random(_SEED).randbytes)
        rehearsal.play(second)
        self.stream = rehearsal.stream
        self._show(rehearsal)

    def _wall_clock(self) -> int:
        return self._now

    def _show(self, rehearsal: Rehearsal) -> None:
        model, stream = self.model, rehearsal.stream
        model.you = model.account = YOU
        model.link = LinkState("live", "unix:///run/warroom/socket", ROUND_TRIP)
        model.incidents[stream] = rehearsal.state
        model.board = rehearsal.board
        model.records = {record.uid: record for record in rehearsal.records.values()}
        model.summaries = {stream: summarize(rehearsal.state)}
        events = [rehearsal.state.events[id_] for id_ in rehearsal.state.ordered]
        model.places = {event.id: place for place, event in enumerate(events, 1)}
        # As in the demo, whose server runs on the machine that one sits at.
        model.machines = 1
        model.current, model.synced = {stream}, {stream}
        model.people = [
            Person(name, stream, rehearsal.doing.get(name, ""))
            for name in sorted({*rehearsal.doing, "ana", "bo", YOU})
        ]

    @property
    def unsaved_path(self) -> None:
        """Nothing is kept."""

    async def open(self, stream: str) -> None:
        """Everything is here already."""

    def load(self, stream: str) -> IncidentState:
        """The incident as it stands."""
        return self.model.incident(stream)

    def here(self, where: str = "", doing: str = "") -> None:
        """Nobody is told."""
