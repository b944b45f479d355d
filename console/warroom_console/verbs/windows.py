"""Maintenance windows and rules against noise: alerts that are counted and call nobody."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial

from msgspec import Struct

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.times import DAY, day, stamp
from warroom_console.verbs.alerts import chosen
from warroom_console.verbs.guards import complaint_of, may_write
from warroom_console.views.board import picture_of
from warroom_console.when import span_within
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_incident.author import new_id
from warroom_incident.board import Window
from warroom_incident.clean import clean_line
from warroom_incident.event import BOARD
from warroom_incident.fields import Matcher
from warroom_incident.matching import parse_matchers, show_matchers
from warroom_incident.practice.words import counted
from warroom_incident.vocabulary import WindowEnded, WindowOpened
from warroom_incident.windows import check_matchers, fits, value_of

LONGEST = 90 * DAY
"""Every window ends; what is to be quiet for good is mended at its source."""

_LONGEST_WHY = 240
_FACTS = ("service", "env", "source")
_LABELS = ("alertname", "cluster", "namespace", "instance")
_SPANS = {
    "maintenance": ("maintenance", (("30m", "h"), ("1h", "1"), ("2h", "2"), ("8h", "8"))),
    "suppression": ("rule against noise", (("1d", "d"), ("7d", "w"), ("30d", "m"))),
}
_OTHER = "other"


class Draft(Struct, frozen=True):
    """A window as far as it was said."""

    matchers: tuple[Matcher, ...]
    hides: int
    kind: str = ""
    span: int = 0


def register(registry: Registry[Ctx]) -> None:
    """Add `W` for alerts, and `:window` and `:windows` everywhere."""
    for name, scope in (("alerts", Scope.ALERTS), ("lobby", Scope.LOBBY)):
        registry.register(
            Action(f"{name}.window", ("W",), "Window", "Hide alerts like this for a time: planned "
                   "work, or a rule against noise.", begin, scope=scope, when=may_write,
                   shown=False),
        )  # fmt: skip
    registry.register(
        Action("windows.open", (), "Window", "Hide the alerts that fit, for a time.", begin,
               when=may_write, command="window", usage='service=cart, zone=~"eu-.*"',
               check=_line_check, shown=False),
        Action("windows.list", (), "Windows", "List what is hidden, by whom and until when; end "
               "one.", show, command="windows", shown=False),
    )  # fmt: skip


# Opening one -------------------------------------------------------------------------------


def begin(ctx: Ctx, args: Args) -> None:
    """Ask which alerts are to be hidden, beginning with what the chosen ones have in common."""
    if args.text:
        _ask_how_long(ctx, args.text)
        return

    def then(text: str) -> None:
        _ask_how_long(ctx, text)

    ctx.ask(
        Ask(
            "hide: ",
            then,
            text=show_matchers(common(ctx)),
            hint="service=cart, alertname=HighErrors; all must fit",
            check=complaint,
        )
    )


def common(ctx: Ctx) -> tuple[Matcher, ...]:
    """Matchers for what the chosen alerts have in common: the rule, the service, where it is."""
    records = [ctx.model.records[a.uid] for a in chosen(ctx) if a.uid in ctx.model.records]
    if not records:
        return ()
    names = [name for name in (*_LABELS, *_FACTS) if len({value_of(r, name) for r in records}) == 1]
    found = [Matcher(name, value_of(records[0], name)) for name in names]
    return tuple(matcher for matcher in found if matcher.value)


def complaint(text: str) -> str | None:
    """Why a text names no alerts to hide, in one sentence."""
    try:
        return check_matchers(parse_matchers(text))
    except ValueError as error:
        return str(error)


def _line_check(_ctx: Ctx, args: Args) -> str | None:
    return complaint(args.text)


def _ask_how_long(ctx: Ctx, text: str) -> None:
    matchers = parse_matchers(text)
    hides = sum(fits(matchers, record) for record in picture_of(ctx).open)
    draft = Draft(matchers, hides)
    choices = [
        Choice(f"{kind} {span}", f"{name} for {span}", key=key)
        for kind, (name, spans) in _SPANS.items()
        for span, key in spans
    ]
    choices.append(Choice(_OTHER, "maintenance for another time…", key="o"))
    ctx.choose(
        f"Hides {counted(hides, 'alert')} now; for how long", choices, partial(_timed, ctx, draft)
    )


def _timed(ctx: Ctx, draft: Draft, chosen_: str) -> None:
    if chosen_ == _OTHER:
        ctx.ask(Ask("maintenance for: ", partial(_timed_by_hand, ctx, draft), hint="45m, 6h or 2d",
                    check=partial(complaint_of, read_span)))  # fmt: skip
        return
    kind, _, span = chosen_.partition(" ")
    _ask_why(ctx, Draft(draft.matchers, draft.hides, kind, read_span(span)))


def _timed_by_hand(ctx: Ctx, draft: Draft, text: str) -> None:
    _ask_why(ctx, Draft(draft.matchers, draft.hides, "maintenance", read_span(text)))


def read_span(text: str) -> int:
    """Read how long a window holds, in milliseconds.

    Raises:
        ValueError: It is no such time; the message is one sentence.
    """
    return span_within(text, LONGEST, "A window holds for a minute to ninety days.")


def _ask_why(ctx: Ctx, draft: Draft) -> None:
    ctx.ask(Ask("why: ", partial(_open, ctx, draft), hint="what others are to know",
                check=_why_complaint))  # fmt: skip


def _why_complaint(text: str) -> str | None:
    if not text.strip():
        return "say why, or Esc to leave"
    over = len(text.strip()) - _LONGEST_WHY
    return f"{over} characters too long" if over > 0 else None


def _open(ctx: Ctx, draft: Draft, why: str) -> None:
    now = ctx.now()
    body = WindowOpened(
        window=new_id(os.urandom),
        kind="suppression" if draft.kind == "suppression" else "maintenance",
        why=why.strip(),
        matchers=draft.matchers,
        starts_at=now,
        ends_at=now + draft.span,
    )
    said = f"Hidden until {until(ctx, body.ends_at)}: {counted(draft.hides, 'alert')}"
    ctx.write_to(BOARD, body, said=said)


# Those that hold ---------------------------------------------------------------------------


def show(ctx: Ctx, _args: Args) -> None:
    """List the windows; choosing one asks whether to end it."""
    windows = ctx.model.board.windows(ctx.now())
    if not windows:
        ctx.flash("No window is open: W on an alert opens one.", Tone.DIM)
        return
    hidden = [window.window for window in picture_of(ctx).hidden.values()]
    choices = [
        Choice(
            window.window,
            clean_line(show_matchers(window.matchers), 40),
            f"{counted(hidden.count(window.window), 'alert')} until {until(ctx, window.ends_at)}, "
            f"{clean_line(window.by, 20)}: {clean_line(window.why, 60)}",
        )
        for window in windows
    ]
    ctx.choose("Windows: Enter ends one", choices, _ending(ctx, windows))


def _ending(ctx: Ctx, windows: Iterable[Window]) -> Callable[[str], None]:
    def then(name: str) -> None:
        window = next(one for one in windows if one.window == name)
        told = clean_line(show_matchers(window.matchers), 60)
        ctx.confirm(f"End the window for {told}?", partial(_end, ctx, name))

    return then


def _end(ctx: Ctx, name: str) -> None:
    ctx.write_to(BOARD, WindowEnded(window=name), said="Ended the window")


def until(ctx: Ctx, at: int) -> str:
    """When something ends, with the day when that is not today's."""
    told = stamp(at)
    return told[11:16] + "Z" if day(at) == day(ctx.now()) else f"{told[:16]}Z"
