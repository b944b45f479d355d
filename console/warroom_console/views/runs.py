"""Entries that say the same of many things: alerts that were linked in one go are one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from warroom_console.times import MINUTE
from warroom_console.views.entry import Entry
from warroom_incident.event import Event
from warroom_incident.vocabulary import AlertLinked

LEAST = 4
"""So many links in a row become one line."""

Place = tuple[int, str]
"""When an entry happened, and its id."""


def gather(
    places: Sequence[Place], events: Mapping[str, Event]
) -> tuple[list[Place], dict[str, Sequence[str]]]:
    """Keep the first of every run of links, and say which entries it stands for."""
    kept: list[Place] = []
    runs: dict[str, Sequence[str]] = {}
    run: list[Place] = []
    for place in (*places, None):
        if place is not None and _goes_on(run, place, events):
            run.append(place)
            continue
        if len(run) >= LEAST:
            kept.append(run[0])
            runs[run[0][1]] = [id_ for _, id_ in run]
        else:
            kept.extend(run)
        run = []
        if place is not None:
            if _links(events, place[1]):
                run = [place]
            else:
                kept.append(place)
    return kept, runs


def told(entry: Entry, run: Sequence[str], events: Mapping[str, Event]) -> Entry:
    """The one entry for a run of links: how many alerts, and the first of them."""
    titles = []
    for id_ in run:
        body = events[id_].body
        if isinstance(body, AlertLinked) and body.alert is not None:
            titles.append(body.alert.title)
    named = ", ".join(titles[:2])
    return replace(entry, text=f"linked {len(run)} alerts: {named} and {len(run) - 2} more")


def _links(events: Mapping[str, Event], id_: str) -> bool:
    event = events.get(id_)
    body = event.body if event is not None else None
    return isinstance(body, AlertLinked) and body.alert is not None


def _goes_on(run: Sequence[Place], place: Place, events: Mapping[str, Event]) -> bool:
    if not run or not _links(events, place[1]) or place[0] - run[-1][0] > MINUTE:
        return False
    return events[run[-1][1]].head.by == events[place[1]].head.by
