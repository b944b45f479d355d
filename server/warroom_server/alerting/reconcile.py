"""Keeps the board true to an Alertmanager's own API.

A webhook tells much, not all: what ends under a silence is never told, what is silenced or
inhibited is not sent, and a long notification is cut. So the API is asked every minute. What it
says is marked with its name; while it cannot be asked, that is said and nothing is guessed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping

import msgspec

from warroom_incident.alerts import AlertRecord, State, close_record
from warroom_incident.beats import Beat

from ..board import Board
from ..intake.kinds.alertmanager import read
from ..intake.post import Post
from ..intake.reading.body import read_time
from ..intake.source import Source
from .api import Api, ApiAlert, ApiError
from .groups import SenderGroups
from .settings import AlertmanagerSettings, duration_ms

LATE_AFTER = 3
"""After so many times without an answer the path is late, and that is an alert of our own."""

JUST_ENDED_MS = 90_000
"""What ended so recently may still be in an answer that was on its way."""

_SLICE = 200
_log = logging.getLogger(__name__)


class Reconciler:
    """Asks one Alertmanager.

    Args:
        api: Whom to ask.
        settings: What of it is ours.
        board: What to keep true.
        source: How the alerts that we lack are read.
        is_alert: Whether alerts of some labels belong on a board.
        present: What each Alertmanager of the sender said last, by its name; shared by all.
        now: The clock, in milliseconds.
        changed: Called when the board changed here.
    """

    def __init__(
        self,
        api: Api,
        settings: AlertmanagerSettings,
        board: Board,
        source: Callable[[], Source],
        is_alert: Callable[[Mapping[str, object]], bool],
        present: dict[str, Collection[str]],
        now: Callable[[], int],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._api = api
        self._settings = settings
        self._board = board
        self._source = source
        self._is_alert = is_alert
        self._present = present
        self._now = now
        self._changed = changed
        self._absent: set[str] = set()
        self._receivers = {settings.receiver} - {""}
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """Ask soon: something was just done there."""
        self._hurry.set()

    async def run(self) -> None:
        """Ask again and again until cancelled."""
        every = duration_ms(self._settings.every) / 1000
        while True:
            self._hurry.clear()
            try:
                await self.look()
            except Exception:  # the next answer may be better
                _log.exception("reconciling with %s failed", self._api.name)
            try:
                async with asyncio.timeout(every):
                    await self._hurry.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Ask once, and make the board say what the answer says."""
        asked = self._now()
        try:
            alerts = await self._api.alerts()
            since = await self._api.up_since()
        except ApiError as error:
            self._absent.clear()
            self._present.pop(self._api.name, None)
            self._beat(str(error))
            return
        self._beat("")
        if not self._settings.source:
            return
        settled = since is None or asked - since.timestamp() * 1000 >= duration_ms(
            self._settings.settle
        )
        there = {alert.fingerprint: alert for alert in alerts}
        self._present[self._api.name] = there.keys()
        held = {
            record.key: record
            for record in self._board.open()
            if record.source == self._settings.source and record.first_seen < asked
        }
        revised = await self._told(held, there, asked)
        revised += self._ended(held, there, asked, settled=settled)
        self._board.revise(revised)
        completed = await self._complete(held, there, asked)
        if revised or completed:
            self._changed()

    def _beat(self, trouble: str) -> None:
        """Note that it answered, or why it did not: the time of the last answer stands."""
        every = duration_ms(self._settings.every) * LATE_AFTER
        known = self._board.beside.beats.get(f"{self._api.name}/API")
        seen = known.last_seen if trouble and known is not None else self._now()
        if trouble and known is None:
            seen = self._now() - every  # nobody ever answered: that is said at once
        self._board.beat(
            Beat(
                source=self._api.name,
                name="API",
                kind="poll",
                last_seen=seen,
                every=every,
                trouble=trouble,
            )
        )

    # What we hold --------------------------------------------------------------------------

    async def _told(
        self, held: Mapping[str, AlertRecord], there: Mapping[str, ApiAlert], asked: int
    ) -> list[AlertRecord]:
        """Those of ours of which the API says something else, or that it confirms in time."""
        found = []
        for number, (key, record) in enumerate(held.items()):
            if number % _SLICE == 0:
                await asyncio.sleep(0)
            alert = there.get(key)
            if alert is None:
                continue
            self._absent.discard(record.uid)
            if not self._settings.receiver:
                self._receivers.update(each.name for each in alert.receivers)
            said = _as_told(record, alert, self._api.name)
            if record.stale_after and asked - record.last_seen > record.stale_after // 2:
                said = msgspec.structs.replace(said, last_seen=asked)
            if said != record:
                found.append(said)
        return found

    def _ended(
        self,
        held: Mapping[str, AlertRecord],
        there: Mapping[str, ApiAlert],
        asked: int,
        *,
        settled: bool,
    ) -> list[AlertRecord]:
        """Those of ours that were in neither of two answers: they ended, and nobody was told.

        Nor may another Alertmanager of the same sender have them, which this one may be cut off
        from.
        """
        known = set(there).union(*self._present.values())
        gone = [r for key, r in held.items() if key not in known and r.last_seen < asked]
        twice = [record for record in gone if record.uid in self._absent] if settled else []
        self._absent = {record.uid for record in gone} if settled else set()
        return [
            msgspec.structs.replace(
                close_record(record, "reconcile", asked, asked), told_by=self._api.name
            )
            for record in twice
        ]

    # What we lack --------------------------------------------------------------------------

    async def _complete(
        self, held: Mapping[str, AlertRecord], there: Mapping[str, ApiAlert], asked: int
    ) -> bool:
        """Take over what was meant for us and never came: cut off, silenced, inhibited."""
        lacking = [alert for key, alert in there.items() if key not in held and self._ours(alert)]
        wanted = [alert for alert in lacking if not self._just_ended(alert, asked)]
        source, groups = self._source(), SenderGroups(held.values())
        for start in range(0, len(wanted), _SLICE):
            for alert in wanted[start : start + _SLICE]:
                self._take_over(alert, source, groups)
            await asyncio.sleep(0)
        return bool(wanted)

    def _ours(self, alert: ApiAlert) -> bool:
        names = {receiver.name for receiver in alert.receivers}
        return bool(names & self._receivers) and self._is_alert(alert.labels)

    def _just_ended(self, alert: ApiAlert, asked: int) -> bool:
        newest = self._board.newest(self._settings.source, alert.fingerprint)
        if newest is None:
            return False
        if newest.is_open:
            return True
        start = read_time(alert.starts_at)
        if start is not None and start > (newest.told_start or newest.starts_at):
            return False
        return asked - newest.last_seen < JUST_ENDED_MS

    def _take_over(self, alert: ApiAlert, source: Source, groups: SenderGroups) -> None:
        post = Post(b"", self._now())
        notification = {"alerts": [msgspec.to_builtins(alert)]}
        for signal in read(notification, post, source, self._api.name):
            state: State = "suppressed" if alert.is_quiet else signal.state
            group = groups.find(signal.labels)
            self._board.apply([msgspec.structs.replace(signal, state=state, group=group)])
            record = self._board.newest(signal.source, signal.key)
            if record is not None:
                self._board.revise([_as_told(record, alert, self._api.name, new=True)])


def _as_told(
    record: AlertRecord, alert: ApiAlert, teller: str, *, new: bool = False
) -> AlertRecord:
    """A record as the API has it; its name stands where that is not what the sender told us."""
    state = record.state
    if alert.is_quiet:
        state = "suppressed"
    elif state == "suppressed":
        state = "firing"
    told_by = teller if new or state != record.state or alert.is_quiet else record.told_by
    return msgspec.structs.replace(
        record,
        state=state,
        silenced=len(alert.status.silenced_by or ()),
        inhibited=len(alert.status.inhibited_by or ()),
        told_by=told_by,
    )
