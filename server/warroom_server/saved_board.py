"""A board on its way to the disk and from there."""

from __future__ import annotations

from dataclasses import dataclass

from warroom_incident.alerts import AlertRecord
from warroom_incident.beats import Beat
from warroom_incident.changes import Change


@dataclass(frozen=True, slots=True)
class SavedBoard:
    """A board as it stands on disk: its id, its last revision, and all it holds in any order."""

    board_id: str
    rev: int
    records: tuple[AlertRecord, ...] = ()
    beats: tuple[Beat, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What changed since the last save: records to write, uids to delete, the revision then.

    `beside` are heartbeats and changes to write, `beside_gone` the names of those to delete.
    """

    records: tuple[AlertRecord, ...]
    gone: tuple[str, ...]
    rev: int
    beside: tuple[Beat | Change, ...] = ()
    beside_gone: tuple[str, ...] = ()
