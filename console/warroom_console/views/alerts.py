"""The Alerts panel: the board, the incident's own alerts first, the noise folded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.model import Area, Changes
from warroom_console.theme import Tone
from warroom_console.views.alert_row import Columns, alert_row, heading
from warroom_console.views.beats import beat_badge, beat_rows
from warroom_console.views.board import (
    NOISES,
    Picture,
    Standing,
    linked,
    picture_of,
    severity_tone,
)
from warroom_console.views.group_row import group_row
from warroom_console.views.sifting import fits_text, shown
from warroom_console.weighing import Weighing
from warroom_console.widgets.panel import Title
from warroom_console.widgets.row import Draw, Row
from warroom_console.widgets.spans import Line
from warroom_incident.alerts import AlertRecord
from warroom_incident.board import Window
from warroom_incident.clean import clean
from warroom_incident.event import BOARD
from warroom_incident.grouping import Group, fold_alerts
from warroom_incident.suggesting import Offer

MOST = 400
"""How many alerts that are over are listed."""

MOST_UNFOLDED = 5000
"""How many alerts of one group are listed."""

FOLD_FROM = 3
"""Two alerts that belong together take no more room than their fold would."""

OWN_PLAIN = 12
"""An incident's own alerts are folded when there are more."""

_SHOWN = frozenset({Area.RECORDS, Area.BEATS})

GROUP = "group:"
"""What the id of a folded line's row begins with; the group's id follows."""


_Lines = Sequence[Standing | tuple[Group, int]]
"""Alerts, and groups with how many of their alerts wait."""


class _Listing(Struct, frozen=True):
    """What is listed: the incident's own, those offered to it, the other open ones, those over.

    All but the last are groups; `shared` says what the offered ones share with the incident.
    """

    own: list[Group]
    offered: list[Group]
    shared: str
    others: list[Group]
    quiet: list[Group]
    over: list[str]


def _list(
    records: Iterable[AlertRecord],
    fits: Callable[[AlertRecord], bool] | None,
    ours: Collection[str],
    taken: Collection[str],
    offer: Offer,
    hidden: Mapping[str, Window],
    now: int,
) -> _Listing:
    """Part and fold the alerts that fit.

    `ours` are the incident's own; what is `taken` is listed elsewhere.
    """
    wanted = frozenset(offer.uids)
    own: list[AlertRecord] = []
    offered: list[AlertRecord] = []
    others: list[AlertRecord] = []
    over: list[AlertRecord] = []
    for record in filter(fits, records) if fits is not None else records:
        if record.uid in ours:
            own.append(record)
        elif not record.is_open:
            over.append(record)
        elif record.uid in wanted:
            offered.append(record)
        elif record.uid not in taken:
            others.append(record)
    found = fold_alerts(others, now, hidden)
    return _Listing(
        fold_alerts(own, now) if len(own) > OWN_PLAIN else [],
        fold_alerts(offered, now, hidden),
        offer.shared,
        [group for group in found if not group.is_quiet],
        [group for group in found if group.is_quiet],
        [record.uid for record in sorted(over, key=_latest)],
    )


class AlertsView:
    """What the Alerts panel shows. `each` lists every alert, `unfolded` holds open groups."""

    name = "Alerts"

    def __init__(self) -> None:
        self.filter = ""
        self.unseen: set[str] = set()
        self.each = False
        self.unfolded: set[str] = set()
        self._known: set[str] = set()
        self._links: dict[str, tuple[str, ...]] = {}
        self._folding: Weighing[_Listing] | None = None
        self._listed: _Listing | None = None
        self._groups: dict[str, Group] = {}

    def changed(self, room: Room, changes: Changes) -> bool:
        """Whether the board, what people did to it, or what is linked changed."""
        links = linked(room)
        if not changes.areas & _SHOWN and BOARD not in changes.events and links == self._links:
            return False
        self._links = links
        self._notice(room, changes.records)
        return True

    def _notice(self, room: Room, uids: Iterable[str]) -> None:
        """Remember alerts that have begun to fire since this console was opened."""
        records, joined_at = room.model.records, room.model.joined_at
        for uid in uids:
            record = records.get(uid)
            if record is None or record.first_seen < joined_at or not record.is_open:
                continue
            if uid not in self._known:
                self._known.add(uid)
                self.unseen.add(uid)

    # What is listed ------------------------------------------------------------------------

    def uids(self, row_id: str) -> Sequence[str]:
        """The alerts that a row stands for, the most urgent first."""
        group = self._groups.get(row_id.removeprefix(GROUP))
        return group.uids if row_id.startswith(GROUP) and group is not None else (row_id,)

    def toggle(self, row_id: str) -> bool:
        """Fold or unfold a group; False where the row is none."""
        if not row_id.startswith(GROUP):
            return False
        self.unfolded ^= {row_id.removeprefix(GROUP)}
        return True

    def listing(self, room: Room) -> _Listing:
        """What is to be listed; folded anew only when other alerts or another filter are there."""
        picture = picture_of(room)
        offer = picture.offer(room.stream)
        by_word = picture.edition[:3] if self.filter else ()
        key = (picture.fold_edition, self.filter, by_word, offer, picture.links)
        if self._folding is None:
            self._folding = Weighing(room.model.weighed)
        prepare = partial(self._prepare, room, picture, offer)
        found = self._folding.get(key, len(picture.records), room.now(), prepare)
        if found is not self._listed:
            self._listed = found
            groups = (*found.own, *found.offered, *found.others, *found.quiet)
            self._groups = {group.id: group for group in groups}
        return found

    def _prepare(self, room: Room, picture: Picture, offer: Offer) -> Callable[[], _Listing]:
        """The work of folding, with copies of what may change before it is done."""
        taken = picture.links if room.stream is None else picture.own
        records = [*picture.records.values()]
        ours, hidden = picture.own.keys(), picture.hidden
        fits = partial(_fits, self.filter, picture) if self.filter else None
        return partial(_list, records, fits, ours, taken.keys(), offer, hidden, room.now())

    # Rows ----------------------------------------------------------------------------------

    def rows(self, room: Room) -> list[Row]:
        """A row an alert or a fold, under headings where there is more than one kind."""
        listing, picture = self.listing(room), picture_of(room)
        sections: list[tuple[str, _Lines]] = [
            (f"Linked to {room.state.number}", self._own(room, picture, listing)),
            (_offered(room, listing), self._folded(picture, listing.offered)),
            ("Open, not linked here", self._folded(picture, listing.others)),
            (_quieted(listing.quiet), self._folded(picture, listing.quiet)),
            (_over(listing.over), picture.stand_all(listing.over[:MOST])),
        ]
        columns = self._columns(room, [line for _, lines in sections for line in lines])
        rows: list[Row] = []
        plain = not any(lines for name, lines in sections if not name.startswith("Open"))
        for name, lines in sections:
            if name.startswith("Over"):
                rows.extend(beat_rows(room))
            if lines and not plain:
                rows.append(heading(name))
            rows.extend(self._draw(room, lines, columns))
        return rows

    def loose_rows(self, room: Room, prefix: str) -> tuple[int, list[Row]]:
        """How many open alerts are in no incident, and a row for each or for their fold."""
        listing, picture = self.listing(room), picture_of(room)
        groups = [*listing.others, *listing.quiet]
        lines = self._folded(picture, groups)
        rows = self._draw(room, lines, self._columns(room, lines), prefix)
        return sum(group.count for group in groups), list(rows)

    def _columns(self, room: Room, lines: _Lines) -> Columns:
        single = [line for line in lines if isinstance(line, Standing)]
        return Columns.of(single, in_incident=room.stream is not None)

    def _draw(self, room: Room, lines: _Lines, columns: Columns, prefix: str = "") -> Iterator[Row]:
        now, glyphs = room.now(), room.glyphs
        in_incident = room.stream is not None
        for line in lines:
            if isinstance(line, Standing):
                yield alert_row(line, now, glyphs, columns, in_incident, prefix)
            else:
                group, waiting = line
                unfolded = group.id in self.unfolded
                yield group_row(group, waiting, now, glyphs, unfolded, prefix)

    def _own(self, room: Room, picture: Picture, listing: _Listing) -> _Lines:
        """The incident's own, the open before the others, the worst first."""
        if listing.own and not self.each:
            return self._folded(picture, listing.own)
        own = picture.stand_all(picture.own)
        if self.filter:
            own = [alert for alert in own if fits_text(self.filter, _text_of(alert, picture))]
        return sorted(own, key=lambda alert: (not alert.is_open, alert.urgency))

    def _folded(self, picture: Picture, groups: Sequence[Group]) -> _Lines:
        """Lines for groups: what is large or quiet is folded, unless it is to be seen."""
        lines: list[Standing | tuple[Group, int]] = []
        for group in groups:
            folds = (group.is_quiet or group.count >= FOLD_FROM) and not self.each
            if folds:
                waiting = picture.waiting.uids.intersection(group.uids)
                lines.append((group, len(waiting)))
            if not folds or group.id in self.unfolded:
                lines.extend(picture.stand_all(group.uids[:MOST_UNFOLDED]))
        return lines

    def title(self, room: Room) -> Title:
        """How many there are and how many wait; collapsed, the one to look at."""
        picture = picture_of(room)
        waiting = picture.waiting
        badges: Line = ()
        if waiting:
            badges = ((f" {room.glyphs.dot}", Tone.DIM), (f" {len(waiting)} waiting", Tone.WARN))
        badges = (*badges, *beat_badge(room))
        first = waiting.first
        status: Line = ()
        if first is not None:
            severity = (first.severity, severity_tone(first.severity))
            status = (severity, (f" {first.title}", Tone.TEXT))
        count = f"{picture.survey.open} open" if picture.records or picture.own else ""
        return Title(count, badges, shown(self.filter), "", status)

    def empty(self, room: Room) -> str:
        """What to say when nothing is listed."""
        if self.filter:
            return "No alert fits the filter. Esc shows them all."
        return "No alerts. Quiet is good."

    def detail(self, room: Room, row_id: str) -> Draw | None:
        """Labels, annotations, links, times, and what people did to it; or what a fold holds."""
        from .alert_detail import draw_alert, draw_group

        picture = picture_of(room)
        group = self._groups.get(row_id.removeprefix(GROUP))
        if row_id.startswith(GROUP) and group is not None:
            return draw_group(group, picture.stand_all(group.uids), room.glyphs)
        alert = picture.stand(row_id)
        return None if alert is None else draw_alert(room, alert)

    def text(self, room: Room, row_id: str | None) -> str:
        """One alert, a fold, or all that is open and one's own, as Markdown."""
        picture = picture_of(room)
        uids = [*picture.own, *(r.uid for r in picture.open if r.uid not in picture.own)]
        chosen = picture.stand_all(uids if row_id is None else self.uids(row_id))
        chosen.sort(key=lambda alert: (not alert.own, not alert.is_open, alert.urgency))
        return clean("\n".join(_markdown(alert) for alert in chosen))


def _fits(wanted: str, picture: Picture, record: AlertRecord) -> bool:
    return fits_text(wanted, picture.text(record))


def _text_of(alert: Standing, picture: Picture) -> str:
    """What the filter looks in; of an alert that the board knows no longer, its copy's words."""
    record = picture.records.get(alert.uid)
    copied = (alert.title, alert.service, alert.word, alert.severity, alert.source)
    return picture.text(record) if record is not None else "\n".join(copied).casefold()


def _latest(record: AlertRecord) -> tuple[int, str]:
    return (-record.last_seen, record.uid)


def _offered(room: Room, listing: _Listing) -> str:
    return f"Look like part of {room.state.number}, for {listing.shared}: l links them"


def _quieted(groups: Sequence[Group]) -> str:
    count = sum(group.count for group in groups)
    return f"Counted, calling nobody ({count})"


def _over(over: Sequence[str]) -> str:
    if len(over) > MOST:
        return f"Over (the latest {MOST} of {len(over)})"
    return "Over"


def _markdown(alert: Standing) -> str:
    acked = f", taken on by {alert.acked_by}" if alert.acked_by else ""
    noise = f", noise: {NOISES[alert.noise][1]}" if alert.noise else ""
    where = f" ({', '.join(alert.incidents)})" if alert.incidents else ""
    service = f" [{alert.service}]" if alert.service else ""
    return f"- {alert.severity} {alert.word} {alert.title}{service}{acked}{noise}{where}"
