"""Alerts as the console shows them: the board's records, and what people did to each.

`picture_of` works that out once for every change of the board, whatever asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property, partial

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.theme import Tone
from warroom_console.times import MINUTE
from warroom_console.weighing import Weighing
from warroom_incident.alerts import AlertRecord
from warroom_incident.board import Acknowledged, BoardState, Window
from warroom_incident.fields import AlertCopy
from warroom_incident.suggesting import Offer, Suggestions, suggest
from warroom_incident.vocabulary import Noise
from warroom_incident.windows import Windows

SEVERITY_TONES: Mapping[str, Tone] = {
    "SEV1": Tone.SEV1,
    "SEV2": Tone.SEV2,
    "SEV3": Tone.SEV3,
    "SEV4": Tone.SEV4,
    "SEV5": Tone.SEV5,
}

NOISES: Mapping[Noise, tuple[str, str, str]] = {
    "false_positive": ("f", "false positive", "nothing was wrong"),
    "not_actionable": ("a", "not actionable", "nobody could have done anything"),
    "poor_details": ("p", "poor details", "it did not say what to do"),
}
"""Why an alert was noise: the key in the menu, the words for it, and what they mean."""

NO_OFFER = Offer("", (), "")

_WORDS = {
    "firing": "FIRING",
    "acknowledged": "ACKED",
    "suppressed": "MUTED",
    "nodata": "NODATA",
    "resolved": "RESOLVED",
}
_LOUD = ("firing", "nodata")


def severity_tone(severity: str) -> Tone:
    """How a severity is drawn; one that nobody knows is drawn as undetermined."""
    return SEVERITY_TONES.get(severity, Tone.SEVX)


def _word(state: str, hidden: bool, acked: bool, stale: bool) -> str:
    if state not in _LOUD:
        return _WORDS.get(state, state.upper()[:9])
    if hidden:
        return "HIDDEN"
    if acked:
        return "ACKED"
    return "STALE?" if stale else _WORDS[state]


class Standing(Struct, frozen=True, gc=False):
    """One alert episode as it stands. Times in milliseconds.

    `acked_by` is who took it on here, empty for nobody, `acked_until` when that runs out.
    `assigned` is who looks after it, `noise` why somebody called it so. `hidden` is the kind of
    window that hides it, `stale` whether its source was not heard for too long. `incidents` are
    the numbers of the incidents that it is linked to, `own` whether the open one is among them.
    `since` is when its sender says that it began.
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
    acked_until: int | None = None
    assigned: str = ""
    noise: Noise = ""
    hidden: str = ""
    stale: bool = False
    incidents: tuple[str, ...] = ()
    own: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the alert is not over."""
        return self.state != "resolved"

    @property
    def waits(self) -> bool:
        """Whether it fires, nothing hides it, and nobody has taken it on."""
        return self.state in _LOUD and not self.acked_by and not self.hidden

    @property
    def word(self) -> str:
        """Its state in one word."""
        return _word(self.state, bool(self.hidden), bool(self.acked_by), self.stale)

    @property
    def tone(self) -> Tone:
        """How its state is drawn."""
        if self.waits:
            return Tone.WARN
        return Tone.GOOD if not self.is_open else Tone.DIM

    @property
    def who(self) -> str:
        """Who has to do with it: whose it is, or else who took it on."""
        return self.assigned or self.acked_by

    @property
    def urgency(self) -> tuple[str, int, str]:
        """What alerts are sorted by: the worst first, then the newest."""
        severity = self.severity if self.severity in SEVERITY_TONES else "SEV0"
        return (severity, -self.first_seen, self.uid)


class Waiting:
    """The alerts that wait for somebody: the open incident's own, those of others, the loose."""

    def __init__(
        self, own: list[AlertRecord], elsewhere: list[AlertRecord], loose: list[AlertRecord]
    ) -> None:
        self.own = own
        self.loose = loose
        self.uids = frozenset([record.uid for part in (own, elsewhere, loose) for record in part])
        self.first_own = most_urgent(own)
        """The most urgent one of the incident's own."""
        self.first_loose = most_urgent(loose)
        """The most urgent one that is in no incident."""
        others = (most_urgent(elsewhere), self.first_loose)
        self.first = self.first_own or most_urgent([one for one in others if one is not None])
        """The most urgent one of all, the incident's own before the others."""

    def __len__(self) -> int:
        return len(self.uids)


class Survey(Struct, frozen=True):
    """What only a look at every alert tells.

    `hidden` is which window hides an open alert, by uid, `waiting` what fires, is not hidden, and
    nobody has taken on, and `open` how many alerts are not over.
    """

    hidden: dict[str, Window]
    waiting: Waiting
    open: int


def survey(
    records: Sequence[AlertRecord],
    windows: Windows,
    acked: Collection[str],
    own: Collection[str],
    links: Collection[str],
) -> Survey:
    """Look at every alert. `own` are the open incident's, `links` those of any incident."""
    hidden = windows.hidden(records)
    waiting: tuple[list[AlertRecord], ...] = ([], [], [])
    over = 0
    for record in records:
        uid, state = record.uid, record.state
        if state in _LOUD:
            if uid not in acked and uid not in hidden:
                waiting[0 if uid in own else 1 if uid in links else 2].append(record)
        elif state == "resolved":
            over += 1
    return Survey(hidden, Waiting(*waiting), len(records) - over)


class Picture:
    """The board at one moment, as one room sees it. Nothing in it changes.

    `surveying` goes from one picture to the next.
    """

    def __init__(
        self, room: Room, links: dict[str, tuple[str, ...]], surveying: Weighing[Survey]
    ) -> None:
        now = room.now()
        model = room.model
        self.edition = _edition(room)
        self.links = links
        self.surveying = surveying
        self.records = model.records
        self.own = {link.uid: link.alert for link in room.state.links()} if room.stream else {}
        self._now = now
        self._linked = _by_incident(room)
        self._suggesting = model.suggesting
        self._ever_acked = {
            uid: acked
            for uid in self._of(model.board, "ack", "ended")
            if (acked := model.board.acknowledged(uid)) is not None
        }
        self.acked = {
            uid: acked
            for uid, acked in self._ever_acked.items()
            if acked.until is None or acked.until > now
        }
        self._assigned = {
            uid: given.person
            for uid in self._of(model.board, "assigned")
            if (given := model.board.assigned(uid)) is not None
        }
        self._noise = {
            uid: marked.noise
            for uid in self._of(model.board, "noise")
            if (marked := model.board.noise(uid)) is not None
        }
        windows = model.board.windows(now)
        self._windows = Windows(windows, now)
        self.fold_edition = (model.records_edition, tuple(windows), *self.edition[1:3])
        """What the alerts are folded by: it stays when people take some on."""

    def _of(self, board: BoardState, *registers: str) -> set[str]:
        """The alerts of which people said something, without those that are long over."""
        said = (key[1] for register in registers for key in board.keys(register))
        return {uid for uid in said if uid in self.records or uid in self.own}

    @cached_property
    def survey(self) -> Survey:
        """What a look at every alert tells; in a storm, what the look before told."""
        key = (self.edition[:3], self.links)
        return self.surveying.get(key, len(self.records), self._now, self._look)

    def _look(self) -> Callable[[], Survey]:
        records = [*self.records.values()]
        return partial(survey, records, self._windows, self.acked, self.own, self.links)

    @property
    def hidden(self) -> dict[str, Window]:
        """Which window hides an open alert, by uid."""
        return self.survey.hidden

    @property
    def waiting(self) -> Waiting:
        """What fires, is not hidden, and nobody has taken on."""
        return self.survey.waiting

    @cached_property
    def run_out(self) -> list[tuple[AlertRecord, Acknowledged]]:
        """The alerts that fire still when the time is over for which somebody took them on."""
        found = []
        for uid, acked in self._ever_acked.items():
            record = self.records.get(uid)
            if record is not None and uid in self.waiting.uids and uid not in self.acked:
                found.append((record, acked))
        return sorted(found, key=lambda each: each[0].uid)

    def text(self, record: AlertRecord) -> str:
        """What a filter looks for words in, case-folded."""
        uid = record.uid
        acked = self.acked.get(uid)
        stale = record.is_stale(self._now)
        word = _word(record.state, uid in self.hidden, acked is not None, stale)
        by = acked.by if acked is not None else ""
        words = (record.title, record.service, word, record.severity, record.source, by)
        given = (self._assigned.get(uid, ""), *self.links.get(uid, ()))
        return "\n".join((*words, *given)).casefold()

    @cached_property
    def open(self) -> list[AlertRecord]:
        """The alerts that are not over."""
        return [record for record in self.records.values() if record.is_open]

    @cached_property
    def suggestions(self) -> Suggestions:
        """What looks like an incident, or like a part of one that is open."""
        return self._suggesting.get(self.edition[:3], len(self.records), self._now, self._weigh)

    def _weigh(self) -> Callable[[], Suggestions]:
        known = (self.records.get(uid) for uids in self._linked.values() for uid in uids)
        over = [record for record in known if record is not None and not record.is_open]
        weighed = [*self.open, *over]
        return partial(suggest, weighed, self._linked, self._now, hidden=self.hidden)

    def offer(self, stream: str | None) -> Offer:
        """The alerts that look like a part of an open incident; none for the lobby."""
        found = (offer for offer in self.suggestions.offers if offer.stream == stream)
        return next(found, NO_OFFER)

    def stand(self, uid: str) -> Standing | None:
        """One episode as it stands, None where neither board nor incident knows it."""
        alert = self.records.get(uid) or self.own.get(uid)
        return None if alert is None else self._stand(alert)

    def stand_all(self, uids: Iterable[str]) -> list[Standing]:
        """Those of some episodes that are known, in that order."""
        return [alert for uid in uids if (alert := self.stand(uid)) is not None]

    def _stand(self, alert: AlertRecord | AlertCopy) -> Standing:
        uid = alert.uid
        acked = self.acked.get(uid)
        window = self.hidden.get(uid)
        since, stale = alert.first_seen, False
        if isinstance(alert, AlertRecord):
            since, stale = alert.starts_at, alert.is_stale(self._now)
        return Standing(
            uid,
            alert.title,
            alert.severity,
            alert.state,
            alert.service,
            alert.source,
            alert.count,
            alert.first_seen,
            alert.last_seen,
            since,
            acked.by if acked else "",
            acked.at if acked else 0,
            acked.until if acked else None,
            self._assigned.get(uid, ""),
            self._noise.get(uid, ""),
            window.kind if window else "",
            stale,
            self.links.get(uid, ()),
            uid in self.own,
        )


def picture_of(room: Room) -> Picture:
    """The board as it is now; worked out again only when it, the links or the minute changed."""
    model = room.model
    links = linked(room)
    known = model.picture
    if isinstance(known, Picture) and known.edition == _edition(room) and known.links == links:
        return known
    surveying = known.surveying if isinstance(known, Picture) else Weighing[Survey](model.weighed)
    picture = model.picture = Picture(room, links, surveying)
    return picture


def _edition(room: Room) -> tuple[int, str | None, int, int]:
    """What a picture depends on beside the links: the board, who looks, the minute, suggestions."""
    model = room.model
    return (model.board_edition, room.stream, room.now() // MINUTE, model.weighed_edition)


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


def _by_incident(room: Room) -> dict[str, tuple[str, ...]]:
    """The alerts of every open incident, by its stream."""
    found = {
        summary.stream: tuple(summary.linked)
        for summary in room.model.summaries.values()
        if summary.status not in ("resolved", "closed")
    }
    if room.stream in found:
        found[room.stream] = tuple(link.uid for link in room.state.links())
    return found


def most_urgent(records: Sequence[AlertRecord]) -> AlertRecord | None:
    """The worst of some alerts, of several the newest."""
    if not records:
        return None
    worst = min([record.severity for record in records])
    # Of a storm's ten thousand only the worst are worth a longer look.
    return min([record for record in records if record.severity == worst], key=_by_age)


def _by_age(record: AlertRecord) -> tuple[int, str]:
    return (-record.first_seen, record.uid)
