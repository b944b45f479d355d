"""Answers about the past: whether an alert fired before, and which rules are noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec

from warroom_incident.alerts import AlertRecord
from warroom_incident.episodes import Episode, RuleNoise
from warroom_incident.grouping import rule_of
from warroom_incident.sync.asking import MAX_EPISODES, MAX_RULES
from warroom_incident.sync.wire import Answer, Ask

from ..board import Board
from ..identity import Caller
from ..intake.past import select_of_key, select_rules, select_rules_of
from ..intake.store import IntakeStore
from ..room import Room

_DAY_MS = 86_400_000


class Past:
    """What is known of alerts that are over, with what people made of them.

    Args:
        store: Where past episodes are remembered.
        board: What is open now.
        room: The incidents, and what people called noise.
        now: The clock, in milliseconds.
    """

    def __init__(
        self, store: IntakeStore, board: Board, room: Room, now: Callable[[], int]
    ) -> None:
        self._store = store
        self._board = board
        self._room = room
        self._now = now

    async def fired_before(self, ask: Ask, caller: Caller) -> Answer:
        """The episodes of one alert, the newest first, the open one among them."""
        count, past = await self._store.ask(
            lambda db: select_of_key(db, ask.source, ask.key, MAX_EPISODES)
        )
        record = self._board.newest(ask.source, ask.key)
        if record is not None:
            known = [episode for episode in past if episode.uid != record.uid]
            count += len(known) == len(past)
            past = [_episode(record), *known][:MAX_EPISODES]
        led = self._led(caller)
        told = [msgspec.structs.replace(each, incidents=led.get(each.uid, [])[:5]) for each in past]
        return Answer(ask.id, count=count, episodes=told)

    async def noise(self, ask: Ask, caller: Caller) -> Answer:
        """The rules that fired in some days, those called noise most often first."""
        since = self._now() - ask.days * _DAY_MS
        rows = await self._store.ask(lambda db: select_rules(db, since))
        fired = {(row.source, row.rule): RuleNoise(row.source, row.rule, 0) for row in rows}
        for row in rows:
            fired[row.source, row.rule] = RuleNoise(
                row.source,
                row.rule,
                row.episodes,
                flaps=row.flaps,
                open_ms=row.open_ms,
                last_seen=row.last_seen,
            )
        marks, led = self._room.board.marks(), self._led(caller)
        flapping = {record.uid for record in self._open(since) if record.flaps}
        named = {*marks, *led, *flapping}
        rules = await self._store.ask(lambda db: select_rules_of(db, named, since))
        for record in self._open(since):
            rule = (record.source, rule_of(record)[:200])
            known = fired.get(rule, RuleNoise(*rule, 0))
            fired[rule] = self._with_open(known, record, again=record.uid in rules)
            rules[record.uid] = rule
        said = Counter((rules[uid], mark.noise) for uid, mark in marks.items() if uid in rules)
        linked = Counter(rules[uid] for uid in led if uid in rules)
        told = [
            msgspec.structs.replace(
                each,
                false_positive=said[rule, "false_positive"],
                not_actionable=said[rule, "not_actionable"],
                poor_details=said[rule, "poor_details"],
                led=linked[rule],
            )
            for rule, each in fired.items()
        ]
        told.sort(key=lambda each: (-each.noise, -each.episodes, each.source, each.rule))
        return Answer(ask.id, count=len(told), rules=told[:MAX_RULES])

    def _open(self, since: int) -> list[AlertRecord]:
        return [r for r in self._board.open() if r.first_seen >= since and r.kind != "warroom"]

    def _with_open(self, rule: RuleNoise, record: AlertRecord, *, again: bool) -> RuleNoise:
        """A rule's past with an episode that is still open; it counts `again` if it flapped."""
        lasted = 0 if again else max(0, self._now() - record.first_seen)
        return msgspec.structs.replace(
            rule,
            episodes=rule.episodes + (not again),
            flaps=rule.flaps + (0 if again else record.flaps),
            open_ms=rule.open_ms + lasted,
            last_seen=max(rule.last_seen, record.first_seen),
        )

    def _led(self, caller: Caller) -> dict[str, list[str]]:
        """The incidents that each linked episode led to, by their numbers: those one may read."""
        led: dict[str, list[str]] = {}
        for state in self._room.incidents.values():
            if not state.drill and self._room.may_read(caller, state.stream):
                for link in state.links():
                    led.setdefault(link.uid, []).append(state.number)
        return led


def _episode(record: AlertRecord) -> Episode:
    return Episode(
        record.uid,
        record.title,
        record.peak or record.severity,
        record.first_seen,
        record.ends_at,
        record.resolved_by,
        record.count,
        record.flaps,
    )
