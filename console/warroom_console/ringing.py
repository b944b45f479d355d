"""When the terminal's bell rings: a new SEV1, or a role handed to this person. Never otherwise."""

from __future__ import annotations

from warroom_incident.event import BOARD, ROOM, Event
from warroom_incident.vocabulary import IncidentDeclared, RoleAssigned, SeveritySet

from .model import Area, Changes, Model

QUIET_MS = 10_000
"""After a ring the bell rests, in milliseconds."""


class Ringing:
    """Decides whether changes are worth a ring. What was there at the start never is.

    Args:
        since: When this console was opened, in milliseconds.
    """

    def __init__(self, since: int) -> None:
        self._since = since
        self._rang_at = 0
        self._judged: set[str] = set()
        self._loud: set[str] = set()

    def rings(self, model: Model, changes: Changes, now: int) -> bool:
        """Say whether to ring now."""
        wanted = self._new_sev1(model, changes)
        for stream, ids in changes.events.items():
            if stream in (BOARD, ROOM):
                continue
            events = model.incident(stream).events
            wanted |= any(
                self._concerns(model, event)
                for id_ in ids
                if (event := events.get(id_)) is not None
            )
        if not wanted or now - self._rang_at < QUIET_MS:
            return False
        self._rang_at = now
        return True

    def _concerns(self, model: Model, event: Event) -> bool:
        """Whether an event hands this person a role; each is judged once."""
        if event.id in self._judged or not isinstance(event.body, RoleAssigned):
            return False
        self._judged.add(event.id)
        handed = event.body.person == model.you and event.head.by != model.you
        return handed and event.shown_at >= self._since

    def _new_sev1(self, model: Model, changes: Changes) -> bool:
        """Whether an incident of others has become SEV1 since the last look."""
        if Area.SUMMARIES not in changes.areas:
            return False
        loud = {
            summary.stream
            for summary in model.summaries.values()
            if summary.severity == "SEV1" and summary.status not in ("resolved", "closed")
        }
        fresh = loud - self._loud
        self._loud |= loud
        return any(
            model.summaries[stream].changed_at >= self._since and not self._own(model, stream)
            for stream in fresh
        )

    def _own(self, model: Model, stream: str) -> bool:
        """Whether this person's own word made it loud."""
        state = model.incidents.get(stream)
        if state is None or not state.events:
            return False
        last = max(
            (
                e
                for e in state.events.values()
                if isinstance(e.body, SeveritySet | IncidentDeclared)
            ),
            key=lambda event: event.order,
            default=None,
        )
        return last is not None and last.head.by == model.you
