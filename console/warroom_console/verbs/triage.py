"""What a responder says of alerts beside taking them on: how long, whose, that they are over."""

from __future__ import annotations

from functools import partial

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.times import DAY, clock
from warroom_console.verbs.alerts import MOST_AT_ONCE, chosen, on_alert, on_open, told
from warroom_console.verbs.guards import both, complaint_of, may_write, word_check
from warroom_console.verbs.people import choose_person
from warroom_console.views.board import NOISES, Standing
from warroom_console.views.noise import draw_noise
from warroom_console.when import span_within
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_incident.clean import clean_line
from warroom_incident.event import BOARD
from warroom_incident.sync.asking import NOISE, Ask as Question
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    AlertAssigned,
    AlertEnded,
    AlertMarked,
    Noise,
)

LONGEST_HOLD = 7 * DAY
"""An acknowledgement that is to run out does so within a week."""

_HOLDS = (("15m", "q"), ("30m", "h"), ("1h", "1"), ("4h", "4"), ("1d", "d"))
_OTHER = "other"
_REPORT_DAYS = 30


def register(registry: Registry[Ctx]) -> None:
    """Add the verbs to the Alerts panel and to the lobby's alerts."""
    able = both(may_write, on_alert)
    for name, scope in (("alerts", Scope.ALERTS), ("lobby", Scope.LOBBY)):
        first = scope is Scope.ALERTS
        registry.register(
            Action(f"{name}.hold", ("h",), "Hold", "Take the alert on for a while; then it waits "
                   "again.", hold, scope=scope, when=able, command="hold" if first else "",
                   usage="30m" if first else "", check=word_check(read_hold), shown=False),
            Action(f"{name}.own", ("o",), "Own", "Look after the alert yourself, or give that up.",
                   own, scope=scope, when=able, shown=False),
            Action(f"{name}.give", ("O",), "Give", "Choose who looks after the alert.", give,
                   scope=scope, when=able, shown=False),
            Action(f"{name}.noise", ("X",), "Noise", "Say why the alert was noise, or take that "
                   "back.", noise, scope=scope, when=able, shown=False),
            Action(f"{name}.clear", ("C",), "Clear", "Say that the alert is over, where its source "
                   "does not; what that says later counts.", clear, scope=scope,
                   when=both(able, on_open), command="clear" if first else "", shown=False),
        )  # fmt: skip
    registry.register(
        Action("alerts.report", (), "Noise report", "Which rules were noise in the last thirty "
               "days.", report, command="noise", shown=False),
    )  # fmt: skip


# For a while -------------------------------------------------------------------------------


def hold(ctx: Ctx, args: Args) -> None:
    """Take alerts on for a time that is chosen, or named."""
    alerts = chosen(ctx)
    if args.text:
        _hold(ctx, alerts, args.text)
        return
    choices = [Choice(span, span, key=key) for span, key in _HOLDS]
    choices.append(Choice(_OTHER, "another time…", key="o"))

    def then(span: str) -> None:
        if span == _OTHER:
            ctx.ask(Ask("take on for: ", partial(_hold, ctx, alerts), hint="45m, 2h or 1d",
                        check=partial(complaint_of, read_hold)))  # fmt: skip
        else:
            _hold(ctx, alerts, span)

    ctx.choose(f"Take on {told(alerts)} for", choices, then)


def _hold(ctx: Ctx, alerts: list[Standing], text: str) -> None:
    try:
        until = ctx.now() + read_hold(text)
    except ValueError as error:
        ctx.flash(str(error), Tone.WARN)
        return
    bodies = [AlertAcknowledged(uid=alert.uid, until=until) for alert in alerts[:MOST_AT_ONCE]]
    ctx.write_to(BOARD, *bodies, said=f"Took on {told(alerts)} until {clock(until)}Z")


def read_hold(text: str) -> int:
    """Read for how long an alert is taken on, in milliseconds.

    Raises:
        ValueError: It is no such time; the message is one sentence.
    """
    sentence = "An alert is taken on for a minute to seven days; a takes it on for good."
    return span_within(text, LONGEST_HOLD, sentence)


# Whose it is -------------------------------------------------------------------------------


def own(ctx: Ctx, _args: Args) -> None:
    """Look after alerts; where all of them are this person's already, give that up."""
    alerts = chosen(ctx)
    you = ctx.model.you
    wanted = [alert for alert in alerts if alert.assigned != you]
    _assign(ctx, wanted or alerts, you if wanted else None)


def give(ctx: Ctx, _args: Args) -> None:
    """Choose who looks after alerts."""
    alerts = chosen(ctx)
    nobody = "take it from who has it" if any(alert.assigned for alert in alerts) else ""
    choose_person(ctx, f"Who looks after {told(alerts)}", partial(_assign, ctx, alerts),
                  nobody=nobody)  # fmt: skip


def _assign(ctx: Ctx, alerts: list[Standing], person: str | None) -> None:
    whose = f"is {clean_line(person, 30)}'s" if person else "is nobody's now"
    if len(alerts) > 1:
        whose = whose.replace("is ", "are ", 1)
    bodies = [AlertAssigned(uid=a.uid, person=person) for a in alerts[:MOST_AT_ONCE]]
    ctx.write_to(BOARD, *bodies, said=f"{told(alerts)} {whose}")


# The end -----------------------------------------------------------------------------------


def clear(ctx: Ctx, _args: Args) -> None:
    """Say that alerts are over. The server ends those of which nothing was heard since."""
    alerts = [alert for alert in chosen(ctx) if alert.is_open]
    bodies = [AlertEnded(uid=a.uid, heard=a.last_seen) for a in alerts[:MOST_AT_ONCE]]
    ctx.write_to(BOARD, *bodies, said=f"Said that {told(alerts)} {_are(alerts)} over")


def _are(alerts: list[Standing]) -> str:
    return "is" if len(alerts) == 1 else "are"


# Noise -------------------------------------------------------------------------------------


def noise(ctx: Ctx, _args: Args) -> None:
    """Say why alerts were noise; where all of them were called so, offer to take that back."""
    alerts = chosen(ctx)
    choices = [Choice(kind, name, note, key) for kind, (key, name, note) in NOISES.items()]
    if any(alert.noise for alert in alerts):
        choices.append(Choice("none", "no noise", "take back what was said", "n"))

    def then(kind: str) -> None:
        said: Noise = next((known for known in NOISES if known == kind), "")
        bodies = [AlertMarked(uid=a.uid, noise=said) for a in alerts[:MOST_AT_ONCE]]
        name = NOISES[said][1] if said else "no noise"
        ctx.write_to(BOARD, *bodies, said=f"{told(alerts)}: {name}")

    ctx.choose(f"Why {told(alerts)} was noise", choices, then)


async def report(ctx: Ctx, _args: Args) -> None:
    """Show which rules were noise, the noisiest first."""
    answer = await ctx.desk.ask(Question(0, NOISE, days=_REPORT_DAYS))
    if answer.error:
        ctx.flash(clean_line(answer.error), Tone.WARN)
        return
    ctx.stage.about(f"Noise in {_REPORT_DAYS} days", partial(draw_noise, answer.rules))
