"""The room's own practice, as its server tells it and as the replica keeps it for offline."""

from __future__ import annotations

import msgspec

from warroom_incident.practice.custom import practice_of
from warroom_incident.reducers import Right
from warroom_incident.sync.settling import Settings

from .model import Area, Model

KEPT = "settings"
"""The name under which the replica keeps it."""


def take_settings(model: Model, settings: Settings) -> dict[str, str]:
    """Show what a server told; returns what the replica is to keep of it."""
    model.right = Right(settings.right)
    model.practice = practice_of(settings.severities, settings.cadences)
    model.runbooks = dict(settings.runbooks)
    model.checklist = settings.checklist
    model.note(Area.YOU)
    return {"right": settings.right, KEPT: msgspec.json.encode(settings).decode()}


def recall_settings(model: Model, kept: str) -> None:
    """Show what the replica kept; nothing where that is none."""
    try:
        take_settings(model, msgspec.json.decode(kept, type=Settings))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return
