"""A script played at once and in memory, with a clock of its own: its history, or a still of it.

    rehearsal = Rehearsal(script, start, Random(1).randbytes)
    rehearsal.play(0)                       # everything before second 0
    rehearsal.state, rehearsal.board, rehearsal.records, rehearsal.doing
    rehearsal.admit_into(log)               # as a server would have admitted it at the time

The same start and the same random bytes give the same events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import msgspec

from warroom_incident.alerts import AlertRecord, Signal, fold_signal, read_severity
from warroom_incident.author import Author, Counters, Entropy, new_rep, new_stream
from warroom_incident.board import BoardState
from warroom_incident.clock import HybridClock
from warroom_incident.event import BOARD, Event, Packet
from warroom_incident.incident import IncidentState
from warroom_incident.log import Entry, Log
from warroom_incident.reducers import Body, Write
from warroom_incident.vocabulary import IncidentNumbered

from .demo_cast import Cast, fingerprint, labels
from .demo_script import Act, Alert, Beat, Declare, Script

SENDER = "alertmanager"
"""What the token of the alert sender is called, and the source of the alerts."""
SERVER = "warroom"
NUMBER = "INC-1"

_ADMITTED_AFTER = 40
_NUMBERED_AFTER = 200


@dataclass(frozen=True, slots=True)
class Written:
    """An event, its bytes, and when it was admitted in milliseconds."""

    event: Event
    packet: Packet
    admitted: int


class _Moment:
    """The clock of everybody in a rehearsal: it stands at the second being played."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


class Rehearsal:
    """Plays a script in memory.

    Args:
        script: What is played.
        start: Its second 0, in milliseconds since the epoch.
        entropy: Random bytes, for ids and salts.
    """

    def __init__(self, script: Script, start: int, entropy: Entropy) -> None:
        self.cast = Cast(start, entropy)
        self.stream = new_stream(entropy)
        self.state = IncidentState(self.stream)
        self.board = BoardState()
        self.records: dict[str, AlertRecord] = {}
        """The alerts by their names."""
        self.doing: dict[str, str] = {}
        """What each person is seen doing."""
        self.written: list[Written] = []
        self._coming = list(script.beats)
        self._clock = _Moment()
        self._authors = {
            name: Author(Counters(new_rep(entropy)), HybridClock(self._clock), entropy)
            for name in (*script.people, SERVER)
        }

    def play(self, until: float) -> None:
        """Play the beats before a second that were not played yet."""
        due = [beat for beat in self._coming if beat.at < until]
        self._coming = [beat for beat in self._coming if beat.at >= until]
        for second, group in groupby(due, key=lambda beat: beat.at):
            self._clock.now = self.cast.at(second)
            self._together(list(group))

    def admit_into(self, log: Log) -> None:
        """Append everything to a log, each event at the time of its admission.

        Raises:
            sqlite3.Error: The log cannot be written.
        """
        for written in self.written:
            log.append([Entry(written.event, written.packet)], written.admitted)

    # Beats ---------------------------------------------------------------------------------

    def _together(self, beats: Sequence[Beat]) -> None:
        """Play the beats of one second; nobody sees another's act before their own."""
        fresh: list[Written] = []
        for beat in beats:
            if isinstance(beat, Alert):
                self._tell(beat)
            else:
                fresh += self._act(beat)
        for written in fresh:
            fold = self.board if written.event.head.stream == BOARD else self.state
            fold.add(written.event)
        self.written += fresh
        if any(isinstance(beat, Declare) for beat in beats):
            self._number()

    def _act(self, act: Act) -> list[Written]:
        stream = self.cast.stream_of(act, self.stream)
        bodies = self.cast.bodies(act, self.state, self.records.values())
        fresh = [self._write(act.by, stream, body) for body in bodies]
        follow = self.cast.afterwards(act, [written.event.id for written in fresh])
        fresh += [self._write(act.by, stream, body) for body in follow]
        doing = self.cast.doing(act, self.state)
        if doing is not None:
            self.doing[act.by] = doing
        return fresh

    def _write(self, by: str, stream: str, body: Body, after: int = _ADMITTED_AFTER) -> Written:
        fold = self.board if stream == BOARD else self.state
        base: tuple[str, ...] = fold.base_for(body.key) if isinstance(body, Write) else ()
        event, packet = self._authors[by].write(stream, by, body, base)
        admitted = event.head.hlc[0] + after
        return Written(msgspec.structs.replace(event, admitted=admitted), packet, admitted)

    def _number(self) -> None:
        self._clock.now += _NUMBERED_AFTER
        written = self._write(SERVER, self.stream, IncidentNumbered(number=NUMBER))
        self.state.add(written.event)
        self.written.append(written)

    def _tell(self, alert: Alert) -> None:
        began = alert.at if alert.began is None else alert.began
        now, started = self._clock.now, self.cast.at(began)
        told = labels(alert)
        signal = Signal(
            source=SENDER,
            kind=SENDER,
            key=fingerprint(alert),
            state="resolved" if alert.resolved else "firing",
            title=alert.summary or alert.name,
            received=now,
            severity=None if alert.resolved else read_severity(told, {}),
            service=alert.service,
            summary=alert.summary,
            labels=told,
            starts_at=started,
            ends_at=now if alert.resolved else None,
        )
        for record in fold_signal(self.records.get(alert.name), signal, now).changed:
            self.records[alert.name] = record
