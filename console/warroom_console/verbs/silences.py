"""Silences at the source, behind `!`: what will be hidden is shown first, and wants its target."""

from __future__ import annotations

import os
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.times import DAY, stamp
from warroom_console.verbs.alerts import chosen, on_alert
from warroom_console.verbs.guards import both, complaint_of, may_write
from warroom_console.verbs.windows import common, complaint
from warroom_console.when import span_within
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_incident.author import new_id
from warroom_incident.board import Silence
from warroom_incident.clean import clean_line
from warroom_incident.event import BOARD
from warroom_incident.fields import Matcher
from warroom_incident.matching import MOST, parse_matchers, show_matchers
from warroom_incident.practice.words import counted
from warroom_incident.sync.asking import SILENCE_PREVIEW, Ask as Question
from warroom_incident.vocabulary import SilenceAsked, SilenceEnded

LONGEST = 7 * DAY
"""A silence ends within a week: longer ones belong into the source's own configuration."""

_SPANS = (("30m", "h"), ("1h", "1"), ("2h", "2"), ("4h", "4"), ("1d", "d"))
_OTHER = "other"
_ALL = "all"
_LONGEST_COMMENT = 240


class Draft(Struct, frozen=True):
    """A silence as far as it was said."""

    alertmanager: str
    matchers: tuple[Matcher, ...] = ()
    span: int = 0


def register(registry: Registry[Ctx]) -> None:
    """Add `! s` and `! e` for alerts, in the room and in the lobby."""
    able = both(may_write, reachable)
    for name, scope in (("alerts", Scope.ALERTS), ("lobby", Scope.LOBBY)):
        first = scope is Scope.ALERTS
        registry.register(
            Action(f"{name}.silence", ("s",), "Silence", "Silence alerts like this at their "
                   "source.", silence, tier=2, scope=scope, leader="!", when=both(able, on_alert),
                   command="silence" if first else ""),
        )  # fmt: skip
    registry.register(
        Action("silences.expire", ("e",), "Expire silence", "End a silence that was placed from "
               "here.", expire, tier=1, leader="!", when=both(able, _any_active),
               command="expire"),
    )  # fmt: skip


def reachable(ctx: Ctx) -> str | None:
    """Why nothing can be silenced at its source now."""
    if not ctx.model.live:
        return "no server is reachable, and silences go through it"
    if not ctx.model.alertmanagers:
        return "the server's warroom.toml names no [[alertmanager]]"
    return None


def active(ctx: Ctx) -> list[Silence]:
    """The silences that hold or are asked for: the open incident's, in the lobby all of them."""
    now = ctx.now()
    return [
        silence
        for silence in ctx.model.board.silences(now)
        if silence.state in ("asked", "active")
        and (ctx.stream is None or silence.incident == ctx.stream)
    ]


def _any_active(ctx: Ctx) -> str | None:
    return None if active(ctx) else "no silence was placed from here, or all have ended"


# Asking for one ----------------------------------------------------------------------------


def silence(ctx: Ctx, _args: Args) -> None:
    """Ask where, which alerts and for how long; show what it would hide; want the target typed."""
    alerts = chosen(ctx)
    names = ctx.model.alertmanagers
    matchers = labels_of(ctx)
    if len(names) == 1:
        _ask_which(ctx, Draft(names[0], matchers))
        return
    sources = {alert.source for alert in alerts}
    ordered = sorted(names, key=lambda name: name not in sources)
    ctx.choose("Silence at", [Choice(name, name) for name in ordered],
               lambda name: _ask_which(ctx, Draft(name, matchers)))  # fmt: skip


def labels_of(ctx: Ctx) -> tuple[Matcher, ...]:
    """Matchers for all labels that the chosen alerts share; without any, what they share else."""
    records = [ctx.model.records[a.uid] for a in chosen(ctx) if a.uid in ctx.model.records]
    if not records:
        return ()
    shared = set.intersection(*(set(record.labels.items()) for record in records))
    found = [Matcher(name, value) for name, value in sorted(shared) if value]
    return tuple(found[:MOST]) or common(ctx)


def _ask_which(ctx: Ctx, draft: Draft) -> None:
    def then(text: str) -> None:
        _ask_how_long(ctx, replace(draft, matchers=parse_matchers(text)))

    text = show_matchers(draft.matchers)
    ctx.ask(Ask("silence: ", then, text=text, hint="all must fit", check=complaint))


def _ask_how_long(ctx: Ctx, draft: Draft) -> None:
    choices = [Choice(span, span, key=key) for span, key in _SPANS]
    choices.append(Choice(_OTHER, "another time…", key="o"))

    def then(span: str) -> None:
        if span == _OTHER:
            ctx.ask(
                Ask(
                    "silence for: ",
                    timed,
                    hint="45m, 6h or 2d",
                    check=partial(complaint_of, read_span),
                )
            )
        else:
            timed(span)

    def timed(text: str) -> None:
        ctx.run(_preview(ctx, replace(draft, span=read_span(text))))

    ctx.choose(f"Silence at {clean_line(draft.alertmanager, 30)} for", choices, then)


def read_span(text: str) -> int:
    """Read how long a silence holds, in milliseconds.

    Raises:
        ValueError: It is no such time; the message is one sentence.
    """
    return span_within(text, LONGEST, "A silence holds for a minute to seven days.")


async def _preview(ctx: Ctx, draft: Draft) -> None:
    """Ask the source itself how much it would hide, then for the target."""
    name = draft.alertmanager
    ctx.flash(f"Asking {clean_line(name, 30)} what this would hide…", Tone.DIM)
    question = Question(0, SILENCE_PREVIEW, alertmanager=name, matchers=list(draft.matchers))
    answer = await ctx.desk.ask(question)
    if answer.error:
        ctx.flash(f"Not silenced: {clean_line(answer.error)}", Tone.WARN)
        return
    until, shown = stamp(ctx.now() + draft.span)[11:16], clean_line(name, 30)
    ctx.confirm_typed(
        f"Hides {counted(answer.count, 'alert')} at {shown} until {until}Z. Type {shown}:",
        name,
        partial(_place, ctx, draft),
    )


def _place(ctx: Ctx, draft: Draft) -> None:
    number = ctx.state.number if ctx.stream is not None else "no incident"
    title = ctx.state.title if ctx.stream is not None else ""
    ends_at = ctx.now() + draft.span
    body = SilenceAsked(
        silence=new_id(os.urandom),
        alertmanager=draft.alertmanager,
        matchers=draft.matchers,
        ends_at=ends_at,
        comment=f"{number} {clean_line(title)}".strip()[:_LONGEST_COMMENT],
        incident=ctx.stream or "",
    )
    if not ctx.write_to(BOARD, body, said=""):
        return
    where = clean_line(draft.alertmanager, 30)
    ctx.flash(f"Asked {where} for the silence; ! e ends it.")


# Ending one --------------------------------------------------------------------------------


def expire(ctx: Ctx, _args: Args) -> None:
    """Choose which silence ends, or all of them."""
    silences = active(ctx)
    choices = [
        Choice(
            one.silence,
            clean_line(show_matchers(one.matchers), 50),
            f"at {clean_line(one.alertmanager, 20)} until {stamp(one.ends_at)[11:16]}Z, "
            f"by {clean_line(one.by, 20)}",
        )
        for one in silences
    ]
    if len(choices) > 1:
        choices.append(Choice(_ALL, f"all {len(choices)}"))
    ctx.choose("End which silence", choices, partial(_confirm_end, ctx, silences))


def _confirm_end(ctx: Ctx, silences: list[Silence], name: str) -> None:
    wanted = [one for one in silences if name in (one.silence, _ALL)]
    what = "the silence" if len(wanted) == 1 else f"{len(wanted)} silences"
    ctx.confirm(f"End {what} at the source?", partial(_end, ctx, wanted))


def _end(ctx: Ctx, wanted: list[Silence]) -> None:
    ctx.write_to(BOARD, *(SilenceEnded(silence=one.silence) for one in wanted), said="")
    ctx.flash(f"Asked to end {len(wanted)}: what the source answers comes into the timeline.")
