"""Everything the server does about alerts by itself, put together, started and stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from warroom_incident.alerts import AlertRecord
from warroom_incident.clean import clean_line
from warroom_incident.practice.runbook import Runbook
from warroom_incident.sync.asking import FIRED_BEFORE, MAX_TITLES, NOISE, SILENCE_PREVIEW
from warroom_incident.sync.wire import Answer, Ask
from warroom_incident.windows import check_matchers

from ..asks import Asks, CannotAnswer
from ..board import Board
from ..config import Config, ConfigError
from ..identity import Caller
from ..intake.senders import Senders, read_secret
from ..intake.store import IntakeStore
from ..room import Room
from .api import Api, ApiAlert, ApiError
from .declaring import Declaring, Rule
from .endings import Endings
from .heartbeats import Heartbeats
from .past import Past
from .reconcile import Reconciler
from .settings import DeclareRule
from .silences import Silences

LOOK_SECONDS = 1.0
"""How often late heartbeats and ripe rules are looked for."""

LOOK_AT_ALL = 30
"""Every so many looks all rules are applied, whatever has changed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OfficeDeps:
    """What the office works with.

    `room` has the streams, `board` the alerts, `store` remembers the past, `senders` know how the
    alerts of a source are read. `now` is the clock, in milliseconds; `save` is called when the
    board changed here. `checklist` gives the one that comes with a declaration.
    """

    room: Room
    board: Board
    store: IntakeStore
    senders: Senders
    now: Callable[[], int]
    save: Callable[[], None]
    checklist: Callable[[], Runbook]


class AlertOffice:
    """The server's own part in alerts.

    Args:
        config: What was configured.
        directory: Where `warroom.toml` lies, and the token files beside it.
        deps: What it works with.

    Raises:
        ConfigError: A token file or a rule cannot be used.
    """

    def __init__(self, config: Config, directory: Path, deps: OfficeDeps) -> None:
        room, board, now, save = deps.room, deps.board, deps.now, deps.save
        self._board = board
        self._now = now
        self._save = save
        self.heartbeats = Heartbeats(board, config.alerts, save)
        board.sift = self.heartbeats.take
        board.stale_after = config.alerts.patience
        self._past = Past(deps.store, board, room, now)
        rules = [_rule(each) for each in config.declare]
        self.declaring = Declaring(room, board, rules, now, save, deps.checklist)
        self._apis: dict[str, Api] = {}
        self._reconcilers: dict[str, Reconciler] = {}
        present: dict[str, dict[str, Collection[str]]] = {}
        for settings in config.alertmanager:
            if settings.name in self._apis:
                raise ConfigError(f"Two [[alertmanager]] have the name {settings.name}.")
            token = ""
            if settings.token_file:
                token = read_secret(directory / settings.token_file).decode("ascii", "replace")
            api = self._apis[settings.name] = Api(settings, token)
            self._reconcilers[settings.name] = Reconciler(
                api,
                settings,
                board,
                partial(deps.senders.source, settings.source, settings.kind),
                self.heartbeats.is_alert,
                present.setdefault(settings.source, {}),
                now,
                save,
            )
        self.silences = Silences(room, self._apis, now, self._hurry)
        self._endings = Endings(room, board, now, save)
        self._tasks: list[asyncio.Task[None]] = []
        self._changed: set[str] = set()

    def answer(self, asks: Asks) -> None:
        """Answer what consoles may ask."""
        asks.on(FIRED_BEFORE, self._past.fired_before)
        asks.on(NOISE, self._past.noise)
        if self._apis:
            asks.on(SILENCE_PREVIEW, self._preview)
            asks.alertmanagers = sorted(self._apis)

    def start(self) -> None:
        """Begin to watch, to ask and to do."""
        names = {f"{name}/API" for name in self._apis}
        self.heartbeats.forget_unknown(names)
        self._board.be_patient()
        self._board.on_change(self._on_records)
        self.silences.start()
        self._endings.start()
        self._begin(self._watch())
        for reconciler in self._reconcilers.values():
            self._begin(reconciler.run())

    async def stop(self) -> None:
        """End it all."""
        self._endings.stop()
        await self.silences.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for api in self._apis.values():
            await api.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    def _on_records(self, records: Sequence[AlertRecord]) -> None:
        self._changed.update(record.uid for record in records)

    def _hurry(self, name: str) -> None:
        if name in self._reconcilers:
            self._reconcilers[name].hurry()

    async def _watch(self) -> None:
        """Look for what is late every second, and for ripe rules when alerts have changed.

        Rules also ripen by themselves, when a window or the quiet hours end: less often all are
        looked at.
        """
        for turn in count():
            try:
                self.heartbeats.look(self._now())
                if self._board.settle(self._now()):
                    self._save()
                self.declaring.settle()
                changed, self._changed = self._changed, set()
                if turn % LOOK_AT_ALL == 0:
                    await self.declaring.look()
                elif changed:
                    await self.declaring.look(changed)
            except Exception:  # the next look may be better; nothing else must stop for it
                _log.exception("watching the alerts failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def _preview(self, ask: Ask, _caller: Caller) -> Answer:
        """How many alerts a silence would hide at its source."""
        api = self._apis.get(ask.alertmanager)
        if api is None:
            raise CannotAnswer(f"There is no Alertmanager {clean_line(ask.alertmanager, 80)} here.")
        reason = check_matchers(ask.matchers)
        if reason is not None:
            raise CannotAnswer(f"This would silence nothing or everything: {reason}.")
        try:
            found = [alert for alert in await api.alerts(ask.matchers) if not alert.is_quiet]
        except ApiError as error:
            raise CannotAnswer(f"{api.name} cannot tell: {error}.") from error
        titles = [_title(alert) for alert in found[:MAX_TITLES]]
        return Answer(ask.id, count=len(found), titles=titles, told_by=api.name)


def _rule(settings: DeclareRule) -> Rule:
    try:
        return Rule(settings)
    except ValueError as error:
        raise ConfigError(f"[[declare]] {settings.name}: {error}") from error


def _title(alert: ApiAlert) -> str:
    for name, among in (("summary", alert.annotations), ("alertname", alert.labels)):
        if words := str(among.get(name, "")).strip():
            return words[:200]
    return "unnamed alert"
