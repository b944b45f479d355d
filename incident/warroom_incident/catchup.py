"""What happened while somebody was away: a few lines, from what they knew and what is new.

Pure: whoever was away says what they had seen, and which events came since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from .alerts import AlertRecord
from .event import Event
from .incident import IncidentState
from .knowing import new_facts
from .practice.words import counted
from .reducers import Key, Right, Write
from .sync.sights import Summary
from .telling import tell
from .vocabulary import ImpactSet, NoteAdded, RoleAssigned

MOST_TOLD = 3
"""How many decisions, alerts or incidents are told one by one; of more there is a count."""

MOST_NAMES = 4
"""How many people are named."""

LATE_FROM = 120_000
"""An own entry that took so long to reach a server is said to have come late, in milliseconds."""

Kind = Literal[
    "server",
    "command",
    "severity",
    "status",
    "conflict",
    "refused",
    "facts",
    "title",
    "alerts",
    "decision",
    "entries",
    "mine",
    "incident",
]


class News(Struct, frozen=True):
    """One line of what happened. `urgent` is what may change what its reader does next."""

    kind: Kind
    text: str
    urgent: bool = False


class Glimpse(Struct, frozen=True):
    """What somebody knew of an incident when they saw it last."""

    title: str
    severity: str
    status: str
    commander: str | None
    conflicts: frozenset[Key]


class Digest(Struct, frozen=True):
    """What happened between two moments, in milliseconds; the most important first."""

    since: int
    until: int
    news: tuple[News, ...]

    @property
    def urgent(self) -> bool:
        """Whether any of it may change what its reader does next."""
        return any(one.urgent for one in self.news)


def glimpse(state: IncidentState) -> Glimpse:
    """What is known of an incident now."""
    conflicts = frozenset(conflict.key for conflict in state.conflicts())
    commander = state.holder("commander")
    return Glimpse(state.title, state.severity, state.status, commander, conflicts)


def catch_up(
    before: Glimpse,
    state: IncidentState,
    new: Collection[str],
    you: str,
    refused: Sequence[tuple[Event, str]] = (),
) -> list[News]:
    """What happened in an incident since somebody saw it last.

    Args:
        before: What they knew.
        state: The incident now.
        new: The events that came, and their own that a server has taken meanwhile.
        you: Their name.
        refused: Their own events that a server did not take, with the reasons.
    """
    events = sorted((state.events[i] for i in new if i in state.events), key=lambda e: e.order)
    others = [e for e in events if e.head.by != you and e.body.needs is not Right.ADMIN]
    mine = [e for e in events if e.head.by == you]
    return [
        *_command(before, state, you),
        *_changed("severity", before.severity, state.severity),
        *_changed("status", before.status, state.status),
        *_conflicts(before, state),
        *_refused(refused),
        *_facts(state, mine),
        *_title(before, state),
        *_decisions(state, others),
        *_entries([event for event in others if not tell(event, state).system]),
        *_mine(state, mine),
    ]


def _command(before: Glimpse, state: IncidentState, you: str) -> Iterator[News]:
    now, then = state.holder("commander"), before.commander
    if now == then:
        return
    who = "you command" if now == you else "nobody commands" if now is None else f"{now} commands"
    was = "you did" if then == you else "nobody did" if then is None else f"{then} did"
    yield News("command", f"{who} now ({was})", True)


def _changed(what: Literal["severity", "status"], before: str, now: str) -> Iterator[News]:
    if before != now:
        yield News(what, f"{what} {now} (was {before})", True)


def _conflicts(before: Glimpse, state: IncidentState) -> Iterator[News]:
    for conflict in state.conflicts():
        if conflict.key not in before.conflicts:
            sides = [tell(event, state).text for event in conflict.writes]
            yield News("conflict", f"not settled: {' or '.join(dict.fromkeys(sides))}", True)


def _refused(refused: Sequence[tuple[Event, str]]) -> Iterator[News]:
    for event, reason in refused[-MOST_TOLD:]:
        said = f"“{_short(event.body.text)}”" if isinstance(event.body, NoteAdded) else ""
        what = said or f"your {event.head.type}"
        yield News("refused", f"{what} was refused: {reason}", True)
    if len(refused) > MOST_TOLD:
        yield News("refused", f"{len(refused)} of your entries were refused in all", True)


def _facts(state: IncidentState, mine: Iterable[Event]) -> Iterator[News]:
    for event in mine:
        facts = new_facts(state, event)
        if facts:
            same = [fact for fact in facts if _key(fact) == _key(event)]
            own, fact = tell(event, state).text, tell((same or facts)[-1], state).text
            yield News("facts", f"{own}, not knowing that {fact}", True)


def _key(event: Event) -> Key | None:
    return event.body.key if isinstance(event.body, Write) else None


def _title(before: Glimpse, state: IncidentState) -> Iterator[News]:
    if before.title != state.title:
        yield News("title", f"it is called “{_short(state.title)}” now")


def _decisions(state: IncidentState, others: Iterable[Event]) -> Iterator[News]:
    """The decisions that no other line tells, and key events."""
    found = [event for event in others if _is_told(event, state)]
    if len(found) > MOST_TOLD:
        yield News("decision", f"{len(found) - MOST_TOLD} more decisions and key events before")
    for event in found[-MOST_TOLD:]:
        told = tell(event, state)
        said = f"{event.head.by}: {told.text}" if told.kind == "note" else told.text
        yield News("decision", _short(said))


def _is_told(event: Event, state: IncidentState) -> bool:
    body = event.body
    if isinstance(body, RoleAssigned):
        return body.role != "commander"
    return isinstance(body, ImpactSet) or state.is_starred(event.id)


def _entries(others: Sequence[Event]) -> Iterator[News]:
    if others:
        by = Counter(event.head.by for event in others)
        yield News("entries", f"{counted(len(others), 'entry', 'entries')} by {_names(by)}")


def _mine(state: IncidentState, mine: Sequence[Event]) -> Iterator[News]:
    arrived = [event for event in mine if event.admitted is not None]
    late = [e for e in arrived if (e.admitted or 0) - e.head.wall >= LATE_FROM]
    if not late:
        return
    longest = max((e.admitted or 0) - e.head.wall for e in late)
    count = counted(len(late), "entry", "entries")
    yield News("mine", f"{count} of yours arrived up to {_lasted(longest)} late")
    claims = [e for e in late if isinstance(e.body, RoleAssigned) and e.body.role == "commander"]
    heads = {event.id for event in state.heads(("role", "commander"))[:1]}
    for event in claims:
        if event.id in heads and isinstance(event.body, RoleAssigned):
            took = _lasted((event.admitted or 0) - event.head.wall)
            person = event.body.person or "nobody"
            text = f"your word that {person} commands counts since it arrived, {took} late"
            yield News("command", text, True)


# The board and the lobby -------------------------------------------------------------------


def catch_up_alerts(before: Mapping[str, bool], records: Iterable[AlertRecord]) -> list[News]:
    """Which alerts began and which are over; `before` says of each whether it was open."""
    begun, over = [], []
    for record in records:
        was_open = before.get(record.uid, False)
        if record.is_open and not was_open:
            begun.append(record.title)
        elif was_open and not record.is_open:
            over.append(record.title)
    lines = ((begun, "began", "began"), (over, "is over", "are over"))
    return [
        News("alerts", f"{counted(len(titles), 'alert')} {one if len(titles) == 1 else many}: "
             f"{_listed(titles)}")
        for titles, one, many in lines
        if titles
    ]  # fmt: skip


def catch_up_lobby(before: Mapping[str, Summary], now: Iterable[Summary]) -> list[News]:
    """Which incidents are new, over, or others than they were."""
    news = []
    for summary in now:
        known = before.get(summary.stream)
        name = f"{summary.id} “{_short(summary.title)}”"
        if known is None:
            if summary.status != "closed":
                news.append(News("incident", f"new: {name}, {summary.severity}", True))
            continue
        changes = [
            f"{now_} (was {then})"
            for then, now_ in (
                (known.severity, summary.severity),
                (known.status, summary.status),
                (f"IC {known.commander or 'vacant'}", f"IC {summary.commander or 'vacant'}"),
            )
            if then != now_
        ]
        if changes:
            news.append(News("incident", f"{name}: {', '.join(changes)}", True))
    return news


# Words -------------------------------------------------------------------------------------


def _names(by: Counter[str]) -> str:
    named = [f"{name} ({count})" if len(by) > 1 else name for name, count in by.most_common()]
    return _listed(named, MOST_NAMES)


def _listed(items: Sequence[str], most: int = MOST_TOLD) -> str:
    shown = ", ".join(_short(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def _short(text: str, most: int = 70) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _lasted(ms: int) -> str:
    minutes = ms // 60_000
    if minutes < 60:
        return f"{minutes}m"
    hours, rest = divmod(minutes, 60)
    return f"{hours}h {rest}m" if hours < 48 else f"{hours // 24}d"
