"""Which server this console talks to: going to another one by hand."""

from __future__ import annotations

from collections.abc import Iterable

from warroom_console.actions import Action, Args, Registry
from warroom_console.context import Ctx
from warroom_console.places import PlaceError, parse_server
from warroom_console.theme import Tone
from warroom_incident.clean import clean_line

from .guards import word_check


def register(registry: Registry[Ctx]) -> None:
    """Add `:server`."""
    registry.register(
        Action("server", (), "Server", "Go to another server of the room; without an address, say "
               "which there are.", go, command="server", usage="unix:///run/warroom/socket",
               hints=_known, check=word_check(parse_server), shown=False),
    )  # fmt: skip


def go(ctx: Ctx, args: Args) -> None:
    """Go to the server that was typed, or say which one this is and which others are known."""
    if not args.text:
        ctx.flash(_where(ctx))
        return
    try:
        ctx.desk.move_to(args.text)
    except PlaceError as error:
        ctx.flash(str(error), Tone.WARN)
    else:
        ctx.flash(f"Trying {clean_line(args.text, 60)} first.")


def _where(ctx: Ctx) -> str:
    here = clean_line(ctx.model.link.server, 60) or "none"
    others = [clean_line(url, 60) for url in _known(ctx, Args()) if url != ctx.model.link.server]
    also = f"; others: {', '.join(others)}" if others else "; no other is known"
    return f"The server is {here}{also}."


def _known(ctx: Ctx, _args: Args) -> Iterable[str]:
    listed = [url for place in ctx.model.servers for url in place.urls]
    return dict.fromkeys([*(server.url for server in ctx.desk.places.servers), *listed])
