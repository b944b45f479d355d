"""What a commit brought, and its rows in frames' worth."""

from __future__ import annotations

from typing import NamedTuple

from warroom_incident.event import Event
from warroom_incident.fold import Fold
from warroom_incident.log import End, Row, Stretch
from warroom_incident.sync.wire import FRAME_TARGET


class Commit(NamedTuple):
    """What one commit added to one stream, and where that ends; `rows` run beside `events`."""

    stream: str
    state: Fold
    events: list[Event]
    rows: list[Row]
    end: End


def cut_rows(rows: list[Row], end: End) -> list[Stretch]:
    """Cut a commit's rows into frames; the chain and the seal are known at the last one's end."""
    cuts: list[list[Row]] = [[]]
    size = 0
    for row in rows:
        length = len(row.packet.head) + len(row.packet.body or b"")
        if cuts[-1] and size + length > FRAME_TARGET:
            cuts.append([])
            size = 0
        cuts[-1].append(row)
        size += length
    whole = [Stretch(cut) for cut in cuts[:-1]]
    return [*whole, Stretch(cuts[-1], end.chain, end.signature, end.admitted)]
