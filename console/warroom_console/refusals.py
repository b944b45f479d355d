"""Own events that a server did not admit: what is shown of them, and sending them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from warroom_incident.event import Event
from warroom_incident.incident import provisional
from warroom_incident.sync.wire import Refused

from .model import Area, Model, Refusal
from .outgoing import Outgoing, Written


class Refusals:
    """Moves refused events out of the model and back.

    Args:
        now: The clock, in milliseconds.
    """

    def __init__(self, model: Model, outgoing: Outgoing, now: Callable[[], int]) -> None:
        self._model = model
        self._outgoing = outgoing
        self._now = now
        self._voids: dict[str, Event] = {}
        """What others see of waiting events that were refused before: they may be again."""
        self._written: dict[str, Written] = {}
        """What was refused in this session; the disk may not have it yet."""

    # What a server says --------------------------------------------------------------------

    def refused(self, refused: Refused) -> None:
        """A server does not admit an event: its text is set aside, and it counts no more."""
        written = self._outgoing.refused(refused.id, refused.reason)
        if written is None:
            return
        event = written[0]
        self._written[event.id] = written
        model = self._model
        model.pending.discard(event.id)
        model.refusals[event.id] = Refusal(event, refused.reason, self._now())
        model.without(event, self._voids.pop(event.id, None))
        self._forget_undeclared(event.head.stream)
        model.note(Area.REFUSALS, urgent=True)

    def _forget_undeclared(self, stream: str) -> None:
        """An incident whose declaration was refused is in nobody's list, its author's neither."""
        model = self._model
        summary = model.summaries.get(stream)
        is_own = summary is not None and summary.id == provisional(stream)
        if is_own and model.incident(stream).declared is None:
            del model.summaries[stream]
            model.note(Area.SUMMARIES, urgent=True)

    def arrived(self, events: Sequence[Event]) -> None:
        """Events came from a server: voids of what waits here, or what one had refused before."""
        for event in events:
            if event.refused and event.id in self._outgoing.waiting:
                self._voids[event.id] = event
        admitted = [e.id for e in events if not e.refused and e.id in self._model.refusals]
        for id_ in admitted:
            del self._model.refusals[id_]
            self._written.pop(id_, None)
        if admitted:
            self._outgoing.forget(admitted)
            self._model.note(Area.REFUSALS)

    def settled(self, ids: Iterable[str]) -> None:
        """A server has admitted events."""
        for id_ in ids:
            self._voids.pop(id_, None)

    # What a person asks --------------------------------------------------------------------

    def restore(self) -> None:
        """Show what was refused in earlier sessions and not put away since."""
        for refusal in self.all():
            self._model.refusals.setdefault(refusal.event.id, refusal)

    def dismiss(self, event_id: str) -> bool:
        """Show a refused event no longer; False when it is none."""
        refusal = self._model.refusals.pop(event_id, None)
        if refusal is None:
            return False
        self._written.pop(event_id, None)
        self._outgoing.dismiss(event_id)
        self._model.touch(refusal.event.head.stream, [event_id], urgent=True)
        self._model.note(Area.REFUSALS, urgent=True)
        return True

    def all(self) -> list[Refusal]:
        """Every refused event, oldest first; those of earlier sessions too."""
        found = {
            r.event.id: Refusal(r.event, r.reason, r.at) for r in self._outgoing.kept_refused()
        }
        found |= self._model.refusals
        waiting = self._outgoing.waiting
        return sorted((r for id_, r in found.items() if id_ not in waiting), key=_when)

    def take(self, event_id: str) -> Written | None:
        """A refused event that is to be sent again, None when its text is not kept here."""
        written = self._written.pop(event_id, None) or self._kept(event_id)
        if written is None:
            return None
        void = self._model.fold(written[0].head.stream).events.get(event_id)
        if void is not None and void.refused:
            self._voids[event_id] = void
        if self._model.refusals.pop(event_id, None) is not None:
            self._model.note(Area.REFUSALS, urgent=True)
        return written

    def _kept(self, event_id: str) -> Written | None:
        for kept in self._outgoing.kept_refused():
            if kept.event.id == event_id:
                return kept.event, kept.packet
        return None


def _when(refusal: Refusal) -> int:
    return refusal.at
