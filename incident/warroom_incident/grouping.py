"""Folds open alerts into lines: what belongs together is one, with its count and its shape.

The rules are plain, so that anybody can say why a line is as it is. In this order an alert goes

1. with what a window hides, or what is suppressed at its source: counted apart, never hidden;
2. into a storm of its source: at least `STORM` alerts of it that began within `STORM_MS`, where
   they came in a burst without those that began before the burst;
3. with at least one other of the sender's own group;
4. with at least one other of the same service and environment;
5. with at least one other of the same cluster;
6. on a line of its own.

The same alerts at the same time give the same lines in the same order, whatever order they come
in. The id of a line of several does not depend on which alerts are on it. Everything here is
pure; times are integer milliseconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from operator import attrgetter
from typing import Literal

from msgspec import Struct

from .alerts import AlertRecord
from .board import Window

STORM = 50
"""So many alerts of one source, begun within `STORM_MS`, are a storm."""

STORM_MS = 5 * 60_000

BURST_MS = 60_000
"""A storm that brings `STORM` alerts within so short a time begins with them."""

PAUSE_MS = 15_000
"""Nor does what began so long before the rest of a burst belong to it."""

SERIES = 20
"""How many minutes of a line's rate are told."""

_MINUTE = 60_000
CLUSTER_LABELS = ("cluster", "cluster_name", "k8s_cluster", "kubernetes_cluster", "datacenter")

Kind = Literal["maintenance", "suppression", "suppressed", "storm", "sender", "service", "cluster",
               "single"]  # fmt: skip
_Name = tuple[Kind, str, str]
_by_age = attrgetter("first_seen", "uid")


class Group(Struct, frozen=True):
    """Alerts that are shown as one line.

    `id` names it for as long as it lasts. `name` is for people: what its alerts have in common.
    `uids` lists them, the most urgent first. `severity` is the worst, `services` how many each
    service has, the most first; alerts without one are left out. `series` counts the alerts that
    began in each of the last `SERIES` minutes, the oldest minute first. `severities` is how many
    of each severity it holds, the worst first.
    """

    id: str
    kind: Kind
    name: str
    uids: tuple[str, ...]
    severity: str
    services: tuple[tuple[str, int], ...]
    sources: tuple[str, ...]
    first_seen: int
    newest: int
    last_seen: int
    series: tuple[int, ...]
    severities: tuple[tuple[str, int], ...] = ()

    @property
    def count(self) -> int:
        """How many alerts it holds."""
        return len(self.uids)

    @property
    def is_quiet(self) -> bool:
        """Whether nobody is called for it."""
        return self.kind in ("maintenance", "suppression", "suppressed")


def cluster_of(record: AlertRecord) -> str:
    """The cluster that an alert speaks of, empty where it names none."""
    labels = record.labels
    for name in CLUSTER_LABELS:
        if found := labels.get(name):
            return found
    return ""


def fold_alerts(
    records: Iterable[AlertRecord], now: int, hidden: Mapping[str, Window] | None = None
) -> list[Group]:
    """Fold the open ones of some alerts into lines, the most urgent line first, the quiet last.

    Args:
        records: The alerts, in any order.
        now: The time at which `series` ends.
        hidden: Which of them a window hides, by uid.
    """
    quiet, loud = _parted(records, hidden or {})
    storms, calm = _storms(loud)
    groups = [_group(name, members, now) for name, members in [*quiet.items(), *storms.items()]]
    for name_of in (_sender, _service, _cluster):
        found, calm = _together(calm, name_of)
        groups.extend(_group(name, members, now) for name, members in found.items())
    groups.extend(_group(("single", r.uid, r.title), [r], now) for r in calm)
    return sorted(groups, key=_urgency)


def storm_members(records: Sequence[AlertRecord]) -> list[AlertRecord]:
    """Those alerts of one source that began in a storm, the oldest first."""
    ordered = sorted(records, key=_by_age)
    if len(ordered) < STORM:
        return []
    starts = [record.first_seen for record in ordered]
    taken = 0
    found: list[AlertRecord] = []
    first = 0
    for last, start in enumerate(starts):
        while start - starts[first] > STORM_MS:
            first += 1
        if last - first + 1 >= STORM and last >= taken:
            begin = _burst(starts, first) if first >= taken else taken
            end = max(last + 1, begin + STORM) if first >= taken else last + 1
            found.extend(ordered[begin:end])
            taken = end
    return found


def _burst(starts: Sequence[int], first: int) -> int:
    """Where the burst of a storm begins: at its `first` alert or a later one."""

    def is_burst(at: int) -> bool:
        end = at + STORM - 1
        return end < len(starts) and starts[end] - starts[at] <= BURST_MS

    begin = first
    while not is_burst(begin):
        begin += 1
        if begin >= len(starts) or starts[begin] - starts[first] > STORM_MS:
            return first  # it came evenly
    for at in range(begin + 1, begin + STORM):
        if starts[at] - starts[at - 1] > PAUSE_MS and is_burst(at):
            begin = at
    return begin


def _parted(
    records: Iterable[AlertRecord], hidden: Mapping[str, Window]
) -> tuple[dict[_Name, list[AlertRecord]], list[AlertRecord]]:
    """The quiet ones by why they are, and the others."""
    quiet: defaultdict[_Name, list[AlertRecord]] = defaultdict(list)
    loud = []
    for record in records:
        if not record.is_open:
            continue
        window = hidden.get(record.uid) if hidden else None
        if window is not None:
            quiet[window.kind, window.window, window.why].append(record)
        elif record.state == "suppressed":
            quiet["suppressed", record.source, f"muted at {record.source}"].append(record)
        else:
            loud.append(record)
    return quiet, loud


def _storms(
    records: list[AlertRecord],
) -> tuple[dict[_Name, list[AlertRecord]], list[AlertRecord]]:
    sources: defaultdict[str, list[AlertRecord]] = defaultdict(list)
    for record in records:
        sources[record.source].append(record)
    storms: dict[_Name, list[AlertRecord]] = {}
    caught: set[str] = set()
    for source, members in sources.items():
        found = storm_members(members)
        if found:
            storms["storm", source, f"storm from {source}"] = found
            caught.update(record.uid for record in found)
    if not caught:
        return storms, records
    return storms, [record for record in records if record.uid not in caught]


def _together(
    records: list[AlertRecord], name_of: Callable[[AlertRecord], _Name | None]
) -> tuple[dict[_Name, list[AlertRecord]], list[AlertRecord]]:
    """Those that share a name with another one, and the others."""
    named: defaultdict[_Name | None, list[AlertRecord]] = defaultdict(list)
    for record in records:
        named[name_of(record)].append(record)
    rest = named.pop(None, [])
    found: dict[_Name, list[AlertRecord]] = {}
    for name, members in named.items():
        if name is not None and len(members) > 1:
            found[name] = members
        else:
            rest.extend(members)
    return found, rest


def _sender(record: AlertRecord) -> _Name | None:
    return ("sender", f"{record.source}\0{record.group}", "") if record.group else None


def _service(record: AlertRecord) -> _Name | None:
    if not record.service:
        return None
    where = f" ({record.env})" if record.env else ""
    return ("service", f"{record.service}\0{record.env}", record.service + where)


def _cluster(record: AlertRecord) -> _Name | None:
    cluster = cluster_of(record)
    return ("cluster", cluster, f"cluster {cluster}") if cluster else None


def _group(name: _Name, members: list[AlertRecord], now: int) -> Group:
    kind, key, told = name
    members.sort(key=_member_urgency)
    services = Counter(record.service for record in members if record.service)
    starts = [record.first_seen for record in members]
    return Group(
        members[0].uid if kind == "single" else f"{kind}:{_short(key)}",
        kind,
        told or _common_name(members),
        tuple(record.uid for record in members),
        min(record.severity for record in members),
        tuple(sorted(services.items(), key=lambda found: (-found[1], found[0]))),
        tuple(sorted({record.source for record in members})),
        min(starts),
        max(starts),
        max(record.last_seen for record in members),
        _series(starts, now),
        tuple(sorted(Counter(record.severity for record in members).items())),
    )


def _short(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _common_name(members: Sequence[AlertRecord]) -> str:
    """What the alerts of a sender's group have in common: their title, or their rule's name."""
    first = members[0]
    if all(record.title == first.title for record in members):
        return first.title
    rule = rule_of(first)
    return rule if all(rule_of(record) == rule for record in members) else first.title


def rule_of(record: AlertRecord) -> str:
    """The rule at the sender that an alert comes from: its `alertname`, or else its title."""
    return record.labels.get("alertname") or record.title


def _series(starts: Iterable[int], now: int) -> tuple[int, ...]:
    counts = [0] * SERIES
    for start in starts:
        age = max(0, now - start) // _MINUTE
        if age < SERIES:
            counts[SERIES - 1 - age] += 1
    return tuple(counts)


def _member_urgency(record: AlertRecord) -> tuple[str, int, str]:
    return (record.severity, -record.first_seen, record.uid)


def _urgency(group: Group) -> tuple[bool, str, int, str]:
    return (group.is_quiet, group.severity, -group.newest, group.id)
