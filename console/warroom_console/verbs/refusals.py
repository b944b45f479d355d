"""What a responder does with own entries that the server did not admit."""

from __future__ import annotations

from functools import partial

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.model import Refusal
from warroom_console.theme import Tone
from warroom_console.views.refused import wording
from warroom_console.widgets.menu import Choice
from warroom_incident.clean import clean_line

_MOST = 9
_LONGEST = 60


def register(registry: Registry[Ctx]) -> None:
    """Add `F` and `:refused`."""
    registry.register(
        Action("refused", ("F",), "Refused", "Send again, copy or put away what the server did "
               "not admit of yours.", see_to, when=_any, command="refused", shown=False),
    )  # fmt: skip


def _any(ctx: Ctx) -> str | None:
    return None if ctx.model.refusals else "the server has refused nothing of yours"


def see_to(ctx: Ctx, _args: Args) -> None:
    """Ask what to do with the refused entry under the cursor, else with one of those there are."""
    here = ctx.model.refusals.get(ctx.cursor or "") if ctx.scope is Scope.TIMELINE else None
    found = [here] if here is not None else _listed(ctx)
    if len(found) == 1:
        _ask(ctx, found[0])
        return
    choices = [
        Choice(one.event.id, _short(wording(one.event)), _short(one.reason), str(place))
        for place, one in enumerate(found[:_MOST], 1)
    ]
    refusals = ctx.model.refusals

    def then(event_id: str) -> None:
        if event_id in refusals:
            _ask(ctx, refusals[event_id])

    ctx.choose("Refused by the server", choices, then)


def _listed(ctx: Ctx) -> list[Refusal]:
    """Those of the open incident, else all; the newest first."""
    every = list(reversed(ctx.model.refusals.values()))
    return [one for one in every if one.event.head.stream == ctx.stream] or every


def _short(text: str) -> str:
    return clean_line(text, _LONGEST)


def _ask(ctx: Ctx, refusal: Refusal) -> None:
    choices = (
        Choice("resend", "Send it again", "as it was; it counts here at once", "s"),
        Choice("copy", "Copy its text", "to write it anew", "y"),
        Choice("dismiss", "Put it away", "the text stays in a file of yours", "x"),
    )
    title = f"Refused: {_short(refusal.reason)}"
    ctx.choose(title, choices, partial(_do, ctx, refusal))


def _do(ctx: Ctx, refusal: Refusal, what: str) -> None:
    match what:
        case "resend":
            _resend(ctx, refusal)
        case "copy":
            ctx.copy(wording(refusal.event), "The text")
        case _:
            ctx.desk.dismiss(refusal.event.id)
            ctx.flash(f"Put away; its text stays in {_short(str(ctx.desk.refused_directory))}.")


def _resend(ctx: Ctx, refusal: Refusal) -> None:
    """Send an entry again; of a declaration that was refused, all that belongs to it."""
    stream = refusal.event.head.stream
    ids = [refusal.event.id]
    if stream.startswith("i-") and ctx.desk.load(stream).declared is None:
        every = sorted(ctx.model.refusals.values(), key=lambda one: one.event.head.n)
        ids = [one.event.id for one in every if one.event.head.stream == stream]
    sent = [event_id for event_id in ids if ctx.desk.resend(event_id)]
    if not sent:
        ctx.flash("Its text is not kept on this machine any more.", Tone.WARN)
    elif ctx.model.live:
        ctx.flash("Sent again.")
    else:
        ctx.flash("It is sent when a server is back.")
