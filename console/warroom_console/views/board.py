"""Alerts as the console shows them: the board's record, who took it on, and where it is linked."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.theme import Tone
from warroom_incident.alerts import AlertRecord
from warroom_incident.fields import AlertCopy

SEVERITY_TONES: Mapping[str, Tone] = {
    "SEV1": Tone.SEV1,
    "SEV2": Tone.SEV2,
    "SEV3": Tone.SEV3,
    "SEV4": Tone.SEV4,
    "SEV5": Tone.SEV5,
}

_WORDS = {
    "firing": "FIRING",
    "acknowledged": "ACKED",
    "suppressed": "SILENCED",
    "nodata": "NODATA",
    "resolved": "RESOLVED",
}


def severity_tone(severity: str) -> Tone:
    """How a severity is drawn; one that nobody knows is drawn as undetermined."""
    return SEVERITY_TONES.get(severity, Tone.SEVX)


class Standing(Struct, frozen=True):
    """One alert episode as it stands. Times in milliseconds.

    `acked_by` is who took it on here, empty for nobody. `incidents` are the numbers of the
    incidents that it is linked to, `own` whether the open one is among them. `since` is when its
    sender says that it began.
    """

    uid: str
    title: str
    severity: str
    state: str
    service: str
    source: str
    count: int
    first_seen: int
    last_seen: int
    since: int
    acked_by: str = ""
    acked_at: int = 0
    incidents: tuple[str, ...] = ()
    own: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the alert is not over."""
        return self.state != "resolved"

    @property
    def waits(self) -> bool:
        """Whether it fires and nobody has taken it on."""
        return self.state in ("firing", "nodata") and not self.acked_by

    @property
    def word(self) -> str:
        """Its state in one word."""
        if self.acked_by and self.state in ("firing", "nodata"):
            return "ACKED"
        return _WORDS.get(self.state, self.state.upper()[:9])

    @property
    def tone(self) -> Tone:
        """How its state is drawn."""
        if self.waits:
            return Tone.WARN
        return Tone.GOOD if not self.is_open else Tone.DIM

    @property
    def urgency(self) -> tuple[str, int, str]:
        """What alerts are sorted by: the worst first, then the newest."""
        severity = self.severity if self.severity in SEVERITY_TONES else "SEV0"
        return (severity, -self.first_seen, self.uid)


def on_board(room: Room) -> list[Standing]:
    """Every alert episode of the board, in no order, and those that only the incident knows."""
    links = linked(room)
    own = {link.uid: link.alert for link in room.state.links()}
    number = room.state.number if room.stream else ""
    found = [
        stand(room, record, links.get(record.uid, ()), own=record.uid in own)
        for record in room.model.records.values()
    ]
    missing = (copy for uid, copy in own.items() if uid not in room.model.records)
    found.extend(stand(room, copy, (number,), own=True) for copy in missing)
    return found


def linked(room: Room) -> dict[str, tuple[str, ...]]:
    """The numbers of the incidents that each linked episode is linked to."""
    links: dict[str, tuple[str, ...]] = {}
    for summary in room.model.summaries.values():
        if summary.stream != room.stream:
            for uid in summary.linked:
                links[uid] = (*links.get(uid, ()), summary.id)
    if room.stream is not None:
        for link in room.state.links():
            links[link.uid] = (room.state.number, *links.get(link.uid, ()))
    return links


def stand(
    room: Room, alert: AlertRecord | AlertCopy, incidents: tuple[str, ...], *, own: bool
) -> Standing:
    """One episode as it stands."""
    acked = room.model.board.acknowledged(alert.uid)
    return Standing(
        alert.uid,
        alert.title,
        alert.severity,
        alert.state,
        alert.service,
        alert.source,
        alert.count,
        alert.first_seen,
        alert.last_seen,
        alert.starts_at if isinstance(alert, AlertRecord) else alert.first_seen,
        acked.by if acked else "",
        acked.at if acked else 0,
        incidents,
        own,
    )
