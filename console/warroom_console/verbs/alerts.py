"""What a responder does in the Alerts panel: take alerts on, link them, look into them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.verbs.guards import both, in_incident, may_write, on_row
from warroom_console.views.alerts import AlertsView
from warroom_console.views.board import Standing, picture_of
from warroom_console.views.lobby import LobbyView
from warroom_incident.alerts import AlertRecord
from warroom_incident.clean import clean_line
from warroom_incident.event import BOARD
from warroom_incident.linking import copy_of
from warroom_incident.sync.asking import FIRED_BEFORE, Answer, Ask as Question
from warroom_incident.vocabulary import AlertAcknowledged, AlertLinked

MOST_AT_ONCE = 1000
"""A verb acts on so many alerts at once: each is an event for everybody. `W` hides a storm."""

PATIENCE = 0.3
"""For how many seconds an alert's page waits for its past."""

_MOST_PAST = 50


def register(registry: Registry[Ctx]) -> None:
    """Add the panel's actions; the lobby's alerts are acknowledged the same way."""
    alerts = Scope.ALERTS
    registry.register(
        Action("alerts.ack", ("a",), "Ack", "Take the alert on, or give it back.", acknowledge,
               scope=alerts, when=both(may_write, on_alert), command="ack"),
        Action("alerts.link", ("l",), "Link", "Link the alert to this incident, or unlink it.",
               link, scope=alerts, when=both(in_incident, on_alert), command="link"),
        Action("alerts.open", ("enter",), "Open", "Open the fold, or show all about the alert.",
               open_row, scope=alerts, when=on_row, shown=False),
        Action("alerts.shown", ("s",), "Shown", "Fold what belongs together, or list every alert.",
               shown, scope=alerts, shown=False),
        Action("alerts.mark", ("space",), "Mark", "Mark the row, for one verb on many rows.",
               mark, scope=alerts, when=on_row),
        Action("lobby.ack", ("a",), "Ack", "Take the alert on, or give it back.", acknowledge,
               scope=Scope.LOBBY, when=both(may_write, on_alert)),
        Action("lobby.mark", ("space",), "Mark", "Mark the alert, to declare or take on several.",
               mark, scope=Scope.LOBBY, when=on_alert, shown=False),
    )  # fmt: skip


def chosen(ctx: Ctx) -> list[Standing]:
    """The alerts that a verb acts on: those of the marked rows and folds, each once."""
    return picture_of(ctx).stand_all(dict.fromkeys(_uids(ctx)))


def _uids(ctx: Ctx) -> Iterator[str]:
    view = ctx.view
    for row in ctx.targets:
        if isinstance(view, AlertsView):
            yield from view.uids(row)
        elif isinstance(view, LobbyView):
            yield from view.uids(ctx, row)


def on_alert(ctx: Ctx) -> str | None:
    """Why there is no alert to act on."""
    picture = picture_of(ctx)
    known = any(picture.stand(uid) is not None for uid in _uids(ctx))
    return None if known else "no alert under the cursor"


def on_open(ctx: Ctx) -> str | None:
    """Why there is no alert that could end."""
    known = (picture_of(ctx).stand(uid) for uid in _uids(ctx))
    is_open = any(alert is not None and alert.is_open for alert in known)
    return None if is_open else "it is over already"


def told(alerts: list[Standing]) -> str:
    """What to call alerts in a sentence."""
    if len(alerts) == 1:
        return f"“{clean_line(alerts[0].title)}”"
    if len(alerts) > MOST_AT_ONCE:
        return f"the {MOST_AT_ONCE:,} most urgent of {len(alerts):,} alerts"
    return f"{len(alerts)} alerts"


def acknowledge(ctx: Ctx, _args: Args) -> None:
    """Take alerts on; where all of them are this person's already, give them back."""
    alerts = chosen(ctx)
    wanted = [alert for alert in alerts if not alert.acked_by] or alerts
    on = not wanted[0].acked_by
    said = f"Took on {told(wanted)}" if on else f"Gave back {told(wanted)}"
    bodies = [AlertAcknowledged(uid=a.uid, acknowledged=on) for a in wanted[:MOST_AT_ONCE]]
    ctx.write_to(BOARD, *bodies, said=said)


def link(ctx: Ctx, _args: Args) -> None:
    """Link alerts to the open incident; where all of them are linked, unlink them."""
    alerts = chosen(ctx)
    wanted = [alert for alert in alerts if not alert.own]
    if not wanted:
        bodies = [AlertLinked(uid=alert.uid) for alert in alerts[:MOST_AT_ONCE]]
        ctx.write(*bodies, said=f"Unlinked {told(alerts)}")
        return
    known = (ctx.model.records.get(alert.uid) for alert in wanted[:MOST_AT_ONCE])
    bodies = [AlertLinked(uid=r.uid, alert=copy_of(r)) for r in known if r is not None]
    ctx.write(*bodies, said=f"Linked {told(wanted)} to {ctx.state.number}")


def open_row(ctx: Ctx, _args: Args) -> None:
    """Fold or unfold a fold, or show everything about an alert."""
    if isinstance(ctx.view, AlertsView) and ctx.view.toggle(ctx.cursor or ""):
        ctx.refresh()
    else:
        look(ctx)


def look(ctx: Ctx) -> None:
    """Show everything about the row under the cursor; of one alert, whether it fired before."""
    alerts = list(_uids(ctx))
    record = ctx.model.records.get(alerts[0]) if len(alerts) == 1 else None
    if record is None:
        ctx.stage.show_detail()
    else:
        ctx.run(_look_back(ctx, record, ctx.cursor))


async def _look_back(ctx: Ctx, record: AlertRecord, row: str | None) -> None:
    """Ask for an alert's past; on a slow line the page opens without, and has it the next time."""
    question = Question(0, FIRED_BEFORE, source=record.source, key=record.key)
    asked = asyncio.ensure_future(ctx.desk.ask(question))
    asked.add_done_callback(partial(_remember, ctx.model.past, record.uid))
    await asyncio.wait([asked], timeout=PATIENCE)
    if ctx.cursor == row:
        ctx.stage.show_detail()


def _remember(past: dict[str, Answer], uid: str, asked: asyncio.Future[Answer]) -> None:
    if not asked.cancelled() and asked.exception() is None:
        while len(past) >= _MOST_PAST:
            del past[next(iter(past))]
        past[uid] = asked.result()


def shown(ctx: Ctx, _args: Args) -> None:
    """List every alert, or fold what belongs together."""
    view = ctx.view
    if isinstance(view, AlertsView):
        view.each = not view.each
        ctx.refresh()
        ctx.flash("Every alert is listed." if view.each else "What belongs together is folded.")


def mark(ctx: Ctx, _args: Args) -> None:
    """Mark the row, or unmark it."""
    ctx.stage.mark()
