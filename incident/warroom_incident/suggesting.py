"""Suggests incidents: which open alerts look like one, and which belong to one that is open.

Alerts belong together when they share the sender's group, the service or the cluster and began
within ten minutes of each other. These are offers for a person to take; only rules that somebody
wrote into the server's configuration declare by themselves. Everything here is pure; times are
integer milliseconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from .alerts import UNKNOWN_SEVERITY, AlertRecord
from .grouping import cluster_of
from .vocabulary import SeverityName

TOGETHER_MS = 10 * 60_000
"""Alerts that share something belong together if they began within this time of each other."""

RECENT_MS = 60 * 60_000
"""What had no new alert for so long is not suggested any more."""

MAX_TITLE = 200

_KNOWN = ("SEV1", "SEV2", "SEV3", "SEV4")
_Key = tuple[str, str]


class Candidate(Struct, frozen=True):
    """Alerts that look like one incident.

    `id` is the uid of the first of them, and stays while that alert is open and unlinked. `shared`
    says in words what they share. `severity` is proposed for the incident.
    """

    id: str
    title: str
    severity: str
    shared: str
    uids: tuple[str, ...]
    services: tuple[str, ...]
    sources: tuple[str, ...]
    first_seen: int
    newest: int


class Offer(Struct, frozen=True):
    """New alerts that look like a part of an open incident, and what they share with it."""

    stream: str
    uids: tuple[str, ...]
    shared: str


class Suggestions(Struct, frozen=True):
    """What to offer now: candidates and offers, those with the newest alert first."""

    candidates: tuple[Candidate, ...] = ()
    offers: tuple[Offer, ...] = ()


def alert_severity(record: AlertRecord) -> str:
    """The severity of an alert; a word that nobody knows reads as SEV3."""
    return record.severity if record.severity in _KNOWN else UNKNOWN_SEVERITY


def proposed_severity(records: Iterable[AlertRecord], *, by_itself: bool = False) -> SeverityName:
    """The severity to propose for an incident of these alerts.

    It is undetermined (`SEV?`) unless one of them says SEV1 or SEV2. Where no person decides
    (`by_itself`), SEV1 needs two sources that say so independently, and is SEV2 otherwise.
    """
    worst = Counter[str]()
    loudest: set[str] = set()
    for record in records:
        severity = alert_severity(record)
        worst[severity] += 1
        if severity == "SEV1":
            loudest.add(record.source)
    if worst["SEV1"]:
        return "SEV2" if by_itself and len(loudest) < 2 else "SEV1"
    return "SEV2" if worst["SEV2"] else "SEV?"


def proposed_title(records: Sequence[AlertRecord]) -> str:
    """A title for an incident of these alerts: the worst one's, and where it is."""
    first = min(records, key=lambda r: (alert_severity(r), r.first_seen, r.uid))
    services = sorted({record.service for record in records if record.service})
    title = first.title
    if len(services) == 1 and services[0].casefold() not in title.casefold():
        title = f"{services[0]}: {title}"
    more = f" and {len(services) - 1} more services" if len(services) > 2 else ""
    return title[: MAX_TITLE - len(more)] + more


def suggest(
    records: Iterable[AlertRecord],
    linked: Mapping[str, Collection[str]],
    now: int,
    *,
    hidden: Collection[str] = (),
) -> Suggestions:
    """Find what to offer.

    Args:
        records: All alerts of the board, those that are over among them.
        linked: The uids of the alerts of every open incident, by its stream.
        now: The time.
        hidden: The uids of alerts that a window hides: they are never suggested.
    """
    known = {record.uid: record for record in records}
    taken = {uid for uids in linked.values() for uid in uids}
    free = [
        record
        for record in known.values()
        if record.uid not in taken
        and record.uid not in hidden
        and record.state in ("firing", "nodata", "acknowledged")
    ]
    offers = _offers(free, linked, known, now)
    offered = {uid for offer in offers for uid in offer.uids}
    rest = [record for record in free if record.uid not in offered]
    return Suggestions(tuple(_candidates(rest, now)), tuple(offers))


def _keys(record: AlertRecord) -> Iterator[_Key]:
    """What an alert may share with others."""
    if record.group:
        yield "group", f"{record.source}\0{record.group}"
    if record.service:
        yield "service", record.service
    if cluster := cluster_of(record):
        yield "cluster", cluster


def _told(keys: Collection[_Key]) -> str:
    """What is shared, in words: the service says most, the sender's group least."""
    for kind in ("service", "cluster"):
        names = sorted(name for what, name in keys if what == kind)
        if len(names) == 1:
            return f"the {kind} {names[0]}"
        if names:
            return f"{len(names)} {kind}s in a row"
    return "the sender's group"


# Candidates --------------------------------------------------------------------------------


def _candidates(records: Sequence[AlertRecord], now: int) -> list[Candidate]:
    ordered = sorted(records, key=lambda r: (r.first_seen, r.uid))
    shared: defaultdict[_Key, list[int]] = defaultdict(list)
    for place, record in enumerate(ordered):
        for key in _keys(record):
            shared[key].append(place)
    root = list(range(len(ordered)))
    used: set[_Key] = set()
    for key, places in shared.items():
        for one, other in pairwise(places):
            if ordered[other].first_seen - ordered[one].first_seen <= TOGETHER_MS:
                _join(root, one, other)
                used.add(key)
    clumps: defaultdict[int, list[AlertRecord]] = defaultdict(list)
    for place, record in enumerate(ordered):
        clumps[_find(root, place)].append(record)
    found = [
        _candidate(members, used)
        for members in clumps.values()
        if len(members) > 1
        and now - members[-1].first_seen <= RECENT_MS
        and any(alert_severity(record) != "SEV4" for record in members)
    ]
    return sorted(found, key=lambda candidate: (-candidate.newest, candidate.id))


def _find(root: list[int], place: int) -> int:
    while root[place] != place:
        root[place] = root[root[place]]
        place = root[place]
    return place


def _join(root: list[int], one: int, other: int) -> None:
    first, second = _find(root, one), _find(root, other)
    root[max(first, second)] = min(first, second)


def _candidate(members: Sequence[AlertRecord], used: Collection[_Key]) -> Candidate:
    count = Counter(key for record in members for key in _keys(record) if key in used)
    most = max(count.values(), default=0)
    return Candidate(
        members[0].uid,
        proposed_title(members),
        proposed_severity(members),
        _told([key for key, times in count.items() if times == most]),
        tuple(record.uid for record in members),
        tuple(sorted({record.service for record in members if record.service})),
        tuple(sorted({record.source for record in members})),
        members[0].first_seen,
        members[-1].first_seen,
    )


# Offers ------------------------------------------------------------------------------------


def _offers(
    free: Iterable[AlertRecord],
    linked: Mapping[str, Collection[str]],
    known: Mapping[str, AlertRecord],
    now: int,
) -> list[Offer]:
    """Each alert is offered to one incident: the first by stream that it shares something with."""
    lives: defaultdict[_Key, dict[str, tuple[int, int]]] = defaultdict(dict)
    for stream in sorted(linked):
        for uid in linked[stream]:
            record = known.get(uid)
            if record is None:
                continue
            end = now if record.ends_at is None else record.ends_at
            for key in _keys(record):
                begun, ended = lives[key].get(stream, (record.first_seen, end))
                lives[key][stream] = (min(begun, record.first_seen), max(ended, end))
    found: defaultdict[str, list[AlertRecord]] = defaultdict(list)
    shared: defaultdict[str, set[_Key]] = defaultdict(set)
    for record in free:
        hits = [
            (stream, key)
            for key in _keys(record)
            for stream, (begin, end) in lives.get(key, {}).items()
            if begin - TOGETHER_MS <= record.first_seen <= end + TOGETHER_MS
        ]
        if hits:
            stream = min(stream for stream, _ in hits)
            found[stream].append(record)
            shared[stream].update(key for hit, key in hits if hit == stream)
    offers = []
    for stream, members in found.items():
        members.sort(key=lambda r: (r.first_seen, r.uid))
        offer = Offer(stream, tuple(r.uid for r in members), _told(shared[stream]))
        offers.append((-members[-1].first_seen, stream, offer))
    return [offer for _, _, offer in sorted(offers, key=lambda found: found[:2])]
