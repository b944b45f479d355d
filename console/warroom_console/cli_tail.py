"""`warroom tail`: an incident's entries as they come, one line each, for pipes and readers."""

from __future__ import annotations

import sys

import click

from warroom_incident.event import Event
from warroom_incident.showing import show_entry, timeline

from .commands import words_option
from .desk import Desk
from .errand import follow_whole, say_age, say_meanwhile, visit
from .link import wall_ms
from .model import Changes
from .page import entry_line
from .saying import Denied, err, out, out_json


@click.command("tail")
@click.argument("incident", metavar="INC")
@click.option("-n", "--lines", type=click.IntRange(0, 100_000), default=10, metavar="N",
              help="How many entries to begin with (10).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@words_option
def tail_command(incident: str, lines: int, as_json: bool) -> None:
    """Print an incident's entries as they come, until interrupted."""

    async def work(desk: Desk) -> None:
        stream = await follow_whole(desk, incident)
        say_age(desk)
        say_meanwhile(desk, stream)
        await Tail(desk, stream, as_json=as_json).run(lines)

    visit(work)


class Tail:
    """Prints each entry once. What breaks and comes back is told on standard error."""

    def __init__(self, desk: Desk, stream: str, *, as_json: bool) -> None:
        self._desk = desk
        self._stream = stream
        self._as_json = as_json
        self._printed: set[str] = set()
        self._was_live = desk.model.live
        self._digest = desk.model.digests.get(stream)

    async def run(self, lines: int) -> None:
        """Print the last entries, then every new one, for ever."""
        model = self._desk.model
        events = timeline(model.incident(self._stream))
        model.take()
        self._printed.update(event.id for event in events)
        for event in events[len(events) - min(lines, len(events)) :]:
            self._print(event)
        while True:
            sys.stdout.flush()
            await self._desk.until(lambda: model.changed, within=3600)
            self._news(model.take())

    def _news(self, changes: Changes) -> None:
        state = self._desk.model.incident(self._stream)
        new = [
            event
            for id_ in changes.events.get(self._stream, ())
            if id_ not in self._printed and (event := state.events.get(id_)) is not None
        ]
        for event in sorted(new, key=lambda event: event.order):
            self._printed.add(event.id)
            self._print(event)
        self._say_link()

    def _print(self, event: Event) -> None:
        model = self._desk.model
        state = model.incident(self._stream)
        if self._as_json:
            out_json(show_entry(event, state, model.mark), lines=True)
        else:
            out(entry_line(event, state, model.mark, wall_ms()))

    def _say_link(self) -> None:
        link = self._desk.model.link
        if link.phase == "stopped":
            raise Denied(link.reason)
        if self._was_live and link.phase == "retrying":
            err(f"-- not connected: {link.reason}; trying again")
        elif not self._was_live and link.phase == "live":
            err("-- connected")
        self._was_live = link.phase == "live"
        digest = self._desk.model.digests.get(self._stream)
        if digest is not self._digest:
            say_meanwhile(self._desk, self._stream, self._digest)
            self._digest = digest
