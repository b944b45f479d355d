"""Declares incidents by the rules of `warroom.toml`, and says in the timeline that it did and why.

A rule declares once for alerts that are alike: while an incident that holds one of them is open,
more of them are offered to it by the consoles. What a window hides, or somebody linked, does not
count, nor what began before the last such incident was ended.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Sequence

from warroom_incident.alerts import AlertRecord, Signal
from warroom_incident.author import new_id, new_stream
from warroom_incident.clean import clean_line
from warroom_incident.door import DoorError
from warroom_incident.fields import Matcher
from warroom_incident.linking import copy_of
from warroom_incident.matching import parse_matchers
from warroom_incident.merging import is_from_elsewhere
from warroom_incident.practice.library import load_checklist
from warroom_incident.practice.runbook import Runbook
from warroom_incident.reducers import Body
from warroom_incident.suggesting import proposed_severity, proposed_title
from warroom_incident.vocabulary import (
    AlertLinked,
    ChecklistAttached,
    IncidentDeclared,
    NoteAdded,
    SeverityName,
    SeveritySet,
    StatusSet,
)
from warroom_incident.windows import Windows, check_matchers, fits, value_of

from ..board import FULL_SOURCE, Board
from ..room import Room, Unavailable
from .settings import DeclareRule, duration_ms

MAX_LINKED = 50
"""So many alerts are linked to an incident at its declaration, the oldest first."""

ELSEWHERE_MS = 15_000
"""So long another server of the room has to declare from an alert that came in there."""

_HOUR_MS = 3_600_000
_SETTLED = ("resolved", "closed")
_STATUS = ("status",)
_log = logging.getLogger(__name__)


class Rule:
    """One rule, ready to be applied."""

    def __init__(self, settings: DeclareRule) -> None:
        """Raises ValueError with a sentence where its matchers are none."""
        self.settings = settings
        self.matchers: tuple[Matcher, ...] = parse_matchers(settings.matchers)
        reason = check_matchers(self.matchers)
        if reason is not None:
            raise ValueError(f"{reason}.")
        self.window = duration_ms(settings.window)
        self.declared_at: deque[int] = deque()

    def alike(self, record: AlertRecord) -> tuple[str, ...]:
        """What alerts have to share to count together."""
        return tuple(value_of(record, label) for label in self.settings.group_by)

    def ripe(self, records: Iterable[AlertRecord], now: int) -> list[AlertRecord]:
        """Those of which enough began within a window that ended recently, the oldest first.

        What began before that is not a part of it, though it may still be open.
        """
        ordered = sorted(records, key=lambda r: (r.first_seen, r.uid))
        need = self.settings.threshold
        found: dict[str, AlertRecord] = {}
        for i, last in enumerate(ordered[need - 1 :]):
            first = ordered[i].first_seen
            if last.first_seen - first <= self.window and now - last.first_seen <= self.window:
                found.update((record.uid, record) for record in ordered[i : i + need])
        return list(found.values())

    def is_spent(self, now: int) -> bool:
        """Whether it has declared as often as it may in an hour."""
        while self.declared_at and now - self.declared_at[0] > _HOUR_MS:
            self.declared_at.popleft()
        return len(self.declared_at) >= self.settings.at_most


class Declaring:
    """Applies all rules to a board.

    Args:
        room: Where incidents are declared.
        board: The alerts.
        rules: The rules, in their order.
        now: The clock, in milliseconds.
        changed: Called when the board changed here.
        checklist: Gives the checklist that comes with a declaration.
    """

    def __init__(
        self,
        room: Room,
        board: Board,
        rules: Sequence[Rule],
        now: Callable[[], int],
        changed: Callable[[], None] = lambda: None,
        checklist: Callable[[], Runbook] = load_checklist,
    ) -> None:
        self._room = room
        self._board = board
        self._rules = rules
        self._now = now
        self._changed = changed
        self._checklist = checklist
        self._declaring = asyncio.Lock()

    async def look(self, changed: Collection[str] | None = None) -> None:
        """Declare what is due now: by every rule, or by those that fit alerts that changed."""
        if not self._rules:
            return
        news = None if changed is None else self._still_open(changed)
        async with self._declaring:
            for rule in self._rules:
                if news is None or any(fits(rule.matchers, record) for record in news):
                    await self._apply(rule)
                await asyncio.sleep(0)  # there may be many rules and very many alerts

    def _still_open(self, uids: Iterable[str]) -> list[AlertRecord]:
        records = (self._board.get(uid) for uid in uids)
        return [record for record in records if record is not None and record.is_open]

    async def _apply(self, rule: Rule) -> None:
        now = self._now()
        if rule.settings.is_quiet(now):
            return
        for members in self._due(rule, now):
            if rule.is_spent(now):
                self._say_spent(rule, now)
                return
            try:
                await self._declare(rule, members)
            except (Unavailable, DoorError) as error:
                _log.error("The rule %s could not declare: %s", rule.settings.name, error)
                return
            rule.declared_at.append(now)

    def _due(self, rule: Rule, now: int) -> list[list[AlertRecord]]:
        """The alerts of each incident that the rule wants, the oldest first."""
        windows = Windows(self._room.board.windows(now), now)
        linked, covered = self._linked()
        taken: set[tuple[str, ...]] = set()
        free: defaultdict[tuple[str, ...], list[AlertRecord]] = defaultdict(list)
        for record in self._board.open():
            if record.source == FULL_SOURCE or not fits(rule.matchers, record):
                continue
            if record.uid in covered:
                taken.add(rule.alike(record))
            is_free = record.uid not in linked and record.state in ("firing", "nodata")
            if is_free and windows.hiding(record) is None:
                free[rule.alike(record)].append(record)
        for uid in covered:
            record_over = self._board.get(uid)
            if record_over is not None and fits(rule.matchers, record_over):
                taken.add(rule.alike(record_over))
        over = self._over(rule)
        due = []
        for alike, members in sorted(free.items()):
            # What went on when people ended the incident was part of what they judged.
            new = [record for record in members if record.starts_at > over.get(alike, -1)]
            if alike not in taken and (ripe := rule.ripe(new, now)):
                due.append(ripe)
        return [members for members in due if self._is_ours(members[-1], now)]

    def _is_ours(self, newest: AlertRecord, now: int) -> bool:
        """Whether this server declares: that at which the last alert came in has the first say."""
        here = not is_from_elsewhere(newest, self._board.board_id)
        return here or now - newest.first_seen >= ELSEWHERE_MS

    def _over(self, rule: Rule) -> dict[tuple[str, ...], int]:
        """When the last incident with alerts that fit and are alike was ended, in milliseconds."""
        over: dict[tuple[str, ...], int] = {}
        for state in self._room.incidents.values():
            if state.status not in _SETTLED:
                continue
            ended = max((e.admitted or e.shown_at for e in state.heads(_STATUS)), default=0)
            for link in state.links():
                record = self._board.get(link.uid)
                if record is not None and fits(rule.matchers, record):
                    alike = rule.alike(record)
                    over[alike] = max(over.get(alike, 0), ended)
        return over

    def _linked(self) -> tuple[set[str], set[str]]:
        """The alerts that are linked to any incident, and to one that goes on."""
        linked: set[str] = set()
        covered: set[str] = set()
        for state in self._room.incidents.values():
            uids = {link.uid for link in state.links()}
            linked |= uids
            if state.status not in _SETTLED:
                covered |= uids
        return linked, covered

    async def _declare(self, rule: Rule, members: Sequence[AlertRecord]) -> None:
        stream = new_stream(secrets.token_bytes)
        severity, why = _severity(rule.settings, members)
        checklist = self._checklist()
        name = new_id(secrets.token_bytes)
        bodies: list[Body] = [
            IncidentDeclared(title=clean_line(proposed_title(members), 200) or "alerts"),
            SeveritySet(severity=severity),
            StatusSet(status="started"),
            ChecklistAttached(checklist=name, title=checklist.title, steps=checklist.steps),
            NoteAdded(text=_told(rule, members, why)),
        ]
        bodies += [AlertLinked(uid=r.uid, alert=copy_of(r)) for r in members[:MAX_LINKED]]
        await self._room.write_all(stream, [(body, ()) for body in bodies])

    def _say_spent(self, rule: Rule, now: int) -> None:
        """Say with a card of our own that the rest is left to people."""
        name, most = rule.settings.name, rule.settings.at_most
        known = self._board.newest(FULL_SOURCE, f"declare:{name}")
        if known is not None and known.is_open:
            return
        card = Signal(
            source=FULL_SOURCE,
            kind="warroom",
            key=f"declare:{name}",
            state="firing",
            severity="SEV3",
            title=f"the rule {name} would declare more incidents than {most} in an hour",
            summary="Look at the alerts that fit it: what they are is left to people now.",
            received=now,
        )
        self._board.apply([card])
        self._changed()

    def settle(self) -> None:
        """End the cards of rules that may declare again."""
        now = self._now()
        for rule in self._rules:
            known = self._board.newest(FULL_SOURCE, f"declare:{rule.settings.name}")
            if known is not None and known.is_open and not rule.is_spent(now):
                self._board.close(known.uid, "source", now)
                self._changed()


def _severity(rule: DeclareRule, members: Sequence[AlertRecord]) -> tuple[SeverityName, str]:
    """The severity to declare with, and a sentence where it is less than asked for."""
    sources = sorted({record.source for record in members})
    loudest = sorted({record.source for record in members if record.severity == "SEV1"})
    if rule.severity is None:
        found = proposed_severity(members, by_itself=True)
        if loudest and found != "SEV1":
            return found, f"SEV1 needs a second source: only {loudest[0]} says so."
        return found, ""
    if rule.severity == "SEV1" and len(sources) < 2:
        return "SEV2", f"SEV1 needs alerts of a second source: all come from {sources[0]}."
    return rule.severity, ""


def _told(rule: Rule, members: Sequence[AlertRecord], why: str) -> str:
    settings = rule.settings
    alike = [value for value in rule.alike(members[0]) if value]
    of = f" of {', '.join(alike)}" if alike else ""
    alerts = "1 alert" if len(members) == 1 else f"{len(members)} alerts"
    said = (
        f"Declared by the rule {settings.name} of warroom.toml, not by a person: {alerts}{of}"
        f" within {settings.window}; it asks for {settings.threshold} that fit"
        f" {settings.matchers}."
    )
    return clean_line(f"{said} {why}".strip(), 2000)
