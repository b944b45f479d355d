"""The Alerts panel: the board, the incident's own alerts first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from warroom_console.context import Room
from warroom_console.model import Area, Changes
from warroom_console.theme import Tone
from warroom_console.views.alert_detail import draw_alert
from warroom_console.views.alert_row import Columns, alert_row, heading
from warroom_console.views.board import Standing, linked, on_board, severity_tone, stand
from warroom_console.views.sifting import fits, shown
from warroom_console.widgets.panel import Title
from warroom_console.widgets.row import Draw, Row
from warroom_console.widgets.spans import Line
from warroom_incident.clean import clean
from warroom_incident.event import BOARD

MOST_OVER = 200
"""How many alerts that are over are listed."""


class AlertsView:
    """What the Alerts panel shows."""

    name = "Alerts"

    def __init__(self) -> None:
        self.filter = ""
        self.unseen: set[str] = set()
        self._known: set[str] = set()
        self._alerts: list[Standing] | None = None
        self._links: dict[str, tuple[str, ...]] = {}

    def changed(self, room: Room, changes: Changes) -> bool:
        """Read the board anew when it, what people did to it, or what is linked changed."""
        links = linked(room)
        if (
            Area.RECORDS not in changes.areas
            and BOARD not in changes.events
            and links == self._links
        ):
            return False
        self._alerts, self._links = None, links
        self._notice(room, changes.records)
        return True

    def _notice(self, room: Room, uids: Iterable[str]) -> None:
        """Remember alerts that have begun to fire since this console was opened."""
        for uid in uids:
            record = room.model.records.get(uid)
            if record is None or record.first_seen < room.model.joined_at or not record.is_open:
                continue
            if uid not in self._known:
                self._known.add(uid)
                self.unseen.add(uid)

    def alerts(self, room: Room) -> list[Standing]:
        """Every alert, the incident's own first, the open before the others, the worst first."""
        if self._alerts is None:
            self._alerts = sorted(on_board(room), key=_order)
        return self._alerts

    def rows(self, room: Room) -> list[Row]:
        """A row an alert, under headings where there is more than one kind."""
        now, glyphs = room.now(), room.glyphs
        found = [
            alert
            for alert in self.alerts(room)
            if fits(self.filter, alert.title, alert.service, alert.word, *_words(alert))
        ]
        own = [alert for alert in found if alert.own]
        others = [alert for alert in found if not alert.own and alert.is_open]
        over = [alert for alert in found if not alert.own and not alert.is_open]
        over.sort(key=lambda alert: (-alert.last_seen, alert.uid))
        groups = [
            (f"Linked to {room.state.number}", own),
            ("Open, not linked here", others),
            (_over(over), over[:MOST_OVER]),
        ]
        in_incident = room.stream is not None
        columns = Columns.of(found, in_incident=in_incident)
        rows: list[Row] = []
        plain = not own and not over
        for name, alerts in groups:
            if alerts and not plain:
                rows.append(heading(name))
            rows.extend(alert_row(alert, now, glyphs, columns, in_incident) for alert in alerts)
        return rows

    def title(self, room: Room) -> Title:
        """How many there are and how many wait; collapsed, the one to look at."""
        alerts = self.alerts(room)
        waiting = [alert for alert in alerts if alert.waits]
        badges: Line = ()
        if waiting:
            badges = ((f" {room.glyphs.dot}", Tone.DIM), (f" {len(waiting)} waiting", Tone.WARN))
        first = min(waiting, key=lambda alert: (not alert.own, alert.urgency), default=None)
        status: Line = ()
        if first is not None:
            severity = (first.severity, severity_tone(first.severity))
            status = (severity, (f" {first.title}", Tone.TEXT))
        count = sum(alert.is_open for alert in alerts)
        return Title(f"{count} open" if alerts else "", badges, shown(self.filter), "", status)

    def empty(self, room: Room) -> str:
        """What to say when nothing is listed."""
        if self.filter:
            return "No alert fits the filter. Esc shows them all."
        return "No alerts. Quiet is good."

    def detail(self, room: Room, row_id: str) -> Draw | None:
        """Labels, annotations, links, times, and what people did to it."""
        alert = next((alert for alert in self.alerts(room) if alert.uid == row_id), None)
        return None if alert is None else draw_alert(room, alert)

    def text(self, room: Room, row_id: str | None) -> str:
        """One alert, or all, as Markdown."""
        chosen = [alert for alert in self.alerts(room) if row_id in (None, alert.uid)]
        return clean("\n".join(_markdown(alert) for alert in chosen))


def _order(alert: Standing) -> tuple[bool, bool, tuple[str, int, str]]:
    return (not alert.own, not alert.is_open, alert.urgency)


def _words(alert: Standing) -> tuple[str, ...]:
    return (alert.severity, alert.source, alert.acked_by, *alert.incidents)


def _over(over: Sequence[Standing]) -> str:
    if len(over) > MOST_OVER:
        return f"Over (the latest {MOST_OVER} of {len(over)})"
    return "Over"


def _markdown(alert: Standing) -> str:
    acked = f", taken on by {alert.acked_by}" if alert.acked_by else ""
    where = f" ({', '.join(alert.incidents)})" if alert.incidents else ""
    service = f" [{alert.service}]" if alert.service else ""
    return f"- {alert.severity} {alert.word} {alert.title}{service}{acked}{where}"


def standing_of(room: Room, uid: str) -> Standing | None:
    """One alert of the board as it stands now."""
    record = room.model.records.get(uid)
    own = next((link for link in room.state.links() if link.uid == uid), None)
    alert = record or (own.alert if own is not None else None)
    if alert is None:
        return None
    return stand(room, alert, linked(room).get(uid, ()), own=own is not None)
