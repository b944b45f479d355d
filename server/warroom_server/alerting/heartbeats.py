"""Heartbeats of the alert paths: taken out of the alerts, and missed aloud when they are late."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import msgspec

from warroom_incident.alerts import Signal
from warroom_incident.beats import Beat
from warroom_incident.clean import clean_line

from ..board import FULL_SOURCE, Board
from .settings import AlertSettings, duration_ms

ENDED = "its sender says that it has ended"
"""What is wrong with a heartbeat that was resolved: whoever proves the path has stopped."""

_MAX_NAME = 160


class Heartbeats:
    """Watches the signs of life on a board.

    Args:
        board: Where beats are shown, and where a late one is an alert of our own.
        settings: Which alerts are heartbeats, and how long they may be silent.
        changed: Called when the board changed here.
    """

    def __init__(
        self, board: Board, settings: AlertSettings, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._board = board
        self._settings = settings
        self._changed = changed
        self._since = 0

    def is_alert(self, labels: Mapping[str, object]) -> bool:
        """Whether what has these labels is an alert: no heartbeat, and not dropped."""
        name = labels.get("alertname")
        return name not in self._settings.heartbeats and name not in self._settings.dropped

    def take(self, signal: Signal) -> bool:
        """Take a signal that is a heartbeat, or that says nothing; whether it was one."""
        name = signal.labels.get("alertname") or signal.title
        if name in self._settings.dropped:
            return True
        every = self._settings.heartbeats.get(name)
        if every is None:
            return False
        where = signal.labels.get("cluster") or signal.labels.get("prometheus") or ""
        trouble = ENDED if signal.state == "resolved" else ""
        shown = clean_line(f"{name} {where}".strip(), _MAX_NAME)
        known = self._board.beside.beats.get(f"{signal.source}/{shown}")
        seen = signal.received
        if trouble and known is not None:
            seen = known.last_seen
        self._board.beat(
            Beat(
                source=signal.source,
                name=shown,
                last_seen=seen,
                every=duration_ms(every),
                trouble=trouble,
            )
        )
        return True

    def look(self, now: int) -> None:
        """Raise an alert for each beat that is late, and end those of beats that are back.

        What came while this server was down could not be heard: no beat is late before it has had
        its time since the first look.
        """
        changed = False
        self._since = self._since or now
        for beat in tuple(self._board.beside.beats.values()):
            changed |= self._judge(beat, now)
        if changed:
            self._changed()

    def _judge(self, beat: Beat, now: int) -> bool:
        key = f"late:{beat.key}"
        card = self._board.newest(FULL_SOURCE, key)
        is_raised = card is not None and card.is_open
        heard = msgspec.structs.replace(beat, last_seen=max(beat.last_seen, self._since))
        if heard.is_late(now) and not is_raised:
            self._board.apply([_late(beat, key, now)])
            return True
        if not beat.is_late(now) and card is not None and is_raised:
            self._board.close(card.uid, "source", now)
            return True
        return False

    def forget_unknown(self, polls: Collection[str]) -> None:
        """Drop what is configured no longer: heartbeats, and polls but for those of these keys."""
        names = self._settings.heartbeats
        for beat in tuple(self._board.beside.beats.values()):
            known = beat.key in polls
            if beat.kind == "heartbeat":
                known = any(beat.name == n or beat.name.startswith(f"{n} ") for n in names)
            if not known:
                self._board.beside.drop(beat.key)


def _late(beat: Beat, key: str, now: int) -> Signal:
    minutes = max(1, (now - beat.last_seen) // 60_000)
    trouble = f": {beat.trouble}" if beat.trouble else ""
    what = "heartbeat" if beat.kind == "heartbeat" else "answer"
    return Signal(
        source=FULL_SOURCE,
        kind="warroom",
        key=key,
        state="firing",
        severity="SEV3",
        title=f"alert path is quiet: no {what} of {beat.name} from {beat.source}",
        summary=f"The last one came {minutes} min ago{trouble}. Alerts may be missing here.",
        received=now,
    )
